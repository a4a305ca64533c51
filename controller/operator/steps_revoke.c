/* Revoking: look whether anything changed, whose the credential is, delete it, and make sure that
 * it is gone. Nothing here can be taken back. */
#include <string.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/log.h"
#include "base/shared_json.h"
#include "operator/deepgram_call.h"
#include "operator/steps.h"
#include "reconcile/failure.h"

enum proof { PROVEN, AS_TOLD };

/* It is done with, whichever way it was known. Lists lag: that one shows it still says nothing
 * against a proof. An admin key alone may not be shown what lives. */
static void forget(struct pass *pass, enum proof proof)
{
    struct memory *memory = pass->gathered->memory;
    int64_t settle_ms = proof == PROVEN ? 0 : pass->runtime->options->settle_ms;
    memory_add_gone(memory, pass->id, clock_monotonic_ms() - settle_ms);
    if (mem_streq(memory->discard_id, pass->id))
        mem_free(take(memory->discard_id));
    if (memory_holds(memory, pass->id))
        memory_end_mint(memory);
}

static void gone(struct pass *pass, enum proof proof)
{
    forget(pass, proof);
    const char *kind = resource_kind_name(pass->kind);
    metrics_add(pass->runtime->metrics, METRIC_CREDENTIALS_REVOKED, 1, kind, NULL);
    if (strcmp(pass->step.why, "Orphaned") == 0)
        metrics_add(pass->runtime->metrics, METRIC_CREDENTIALS_ORPHANED, 1, kind, NULL);
    pass_event(pass, EVENT_NORMAL, "Revoked", "Revoke", "Revoked credential %s at Deepgram (%s)",
               pass->id, pass->step.why);
    log_info("credential revoked", "kind", kind, "namespace", pass->key.namespace, "name",
             pass->key.name, "id", pass->id, "why", pass->step.why, NULL);
    failure_clear_but_unknown(pass->gathered->memory);
    pass_continue(pass);
}

static void confirmed(void *context, const struct deepgram_answer *answer)
{
    struct pass *pass = context;
    struct err err = ERR_INIT;
    bool is_gone = false;
    if (!deepgram_credential_answer(DEEPGRAM_GET, answer, &is_gone, &err)) {
        deepgram_call_failed(pass, &err);
        return;
    }
    if (is_gone) {
        gone(pass, PROVEN);
        return;
    }
    err_set(&err, ERR_TRANSIENT, "Deepgram still knows credential %s after it was revoked",
            pass->id);
    deepgram_call_failed(pass, &err);
}

/* ---- not there, says Deepgram ---- */

static void prove_gone(struct pass *pass);

/* The key itself knows better: an admin key may not see what another one created. One refusal may
 * be wrong, so that it is asked twice. */
static void proved(void *context, const struct deepgram_answer *answer)
{
    struct pass *pass = context;
    struct err err = ERR_INIT;
    if (deepgram_answer_ok(DEEPGRAM_CHECK, answer, &err))
        err_set(&err, ERR_FORBIDDEN,
                "Credential %s lives, but Deepgram doesn't show it to the admin key, which may "
                "only revoke what it created itself: use one of the role owner, or the one that "
                "created it",
                pass->id);
    else if (err.kind == ERR_UNAUTHORIZED && pass->refused) {
        gone(pass, PROVEN);
        return;
    } else if (err.kind == ERR_UNAUTHORIZED) {
        pass->refused = true;
        prove_gone(pass);
        return;
    }
    deepgram_call_failed(pass, &err);
}

static void prove_with(void *context, cJSON **object, const struct err *err)
{
    struct pass *pass = context;
    struct credential credential = { 0 };
    struct err problem = ERR_INIT;
    if (err && err->kind != ERR_NOT_FOUND) {
        pass_fail(pass, FAILURE_KUBERNETES, NULL, err);
    } else if (err || !revision_read(*object, &credential, &problem)) {
        gone(pass, AS_TOLD); /* there is nothing to ask with */
    } else {
        deepgram_call_check(pass, &credential.secret, proved);
    }
    credential_done(&credential);
}

