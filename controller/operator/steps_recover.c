/* The steps that find out about a credential otherwise than by minting it: a lost revision Secret
 * is kept again, a Secret made by hand is adopted, one that the list doesn't show is asked for. */
#include <stdio.h>
#include <string.h>

#include "api/grant.h"
#include "api/recover.h"
#include "api/timestamp.h"
#include "base/clock.h"
#include "base/fingerprint.h"
#include "base/json.h"
#include "base/log.h"
#include "kube/status.h"
#include "operator/deepgram_call.h"
#include "operator/steps.h"
#include "reconcile/failure.h"

/* As long as the target stays as it is, nothing can be read out of it. */
static void useless(struct pass *pass, int64_t adopt_at_ms, const char *why)
{
    struct memory *memory = pass->gathered->memory;
    memory->adopt_at_ms = adopt_at_ms;
    memory->target_useless = fingerprint(json_string_at(pass->object, "metadata.resourceVersion"));
    mem_replace(&memory->adoption_problem, why);
    store_put_written(pass_secrets(pass), take(pass->object)); /* the cache may be behind */
    pass_continue(pass);
}

/* Does it keep that revision of the resource? Somebody may have edited what it says of itself. */
static bool keeps(const cJSON *secret, const struct resource *resource, int64_t number,
                  struct revision *ret_revision)
{
    return revision_parse(secret, ret_revision) && ret_revision->number == number &&
           resource_is_named(resource, ret_revision->resource) &&
           world_belongs(resource, ret_revision);
}

/* ---- creating the revision Secret ---- */

static char *kept_name(const struct pass *pass)
{
    return revision_secret_name(pass->kind, pass->key.name, pass->credential_revision);
}

/* It was never lost when it is what it should be: the cache was behind. One that a namesake left
 * goes with it, unless somebody's finalizer holds it up. */
static void compare_kept(void *context, cJSON **object, const struct err *err)
{
    struct pass *pass = context;
    struct err problem = ERR_INIT;
    struct revision revision;
    if (!err && keeps(*object, pass->gathered->resource, pass->credential_revision, &revision) &&
        mem_streq(revision.id, pass->credential.id)) {
        pass_written(pass, pass_secrets(pass), object, NULL);
        return;
    }
    auto_free char *name = kept_name(pass);
    if (err)
        err_set(&problem, ERR_TRANSIENT, "%s", err->message);
    else if (json_at(*object, "metadata.deletionTimestamp"))
        err_set(&problem, ERR_TRANSIENT,
                "Secret %s of an earlier resource is still being deleted: see its finalizers",
                name);
    else
        err_set(&problem, ERR_INVALID,
                "Secret %s exists and isn't the revision that it should be: delete it", name);
    pass_fail(pass, FAILURE_KUBERNETES, NULL, &problem);
}

static void kept(void *context, cJSON **object, const struct err *err)
{
    struct pass *pass = context;
    if (!err || (err->kind != ERR_CONFLICT && err->kind != ERR_NOT_FOUND)) {
        pass_written(pass, pass_secrets(pass), object, err);
    } else if (kube_status_already_exists(err)) {
        auto_free char *name = kept_name(pass);
        pass_kube(pass, KUBE_GET, &KUBE_SECRETS, name, NULL, NULL, true, compare_kept);
    } else {
        struct err problem = ERR_INIT;
        err_set(&problem, ERR_TRANSIENT, "%s", err->message);
        pass_fail(pass, FAILURE_KUBERNETES, NULL, &problem);
    }
}

static void keep_credential(struct pass *pass, const struct attempt *attempt)
{
    const struct credential *credential = &pass->credential;
    int64_t issued_ms = credential->created_at_ms > 0 ? credential->created_at_ms
                                                      : kube_now_ms(pass->runtime->kube);
    cJSON *body = revision_secret(pass->gathered->resource, attempt, credential, issued_ms);
    pass->credential_revision = attempt->revision;
    pass_kube(pass, KUBE_CREATE, &KUBE_SECRETS, NULL, NULL, body, true, kept);
}

