/* Each pod is looked at once. What it holds is told by its age alone, whatever annotations it
 * bears: it may have been copied from another. */
#include "operator/consumers.h"

#include <stdio.h>
#include <string.h>

#include "api/target.h"
#include "api/timestamp.h"
#include "base/json.h"
#include "base/shared_json.h"
#include "reconcile/rollout.h"

struct gathering {
    struct consumers *consumers;
    const struct caches *caches;
    const struct world *world;
    enum workload_kind kind;        /* of the workloads that are visited */
    char marker[MARKER_NAME_BYTES]; /* name of this resource's */
    int64_t
        failed_since_ms; /* what started later may hold a failed revision; INT64_MAX: none does */
};

/* A copy that lives as long as the consumers. */
static const char *keep(struct consumers *consumers, const char *text)
{
    if (!text)
        return NULL;
    cJSON *item = cJSON_CreateString(text);
    cJSON_AddItemToArray(consumers->texts, item);
    return item->valuestring;
}

/* ---- workloads ---- */

static struct workload_view *find(const struct consumers *consumers, const char *kind,
                                  const char *name)
{
    for (size_t i = 0; i < consumers->view.workload_count; i++)
        if (mem_streq(workload_kind_name(consumers->workloads[i].kind), kind) &&
            mem_streq(consumers->workloads[i].name, name))
            return &consumers->workloads[i];
    return NULL;
}

static struct workload_view *add(struct consumers *consumers)
{
    size_t count = ++consumers->view.workload_count;
    consumers->workloads =
        mem_realloc(consumers->workloads, count * sizeof consumers->workloads[0]);
    struct workload_view *view = &consumers->workloads[count - 1];
    *view = (struct workload_view){ .marker = "" };
    return view;
}

/* When any of the Secrets that it refers to was last published: two that are published at about the
 * same time are one reason to restart. */
static int64_t published_at_ms(const struct caches *caches, const cJSON *workload)
{
    int64_t latest_ms = 0;
    const char *namespace = json_string_at(workload, "metadata.namespace");
    const cJSON *name = NULL;
    cJSON_ArrayForEach(name, json_member(workload, "secrets")) {
        auto_shared_json const cJSON *secret =
            store_get(caches->secrets, namespace, name->valuestring);
        const cJSON *annotations = json_at(secret, "metadata.annotations");
        int64_t ms = target_published_ms(secret);
        if (json_member(annotations, ANNOTATION_TEMPLATE) && ms > latest_ms)
            latest_ms = ms;
    }
    return latest_ms;
}

static bool is_named(const struct spec *spec, enum workload_kind kind, const char *name)
{
    const cJSON *item = NULL;
    cJSON_ArrayForEach(item, spec->rollout_workloads)
        if (mem_streq(json_string_member(item, "kind"), workload_kind_name(kind)) &&
            mem_streq(json_string_member(item, "name"), name))
            return true;
    return false;
}

static void describe(const struct gathering *gathering, const cJSON *workload,
                     struct workload_view *view)
{
    const struct spec *spec = &gathering->world->resource->spec;
    view->name = json_string_at(workload, "metadata.name");
    view->uid = json_string_at(workload, "metadata.uid");
    view->refers = json_has_string(json_member(workload, "secrets"), spec->secret_name);
    view->chosen = spec->rollout_mode == ROLLOUT_RESTART &&
                   (!spec->rollout_workloads || is_named(spec, view->kind, view->name));
    view->rank = json_int_at(workload, "rank", 0);
    view->settled = json_bool_at(workload, "settled", false);
    view->held = json_string_member(workload, "held");
    view->marker =
        mem_or_empty(json_string_member(json_member(workload, "revisions"), gathering->marker));
    view->published_at_ms = published_at_ms(gathering->caches, workload);
}

static void add_workload(void *context, const cJSON *workload)
{
    struct gathering *gathering = context;
    if (json_at(workload, "metadata.deletionTimestamp"))
        return;
    cJSON *copy = cJSON_Duplicate(workload, true);
    cJSON_AddItemToArray(gathering->consumers->objects, copy);
    struct workload_view *view = add(gathering->consumers);
    view->kind = gathering->kind;
    describe(gathering, copy, view);
}

/* Those that the spec names, and that don't refer to the target. */
static void add_named(struct gathering *gathering)
{
    const struct resource *resource = gathering->world->resource;
    const cJSON *item = NULL;
    cJSON_ArrayForEach(item, resource->spec.rollout_workloads) {
        const char *kind = json_string_member(item, "kind");
        const char *name = json_string_member(item, "name");
        if (!workload_kind_parse(kind, &gathering->kind) || find(gathering->consumers, kind, name))
            continue;
        auto_shared_json const cJSON *object =
            store_get(gathering->caches->workloads[gathering->kind], resource->namespace, name);
        if (object) {
            add_workload(gathering, object);
            continue;
        }
        struct workload_view *view = add(gathering->consumers);
        view->kind = gathering->kind;
        view->name = name;
    }
}

