/* The steps at Deepgram. Each reads the admin Secret just before it is used, so that nobody's key
 * is kept in memory or used for another namespace, and asks once more whether this process may
 * write. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/base64.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/log.h"
#include "operator/steps.h"
#include "reconcile/failure.h"

/* ---- the admin key ---- */

static bool is_key_character(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-' ||
           c == '_' || c == '.';
}

/* White space at both ends is what `echo` and editors add: it is never part of a key. */
static void trim_white_space(const char **text, size_t *length)
{
    while (*length > 0 && strchr(" \t\r\n", (*text)[*length - 1]))
        --*length;
    while (*length > 0 && strchr(" \t\r\n", **text)) {
        ++*text;
        --*length;
    }
}

static bool check_admin_key(const struct admin_view *admin, const char *text, size_t length,
                            struct err *err)
{
    if (length == 0)
        return err_set(err, ERR_INVALID,
                       "Entry %s of Secret %s/%s is empty: put a Deepgram API key with the scopes "
                       "keys:read and keys:write into it",
                       admin->key, admin->namespace, admin->name);
    for (size_t i = 0; i < length; i++)
        if (!is_key_character(text[i]))
            return err_set(err, ERR_INVALID,
                           "Entry %s of Secret %s/%s is not a Deepgram API key (it has a character "
                           "that no key has): put the bare key into it, without quotes or prefix",
                           admin->key, admin->namespace, admin->name);
    return true;
}

static bool read_admin_key(const struct admin_view *admin, const cJSON *secret,
                           struct secret *ret_key, struct err *err)
{
    const char *encoded = json_string_member(json_member(secret, "data"), admin->key);
    if (!encoded)
        return err_set(err, ERR_INVALID,
                       "Secret %s/%s has no entry %s: add it with a Deepgram API key that has the "
                       "scopes keys:read and keys:write, or name another entry in "
                       "spec.credentialsRef.key",
                       admin->namespace, admin->name, admin->key);
    size_t length = 0;
    auto_free char *decoded = base64_decode(encoded, &length);
    const char *text = decoded ? decoded : "";
    if (decoded)
        trim_white_space(&text, &length);
    if (!check_admin_key(admin, text, length, err))
        return false;
    secret_set(ret_key, text, length);
    return true;
}

static void send_with(struct pass *pass, const struct secret *key, gateway_done_fn *done)
{
    gateway_send(pass->runtime->gateway, &pass->request, key, &pass->sent_ms, done, pass);
}

/* Reads the admin key into the pass and sends pass->request with it, unless that failed (`failed`
 * may be NULL: it is this resource's failure). */
typedef void admin_failed_fn(struct pass *pass, const struct err *err);

static void admin_failed(struct pass *pass, const struct err *err)
{
    bool of_secret = err->kind == ERR_INVALID || err->kind == ERR_NOT_FOUND;
    const struct admin_view *admin = &pass->gathered->world.admin;
    const char *uid = json_string_at(pass->gathered->admin, "metadata.uid");
    if (err->kind == ERR_NOT_FOUND && uid)
        store_remove_written(pass->runtime->caches->secrets, admin->namespace, admin->name, uid);
    pass_fail(pass, of_secret ? FAILURE_DEEPGRAM : FAILURE_KUBERNETES,
              of_secret ? "CredentialsInvalid" : NULL, err);
}

static void get_admin_secret(struct pass *pass, kube_done_fn *done)
{
    const struct admin_view *admin = &pass->gathered->world.admin;
    kube_send(pass->runtime->kube, &(struct kube_call){ .verb = KUBE_GET,
                                                        .resource = &KUBE_SECRETS,
                                                        .namespace = admin->namespace,
                                                        .name = admin->name,
                                                        .done = done,
                                                        .context = pass });
}

static bool admin_answered(struct pass *pass, const cJSON *secret, const struct err *err,
                           admin_failed_fn *failed)
{
    struct err problem = ERR_INIT;
    if (!err && read_admin_key(&pass->gathered->world.admin, secret, &pass->admin_key, &problem))
        return true;
    failed(pass, err ? err : &problem);
    return false;
}

/* ---- failures ---- */

static void deepgram_failed(struct pass *pass, const struct err *err)
{
    if (err->kind == ERR_THROTTLED) {
        int64_t pause = err->retry_after_ms >= 0 ? err->retry_after_ms : 1000;
        inventory_pause(pass->gathered->inventory, clock_monotonic_ms() + pause);
    }
    pass_fail(pass, FAILURE_DEEPGRAM, NULL, err);
}

static void deepgram_worked(struct pass *pass)
{
    failure_clear(pass->gathered->memory, FAILURE_DEEPGRAM);
}

/* Somebody else leads by now, or is about to: do nothing more. */
static bool may_send(struct pass *pass)
{
    if (runtime_may_write(pass->runtime))
        return true;
    pass_end(pass);
    return false;
}

