/* The steps of a roll-out: server-side apply of our markers on a pod template, under a field
 * manager of its own, so that Helm, Flux and Argo CD neither lose to it nor undo it. All markers of
 * one template are applied together (what is left out would be taken off), with the version that
 * they were read from as precondition. */
#include <string.h>

#include "api/revision_number.h"
#include "api/target.h"
#include "api/timestamp.h"
#include "base/json.h"
#include "base/log.h"
#include "base/shared_json.h"
#include "operator/consumers.h"
#include "operator/steps.h"
#include "reconcile/failure.h"
#include "reconcile/rollout.h"

static const struct kube_resource *resource_of(enum workload_kind kind)
{
    static const struct kube_resource *const RESOURCES[WORKLOAD_KINDS] = {
        [WORKLOAD_DEPLOYMENT] = &KUBE_DEPLOYMENTS,
        [WORKLOAD_STATEFUL_SET] = &KUBE_STATEFUL_SETS,
        [WORKLOAD_DAEMON_SET] = &KUBE_DAEMON_SETS,
    };
    return RESOURCES[kind];
}

static struct store *workloads(const struct pass *pass)
{
    return pass->runtime->caches->workloads[pass->step.workload->kind];
}

/* Those that the template has now. */
static cJSON *present_markers(const cJSON *workload)
{
    const cJSON *present = json_member(workload, "revisions");
    return present ? cJSON_Duplicate(present, true) : cJSON_CreateObject();
}

static void set_marker(cJSON *markers, const char *resource_name, int64_t revision)
{
    char name[MARKER_NAME_BYTES];
    marker_name(resource_name, name);
    auto_free char *value = mem_printf("%lld", (long long)revision);
    cJSON_DeleteItemFromObjectCaseSensitive(markers, name);
    json_add_string(markers, name, value);
}

/* ---- applying ---- */

static cJSON *apply_body(const struct kube_resource *type, const cJSON *workload,
                         const cJSON *markers)
{
    cJSON *body = cJSON_CreateObject();
    auto_free char *version = mem_printf("%s/%s", type->group, type->version);
    json_add_string(body, "apiVersion", version);
    json_add_string(body, "kind", type->kind);
    cJSON *metadata = json_add_object(body, "metadata");
    static const char *const IDENTITY[] = { "name", "namespace", "uid", "resourceVersion" };
    const cJSON *is = json_member(workload, "metadata");
    for (size_t i = 0; i < ARRAY_LENGTH(IDENTITY); i++)
        json_add_string(metadata, IDENTITY[i], json_string_member(is, IDENTITY[i]));
    cJSON *template = json_add_object(json_add_object(body, "spec"), "template");
    cJSON *annotations = json_add_object(json_add_object(template, "metadata"), "annotations");
    const cJSON *marker = NULL;
    cJSON_ArrayForEach(marker, markers) {
        auto_free char *name = mem_printf("%s%s", MARKER_PREFIX, marker->string);
        json_add_string(annotations, name, marker->valuestring);
    }
    return body;
}

static void apply(struct pass *pass, const cJSON *workload, const cJSON *markers,
                  kube_done_fn *done)
{
    const struct kube_resource *type = resource_of(pass->step.workload->kind);
    pass_kube(pass, KUBE_APPLY, type, pass->step.workload->name, NULL,
              apply_body(type, workload, markers), false, done);
}

static void applied(struct pass *pass, cJSON **object, const struct err *err)
{
    const struct workload_view *workload = pass->step.workload;
    if (err && (err->kind == ERR_CONFLICT || err->kind == ERR_NOT_FOUND))
        pass_reread(pass, resource_of(workload->kind), workload->name, workloads(pass));
    else if (err)
        pass_fail(pass, FAILURE_KUBERNETES, NULL, err);
    else
        pass_written(pass, workloads(pass), object, NULL);
}

/* ---- restart ---- */