static void gather_workloads(struct gathering *gathering)
{
    const struct resource *resource = gathering->world->resource;
    auto_free char *key = caches_workload_key(resource->namespace, resource->spec.secret_name);
    for (int kind = 0; kind < WORKLOAD_KINDS; kind++) {
        gathering->kind = (enum workload_kind)kind;
        store_visit(gathering->caches->workloads[kind], key, add_workload, gathering);
    }
    add_named(gathering);
}

/* ---- pods ---- */

static int64_t time_at(const cJSON *pod, const char *path)
{
    return timestamp_or(json_string_at(pod, path), 0);
}

/* A node reads pull credentials each time that it pulls: once its images are there, or when it
 * waits for a next attempt, a pod holds none. */
static bool may_be_pulling(const cJSON *pod)
{
    return !json_member(pod, "started") && !json_member(pod, "trouble");
}

static bool is_old(const struct world *world, const cJSON *pod)
{
    const char *secret = world->resource->spec.secret_name;
    int64_t published_ms = world->target.published_at_ms;
    if (published_ms == 0)
        return true;
    if (json_has_string(json_member(pod, "pulls"), secret) && !may_be_pulling(pod))
        return false;
    return time_at(pod, "metadata.creationTimestamp") <= published_ms + PUBLICATION_SKEW_MS;
}

/* A container reads the Secret when it starts, also when it starts again in an old pod. */
static bool may_hold_failed(const struct gathering *gathering, const cJSON *pod)
{
    int64_t started_ms = time_at(pod, "started");
    return gathering->failed_since_ms != INT64_MAX && is_old(gathering->world, pod) &&
           (started_ms == 0 || started_ms >= gathering->failed_since_ms);
}

static struct workload_view *workload_of(const struct consumers *consumers, const cJSON *pod)
{
    const char *owner = json_string_member(pod, "owner");
    const char *slash = owner ? strchr(owner, '/') : NULL;
    if (!slash)
        return NULL;
    auto_free char *kind = mem_strndup(owner, (size_t)(slash - owner));
    return find(consumers, kind, slash + 1);
}

static struct pod_note note(struct consumers *consumers, const cJSON *pod, const char *reason,
                            int64_t since_ms)
{
    return (struct pod_note){
        .name = keep(consumers, json_string_at(pod, "metadata.name")),
        .reason = keep(consumers, reason),
        .message = keep(consumers, json_string_at(pod, "trouble.message")),
        .since_ms = since_ms,
    };
}

/* One that crashes is ready between two crashes: it fails since it could begin. That is not before
 * it had a node, for which it may have waited long. */
static int64_t failing_since_ms(const cJSON *pod, const char *reason)
{
    int64_t created_ms = time_at(pod, "metadata.creationTimestamp");
    int64_t scheduled_ms = time_at(pod, "scheduled");
    int64_t begun_ms = scheduled_ms > created_ms ? scheduled_ms : created_ms;
    int64_t since_ms = time_at(pod, "since");
    return strcmp(reason, "CrashLoopBackOff") == 0 || since_ms < begun_ms ? begun_ms : since_ms;
}

static bool has_trouble_starting(const cJSON *pod)
{
    return !json_bool_at(pod, "ready", false) && !json_at(pod, "metadata.deletionTimestamp");
}

/* From the template as it is, as far as our marker tells. */
static bool is_of_template(const struct gathering *gathering, const cJSON *pod,
                           const struct workload_view *view)
{
    const char *marker = json_string_member(json_member(pod, "revisions"), gathering->marker);
    return mem_streq(mem_or_empty(marker), view->marker);
}

/* Of several pods, the one that is in trouble for longest. */
static void note_longest(struct consumers *consumers, const cJSON *pod, const char *reason,
                         int64_t since_ms, struct pod_note *longest)
{
    if (!longest->name || since_ms < longest->since_ms)
        *longest = note(consumers, pod, reason, since_ms);
}

static void note_failing(struct consumers *consumers, const cJSON *pod, const char *reason,
                         struct pod_note *failing)
{
    note_longest(consumers, pod, reason, failing_since_ms(pod, reason), failing);
}

/* One that our restart didn't make: it holds up the roll-out that did. */
static void note_stuck(struct gathering *gathering, const cJSON *pod, struct workload_view *view)
{
    const char *reason = json_string_at(pod, "trouble.reason");
    if (reason && has_trouble_starting(pod) && is_of_template(gathering, pod, view))
        note_failing(gathering->consumers, pod, reason, &view->stuck);
}

