/* References are gathered here, so that no decision has to know how many places a pod template has
 * for the name of a Secret; and what a pod's status tells is put into few words, because most of
 * what the cache holds are pods. */
#include "operator/trim.h"

#include <string.h>

#include "api/workload.h"
#include "base/json.h"
#include "base/utf8.h"

enum { REASON_BYTES_MAX = 64, MESSAGE_BYTES_MAX = 256 };

/* ---- references ---- */

static void add_name(cJSON *names, const char *name)
{
    if (name && !json_has_string(names, name))
        cJSON_AddItemToArray(names, cJSON_CreateString(name));
}

static void add_from_containers(cJSON *names, const cJSON *containers)
{
    const cJSON *container = NULL;
    cJSON_ArrayForEach(container, containers) {
        const cJSON *item = NULL;
        cJSON_ArrayForEach(item, json_member(container, "env"))
            add_name(names, json_string_at(item, "valueFrom.secretKeyRef.name"));
        cJSON_ArrayForEach(item, json_member(container, "envFrom"))
            add_name(names, json_string_at(item, "secretRef.name"));
    }
}

static void add_from_volumes(cJSON *names, const cJSON *volumes)
{
    const cJSON *volume = NULL;
    cJSON_ArrayForEach(volume, volumes) {
        add_name(names, json_string_at(volume, "secret.secretName"));
        const cJSON *source = NULL;
        cJSON_ArrayForEach(source, json_at(volume, "projected.sources"))
            add_name(names, json_string_at(source, "secret.name"));
    }
}

/* Adds "secrets", and "pulls" with those that the node alone reads. */
static bool add_secrets(cJSON *object, const cJSON *spec)
{
    cJSON *names = json_add_array(object, "secrets");
    add_from_containers(names, json_member(spec, "initContainers"));
    add_from_containers(names, json_member(spec, "containers"));
    add_from_containers(names, json_member(spec, "ephemeralContainers"));
    add_from_volumes(names, json_member(spec, "volumes"));
    cJSON *pulls = NULL;
    const cJSON *pull = NULL;
    cJSON_ArrayForEach(pull, json_member(spec, "imagePullSecrets")) {
        const char *name = json_string_member(pull, "name");
        if (!name || json_has_string(names, name))
            continue;
        if (!pulls)
            pulls = json_add_array(object, "pulls");
        add_name(pulls, name);
        add_name(names, name);
    }
    return cJSON_GetArraySize(names) > 0;
}

static void add_markers(cJSON *object, const cJSON *metadata)
{
    cJSON *markers = NULL;
    const cJSON *annotation = NULL;
    cJSON_ArrayForEach(annotation, json_member(metadata, "annotations")) {
        if (!annotation->string || !cJSON_IsString(annotation) ||
            strncmp(annotation->string, MARKER_PREFIX, strlen(MARKER_PREFIX)) != 0)
            continue;
        if (!markers)
            markers = json_add_object(object, "revisions");
        json_add_string(markers, annotation->string + strlen(MARKER_PREFIX),
                        annotation->valuestring);
    }
}

/* ---- pods ---- */

/* A ReplicaSet bears its Deployment's name and the hash that its pods have as a label. */
static char *deployment_of(const char *replica_set, const char *hash)
{
    size_t length = replica_set ? strlen(replica_set) : 0;
    size_t tail = hash ? strlen(hash) + 1 : 0;
    if (tail < 2 || length <= tail || replica_set[length - tail] != '-' ||
        strcmp(replica_set + length - tail + 1, hash) != 0)
        return NULL;
    return mem_strndup(replica_set, length - tail);
}

static void add_owner(cJSON *pod, const cJSON *metadata)
{
    const cJSON *owner = NULL;
    cJSON_ArrayForEach(owner, json_member(metadata, "ownerReferences"))
        if (json_bool_at(owner, "controller", false))
            break;
    const char *kind = json_string_member(owner, "kind");
    const char *name = json_string_member(owner, "name");
    if (!kind || !name)
        return;
    const cJSON *labels = json_member(metadata, "labels");
    auto_free char *deployment =
        strcmp(kind, "ReplicaSet") == 0
            ? deployment_of(name, json_string_member(labels, "pod-template-hash"))
            : NULL;
    auto_free char *text =
        deployment ? mem_printf("Deployment/%s", deployment) : mem_printf("%s/%s", kind, name);
    json_add_string(pod, "owner", text);
}

