/* Who owns the Secrets: the resource, so that they go with it, and with Retain their namespace too,
 * so that they don't. */
#include "api/credential.h"
#include "base/json.h"
#include "kube/path.h"
#include "operator/steps.h"
#include "reconcile/failure.h"

static void owners_written(void *context, cJSON **object, const struct err *err)
{
    struct pass *pass = context;
    if (err) {
        secret_failed(pass, pass->step.secret_name, err);
        return;
    }
    note_heal(pass);
    pass_written(pass, pass_secrets(pass), object, NULL);
}

static void patch_owners(struct pass *pass, const cJSON *secret, cJSON *owners)
{
    cJSON *patch = cJSON_CreateObject();
    cJSON *metadata = json_add_object(patch, "metadata");
    json_add_string(metadata, "resourceVersion",
                    json_string_at(secret, "metadata.resourceVersion"));
    cJSON_AddItemToObject(metadata, "ownerReferences", owners);
    pass_kube(pass, KUBE_MERGE_PATCH, &KUBE_SECRETS, pass->step.secret_name, NULL, patch, true,
              owners_written);
}

static void take_off(cJSON *metadata, const char *uid)
{
    cJSON *owners = cJSON_GetObjectItemCaseSensitive(metadata, "ownerReferences");
    for (cJSON *owner = owners ? owners->child : NULL; owner;) {
        cJSON *next = owner->next;
        if (mem_streq(json_string_member(owner, "uid"), uid))
            cJSON_Delete(cJSON_DetachItemViaPointer(owners, owner));
        owner = next;
    }
}

/* Another one may have come in its place since it was decided. */
static bool is_what_was_seen(const struct gathered *gathered, const cJSON *secret)
{
    const char *uid = json_string_at(secret, "metadata.uid");
    if (mem_streq(json_string_at(gathered->target, "metadata.uid"), uid))
        return true;
    for (size_t i = 0; i < gathered->secret_count; i++)
        if (mem_streq(json_string_at(gathered->secrets[i], "metadata.uid"), uid))
            return true;
    return false;
}

/* Changes a copy of the Secret's metadata; false when somebody was faster. */
static bool change_owners(const struct pass *pass, const cJSON *secret, cJSON *metadata)
{
    const struct resource *resource = pass->gathered->resource;
    bool ours = owned_by(secret, resource->uid);
    if (pass->step.kind == STEP_CLAIM) {
        owner_set(metadata, resource);
        return !owner_controller(secret) && is_what_was_seen(pass->gathered, secret);
    }
    if (pass->step.kind == STEP_ANCHOR) {
        owner_anchor(metadata, resource->namespace, json_string_at(pass->object, "metadata.uid"));
        return ours && !owner_is_anchored(secret);
    }
    take_off(metadata, resource->uid);
    return ours;
}

/* As they are by now: the cache keeps some owners only, and others' references must stay. */
static void owners_read(void *context, cJSON **object, const struct err *err)
{
    struct pass *pass = context;
    if (err) {
        secret_failed(pass, pass->step.secret_name, err);
        return;
    }
    auto_json cJSON *metadata = cJSON_Duplicate(json_member(*object, "metadata"), true);
    if (change_owners(pass, *object, metadata)) {
        patch_owners(pass, *object,
                     cJSON_DetachItemFromObjectCaseSensitive(metadata, "ownerReferences"));
        return;
    }
    store_put_written(pass_secrets(pass), take(*object));
    pass_continue(pass);
}

static void read_owners(struct pass *pass)
{
    pass_kube(pass, KUBE_GET, &KUBE_SECRETS, pass->step.secret_name, NULL, NULL, true, owners_read);
}

/* Not for one that is no more: that reference only the garbage collector could take off. */
void step_claim(struct pass *pass)
{
    pass_if_unchanged(pass, read_owners);
}

static void namespace_read(void *context, cJSON **object, const struct err *err)
{
    struct pass *pass = context;
    if (err) {
        pass_fail(pass, FAILURE_KUBERNETES, NULL, err);
        return;
    }
    cJSON_Delete(pass->object);
    pass->object = take(*object);
    read_owners(pass);
}

void step_anchor(struct pass *pass)
{
    kube_send(pass->runtime->kube, &(struct kube_call){ .verb = KUBE_GET,
                                                        .resource = &KUBE_NAMESPACES,
                                                        .name = pass->key.namespace,
                                                        .metadata_only = true,
                                                        .done = namespace_read,
                                                        .context = pass });
}

void step_release(struct pass *pass)
{
    read_owners(pass);
}
