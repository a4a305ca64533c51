/* Who owns the Secrets: the resource, so that they go with it, and with Retain their namespace too,
 * so that they don't. */
#include "api/credential.h"
#include "base/json.h"
#include "kube/path.h"
#include "operator/steps.h"
#include "reconcile/failure.h"

static struct store *secrets(const struct pass *pass)
{
    return pass->runtime->caches->secrets;
}

static void owners_written(void *context, cJSON **object, const struct err *err)
{
    struct pass *pass = context;
    if (err) {
        secret_failed(pass, pass->step.secret_name, err);
        return;
    }
    note_heal(pass);
    pass_written(pass, secrets(pass), object, NULL);
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

/* What the Secret's owners are by now, to be changed. */
static cJSON *copy_owners(const cJSON *secret)
{
    cJSON *metadata = cJSON_CreateObject();
    const cJSON *owners = json_at(secret, "metadata.ownerReferences");
    if (owners)
        cJSON_AddItemToObject(metadata, "ownerReferences", cJSON_Duplicate(owners, true));
    return metadata;
}

static bool has_controller(const cJSON *secret)
{
    const cJSON *owner = NULL;
    cJSON_ArrayForEach(owner, json_at(secret, "metadata.ownerReferences"))
        if (json_bool_at(owner, "controller", false))
            return true;
    return false;
}

/* Somebody was faster, or the cache is behind. */
static void look_again(struct pass *pass, cJSON *secret)
{
    store_put_written(secrets(pass), secret);
    pass_continue(pass);
}

static void claim(void *context, cJSON **object, const struct err *err)
{
    struct pass *pass = context;
    if (err) {
        secret_failed(pass, pass->step.secret_name, err);
        return;
    }
    if (has_controller(*object)) {
        look_again(pass, take(*object));
        return;
    }
    auto_json cJSON *metadata = copy_owners(*object);
    owner_set(metadata, pass->gathered->resource);
    patch_owners(pass, *object,
                 cJSON_DetachItemFromObjectCaseSensitive(metadata, "ownerReferences"));
}

static void anchor(void *context, cJSON **object, const struct err *err)
{
    struct pass *pass = context;
    if (err) {
        secret_failed(pass, pass->step.secret_name, err);
        return;
    }
    if (owner_is_anchored(*object) || !owned_by(*object, pass->gathered->resource->uid)) {
        look_again(pass, take(*object));
        return;
    }
    auto_json cJSON *metadata = copy_owners(*object);
    owner_anchor(metadata, pass->key.namespace, json_string_at(pass->object, "metadata.uid"));
    patch_owners(pass, *object,
                 cJSON_DetachItemFromObjectCaseSensitive(metadata, "ownerReferences"));
}

static void release(void *context, cJSON **object, const struct err *err)
{
    struct pass *pass = context;
    if (err) {
        secret_failed(pass, pass->step.secret_name, err);
        return;
    }
    cJSON *owners = cJSON_CreateArray();
    const cJSON *owner = NULL;
    cJSON_ArrayForEach(owner, json_at(*object, "metadata.ownerReferences"))
        if (!mem_streq(json_string_member(owner, "uid"), pass->gathered->resource->uid))
            cJSON_AddItemToArray(owners, cJSON_Duplicate(owner, true));
    patch_owners(pass, *object, owners);
}

/* Read first: the cache keeps the controlling owner only, and others' references must stay. */
static void read_owners(struct pass *pass, kube_done_fn *then)
{
    pass_kube(pass, KUBE_GET, &KUBE_SECRETS, pass->step.secret_name, NULL, NULL, true, then);
}

void step_claim(struct pass *pass)
{
    read_owners(pass, claim);
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
    read_owners(pass, anchor);
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
    read_owners(pass, release);
}
