/* Most Secrets of a cluster are other people's: of those a name and a version stay. The pod's
 * references are gathered here, so that no decision has to know how many places a pod template has
 * for the name of a Secret. */
#include "operator/trim.h"

#include <string.h>

#include "api/credential.h"
#include "base/json.h"

static void keep_only(cJSON *object, const char *const *names, size_t count)
{
    cJSON *item = object ? object->child : NULL;
    while (item) {
        cJSON *next = item->next;
        bool kept = false;
        for (size_t i = 0; i < count; i++)
            kept = kept || mem_streq(item->string, names[i]);
        if (!kept)
            cJSON_Delete(cJSON_DetachItemViaPointer(object, item));
        item = next;
    }
}

static const char *const ROOT[] = { "metadata" };

static void keep_prefixed(cJSON *map, const char *prefix)
{
    cJSON *item = map ? map->child : NULL;
    while (item) {
        cJSON *next = item->next;
        if (!item->string || strncmp(item->string, prefix, strlen(prefix)) != 0)
            cJSON_Delete(cJSON_DetachItemViaPointer(map, item));
        item = next;
    }
}

static void keep_controller(cJSON *metadata)
{
    cJSON *owners = cJSON_GetObjectItemCaseSensitive(metadata, "ownerReferences");
    cJSON *owner = owners ? owners->child : NULL;
    while (owner) {
        cJSON *next = owner->next;
        if (!json_bool_at(owner, "controller", false))
            cJSON_Delete(cJSON_DetachItemViaPointer(owners, owner));
        owner = next;
    }
}

void trim_secret(cJSON *secret)
{
    static const char *const METADATA[] = {
        "name",       "namespace",       "uid",         "resourceVersion", "deletionTimestamp",
        "finalizers", "ownerReferences", "annotations", "labels"
    };
    keep_only(secret, ROOT, ARRAY_LENGTH(ROOT));
    cJSON *metadata = cJSON_GetObjectItemCaseSensitive(secret, "metadata");
    keep_only(metadata, METADATA, ARRAY_LENGTH(METADATA));
    keep_controller(metadata);
    const cJSON *labels = json_member(metadata, "labels");
    const cJSON *annotations = json_member(metadata, "annotations");
    if (mem_streq(json_string_member(labels, LABEL_MANAGED_BY), MANAGED_BY) ||
        json_member(annotations, ANNOTATION_RESOURCE))
        return;
    cJSON_DeleteItemFromObjectCaseSensitive(metadata, "labels");
    keep_prefixed((cJSON *)annotations, RESOURCE_GROUP "/");
}

/* ---- pods ---- */

static void add_name(cJSON *names, const char *name)
{
    if (!name)
        return;
    const cJSON *known = NULL;
    cJSON_ArrayForEach(known, names)
        if (mem_streq(known->valuestring, name))
            return;
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

static cJSON *referenced_secrets(const cJSON *pod)
{
    cJSON *names = cJSON_CreateArray();
    const cJSON *spec = json_member(pod, "spec");
    add_from_containers(names, json_member(spec, "initContainers"));
    add_from_containers(names, json_member(spec, "containers"));
    add_from_containers(names, json_member(spec, "ephemeralContainers"));
    add_from_volumes(names, json_member(spec, "volumes"));
    const cJSON *pull = NULL;
    cJSON_ArrayForEach(pull, json_member(spec, "imagePullSecrets"))
        add_name(names, json_string_member(pull, "name"));
    return names;
}

void trim_pod(cJSON *pod)
{
    static const char *const METADATA[] = {
        "name", "namespace", "uid", "resourceVersion", "creationTimestamp", "deletionTimestamp"
    };
    const char *phase = json_string_at(pod, "status.phase");
    bool finished = mem_streq(phase, "Succeeded") || mem_streq(phase, "Failed");
    cJSON *names = referenced_secrets(pod);
    keep_only(pod, ROOT, ARRAY_LENGTH(ROOT));
    keep_only(cJSON_GetObjectItemCaseSensitive(pod, "metadata"), METADATA, ARRAY_LENGTH(METADATA));
    cJSON_AddBoolToObject(pod, "finished", finished);
    cJSON_AddItemToObject(pod, "secrets", names);
}

void trim_namespace(cJSON *namespace)
{
    static const char *const METADATA[] = { "name", "uid", "resourceVersion", "deletionTimestamp" };
    keep_only(namespace, ROOT, ARRAY_LENGTH(ROOT));
    keep_only(cJSON_GetObjectItemCaseSensitive(namespace, "metadata"), METADATA,
              ARRAY_LENGTH(METADATA));
}