/* ---- create ---- */

static void create_refused(struct pass *pass, const struct err *err)
{
    struct memory *memory = pass->gathered->memory;
    if (err->kind == ERR_UNKNOWN_OUTCOME) {
        memory->unknown_ms = clock_monotonic_ms();
        metrics_add(pass->runtime->metrics, METRIC_UNKNOWN_OUTCOMES, 1,
                    resource_kind_name(pass->kind), NULL);
    } else {
        memory->refused_revision = memory->announced.revision;
    }
    memory->announced = (struct attempt){ 0 };
    deepgram_failed(pass, err);
}

static void created(void *context, const struct deepgram_answer *answer)
{
    struct pass *pass = context;
    struct memory *memory = pass->gathered->memory;
    struct credential credential = { 0 };
    struct err err = ERR_INIT;
    if (!deepgram_created(pass->kind, answer, &credential, &err)) {
        credential_done(&credential);
        create_refused(pass, &err);
        return;
    }
    memory->issued = credential;
    memory->issued_for = memory->announced;
    memory->announced = (struct attempt){ 0 };
    metrics_add(pass->runtime->metrics, METRIC_CREDENTIALS_ISSUED, 1,
                resource_kind_name(pass->kind), NULL);
    log_info("credential issued", "kind", resource_kind_name(pass->kind), "namespace",
             pass->key.namespace, "name", pass->key.name, "id", memory->issued.id, NULL);
    deepgram_worked(pass);
    pass_continue(pass);
}

static void create_with_key(void *context, cJSON **object, const struct err *err)
{
    struct pass *pass = context;
    if (!admin_answered(pass, *object, err, admin_failed) || !may_send(pass))
        return;
    deepgram_create(pass->gathered->resource, &pass->gathered->memory->announced, &pass->request);
    send_with(pass, &pass->admin_key, created);
}

void step_create(struct pass *pass)
{
    get_admin_secret(pass, create_with_key);
}

/* ---- check ---- */

static void checked(void *context, const struct deepgram_answer *answer)
{
    struct pass *pass = context;
    struct memory *memory = pass->gathered->memory;
    struct err err = ERR_INIT;
    if (deepgram_answer_ok(DEEPGRAM_CHECK, answer, &err)) {
        memory->checked_revision = pass->step.revision;
        deepgram_worked(pass);
        pass_continue(pass);
        return;
    }
    if (err.kind == ERR_UNAUTHORIZED) { /* dead on arrival: never published */
        const struct world_revision *revision =
            world_revision(&pass->gathered->world, pass->step.revision);
        mem_replace(&memory->discard_id, revision->id);
        err_set(&err, ERR_TRANSIENT,
                "Deepgram doesn't accept the new credential %s: it is revoked and another one is "
                "issued",
                revision->id);
    }
    deepgram_failed(pass, &err);
}

static void check_with_key(struct pass *pass, const struct secret *key)
{
    deepgram_check(&pass->request);
    send_with(pass, key, checked);
}

static void check_read(void *context, cJSON **object, const struct err *err)
{
    struct pass *pass = context;
    struct credential credential = { 0 };
    struct err problem = ERR_INIT;
    if (err)
        pass_fail(pass, FAILURE_KUBERNETES, NULL, err);
    else if (!revision_read(*object, &credential, &problem))
        pass_fail(pass, FAILURE_KUBERNETES, NULL, &problem);
    else
        check_with_key(pass, &credential.secret);
    credential_done(&credential);
}

void step_check(struct pass *pass)
{
    const struct world_revision *revision =
        world_revision(&pass->gathered->world, pass->step.revision);
    if (pass->credential_revision == pass->step.revision)
        check_with_key(pass, &pass->credential.secret);
    else
        pass_kube(pass, KUBE_GET, &KUBE_SECRETS, revision->secret->secret_name, NULL, NULL, false,
                  check_read);
}

/* ---- list ---- */

static void list_failed(struct pass *pass, const struct err *err)
{
    struct inventory *inventory = pass->gathered->inventory;
    inventory_fail(inventory, clock_monotonic_ms(), (uint64_t)random());
    inventory_end(inventory, pass->runtime->queue);
    if (pass->step.needed) {
        deepgram_failed(pass, err);
        return;
    }
    log_warn("inventory failed", "kind", resource_kind_name(pass->kind), "namespace",
             pass->key.namespace, "name", pass->key.name, "error", err->message, NULL);
    pass_continue(pass);
}