static void count_new(struct gathering *gathering, const cJSON *pod, struct workload_view *view)
{
    if (!has_trouble_starting(pod))
        return;
    view->unready_pods++;
    const char *reason = json_string_at(pod, "trouble.reason");
    if (view->marker[0] == '\0')
        note_stuck(gathering, pod, view);
    else if (is_of_template(gathering, pod, view))
        note_failing(gathering->consumers, pod, reason ? reason : POD_NOT_READY, &view->failing);
}

static void count_for_workload(struct gathering *gathering, const cJSON *pod, bool old,
                               struct workload_view *view)
{
    const char *reason = json_string_at(pod, "trouble.reason");
    view->pods++;
    view->old_pods += old;
    view->leaving_pods += old && json_at(pod, "metadata.deletionTimestamp");
    if (mem_streq(reason, "Unschedulable")) {
        view->unschedulable_pods++;
        note_longest(gathering->consumers, pod, reason, time_at(pod, "metadata.creationTimestamp"),
                     &view->unschedulable);
    } else if (old) {
        note_stuck(gathering, pod, view);
    } else {
        count_new(gathering, pod, view);
    }
}

static void name_if_first(struct consumers *consumers, const char **field, const cJSON *pod)
{
    if ((*field)[0] == '\0')
        *field = keep(consumers, mem_or_empty(json_string_at(pod, "metadata.name")));
}

static void name_loose(struct consumers *consumers, const cJSON *pod)
{
    const char *owner = json_string_member(pod, "owner");
    auto_free char *text = mem_printf("%s%s%s%s", json_string_at(pod, "metadata.name"),
                                      owner ? " (" : "", mem_or_empty(owner), owner ? ")" : "");
    if (consumers->view.loose_example[0] == '\0')
        consumers->view.loose_example = keep(consumers, text);
}

static void count_pod(void *context, const cJSON *pod)
{
    struct gathering *gathering = context;
    struct consumers *consumers = gathering->consumers;
    struct consumers_view *view = &consumers->view;
    if (json_bool_at(pod, "finished", false))
        return;
    bool old = is_old(gathering->world, pod);
    view->pods++;
    view->failed_pods += may_hold_failed(gathering, pod);
    name_if_first(consumers, &view->example, pod);
    struct workload_view *workload = workload_of(consumers, pod);
    if (workload)
        count_for_workload(gathering, pod, old, workload);
    if (!old)
        return;
    view->old_pods++;
    name_if_first(consumers, &view->old_example, pod);
    if (!workload || !workload->chosen)
        name_loose(consumers, pod);
}

/* Where a whole namespace goes, the Secrets that tell under which names the value was published may
 * have gone first, and every pod goes too. */
static void gather_pods(struct gathering *gathering)
{
    const struct resource *resource = gathering->world->resource;
    auto_free char *key = gathering->world->namespace_terminating
                              ? caches_pods_key(resource->namespace)
                              : caches_pod_key(resource->namespace, resource->spec.secret_name);
    store_visit(gathering->caches->pods, key, count_pod, gathering);
}

/* ---- the whole ---- */

/* The first publication of one that failed and isn't gone yet. */
static int64_t failed_since_ms(const struct world *world)
{
    int64_t since_ms = INT64_MAX;
    for (size_t i = 0; i < world->revision_count; i++) {
        const struct world_revision *revision = &world->revisions[i];
        int64_t ms = revision->secret ? revision->secret->published_at_ms : 0;
        if (revision->failed && !revision->gone && ms < since_ms)
            since_ms = ms;
    }
    return since_ms;
}

struct consumers *consumers_gather(const struct caches *caches, const struct world *world)
{
    struct consumers *consumers = mem_alloc(sizeof *consumers);
    consumers->objects = cJSON_CreateArray();
    consumers->texts = cJSON_CreateArray();
    consumers->view =
        (struct consumers_view){ .example = "", .old_example = "", .loose_example = "" };
    struct gathering gathering = { .consumers = consumers,
                                   .caches = caches,
                                   .world = world,
                                   .failed_since_ms = failed_since_ms(world) };
    marker_name(world->resource->name, gathering.marker);
    gather_workloads(&gathering);
    gather_pods(&gathering);
    rollout_sort(consumers->workloads, consumers->view.workload_count, &world->resource->spec);
    consumers->view.workloads = consumers->workloads;
    return consumers;
}

void consumers_free(struct consumers *consumers)
{
    if (!consumers)
        return;
    mem_free(consumers->workloads);
    cJSON_Delete(consumers->objects);
    cJSON_Delete(consumers->texts);
    mem_free(consumers);
}