static const struct revision *keeper(const struct pass *pass)
{
    const struct world *world = &pass->gathered->world;
    for (size_t i = 0; world->checkable && i < world->secret_count; i++)
        if (strcmp(world->secrets[i].id, pass->id) == 0)
            return &world->secrets[i];
    return NULL;
}

static void prove_gone(struct pass *pass)
{
    const struct revision *kept = keeper(pass);
    if (kept)
        pass_kube(pass, KUBE_GET, &KUBE_SECRETS, kept->secret_name, NULL, NULL, false, prove_with);
    else
        gone(pass, AS_TOLD);
}

/* ---- deleting ---- */

static void revoked(void *context, const struct deepgram_answer *answer)
{
    struct pass *pass = context;
    struct err err = ERR_INIT;
    bool is_gone = false;
    if (!deepgram_credential_answer(DEEPGRAM_REVOKE, answer, &is_gone, &err)) {
        deepgram_call_failed(pass, &err);
        return;
    }
    if (is_gone) {
        prove_gone(pass);
        return;
    }
    deepgram_call_get(pass, pass->id, confirmed);
}

static void revoke_now(struct pass *pass)
{
    deepgram_request_done(&pass->request);
    deepgram_revoke(pass->kind, pass->gathered->resource->spec.project_id, pass->id,
                    &pass->request);
    deepgram_call_send(pass, &pass->admin_key, revoked);
}

/* ---- whose is it? ---- */

/* Its marker names this resource, or one that is no more and whose attempt our revision Secret
 * kept: Retain left it to a resource of the same name. A nonce alone proves nothing, because
 * whoever may look at a resource sees it. */
static bool is_ours(const struct pass *pass, const struct marker *marker)
{
    const struct world *world = &pass->gathered->world;
    if (strcmp(marker->uid, world->resource->uid) == 0)
        return true;
    if (marker->uid[0] == '\0' || memories_find(pass->runtime->memories, marker->uid))
        return false;
    for (size_t i = 0; i < world->secret_count; i++)
        if (strcmp(world->secrets[i].id, pass->id) == 0 &&
            strcmp(world->secrets[i].nonce, marker->nonce) == 0)
            return true;
    return false;
}

static void leave_alone(struct pass *pass, const char *why)
{
    forget(pass, PROVEN);
    pass_event(pass, EVENT_WARNING, "RevokeByHand", "Revoke",
               "Credential %s of project %s is no longer needed, but %s: revoke it in the console",
               pass->id, pass->gathered->resource->spec.project_id, why);
    pass_continue(pass);
}

static void examined(void *context, const struct deepgram_answer *answer)
{
    struct pass *pass = context;
    struct err err = ERR_INIT;
    struct marker marker;
    bool is_gone = false;
    if (!deepgram_credential_answer(DEEPGRAM_GET, answer, &is_gone, &err))
        deepgram_call_failed(pass, &err);
    else if (is_gone)
        gone(pass, AS_TOLD);
    else if (!deepgram_marker(pass->kind, answer, &marker, &err))
        deepgram_call_failed(pass, &err);
    else if (is_ours(pass, &marker))
        revoke_now(pass);
    else
        leave_alone(pass, "nothing at Deepgram shows that it is this resource's, and the "
                          "operator's default credentials reach others' too");
}

/* With a key of its own a namespace can only harm itself. The default credentials are shared: there
 * an id that stands in a Secret or a status is not enough, because the namespace can write both. */
static void revoke_with_key(struct pass *pass)
{
    if (!deepgram_call_allowed(pass))
        return;
    bool just_issued = memory_holds(pass->gathered->memory, pass->id);
    if (!pass->gathered->world.admin.is_default || just_issued) {
        revoke_now(pass);
        return;
    }
    deepgram_call_get(pass, pass->id, examined);
}

/* ---- the step ---- */

struct other {
    const struct pass *pass;
    char *name; /* NULL: not found yet */
};

/* Not when it has left it, so that a revision Secret is all that is left of it there, nor when it
 * never published anything and the Secret that it would is another one's. */
