/* The same judgement as the operator's (reconcile/world), but from outside: what its process has in
 * flight can be seen by the announcement only. */
#include "plugin/orphan_view.h"

#include <string.h>

#include "base/json.h"

static const struct resource *find_resource(const char *uid, struct resource *const *resources,
                                            size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(resources[i]->uid, uid) == 0)
            return resources[i];
    return NULL;
}

static bool named_in_status(const struct resource *resource, const char *id)
{
    if (strcmp(resource->status.id, id) == 0)
        return true;
    for (size_t i = 0; i < resource->status.revision_count; i++)
        if (mem_streq(resource->status.revisions[i].id, id))
            return true;
    return false;
}

static bool named_in_secrets(const cJSON *secrets, const char *id)
{
    const cJSON *secret = NULL;
    cJSON_ArrayForEach(secret, secrets) {
        struct revision revision;
        if (revision_parse(secret, &revision) && mem_streq(revision.id, id))
            return true;
    }
    return false;
}

static bool announced(const struct resource *resource, const char *nonce)
{
    for (size_t i = 0; i < resource->attempt_count; i++)
        if (strcmp(resource->attempts[i].nonce, nonce) == 0)
            return true;
    return false;
}

enum orphan_state orphan_view(const struct inventory_entry *entry,
                              struct resource *const *resources, size_t count, const cJSON *secrets,
                              const struct resource **ret_resource)
{
    const struct resource *resource = find_resource(entry->uid, resources, count);
    *ret_resource = resource;
    if (named_in_secrets(secrets, entry->id))
        return ORPHAN_NAMED;
    if (!resource)
        return ORPHAN_STRANGER;
    if (named_in_status(resource, entry->id))
        return ORPHAN_NAMED;
    return announced(resource, entry->nonce) ? ORPHAN_IN_FLIGHT : ORPHAN_UNNAMED;
}