static const cJSON *condition(const cJSON *status, const char *type)
{
    const cJSON *item = NULL;
    cJSON_ArrayForEach(item, json_member(status, "conditions"))
        if (mem_streq(json_string_member(item, "type"), type))
            return item;
    return NULL;
}

static void add_cut(cJSON *object, const char *name, const char *text, size_t max)
{
    size_t length = 0;
    for (size_t next = 0; text; length += next) {
        next = utf8_character_length(text + length);
        if (next == 0 || length + next > max)
            break;
    }
    auto_free char *cut = text ? mem_strndup(text, length) : NULL;
    json_add_string(object, name, cut);
}

static void add_trouble(cJSON *pod, const char *reason, const char *message)
{
    cJSON *trouble = json_add_object(pod, "trouble");
    add_cut(trouble, "reason", reason, REASON_BYTES_MAX);
    add_cut(trouble, "message", message, MESSAGE_BYTES_MAX);
}

static bool is_on_its_way(const char *reason)
{
    return !reason || strcmp(reason, "ContainerCreating") == 0 ||
           strcmp(reason, "PodInitializing") == 0;
}

/* Why the first of these containers waits that doesn't just take its time. */
static bool add_waiting(cJSON *pod, const cJSON *statuses)
{
    const cJSON *status = NULL;
    cJSON_ArrayForEach(status, statuses) {
        const char *reason = json_string_at(status, "state.waiting.reason");
        if (is_on_its_way(reason))
            continue;
        add_trouble(pod, reason, json_string_at(status, "state.waiting.message"));
        return true;
    }
    return false;
}

static void add_why_not_ready(cJSON *pod, const cJSON *status)
{
    const cJSON *scheduled = condition(status, "PodScheduled");
    if (mem_streq(json_string_member(scheduled, "status"), "False"))
        add_trouble(pod, "Unschedulable", json_string_member(scheduled, "message"));
    else if (!add_waiting(pod, json_member(status, "initContainerStatuses")))
        (void)add_waiting(pod, json_member(status, "containerStatuses"));
}

/* The API server's times have one form: the text that is greater is later. */
static void add_started(cJSON *pod, const cJSON *status, const cJSON *spec)
{
    const cJSON *statuses = json_member(status, "containerStatuses");
    const char *latest = NULL;
    const cJSON *container = NULL;
    cJSON_ArrayForEach(container, statuses) {
        const char *started = json_string_at(container, "state.running.startedAt");
        if (!started)
            return;
        if (!latest || strcmp(started, latest) > 0)
            latest = started;
    }
    if (cJSON_GetArraySize(statuses) >= cJSON_GetArraySize(json_member(spec, "containers")))
        json_add_string(pod, "started", latest);
}

static void add_state(cJSON *pod, const cJSON *status, const cJSON *spec)
{
    const cJSON *ready = condition(status, "Ready");
    const cJSON *scheduled = condition(status, "PodScheduled");
    add_started(pod, status, spec);
    if (mem_streq(json_string_member(ready, "status"), "True")) {
        cJSON_AddTrueToObject(pod, "ready");
        return;
    }
    json_add_string(pod, "since", json_string_member(ready, "lastTransitionTime"));
    if (mem_streq(json_string_member(scheduled, "status"), "True"))
        json_add_string(pod, "scheduled", json_string_member(scheduled, "lastTransitionTime"));
    add_why_not_ready(pod, status);
}

static void keep_metadata(cJSON *object, const char *const *names, size_t count)
{
    trim_keep_only(cJSON_GetObjectItemCaseSensitive(object, "metadata"), names, count);
}

void trim_pod(cJSON *pod)
{
    static const char *const ROOT[] = { "metadata", "finished",  "secrets",  "pulls",
                                        "owner",    "revisions", "ready",    "since",
                                        "started",  "trouble",   "scheduled" };
    static const char *const METADATA[] = { "name", "namespace", "creationTimestamp",
                                            "deletionTimestamp" };
    static const char *const OWN[] = { "finished", "secrets", "pulls",   "owner",   "revisions",
                                       "ready",    "since",   "started", "trouble", "scheduled" };
    for (size_t i = 0; i < ARRAY_LENGTH(OWN); i++)
        cJSON_DeleteItemFromObjectCaseSensitive(pod, OWN[i]);
    const cJSON *metadata = json_member(pod, "metadata");
    const cJSON *spec = json_member(pod, "spec");
    const cJSON *status = json_member(pod, "status");
    const char *phase = json_string_member(status, "phase");
    bool finished = mem_streq(phase, "Succeeded") || mem_streq(phase, "Failed");
    cJSON_AddBoolToObject(pod, "finished", finished);
    if (add_secrets(pod, spec) && !finished) {
        add_owner(pod, metadata);
        add_markers(pod, metadata);
        add_state(pod, status, spec);
    }
    trim_keep_only(pod, ROOT, ARRAY_LENGTH(ROOT));
    keep_metadata(pod, METADATA, ARRAY_LENGTH(METADATA));
}