static bool needs_it(const struct pass *pass, const struct resource *other,
                     const struct revision *kept)
{
    const struct status *status = &other->status;
    for (size_t i = 0; i < status->revision_count; i++)
        if (status->revisions[i].number == kept->number &&
            mem_streq(status->revisions[i].id, kept->id) &&
            status->revisions[i].state == REVISION_REVOKED)
            return false;
    const struct memory *memory = memories_find(pass->runtime->memories, other->uid);
    if (memory && memory_is_gone(memory, pass->id))
        return false;
    if (status->revision > 0)
        return true;
    auto_shared_json const cJSON *target =
        store_get(pass->runtime->caches->secrets, other->namespace, other->spec.secret_name);
    return !owner_controller(target) || owned_by(target, other->uid);
}

static void look_for_other(void *context, const cJSON *secret)
{
    struct other *looking = context;
    const struct pass *pass = looking->pass;
    auto_shared_json const cJSON *json = caches_resource_named(pass->runtime->caches, secret);
    struct revision revision;
    if (!json || !revision_parse(secret, &revision))
        return;
    auto_resource struct resource *other =
        resource_new(pass->kind, cJSON_CreateObjectReference(json->child));
    if (!other->has_finalizer || mem_streq(other->uid, pass->gathered->resource->uid) ||
        (revision.owner_uid && strcmp(revision.owner_uid, other->uid) != 0) ||
        !needs_it(pass, other, &revision))
        return;
    mem_free(looking->name);
    looking->name = mem_printf("%s in namespace %s", revision.resource, other->namespace);
}

/* What was created here is nobody else's, whatever a Secret of his says. */
static bool may_be_adopted(const struct pass *pass)
{
    const struct world *world = &pass->gathered->world;
    for (size_t i = 0; i < world->secret_count; i++)
        if (strcmp(world->secrets[i].id, pass->id) == 0 && world->secrets[i].nonce[0] != '\0')
            return false;
    return true;
}

/* A key that was pasted into several Secrets may have been adopted by several resources: it goes
 * with the last one. */
static bool leave_to_other(struct pass *pass)
{
    struct other other = { .pass = pass };
    auto_free char *key = caches_adopted_key(pass->id);
    if (may_be_adopted(pass))
        store_visit(pass->runtime->caches->secrets, key, look_for_other, &other);
    if (!other.name)
        return false;
    forget(pass, PROVEN);
    pass_event(pass, EVENT_NORMAL, "StillShared", "Revoke",
               "Credential %s is no longer needed here, but %s adopted it too: it is revoked when "
               "that one doesn't need it either",
               pass->id, other.name);
    mem_free(other.name);
    pass_continue(pass);
    return true;
}

static void begin(struct pass *pass)
{
    if (!leave_to_other(pass))
        deepgram_call_with_key(pass, revoke_with_key, NULL);
}

/* Kept meanwhile, by another leader perhaps: then the cache was behind, and it is no orphan. */
static void looked_for_keeper(void *context, cJSON **object, const struct err *err)
{
    struct pass *pass = context;
    struct revision revision;
    if (err && err->kind != ERR_NOT_FOUND) {
        pass_fail(pass, FAILURE_KUBERNETES, NULL, err);
    } else if (!err && revision_parse(*object, &revision) && mem_streq(revision.id, pass->id)) {
        store_put_written(pass_secrets(pass), take(*object));
        pass_continue(pass);
    } else {
        begin(pass);
    }
}

static void look_for_keeper(struct pass *pass)
{
    auto_free char *name = revision_secret_name(pass->kind, pass->key.name, pass->step.revision);
    pass_kube(pass, KUBE_GET, &KUBE_SECRETS, name, NULL, NULL, true, looked_for_keeper);
}

static void revoke_unchanged(struct pass *pass)
{
    if (pass->step.revision > 0)
        look_for_keeper(pass);
    else
        begin(pass);
}

void step_revoke(struct pass *pass)
{
    pass->id = mem_strdup(pass->step.id);
    if (strcmp(pass->id, CREDENTIAL_ID_UNKNOWN) == 0) {
        leave_alone(pass, "Deepgram never told its id");
        return;
    }
    /* Nobody announced or published anything since the decision when the resource has not changed:
     * every create is preceded by a write to it. */
    pass_if_unchanged(pass, revoke_unchanged);
}