/* Reads the target whole; the answer is handed on with pass->object holding it. */
static void read_target(struct pass *pass, kube_done_fn *then)
{
    pass_kube(pass, KUBE_GET, &KUBE_SECRETS, pass_target_name(pass), NULL, NULL, false, then);
}

static bool target_read(struct pass *pass, cJSON **object, const struct err *err)
{
    if (!err) {
        pass->object = take(*object);
        return true;
    }
    if (err->kind == ERR_NOT_FOUND)
        pass_reread(pass, &KUBE_SECRETS, pass_target_name(pass), pass_secrets(pass));
    else
        pass_fail(pass, FAILURE_KUBERNETES, NULL, err);
    return false;
}

/* ---- look for a revision ---- */

static void looked_for(void *context, cJSON **object, const struct err *err)
{
    struct pass *pass = context;
    struct revision revision;
    if (err && err->kind != ERR_NOT_FOUND) {
        pass_fail(pass, FAILURE_KUBERNETES, NULL, err);
        return;
    }
    if (err || !keeps(*object, pass->gathered->resource, pass->step.revision, &revision))
        pass->gathered->memory->absent_revision = pass->step.revision;
    if (!err)
        store_put_written(pass_secrets(pass), take(*object));
    pass_continue(pass);
}

void step_look_for_revision(struct pass *pass)
{
    auto_free char *name = revision_secret_name(pass->kind, pass->key.name, pass->step.revision);
    pass_kube(pass, KUBE_GET, &KUBE_SECRETS, name, NULL, NULL, true, looked_for);
}

/* ---- keep again ---- */

/* The attempt that issued it, as far as the resource still tells: what was published from the spec
 * as it is has nothing pending. Without a spec hash it is replaced. */
static struct attempt attempt_of(const struct resource *resource, int64_t revision)
{
    for (size_t i = 0; i < resource->attempt_count; i++)
        if (resource->attempts[i].revision == revision)
            return resource->attempts[i];
    struct attempt attempt = { .revision = revision, .rotate = "" };
    const struct status *status = &resource->status;
    if (status->observed_generation == resource->generation && !status->reconciling &&
        !status->stalled)
        snprintf(attempt.spec_hash, sizeof attempt.spec_hash, "%s", resource->spec_hash);
    return attempt;
}

static void read_status(const struct resource *resource, struct credential *credential)
{
    const cJSON *scopes = json_member(resource->status.json, "scopes");
    if (!credential->scopes && cJSON_IsArray(scopes))
        credential->scopes = cJSON_Duplicate(scopes, true);
    credential->expires_at_ms = resource->status.expires_at_ms;
    credential->created_at_ms = resource->status.issued_at_ms;
}

/* Another revision may be in it by now: what had no answer was carried out all the same. */
static bool is_as_decided(const struct pass *pass)
{
    return mem_streq(json_string_at(pass->object, "metadata.resourceVersion"),
                     pass->gathered->world.target.resource_version);
}

static void keep_again(void *context, cJSON **object, const struct err *err)
{
    struct pass *pass = context;
    if (!target_read(pass, object, err))
        return;
    if (!is_as_decided(pass)) {
        store_put_written(pass_secrets(pass), take(pass->object));
        pass_continue(pass);
        return;
    }
    const struct resource *resource = pass->gathered->resource;
    const struct world_revision *revision =
        world_revision(&pass->gathered->world, pass->step.revision);
    struct err problem = ERR_INIT;
    credential_done(&pass->credential);
    pass->credential_revision = 0;
    if (!recover_is_unedited(pass->object) ||
        !recover_credential(resource, pass->object, &pass->credential, &problem)) {
        useless(pass, INT64_MAX, problem.message);
        return;
    }
    mem_replace(&pass->credential.id, revision->id);
    if (resource->status.revision == revision->number)
        read_status(resource, &pass->credential);
    struct attempt attempt = attempt_of(resource, revision->number);
    pass_event(pass, EVENT_WARNING, "RevisionSecretLost", "KeepAgain",
               "The Secret that keeps revision %lld was deleted; it is made again from what Secret "
               "%s holds",
               (long long)revision->number, pass_target_name(pass));
    keep_credential(pass, &attempt);
}

