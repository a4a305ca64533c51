/* Most Secrets of a cluster are other people's: of those a name and a version stay. */
#include "operator/trim.h"

#include <string.h>

#include "api/credential.h"
#include "api/target.h"
#include "base/json.h"

void trim_keep_only(cJSON *object, const char *const *names, size_t count)
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

/* The owners that decisions are made from: who controls it, and its namespace. */
static void keep_owners(cJSON *metadata)
{
    cJSON *owners = cJSON_GetObjectItemCaseSensitive(metadata, "ownerReferences");
    cJSON *owner = owners ? owners->child : NULL;
    while (owner) {
        cJSON *next = owner->next;
        if (!json_bool_at(owner, "controller", false) && !owner_is_namespace(owner))
            cJSON_Delete(cJSON_DetachItemViaPointer(owners, owner));
        owner = next;
    }
}

void trim_secret(cJSON *secret)
{
    static const char *const METADATA[] = {
        "name",       "namespace",       "uid",         "resourceVersion", "deletionTimestamp",
        "finalizers", "ownerReferences", "annotations", "labels",          "creationTimestamp",
    };
    trim_keep_only(secret, ROOT, ARRAY_LENGTH(ROOT));
    target_note_published(secret);
    cJSON *metadata = cJSON_GetObjectItemCaseSensitive(secret, "metadata");
    trim_keep_only(metadata, METADATA, ARRAY_LENGTH(METADATA));
    keep_owners(metadata);
    const cJSON *labels = json_member(metadata, "labels");
    const cJSON *annotations = json_member(metadata, "annotations");
    bool is_ours = json_member(annotations, ANNOTATION_RESOURCE) != NULL;
    bool is_told = !target_was_updated(secret) && !target_was_remade(secret);
    if (is_ours && is_told) /* it says itself since when */
        cJSON_DeleteItemFromObjectCaseSensitive(metadata, "creationTimestamp");
    if (is_ours || mem_streq(json_string_member(labels, LABEL_MANAGED_BY), MANAGED_BY))
        return;
    cJSON_DeleteItemFromObjectCaseSensitive(metadata, "labels");
    keep_prefixed((cJSON *)annotations, RESOURCE_GROUP "/");
}

void trim_namespace(cJSON *namespace)
{
    static const char *const METADATA[] = { "name", "uid", "resourceVersion", "deletionTimestamp" };
    trim_keep_only(namespace, ROOT, ARRAY_LENGTH(ROOT));
    trim_keep_only(cJSON_GetObjectItemCaseSensitive(namespace, "metadata"), METADATA,
                   ARRAY_LENGTH(METADATA));
}

void trim_account(cJSON *account)
{
    static const char *const KEPT[] = { "metadata", "imagePullSecrets" };
    static const char *const METADATA[] = { "name", "namespace", "uid", "resourceVersion" };
    trim_keep_only(account, KEPT, ARRAY_LENGTH(KEPT));
    trim_keep_only(cJSON_GetObjectItemCaseSensitive(account, "metadata"), METADATA,
                   ARRAY_LENGTH(METADATA));
}
