/* The check before publishing: does the credential grant what was asked for, does Deepgram accept
 * it, and does the registry? One that doesn't is revoked next and never published; where nobody can
 * be asked, it is kept until somebody can. */
#include <string.h>

#include "api/grant.h"
#include "base/clock.h"
#include "operator/deepgram_call.h"
#include "operator/steps.h"
#include "deepgram/registry.h"
#include "reconcile/failure.h"

/* Lists lag as long: so may a new credential. */
enum { NEW_CREDENTIAL_LAG_MS = 30 * 1000 };

static const struct world_revision *step_revision(const struct pass *pass)
{
    return world_revision(&pass->gathered->world, pass->step.revision);
}

static bool is_settled(const struct pass *pass)
{
    const struct world *world = &pass->gathered->world;
    return world->now_ms - step_revision(pass)->secret->issued_at_ms > NEW_CREDENTIAL_LAG_MS;
}

static void passed(struct pass *pass)
{
    struct memory *memory = pass->gathered->memory;
    memory->checked_revision = pass->step.revision;
    memory->checked_ms = clock_monotonic_ms();
    failure_clear(memory, FAILURE_CHECK);
    pass_continue(pass);
}

static void discard(struct pass *pass, const struct err *err)
{
    mem_replace(&pass->gathered->memory->discard_id, step_revision(pass)->id);
    pass_fail(pass, FAILURE_CHECK, NULL, err);
}

static void check(struct pass *pass);

/* What is older than half a minute isn't thrown away for one answer. */
static bool ask_again(struct pass *pass)
{
    bool is_first = is_settled(pass) && !pass->refused;
    pass->refused = true;
    if (is_first)
        check(pass);
    return is_first;
}

/* ---- the registry ---- */

static void refused_by_registry(struct pass *pass, const struct err *err)
{
    struct err problem = ERR_INIT;
    const char *id = step_revision(pass)->id;
    bool refused = err->kind == ERR_UNAUTHORIZED || err->kind == ERR_FORBIDDEN;
    if (refused && ask_again(pass))
        return;
    if (refused && is_settled(pass)) {
        err_set(&problem, ERR_FORBIDDEN,
                "The credentials %s were tried out before publishing, and %s: they are revoked and "
                "not published. Check spec.verify.repository and spec.scopes",
                id, err->message);
        discard(pass, &problem);
        return;
    }
    err_set(&problem, refused ? ERR_UNAUTHORIZED : err->kind,
            "The credentials %s are tried out before publishing, but %s: they are tried again%s",
            id, err->message, refused ? ", and after half a minute revoked" : "");
    problem.retry_after_ms = err->retry_after_ms;
    pass_fail(pass, FAILURE_CHECK, NULL, &problem);
}

static void token_answered(void *context, const struct deepgram_answer *answer)
{
    struct pass *pass = context;
    struct err err = ERR_INIT;
    if (registry_token_answered(pass->gathered->resource->spec.verify_repository, answer, &err))
        passed(pass);
    else
        refused_by_registry(pass, &err);
}

static void ask_registry(struct pass *pass)
{
    deepgram_request_done(&pass->request);
    struct secret login = { 0 };
    credential_login(&pass->credential, &login);
    registry_token(pass->gathered->resource->spec.verify_repository, &pass->request);
    deepgram_call_send(pass, &login, token_answered);
    secret_done(&login);
}

/* ---- Deepgram ---- */

/* Younger than half a minute it is asked again; older, it is dead. */
static void not_accepted(struct pass *pass)
{
    if (ask_again(pass))
        return;
    struct err err = ERR_INIT;
    bool dead = is_settled(pass);
    err_set(&err, dead ? ERR_NOT_FOUND : ERR_TRANSIENT,
            "Deepgram doesn't accept the new credential %s (yet): it is asked again, and after "
            "half a minute revoked and another one is issued",
            step_revision(pass)->id);
    if (dead)
        discard(pass, &err);
    else
        deepgram_call_failed(pass, &err);
}

/* What it says of itself counts like what its creation said. */
static void described(void *context, const struct deepgram_answer *answer)
{
    struct pass *pass = context;
    struct credential about = { 0 };
    struct err err = ERR_INIT;
    if (deepgram_described(pass->kind, DEEPGRAM_CHECK, answer, &about, &err)) {
        deepgram_call_worked(pass);
        mem_replace(&about.id, step_revision(pass)->id);
        if (!pass->step.judged || grant_check(pass->gathered->resource, &about, &err))
            passed(pass);
        else
            discard(pass, &err);
    } else if (err.kind == ERR_UNAUTHORIZED) {
        not_accepted(pass);
    } else {
        deepgram_call_failed(pass, &err);
    }
    credential_done(&about);
}

/* ---- the step ---- */

static void check(struct pass *pass)
{
    const struct resource *resource = pass->gathered->resource;
    struct err err = ERR_INIT;
    if (pass->step.judged && !grant_check(resource, &pass->credential, &err))
        discard(pass, &err);
    else if (pass->gathered->world.checkable)
        deepgram_call_check(pass, &pass->credential.secret, described);
    else if (resource->spec.verify_repository)
        ask_registry(pass);
    else
        passed(pass);
}

static void revision_answered(void *context, cJSON **object, const struct err *err)
{
    struct pass *pass = context;
    struct err problem = ERR_INIT;
    credential_done(&pass->credential);
    pass->credential_revision = 0;
    if (err) {
        pass_fail(pass, FAILURE_KUBERNETES, NULL, err);
    } else if (!revision_read(*object, &pass->credential, &problem)) {
        pass_fail(pass, FAILURE_KUBERNETES, NULL, &problem);
    } else {
        pass->credential_revision = pass->step.revision;
        check(pass);
    }
}

void step_check(struct pass *pass)
{
    if (pass->credential_revision == pass->step.revision)
        check(pass);
    else
        pass_kube(pass, KUBE_GET, &KUBE_SECRETS, step_revision(pass)->secret->secret_name, NULL,
                  NULL, false, revision_answered);
}