static void listed(void *context, const struct deepgram_answer *answer)
{
    struct pass *pass = context;
    struct inventory *inventory = pass->gathered->inventory;
    struct deepgram_list list = { 0 };
    struct err err = ERR_INIT;
    if (!deepgram_listed(pass->kind, answer, &list, &err)) {
        deepgram_list_done(&list);
        list_failed(pass, &err);
        return;
    }
    inventory_set(inventory, &list, pass->sent_ms);
    inventory_end(inventory, pass->runtime->queue);
    if (pass->step.needed)
        deepgram_worked(pass);
    pass_continue(pass);
}

static void list_with_key(void *context, cJSON **object, const struct err *err)
{
    struct pass *pass = context;
    if (!admin_answered(pass, *object, err, list_failed))
        return;
    deepgram_list(pass->kind, pass->gathered->resource->spec.project_id, &pass->request);
    send_with(pass, &pass->admin_key, listed);
}

void step_list(struct pass *pass)
{
    if (!inventory_begin(pass->gathered->inventory, pass->key.kind, pass->key.namespace,
                         pass->key.name)) {
        pass_end(pass);
        return;
    }
    get_admin_secret(pass, list_with_key);
}

/* ---- revoke ---- */

static void gone(struct pass *pass)
{
    struct memory *memory = pass->gathered->memory;
    memory_add_gone(memory, pass->id);
    if (mem_streq(memory->discard_id, pass->id))
        mem_free(take(memory->discard_id));
    if (mem_streq(memory->issued.id, pass->id)) {
        credential_done(&memory->issued);
        memory->issued_for = (struct attempt){ 0 };
    }
    const char *kind = resource_kind_name(pass->kind);
    metrics_add(pass->runtime->metrics, METRIC_CREDENTIALS_REVOKED, 1, kind, NULL);
    if (strcmp(pass->step.why, "Orphaned") == 0)
        metrics_add(pass->runtime->metrics, METRIC_CREDENTIALS_ORPHANED, 1, kind, NULL);
    pass_event(pass, EVENT_NORMAL, "Revoked", "Revoke", "Revoked credential %s at Deepgram (%s)",
               pass->id, pass->step.why);
    log_info("credential revoked", "kind", kind, "namespace", pass->key.namespace, "name",
             pass->key.name, "id", pass->id, "why", pass->step.why, NULL);
    deepgram_worked(pass);
    pass_continue(pass);
}

static void confirmed(void *context, const struct deepgram_answer *answer)
{
    struct pass *pass = context;
    struct err err = ERR_INIT;
    bool is_gone = false;
    if (!deepgram_credential_answer(DEEPGRAM_GET, answer, &is_gone, &err)) {
        deepgram_failed(pass, &err);
        return;
    }
    if (is_gone) {
        gone(pass);
        return;
    }
    err_set(&err, ERR_TRANSIENT, "Deepgram still knows credential %s after it was revoked",
            pass->id);
    deepgram_failed(pass, &err);
}

static void revoked(void *context, const struct deepgram_answer *answer)
{
    struct pass *pass = context;
    struct err err = ERR_INIT;
    bool is_gone = false;
    if (!deepgram_credential_answer(DEEPGRAM_REVOKE, answer, &is_gone, &err)) {
        deepgram_failed(pass, &err);
        return;
    }
    if (is_gone) {
        gone(pass);
        return;
    }
    deepgram_request_done(&pass->request);
    deepgram_get(pass->kind, pass->gathered->resource->spec.project_id, pass->id, &pass->request);
    send_with(pass, &pass->admin_key, confirmed);
}

static void revoke_with_key(void *context, cJSON **object, const struct err *err)
{
    struct pass *pass = context;
    if (!admin_answered(pass, *object, err, admin_failed) || !may_send(pass))
        return;
    deepgram_revoke(pass->kind, pass->gathered->resource->spec.project_id, pass->id,
                    &pass->request);
    send_with(pass, &pass->admin_key, revoked);
}

/* Nobody announced or published anything since the decision when the resource has not changed:
 * every create is preceded by a write to it. */
static void revoke_unchanged(void *context, cJSON **object, const struct err *err)
{
    struct pass *pass = context;
    struct store *store = pass_resource_store(pass);
    if (err && err->kind == ERR_NOT_FOUND) {
        store_remove_written(store, pass->key.namespace, pass->key.name,
                             pass->gathered->resource->uid);
        pass_continue(pass);
    } else if (err) {
        pass_fail(pass, FAILURE_KUBERNETES, NULL, err);
    } else if (!mem_streq(json_string_at(*object, "metadata.resourceVersion"),
                          pass->gathered->resource->resource_version)) {
        store_put_written(store, take(*object));
        pass_continue(pass);
    } else {
        get_admin_secret(pass, revoke_with_key);
    }
}

void step_revoke(struct pass *pass)
{
    pass->id = mem_strdup(pass->step.id);
    pass_kube(pass, KUBE_GET, pass_resource_type(pass), pass->key.name, NULL, NULL, false,
              revoke_unchanged);
}
