/* The steps that write Secrets: revision Secrets (create-only), the target (rendered, replaced
 * whole), and their ends. A whole Secret is only read into the step that needs it and wiped with
 * it.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/target.h"
#include "base/clock.h"
#include "base/fingerprint.h"
#include "base/json.h"
#include "kube/status.h"
#include "operator/steps.h"
#include "reconcile/failure.h"
#include "reconcile/limiter.h"

void secret_failed(struct pass *pass, const char *name, const struct err *err)
{
    if (err->kind == ERR_CONFLICT || err->kind == ERR_NOT_FOUND)
        pass_reread(pass, &KUBE_SECRETS, name, pass_secrets(pass));
    else
        pass_fail(pass, FAILURE_KUBERNETES, NULL, err);
}

static void target_failed(struct pass *pass, const struct err *err)
{
    secret_failed(pass, pass_target_name(pass), err);
}

/* ---- keep ---- */

static char *kept_name(const struct pass *pass)
{
    return revision_secret_name(pass->kind, pass->key.name, pass->step.revision);
}

static void kept_here(struct pass *pass, cJSON *secret)
{
    struct memory *memory = pass->gathered->memory;
    credential_done(&pass->credential);
    struct mint *issued = memory_issued(memory);
    pass->credential = issued->credential;
    pass->credential_revision = issued->attempt.revision;
    issued->credential = (struct credential){ 0 };
    memory_end_mint(memory);
    failure_clear(memory, FAILURE_KUBERNETES);
    store_put_written(pass_secrets(pass), secret);
    pass_continue(pass);
}

/* Another writer was first: its credential counts, ours is revoked. */
static void lost_race(struct pass *pass, cJSON *secret)
{
    struct memory *memory = pass->gathered->memory;
    mem_replace(&memory->discard_id, memory_issued(memory)->credential.id);
    memory_end_mint(memory);
    store_put_written(pass_secrets(pass), secret);
    pass_continue(pass);
}

static void compare_kept(void *context, cJSON **object, const struct err *err)
{
    struct pass *pass = context;
    if (err) {
        auto_free char *name = kept_name(pass);
        secret_failed(pass, name, err);
        return;
    }
    struct revision revision;
    const struct mint *issued = memory_issued(pass->gathered->memory);
    bool same = revision_parse(*object, &revision) &&
                strcmp(revision.nonce, issued->attempt.nonce) == 0 &&
                strcmp(revision.id, issued->credential.id) == 0;
    if (same)
        kept_here(pass, take(*object)); /* the answer to our own create was lost */
    else
        lost_race(pass, take(*object));
}

static void kept(void *context, cJSON **object, const struct err *err)
{
    struct pass *pass = context;
    if (!err) {
        kept_here(pass, take(*object));
    } else if (kube_status_already_exists(err)) {
        auto_free char *name = kept_name(pass);
        pass_kube(pass, KUBE_GET, &KUBE_SECRETS, name, NULL, NULL, true, compare_kept);
    } else if (err->kind == ERR_NOT_FOUND) {
        pass_fail(pass, FAILURE_KUBERNETES, NULL, err); /* the namespace is gone: revoked next */
    } else {
        auto_free char *name = kept_name(pass);
        secret_failed(pass, name, err);
    }
}

void step_keep(struct pass *pass)
{
    const struct resource *resource = pass->gathered->resource;
    const struct mint *issued = memory_issued(pass->gathered->memory);
    const struct attempt *attempt = &issued->attempt;
    for (size_t i = 0; i < resource->attempt_count; i++)
        if (strcmp(resource->attempts[i].nonce, issued->attempt.nonce) == 0)
            attempt = &resource->attempts[i]; /* has the rotate token too */
    cJSON *body =
        revision_secret(resource, attempt, &issued->credential, kube_now_ms(pass->runtime->kube));
    pass_kube(pass, KUBE_CREATE, &KUBE_SECRETS, NULL, NULL, body, true, kept);
}

/* ---- the value of a revision ---- */

static const struct revision *step_revision(const struct pass *pass)
{
    return world_revision(&pass->gathered->world, pass->step.revision)->secret;
}

/* Calls `then` with pass->credential filled for the step's revision: from this pass's own create,
 * or read back from the revision Secret. */
typedef void credential_fn(struct pass *pass);

static void credential_read(struct pass *pass, cJSON *secret, credential_fn *then)
{
    struct err err = ERR_INIT;
    credential_done(&pass->credential);
    pass->credential_revision = 0;
    if (!revision_read(secret, &pass->credential, &err)) {
        pass_fail(pass, FAILURE_KUBERNETES, NULL, &err);
        return;
    }
    pass->credential_revision = pass->step.revision;
    then(pass);
}

