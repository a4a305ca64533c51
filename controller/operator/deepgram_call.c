/* The admin key is read just before it is used, so that nobody's key is kept in memory or used for
 * another namespace. */
#include "operator/deepgram_call.h"

#include "base/clock.h"
#include "base/json.h"
#include "operator/admin_key.h"
#include "reconcile/failure.h"

enum {
    PAUSE_MS = 1000,           /* of a 429 that doesn't say for how long */
    LOOK_VALID_MS = 10 * 1000, /* between the look at a resource and its revocation */
};

/* ---- reading it ---- */

struct reading {
    struct pass *pass;
    deepgram_call_then_fn *then;
    deepgram_call_failed_fn *failed;
};

void deepgram_call_key_failed(struct pass *pass, const struct err *err)
{
    bool of_secret = err->kind == ERR_INVALID || err->kind == ERR_NOT_FOUND;
    const struct admin_view *admin = &pass->gathered->world.admin;
    const char *uid = json_string_at(pass->gathered->admin, "metadata.uid");
    if (err->kind == ERR_NOT_FOUND && uid)
        store_remove_written(pass_secrets(pass), admin->namespace, admin->name, uid);
    pass_fail(pass, of_secret ? FAILURE_DEEPGRAM : FAILURE_KUBERNETES,
              of_secret ? "CredentialsInvalid" : NULL, err);
}

static void answered(void *context, cJSON **object, const struct err *err)
{
    struct reading *reading = context;
    struct pass *pass = reading->pass;
    deepgram_call_then_fn *then = reading->then;
    deepgram_call_failed_fn *failed = reading->failed;
    mem_free(reading);
    struct err problem = ERR_INIT;
    if (err)
        failed(pass, err);
    else if (!admin_key_read(&pass->gathered->world.admin, *object, &pass->admin_key, &problem))
        failed(pass, &problem);
    else
        then(pass);
}

void deepgram_call_with_key(struct pass *pass, deepgram_call_then_fn *then,
                            deepgram_call_failed_fn *failed)
{
    const struct admin_view *admin = &pass->gathered->world.admin;
    struct reading *reading = mem_alloc(sizeof *reading);
    *reading = (struct reading){ pass, then, failed ? failed : deepgram_call_key_failed };
    kube_send(pass->runtime->kube, &(struct kube_call){ .verb = KUBE_GET,
                                                        .resource = &KUBE_SECRETS,
                                                        .namespace = admin->namespace,
                                                        .name = admin->name,
                                                        .done = answered,
                                                        .context = reading });
}

/* ---- sending ---- */

bool deepgram_call_allowed(struct pass *pass)
{
    if (runtime_may_write(pass->runtime))
        return true;
    pass_end(pass);
    return false;
}

/* Also after a wait: still the leader, a create still close to its announcement, and a revocation
 * to the look at the resource. */
static bool may_send(void *context)
{
    const struct pass *pass = context;
    int64_t now_ms = clock_monotonic_ms();
    if (pass->step.kind == STEP_CREATE && !announcement_is_fresh(pass->gathered->memory, now_ms))
        return false;
    if (pass->step.kind == STEP_REVOKE && now_ms - pass->looked_ms > LOOK_VALID_MS)
        return false;
    return runtime_may_write(pass->runtime);
}

void deepgram_call_send(struct pass *pass, const struct secret *key, gateway_done_fn *done)
{
    gateway_send(pass->runtime->gateway, &pass->request, key, &pass->sent_ms, may_send, done, pass);
}

void deepgram_call_get(struct pass *pass, const char *id, gateway_done_fn *done)
{
    deepgram_request_done(&pass->request);
    deepgram_get(pass->kind, pass->gathered->resource->spec.project_id, id, &pass->request);
    deepgram_call_send(pass, &pass->admin_key, done);
}

void deepgram_call_check(struct pass *pass, const struct secret *key, gateway_done_fn *done)
{
    deepgram_request_done(&pass->request);
    deepgram_check(&pass->request);
    deepgram_call_send(pass, key, done);
}

void deepgram_call_pause(struct pass *pass, const struct err *err)
{
    if (err->kind != ERR_THROTTLED)
        return;
    int64_t pause = err->retry_after_ms >= 0 ? err->retry_after_ms : PAUSE_MS;
    inventory_pause(pass->gathered->inventory, clock_monotonic_ms() + pause);
}

void deepgram_call_failed(struct pass *pass, const struct err *err)
{
    deepgram_call_pause(pass, err);
    pass_fail(pass, FAILURE_DEEPGRAM, NULL, err);
}

void deepgram_call_worked(struct pass *pass)
{
    failure_clear(pass->gathered->memory, FAILURE_DEEPGRAM);
}