void step_keep_again(struct pass *pass)
{
    read_target(pass, keep_again);
}

/* ---- adopt ---- */

static void adopt_alive(struct pass *pass, struct credential *described)
{
    const struct resource *resource = pass->gathered->resource;
    struct credential *credential = &pass->credential;
    if (described->id[0] != '\0')
        mem_replace(&credential->id, described->id);
    else if (!credential->id)
        mem_replace(&credential->id, CREDENTIAL_ID_UNKNOWN);
    credential->scopes = take(described->scopes);
    credential->expires_at_ms = described->expires_at_ms;
    struct attempt attempt = { .revision = pass->step.revision, .rotate = resource->rotate };
    /* Without a spec hash it counts as made from another spec: replaced at once, without outage. */
    if (grant_has_scopes(resource, credential->scopes))
        snprintf(attempt.spec_hash, sizeof attempt.spec_hash, "%s", resource->spec_hash);
    bool unknown = strcmp(credential->id, CREDENTIAL_ID_UNKNOWN) == 0;
    pass_event(pass, unknown ? EVENT_WARNING : EVENT_NORMAL, "Adopted", "Adopt",
               "Took over credential %s from Secret %s as revision %lld%s", credential->id,
               pass_target_name(pass), (long long)attempt.revision,
               unknown ? ". Deepgram doesn't tell its id: revoke it in the console after the next "
                         "rotation"
                       : "");
    keep_credential(pass, &attempt);
}

static void ask_whether_alive(struct pass *pass);

/* An answer may be wrong: it is asked once more at once, and from time to time. */
static void not_alive(struct pass *pass)
{
    enum { ASK_AGAIN_MS = 10 * 60 * 1000 };
    if (!pass->refused) {
        pass->refused = true;
        ask_whether_alive(pass);
        return;
    }
    deepgram_call_worked(pass);
    useless(pass, clock_monotonic_ms() + ASK_AGAIN_MS,
            pass->kind == RESOURCE_API_KEY
                ? "Deepgram doesn't accept the key in it, and is asked again every ten minutes"
                : "Deepgram doesn't know the credentials in it, and is asked again every ten "
                  "minutes");
}

static void described(void *context, const struct deepgram_answer *answer)
{
    struct pass *pass = context;
    struct credential about = { 0 };
    struct err err = ERR_INIT;
    bool is_gone = false;
    enum deepgram_operation operation =
        pass->kind == RESOURCE_API_KEY ? DEEPGRAM_CHECK : DEEPGRAM_GET;
    if (deepgram_described(pass->kind, operation, answer, &about, &err)) {
        deepgram_call_worked(pass);
        adopt_alive(pass, &about);
    } else if (operation == DEEPGRAM_CHECK
                   ? err.kind == ERR_UNAUTHORIZED
                   : deepgram_credential_answer(operation, answer, &is_gone, &err) && is_gone) {
        not_alive(pass);
    } else {
        deepgram_call_failed(pass, &err);
    }
    credential_done(&about);
}

static void ask_for_pull(struct pass *pass)
{
    deepgram_call_get(pass, pass->credential.id, described);
}

static void ask_whether_alive(struct pass *pass)
{
    if (pass->kind == RESOURCE_API_KEY)
        deepgram_call_check(pass, &pass->credential.secret, described);
    else
        deepgram_call_with_key(pass, ask_for_pull, NULL);
}

static void adopt(void *context, cJSON **object, const struct err *err)
{
    struct pass *pass = context;
    if (!target_read(pass, object, err))
        return;
    struct err problem = ERR_INIT;
    credential_done(&pass->credential);
    pass->credential_revision = 0;
    if (!recover_credential(pass->gathered->resource, pass->object, &pass->credential, &problem)) {
        useless(pass, INT64_MAX, problem.message);
    } else {
        ask_whether_alive(pass);
    }
}

void step_adopt(struct pass *pass)
{
    read_target(pass, adopt);
}

/* ---- confirm ---- */

static const struct revision *revision_to_confirm(const struct pass *pass)
{
    return world_revision(&pass->gathered->world, pass->step.revision)->secret;
}