/* Another resource whose key is due in the same pods: one roll-out serves both. */
static bool is_due(const struct pass *pass, const cJSON *secret, const char *resource_name)
{
    auto_shared_json const cJSON *json = store_get(
        pass->runtime->caches->resources[RESOURCE_API_KEY], pass->key.namespace, resource_name);
    if (!json || !owned_by(secret, json_string_at(json, "metadata.uid")))
        return false;
    auto_resource struct resource *resource =
        resource_new(RESOURCE_API_KEY, cJSON_CreateObjectReference(json->child));
    return resource->spec.rollout_mode == ROLLOUT_RESTART && !resource->spec.suspend;
}

static void add_due(const struct pass *pass, const cJSON *secret, cJSON *markers)
{
    const cJSON *annotations = json_at(secret, "metadata.annotations");
    const char *resource = json_string_member(annotations, ANNOTATION_RESOURCE);
    const char *slash = resource ? strchr(resource, '/') : NULL;
    int64_t revision = revision_number_parse(json_string_member(annotations, ANNOTATION_REVISION));
    /* The first revision has no predecessor that a pod could hold. */
    if (slash && revision > 1 && json_member(annotations, ANNOTATION_TEMPLATE) &&
        is_due(pass, secret, slash + 1))
        set_marker(markers, slash + 1, revision);
}

static void restarted(void *context, cJSON **object, const struct err *err)
{
    struct pass *pass = context;
    const struct workload_view *workload = pass->step.workload;
    if (!err) {
        const char *kind = workload_kind_name(workload->kind);
        pass_event(pass, EVENT_NORMAL, "Restarting", "RollOut",
                   "Restarting %s %s: %zu pod(s) are older than revision %lld", kind,
                   workload->name, workload->old_pods, (long long)pass->step.revision);
        log_info("workload restarted", "kind", resource_kind_name(pass->kind), "namespace",
                 pass->key.namespace, "name", pass->key.name, "workload", workload->name, NULL);
    }
    applied(pass, object, err);
}

void step_restart(struct pass *pass)
{
    const struct workload_view *view = pass->step.workload;
    auto_shared_json const cJSON *workload =
        store_get(workloads(pass), pass->key.namespace, view->name);
    auto_json cJSON *markers = present_markers(workload);
    const cJSON *name = NULL;
    cJSON_ArrayForEach(name, json_member(workload, "secrets")) {
        auto_shared_json const cJSON *secret =
            store_get(pass_secrets(pass), pass->key.namespace, name->valuestring);
        add_due(pass, secret, markers);
    }
    set_marker(markers, pass->key.name, pass->step.revision);
    apply(pass, workload, markers, restarted);
}

/* ---- back ---- */

struct search {
    const struct world *world;
    const struct workload_view *workload;
    char marker[MARKER_NAME_BYTES];
    cJSON *markers; /* of a pod that isn't on a revision that failed */
};

static void look_at_pod(void *context, const cJSON *pod)
{
    struct search *search = context;
    auto_free char *owner =
        mem_printf("%s/%s", workload_kind_name(search->workload->kind), search->workload->name);
    if (search->markers || json_bool_at(pod, "finished", false) ||
        !mem_streq(json_string_member(pod, "owner"), owner))
        return;
    const cJSON *markers = json_member(pod, "revisions");
    const char *value = json_string_member(markers, search->marker);
    const struct world_revision *revision =
        world_revision(search->world, revision_number_parse(value));
    if (!revision || !revision->failed)
        search->markers = markers ? cJSON_Duplicate(markers, true) : cJSON_CreateObject();
}

static cJSON *older_markers(const struct pass *pass)
{
    struct search search = { .world = &pass->gathered->world, .workload = pass->step.workload };
    marker_name(pass->key.name, search.marker);
    auto_free char *key = caches_pod_key(pass->key.namespace, pass_target_name(pass));
    store_visit(pass->runtime->caches->pods, key, look_at_pod, &search);
    return search.markers;
}

static void put_back(void *context, cJSON **object, const struct err *err)
{
    struct pass *pass = context;
    const struct workload_view *workload = pass->step.workload;
    if (!err)
        pass_event(pass, EVENT_NORMAL, "PuttingBack", "RollOut",
                   "Putting %s %s back: its pods failed", workload_kind_name(workload->kind),
                   workload->name);
    applied(pass, object, err);
}

