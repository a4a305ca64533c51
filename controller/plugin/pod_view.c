/* The operator's own judgement (operator/trim, operator/gather) is the measure: the same
 * references, the same margin after a publication. */
#include "plugin/pod_view.h"

#include <stdio.h>

#include "api/credential.h"
#include "api/revision_number.h"
#include "api/target.h"
#include "api/timestamp.h"
#include "api/workload.h"
#include "base/json.h"
#include "operator/trim.h"

enum { NUMBER_BYTES = 32 };

/* ---- one pod ---- */

static bool uses(const cJSON *pod, const char *secret)
{
    auto_json cJSON *trimmed = cJSON_Duplicate(pod, true);
    trim_pod(trimmed);
    return json_has_string(json_member(trimmed, "secrets"), secret) &&
           !json_bool_at(trimmed, "finished", false);
}

static int64_t marked_revision(const cJSON *pod, const char *resource)
{
    char name[MARKER_NAME_BYTES];
    marker_name(resource, name);
    auto_free char *marker = mem_printf(MARKER_PREFIX "%s", name);
    return revision_number_parse(json_string_member(json_at(pod, "metadata.annotations"), marker));
}

static void add_revision(cJSON *entry, const cJSON *pod, const struct pod_view_target *target)
{
    int64_t created = 0;
    if (target->revision == 0 || target->published_at_ms == 0 ||
        !timestamp_parse(json_string_at(pod, "metadata.creationTimestamp"), &created))
        return;
    int64_t marked = marked_revision(pod, target->resource);
    if (created > target->published_at_ms + PUBLICATION_SKEW_MS)
        json_add_int(entry, "revision", target->revision);
    else if (marked > 0)
        json_add_int(entry, "revision", marked);
    else if (target->revision == 1) /* there was none before; it waited for its Secret */
        json_add_int(entry, "revision", 1);
    else
        json_add_int(entry, "olderThan", target->revision);
}

static cJSON *describe(const cJSON *pod, const struct pod_view_target *target)
{
    cJSON *entry = cJSON_CreateObject();
    json_add_string(entry, "name", json_string_at(pod, "metadata.name"));
    json_add_string(entry, "phase", json_string_at(pod, "status.phase"));
    json_add_string(entry, "createdAt", json_string_at(pod, "metadata.creationTimestamp"));
    cJSON_AddBoolToObject(entry, "terminating", json_at(pod, "metadata.deletionTimestamp") != NULL);
    add_revision(entry, pod, target);
    return entry;
}

/* ---- by workload ---- */

/* A ReplicaSet's Deployment is what people know. */
static const cJSON *workload_of(const cJSON *pod, const cJSON *replica_sets)
{
    const cJSON *owner = owner_controller(pod);
    const cJSON *set = NULL;
    cJSON_ArrayForEach(set, replica_sets)
        if (owner && owner_controller(set) &&
            mem_streq(json_string_at(set, "metadata.uid"), json_string_member(owner, "uid")))
            return owner_controller(set);
    return owner;
}

static cJSON *find_or_add(cJSON *consumers, const char *kind, const char *name)
{
    cJSON *entry = NULL;
    cJSON_ArrayForEach(entry, consumers)
        if (mem_streq(json_string_member(entry, "kind"), kind) &&
            mem_streq(json_string_member(entry, "name"), name))
            return entry;
    entry = cJSON_CreateObject();
    json_add_string(entry, "kind", kind);
    json_add_string(entry, "name", name);
    json_add_array(entry, "pods");
    cJSON_AddItemToArray(consumers, entry);
    return entry;
}

static void add_noted(cJSON *consumers, const cJSON *noted)
{
    const cJSON *note = NULL;
    cJSON_ArrayForEach(note, noted) {
        const char *kind = json_string_member(note, "kind");
        const char *name = json_string_member(note, "name");
        if (!kind || !name)
            continue;
        cJSON *entry = find_or_add(consumers, kind, name);
        json_add_string(entry, "state", json_string_member(note, "state"));
        json_add_string(entry, "message", json_string_member(note, "message"));
    }
}

cJSON *pod_view(const cJSON *pods, const cJSON *replica_sets, const cJSON *noted,
                const struct pod_view_target *target)
{
    cJSON *consumers = cJSON_CreateArray();
    const cJSON *pod = NULL;
    cJSON_ArrayForEach(pod, pods) {
        if (!uses(pod, target->secret))
            continue;
        const cJSON *workload = workload_of(pod, replica_sets);
        const char *kind = workload ? json_string_member(workload, "kind") : "Pod";
        const char *name =
            workload ? json_string_member(workload, "name") : json_string_at(pod, "metadata.name");
        cJSON *entry = find_or_add(consumers, kind, name);
        cJSON_AddItemToArray(cJSON_GetObjectItemCaseSensitive(entry, "pods"),
                             describe(pod, target));
    }
    add_noted(consumers, noted);
    return consumers;
}

/* ---- the rows ---- */

static const char *revision_text(const cJSON *pod, char text[NUMBER_BYTES])
{
    long long revision = (long long)json_int_at(pod, "revision", 0);
    long long newer = (long long)json_int_at(pod, "olderThan", 0);
    if (revision > 0)
        snprintf(text, NUMBER_BYTES, "%lld", revision);
    else if (newer > 0)
        snprintf(text, NUMBER_BYTES, "<%lld", newer);
    else
        return "?";
    return text;
}

static void add_pod_row(const cJSON *pod, size_t depth, struct layout *layout)
{
    char number[NUMBER_BYTES];
    const char *created = json_string_member(pod, "createdAt");
    const char *phase = json_string_member(pod, "phase");
    auto_free char *name = mem_printf("Pod %s", json_string_member(pod, "name"));
    auto_free char *detail = mem_printf("created %s", created ? created : "?");
    layout_add(layout, depth, name, revision_text(pod, number),
               json_bool_at(pod, "terminating", false) ? "Terminating" : (phase ? phase : "?"),
               detail, NULL);
}

static bool is_bare(const cJSON *consumer)
{
    return mem_streq(json_string_member(consumer, "kind"), "Pod");
}

void pod_view_rows(const cJSON *consumers, size_t depth, struct layout *layout)
{
    const cJSON *consumer = NULL;
    cJSON_ArrayForEach(consumer, consumers) {
        const cJSON *pods = json_member(consumer, "pods");
        const cJSON *pod = NULL;
        size_t pod_depth = is_bare(consumer) ? depth : depth + 1;
        if (!is_bare(consumer)) {
            auto_free char *name = mem_printf("%s %s", json_string_member(consumer, "kind"),
                                              json_string_member(consumer, "name"));
            auto_free char *count = mem_printf("%d %s", cJSON_GetArraySize(pods),
                                               cJSON_GetArraySize(pods) == 1 ? "pod" : "pods");
            const char *state = json_string_member(consumer, "state");
            const char *message = json_string_member(consumer, "message");
            auto_free char *detail = mem_printf("%s%s%s", state ? state : "", message ? ": " : "",
                                                message ? message : "");
            layout_add(layout, depth, name, "", count, detail[0] ? detail : NULL, NULL);
        }
        cJSON_ArrayForEach(pod, pods)
            add_pod_row(pod, pod_depth, layout);
    }
}