/* ---- workloads ---- */

static bool names_part(const char *text, const char *part)
{
    return text && strstr(text, part);
}

/* By the image where it is Deepgram's, otherwise by the names that the chart gives. */
static bool is_product(const cJSON *workload, const char *product)
{
    auto_free char *image = mem_printf("self-hosted-%s", product);
    auto_free char *name = mem_printf("deepgram-%s", product);
    const cJSON *container = NULL;
    cJSON_ArrayForEach(container, json_at(workload, "spec.template.spec.containers"))
        if (names_part(json_string_member(container, "image"), image))
            return true;
    return names_part(json_string_at(workload, "metadata.name"), name) ||
           names_part(json_string_at(workload, "spec.template.metadata.labels.app"), name);
}

static int64_t rank_of(const cJSON *workload)
{
    static const char *const PRODUCTS[] = { "license-proxy", "engine", "api" };
    for (size_t i = 0; i < ARRAY_LENGTH(PRODUCTS); i++)
        if (is_product(workload, PRODUCTS[i]))
            return (int64_t)i;
    return ARRAY_LENGTH(PRODUCTS);
}

static bool is_daemon_set(const cJSON *workload)
{
    return json_at(workload, "status.desiredNumberScheduled") != NULL;
}

/* A StatefulSet counts no updated pods once all are: its two revisions are one then. */
static bool is_settled(const cJSON *workload)
{
    const cJSON *status = json_member(workload, "status");
    if (json_int_at(status, "observedGeneration", 0) <
        json_int_at(workload, "metadata.generation", 0))
        return false;
    if (is_daemon_set(workload))
        return json_int_at(status, "updatedNumberScheduled", 0) >=
               json_int_at(status, "desiredNumberScheduled", 0);
    int64_t total = json_int_at(status, "replicas", 0);
    const char *revision = json_string_member(status, "updateRevision");
    bool updated =
        (revision && mem_streq(revision, json_string_member(status, "currentRevision"))) ||
        json_int_at(status, "updatedReplicas", 0) >= total;
    return updated && total <= json_int_at(workload, "spec.replicas", 1);
}

static const char *held_by(const cJSON *workload)
{
    if (json_bool_at(workload, "spec.paused", false))
        return "paused";
    if (mem_streq(json_string_at(workload, "spec.updateStrategy.type"), "OnDelete"))
        return "OnDelete";
    if (json_int_at(workload, "spec.updateStrategy.rollingUpdate.partition", 0) > 0)
        return "partition";
    return NULL;
}

void trim_workload(cJSON *workload)
{
    static const char *const ROOT[] = { "metadata",  "secrets", "pulls", "rank",
                                        "revisions", "settled", "held" };
    static const char *const METADATA[] = { "name", "namespace", "uid", "resourceVersion",
                                            "deletionTimestamp" };
    static const char *const NAME[] = { "name", "uid" };
    for (size_t i = 1; i < ARRAY_LENGTH(ROOT); i++)
        cJSON_DeleteItemFromObjectCaseSensitive(workload, ROOT[i]);
    const cJSON *template = json_at(workload, "spec.template");
    bool uses_secrets = add_secrets(workload, json_member(template, "spec"));
    if (uses_secrets) {
        add_markers(workload, json_member(template, "metadata"));
        json_add_int(workload, "rank", rank_of(workload));
        cJSON_AddBoolToObject(workload, "settled", is_settled(workload));
        json_add_string(workload, "held", held_by(workload));
    } else {
        cJSON_DeleteItemFromObjectCaseSensitive(workload, "secrets");
    }
    trim_keep_only(workload, ROOT, ARRAY_LENGTH(ROOT));
    if (uses_secrets)
        keep_metadata(workload, METADATA, ARRAY_LENGTH(METADATA));
    else
        keep_metadata(workload, NAME, ARRAY_LENGTH(NAME));
}