static void with_credential(struct pass *pass, kube_done_fn *read, credential_fn *then)
{
    if (pass->credential_revision == pass->step.revision)
        then(pass);
    else
        pass_kube(pass, KUBE_GET, &KUBE_SECRETS, step_revision(pass)->secret_name, NULL, NULL,
                  false, read);
}

/* Forwards an answered GET of the revision Secret. */
static void forward_credential(struct pass *pass, cJSON *secret, const struct err *err,
                               credential_fn *then)
{
    if (err)
        secret_failed(pass, step_revision(pass)->secret_name, err);
    else
        credential_read(pass, secret, then);
}

static cJSON *render(struct pass *pass, const cJSON *existing)
{
    struct err err = ERR_INIT;
    cJSON *rendered =
        target_render(pass->gathered->resource, step_revision(pass), &pass->credential, existing,
                      kube_now_ms(pass->runtime->kube), &err);
    if (!rendered)
        pass_fail(pass, FAILURE_KUBERNETES, NULL, &err);
    return rendered;
}

/* ---- publish ---- */

static uint64_t version_of(const cJSON *secret)
{
    return fingerprint(json_string_at(secret, "metadata.resourceVersion"));
}

void note_heal(struct pass *pass)
{
    struct memory *memory = pass->gathered->memory;
    if (pass->step.heals)
        memory->heal_at_ms = limiter_taken(HEAL_LIMIT, memory->heal_at_ms, clock_monotonic_ms());
}

static void published(void *context, cJSON **object, const struct err *err)
{
    struct pass *pass = context;
    if (err) {
        target_failed(pass, err);
        return;
    }
    note_heal(pass);
    pass->gathered->memory->target_unsure = false;
    pass->gathered->memory->target_same = version_of(*object);
    pass_written(pass, pass_secrets(pass), object, NULL);
}

static void target_made(void *context, cJSON **object, const struct err *err)
{
    if (err && err->kind == ERR_NOT_FOUND) /* the namespace is gone */
        pass_fail(context, FAILURE_KUBERNETES, NULL, err);
    else
        published(context, object, err);
}

/* Takes over `rendered`; NULL: the step has failed. Whether an answer comes or not, what was found
 * alive before proves nothing of what is published now. */
static void write_target(struct pass *pass, cJSON *rendered, bool is_new)
{
    if (!rendered)
        return;
    memory_forget_confirmed(pass->gathered->memory);
    pass->gathered->memory->target_unsure = true;
    auto_json cJSON *body = rendered;
    bool is_publication = target_is_publication(rendered, kube_now_ms(pass->runtime->kube));
    kube_send(pass->runtime->kube,
              &(struct kube_call){
                  .verb = is_new ? KUBE_CREATE : KUBE_UPDATE,
                  .resource = &KUBE_SECRETS,
                  .namespace = pass->key.namespace,
                  .name = is_new ? NULL : pass_target_name(pass),
                  .body = body,
                  .metadata_only = true,
                  .field_manager = is_publication ? FIELD_MANAGER_PUBLICATION : NULL,
                  .done = is_new ? target_made : published,
                  .context = pass,
              });
}

static void looked_at_target(void *context, cJSON **object, const struct err *err)
{
    struct pass *pass = context;
    if (!pass_take_over(pass, pass_secrets(pass), pass_target_name(pass),
                        pass->gathered->world.target.uid, object, err))
        return;
    pass->gathered->memory->target_unsure = false;
    pass->gathered->memory->target_looked = true;
    pass_continue(pass);
}

void step_look_at_target(struct pass *pass)
{
    pass_kube(pass, KUBE_GET, &KUBE_SECRETS, pass_target_name(pass), NULL, NULL, true,
              looked_at_target);
}

static cJSON *preconditions(const char *uid, const char *resource_version)
{
    cJSON *options = cJSON_CreateObject();
    json_add_string(options, "kind", "DeleteOptions");
    json_add_string(options, "apiVersion", "v1");
    cJSON *conditions = json_add_object(options, "preconditions");
    json_add_string(conditions, "uid", uid);
    json_add_string(conditions, "resourceVersion", resource_version);
    return options;
}

/* Neither a Secret's type nor that it is immutable can be changed. */
static bool is_unchangeable(const struct pass *pass, const cJSON *target)
{
    return json_bool_at(target, "immutable", false) ||
           !mem_streq(json_string_at(target, "type"), target_type(pass->kind));
}

static void made_room(void *context, cJSON **object, const struct err *err)
{
    (void)object;
    struct pass *pass = context;
    if (err && err->kind != ERR_NOT_FOUND) {
        target_failed(pass, err);
        return;
    }
    store_remove_written(pass_secrets(pass), pass->key.namespace, pass_target_name(pass),
                         pass->gathered->world.target.uid);
    pass_continue(pass);
}