static void apply_published(struct pass *pass, const cJSON *workload)
{
    auto_json cJSON *markers = present_markers(workload);
    set_marker(markers, pass->key.name, pass->step.revision);
    apply(pass, workload, markers, put_back);
}

/* The older pods bear no marker, and somebody else has taken ours into his own fields: it can be
 * changed, but not taken off. */
static void taken_off(void *context, cJSON **object, const struct err *err)
{
    struct pass *pass = context;
    char name[MARKER_NAME_BYTES];
    marker_name(pass->key.name, name);
    auto_free char *annotation = mem_printf("%s%s", MARKER_PREFIX, name);
    const cJSON *left =
        json_member(json_at(*object, "spec.template.metadata.annotations"), annotation);
    if (err || !left) {
        put_back(pass, object, err);
        return;
    }
    store_put_written(workloads(pass), take(*object));
    auto_shared_json const cJSON *workload =
        store_get(workloads(pass), pass->key.namespace, pass->step.workload->name);
    apply_published(pass, workload);
}

void step_put_back(struct pass *pass)
{
    auto_shared_json const cJSON *workload =
        store_get(workloads(pass), pass->key.namespace, pass->step.workload->name);
    auto_json cJSON *markers = older_markers(pass);
    char name[MARKER_NAME_BYTES];
    marker_name(pass->key.name, name);
    if (!markers)
        apply_published(pass, workload);
    else
        apply(pass, workload, markers, json_member(markers, name) ? put_back : taken_off);
}

/* ---- taking a revision back ---- */

static int64_t failed_in_a_row(const struct world *world)
{
    int64_t count = 0;
    int64_t since = world_fallback(world)->number;
    for (size_t i = 0; i < world->revision_count; i++) {
        const struct world_revision *revision = &world->revisions[i];
        if (revision->number > since && revision->secret && revision->secret->failed_count > count)
            count = revision->secret->failed_count;
    }
    return count;
}

static void noted(void *context, cJSON **object, const struct err *err)
{
    struct pass *pass = context;
    struct store *secrets = pass_secrets(pass);
    const char *name =
        world_revision(&pass->gathered->world, pass->step.revision)->secret->secret_name;
    if (err && (err->kind == ERR_CONFLICT || err->kind == ERR_NOT_FOUND)) {
        pass_reread(pass, &KUBE_SECRETS, name, secrets);
        return;
    }
    if (!err) {
        metrics_add(pass->runtime->metrics, METRIC_ROLLBACKS, 1, resource_kind_name(pass->kind),
                    NULL);
        pass_event(pass, EVENT_WARNING, "RolledBack", "RollOut", "Taking revision %lld back, %s",
                   (long long)pass->step.revision,
                   json_string_member(json_at(*object, "metadata.annotations"), ANNOTATION_FAILED));
        log_warn("revision taken back", "kind", resource_kind_name(pass->kind), "namespace",
                 pass->key.namespace, "name", pass->key.name, NULL);
    }
    pass_written(pass, secrets, object, err);
}

void step_take_back(struct pass *pass)
{
    const struct world *world = &pass->gathered->world;
    const struct revision *failed = world_revision(world, pass->step.revision)->secret;
    struct rollout rollout;
    rollout_decide(world, &rollout);
    char now[TIMESTAMP_BYTES];
    char published_at[TIMESTAMP_BYTES];
    timestamp_format(world->now_ms, now);
    timestamp_format(world->target.published_at_ms, published_at);
    auto_free char *count = mem_printf("%lld", (long long)failed_in_a_row(world) + 1);
    cJSON *patch = cJSON_CreateObject();
    cJSON *metadata = json_add_object(patch, "metadata");
    json_add_string(metadata, "resourceVersion", failed->resource_version);
    cJSON *annotations = json_add_object(metadata, "annotations");
    json_add_string(annotations, ANNOTATION_FAILED_AT, now);
    json_add_string(annotations, ANNOTATION_FAILED, rollout.message);
    json_add_string(annotations, ANNOTATION_FAILED_COUNT, count);
    json_add_string(annotations, ANNOTATION_PUBLISHED_AT, published_at);
    pass_kube(pass, KUBE_MERGE_PATCH, &KUBE_SECRETS, failed->secret_name, NULL, patch, true, noted);
}