static void confirm(struct pass *pass, bool is_gone)
{
    struct memory *memory = pass->gathered->memory;
    deepgram_call_worked(pass);
    if (!is_gone) {
        memory->confirmed_revision = pass->step.revision;
        memory_confirm(memory, pass->id, pass->gathered->world.inventory.listed_at_ms);
        pass_continue(pass);
        return;
    }
    memory_add_gone(memory, pass->id, clock_monotonic_ms());
    pass_event(pass, EVENT_WARNING, "CredentialLost", "Inventory",
               "Credential %s is gone at Deepgram, but the operator didn't revoke it: a new one is "
               "issued where it was in use",
               pass->id);
    log_warn("credential lost", "kind", resource_kind_name(pass->kind), "namespace",
             pass->key.namespace, "name", pass->key.name, "id", pass->id, NULL);
    pass_continue(pass);
}

static void ask_key(struct pass *pass);

/* A key that isn't accepted once may live: the admin key is asked about it too, unless its time is
 * up, as Deepgram goes on knowing it then. What that one isn't shown may live all the same: the key
 * is asked once more. */
static void doubt_answered(void *context, const struct deepgram_answer *answer)
{
    struct pass *pass = context;
    struct err err = ERR_INIT;
    bool is_gone = false;
    if (!deepgram_credential_answer(DEEPGRAM_GET, answer, &is_gone, &err)) {
        deepgram_call_failed(pass, &err);
    } else if (is_gone) {
        ask_key(pass);
    } else {
        err_set(&err, ERR_TRANSIENT,
                "Deepgram knows credential %s, but doesn't accept it: asking again", pass->id);
        deepgram_call_failed(pass, &err);
    }
}

static void settle_doubt(struct pass *pass)
{
    deepgram_call_get(pass, pass->id, doubt_answered);
}

static void key_confirmed(void *context, const struct deepgram_answer *answer)
{
    struct pass *pass = context;
    const struct world *world = &pass->gathered->world;
    struct err err = ERR_INIT;
    if (deepgram_answer_ok(DEEPGRAM_CHECK, answer, &err)) {
        confirm(pass, false);
    } else if (err.kind != ERR_UNAUTHORIZED) {
        deepgram_call_failed(pass, &err);
    } else if (pass->refused ||
               world_is_expired(world, world_revision(world, pass->step.revision))) {
        confirm(pass, true);
    } else {
        pass->refused = true;
        deepgram_call_with_key(pass, settle_doubt, NULL);
    }
}

static void id_confirmed(void *context, const struct deepgram_answer *answer)
{
    struct pass *pass = context;
    struct err err = ERR_INIT;
    bool is_gone = false;
    if (deepgram_credential_answer(DEEPGRAM_GET, answer, &is_gone, &err))
        confirm(pass, is_gone);
    else
        deepgram_call_failed(pass, &err);
}

static void ask_by_id(struct pass *pass)
{
    deepgram_call_get(pass, pass->id, id_confirmed);
}

static void ask_by_key(void *context, cJSON **object, const struct err *err)
{
    struct pass *pass = context;
    struct credential credential = { 0 };
    struct err problem = ERR_INIT;
    if (err && err->kind == ERR_NOT_FOUND) {
        pass_reread(pass, &KUBE_SECRETS, revision_to_confirm(pass)->secret_name,
                    pass_secrets(pass));
    } else if (err || !revision_read(*object, &credential, &problem)) {
        pass_fail(pass, FAILURE_KUBERNETES, NULL, err ? err : &problem);
    } else {
        deepgram_call_check(pass, &credential.secret, key_confirmed);
    }
    credential_done(&credential);
}

static void ask_key(struct pass *pass)
{
    pass_kube(pass, KUBE_GET, &KUBE_SECRETS, revision_to_confirm(pass)->secret_name, NULL, NULL,
              false, ask_by_key);
}

/* A key answers for itself, whatever the admin key is allowed to see. */
void step_confirm(struct pass *pass)
{
    pass->id = mem_strdup(pass->step.id);
    if (pass->gathered->world.checkable && revision_to_confirm(pass))
        ask_key(pass);
    else
        deepgram_call_with_key(pass, ask_by_id, NULL);
}