static void make_room(struct pass *pass, const cJSON *target)
{
    pass_kube(pass, KUBE_DELETE, &KUBE_SECRETS, pass_target_name(pass), NULL,
              preconditions(json_string_at(target, "metadata.uid"),
                            json_string_at(target, "metadata.resourceVersion")),
              true, made_room);
}

static void replace_target(void *context, cJSON **object, const struct err *err)
{
    struct pass *pass = context;
    if (err) {
        target_failed(pass, err);
        return;
    }
    /* Not as it was decided upon: somebody else's by now, or newer than the cache showed. */
    if (!owned_by(*object, pass->gathered->resource->uid) ||
        !mem_streq(json_string_at(*object, "metadata.resourceVersion"),
                   pass->gathered->world.target.resource_version)) {
        store_put_written(pass_secrets(pass), take(*object));
        pass_continue(pass);
        return;
    }
    if (is_unchangeable(pass, *object)) {
        make_room(pass, *object);
        return;
    }
    write_target(pass, render(pass, *object), false);
}

static void publish_value(struct pass *pass)
{
    if (pass->gathered->world.target.exists) {
        pass_kube(pass, KUBE_GET, &KUBE_SECRETS, pass_target_name(pass), NULL, NULL, false,
                  replace_target);
        return;
    }
    write_target(pass, render(pass, NULL), true);
}

static void publish_read(void *context, cJSON **object, const struct err *err)
{
    forward_credential(context, *object, err, publish_value);
}

void step_publish(struct pass *pass)
{
    with_credential(pass, publish_read, publish_value);
}

/* ---- compare ---- */

static void compare_with_target(void *context, cJSON **object, const struct err *err)
{
    struct pass *pass = context;
    if (err) {
        target_failed(pass, err);
        return;
    }
    if (!mem_streq(json_string_at(*object, "metadata.resourceVersion"),
                   pass->gathered->world.target.resource_version)) {
        pass_written(pass, pass_secrets(pass), object, NULL); /* it may hold another revision */
        return;
    }
    auto_json cJSON *rendered = render(pass, *object);
    if (!rendered)
        return;
    struct memory *memory = pass->gathered->memory;
    bool same = target_same_content(rendered, *object);
    *(same ? &memory->target_same : &memory->target_differs) = version_of(*object);
    pass_written(pass, pass_secrets(pass), object, NULL);
}

static void compare_value(struct pass *pass)
{
    pass_kube(pass, KUBE_GET, &KUBE_SECRETS, pass_target_name(pass), NULL, NULL, false,
              compare_with_target);
}

static void compare_read(void *context, cJSON **object, const struct err *err)
{
    forward_credential(context, *object, err, compare_value);
}

void step_compare_target(struct pass *pass)
{
    with_credential(pass, compare_read, compare_value);
}

/* ---- deletion and release ---- */

/* With somebody's finalizer on it, a Secret stays for a while, and kubelets go on serving it. */
static void secret_deleted(struct pass *pass, cJSON **object, const char *uid)
{
    if (json_at(*object, "metadata.deletionTimestamp"))
        store_put_written(pass_secrets(pass), take(*object));
    else
        store_remove_written(pass_secrets(pass), pass->key.namespace, pass->step.secret_name, uid);
    pass_continue(pass);
}

static void target_deleted(void *context, cJSON **object, const struct err *err)
{
    struct pass *pass = context;
    const struct world *world = &pass->gathered->world;
    bool is_old = mem_streq(pass->step.secret_name, world->old_target.name);
    if (err && err->kind != ERR_NOT_FOUND) {
        secret_failed(pass, pass->step.secret_name, err);
        return;
    }
    pass->gathered->memory->door_closed_ms = clock_monotonic_ms();
    secret_deleted(pass, object, is_old ? world->old_target.uid : world->target.uid);
}

void step_delete_target(struct pass *pass)
{
    const struct world *world = &pass->gathered->world;
    const struct old_target_view *old = &world->old_target;
    bool is_old = mem_streq(pass->step.secret_name, old->name);
    cJSON *body = is_old ? preconditions(old->uid, old->resource_version)
                         : preconditions(world->target.uid, world->target.resource_version);
    pass_kube(pass, KUBE_DELETE, &KUBE_SECRETS, pass->step.secret_name, NULL, body, true,
              target_deleted);
}

static void revision_dropped(void *context, cJSON **object, const struct err *err)
{
    struct pass *pass = context;
    const char *name = pass->step.secret_name;
    if (err && err->kind != ERR_NOT_FOUND) {
        secret_failed(pass, name, err);
        return;
    }
    secret_deleted(pass, object, step_revision(pass)->secret_uid);
}

void step_drop_revision(struct pass *pass)
{
    pass_kube(pass, KUBE_DELETE, &KUBE_SECRETS, pass->step.secret_name, NULL,
              preconditions(step_revision(pass)->secret_uid, NULL), true, revision_dropped);
}
