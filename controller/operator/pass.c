/* The loop around decide(). A step budget guards against a livelock: a pass that doesn't come to
 * rest is put off and logged, and the other resources go on. */
#include "operator/pass.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/log.h"
#include "base/random.h"
#include "base/shared_json.h"
#include "kube/status.h"
#include "operator/steps.h"
#include "reconcile/failure.h"

enum { STEP_BUDGET = 40, LIVELOCK_PAUSE_MS = 30 * 1000 };

typedef void step_fn(struct pass *pass);

static step_fn *const STEPS[STEP_KINDS] = {
    [STEP_REPORT] = step_report,
    [STEP_MARK_ADMIN] = step_mark_admin,
    [STEP_ANNOUNCE] = step_announce,
    [STEP_PROTECT] = step_protect,
    [STEP_CREATE] = step_create,
    [STEP_KEEP] = step_keep,
    [STEP_LOOK_FOR_REVISION] = step_look_for_revision,
    [STEP_KEEP_AGAIN] = step_keep_again,
    [STEP_ADOPT] = step_adopt,
    [STEP_CONFIRM] = step_confirm,
    [STEP_CHECK] = step_check,
    [STEP_PUBLISH] = step_publish,
    [STEP_VERIFY] = step_verify,
    [STEP_COMPARE_TARGET] = step_compare_target,
    [STEP_LOOK_AT_TARGET] = step_look_at_target,
    [STEP_RESTART] = step_restart,
    [STEP_PUT_BACK] = step_put_back,
    [STEP_TAKE_BACK] = step_take_back,
    [STEP_LIST] = step_list,
    [STEP_REVOKE] = step_revoke,
    [STEP_DROP_REVISION] = step_drop_revision,
    [STEP_CLOSE_ATTEMPTS] = step_close_attempts,
    [STEP_DELETE_TARGET] = step_delete_target,
    [STEP_CLAIM] = step_claim,
    [STEP_ANCHOR] = step_anchor,
    [STEP_RELEASE] = step_release,
    [STEP_WATCH_ACCOUNTS] = step_watch_accounts,
    [STEP_NOTE_ACCOUNT] = step_note_account,
    [STEP_ADD_TO_ACCOUNT] = step_add_to_account,
    [STEP_TAKE_FROM_ACCOUNT] = step_take_from_account,
    [STEP_DROP_FINALIZER] = step_drop_finalizer,
};

bool runtime_may_write(const struct runtime *runtime)
{
    return leader_may_write(runtime->leader);
}

static void step_done(struct pass *pass)
{
    gathered_free(take(pass->gathered));
    secret_done(&pass->admin_key);
    deepgram_request_done(&pass->request);
    mem_free(take(pass->id));
    cJSON_Delete(take(pass->object));
    pass->refused = false;
}

void pass_end(struct pass *pass)
{
    struct runtime *runtime = pass->runtime;
    metrics_add(runtime->metrics, METRIC_RECONCILES, 1, resource_kind_name(pass->kind),
                pass->failed ? "failed" : "done", NULL);
    metrics_observe(runtime->metrics, METRIC_WORKQUEUE_WORK_SECONDS,
                    (double)(clock_monotonic_ms() - pass->started_ms) / 1000.0, "resources", NULL);
    step_done(pass);
    credential_done(&pass->credential);
    queue_finish(runtime->queue, &pass->key);
    queue_key_done(&pass->key);
    void (*ended)(void *) = pass->ended;
    void *context = pass->ended_context;
    mem_free(pass);
    ended(context);
}

/* Comes back when time alone changes something. */
static void rest(struct pass *pass)
{
    int64_t until = pass->step.wait_until_ms;
    if (until != INT64_MAX) {
        int64_t delay = until - clock_monotonic_ms();
        queue_add_after(pass->runtime->queue, pass->key.kind, pass->key.namespace, pass->key.name,
                        delay > 0 ? delay : 0);
    }
    pass_end(pass);
}

static void give_pause(struct pass *pass)
{
    log_error("pass does not come to rest; put off", "kind", resource_kind_name(pass->kind),
              "namespace", pass->key.namespace, "name", pass->key.name, "step",
              step_name(pass->step.kind), NULL);
    queue_add_after(pass->runtime->queue, pass->key.kind, pass->key.namespace, pass->key.name,
                    LIVELOCK_PAUSE_MS);
    pass->failed = true;
    pass_end(pass);
}

/* A shutting down process only finishes what would be lost. */
static bool may_go_on(const struct pass *pass)
{
    return runtime_may_write(pass->runtime) &&
           (!pass->runtime->stopping || memory_issued(pass->gathered->memory));
}

void pass_continue(struct pass *pass)
{
    struct gathered *before = take(pass->gathered);
    step_done(pass);
    queue_look(pass->runtime->queue, &pass->key);
    pass->gathered = gather(pass->runtime, pass->kind, pass->key.namespace, pass->key.name, before);
    gathered_free(before);
    if (!pass->gathered)
        memories_forget(pass->runtime->memories, pass->kind, pass->key.namespace, pass->key.name);
    if (!pass->gathered || !may_go_on(pass)) {
        pass_end(pass);
        return;
    }
    pass->step = decide(&pass->gathered->world);
    log_debug("step", "kind", resource_kind_name(pass->kind), "namespace", pass->key.namespace,
              "name", pass->key.name, "step", step_name(pass->step.kind), NULL);
    if (pass->step.kind == STEP_WAIT)
        rest(pass);
    else if (++pass->steps > STEP_BUDGET)
        give_pause(pass);
    else
        STEPS[pass->step.kind](pass);
}

/* A step can take half a minute, and a pause begins when it has failed. */
static void note_time_passed(struct world *world)
{
    int64_t passed_ms = clock_monotonic_ms() - world->monotonic_ms;
    world->monotonic_ms += passed_ms;
    world->now_ms += passed_ms;
}

void pass_fail(struct pass *pass, enum failure_side side, const char *reason, const struct err *err)
{
    struct memory *memory = pass->gathered->memory;
    pass->failed = true;
    note_time_passed(&pass->gathered->world);
    failure_set(&pass->gathered->world, memory, side, reason, pass->step.kind == STEP_REPORT, err,
                random_u64());
    log_warn("step failed", "kind", resource_kind_name(pass->kind), "namespace",
             pass->key.namespace, "name", pass->key.name, "step", step_name(pass->step.kind),
             "reason", memory->failures[side]->reason, "error", err->message, NULL);
    pass_continue(pass);
}

void pass_run(struct runtime *runtime, struct queue_key *key, void (*ended)(void *context),
              void *context)
{
    struct pass *pass = mem_alloc(sizeof *pass);
    pass->runtime = runtime;
    pass->key = *key;
    *key = (struct queue_key){ 0 };
    pass->kind = pass->key.kind == QUEUE_API_KEY ? RESOURCE_API_KEY : RESOURCE_PULL_SECRET;
    pass->ended = ended;
    pass->ended_context = context;
    pass->started_ms = clock_monotonic_ms();
    pass_continue(pass);
}

/* ---- Kubernetes calls ---- */

const struct kube_resource *pass_resource_type(const struct pass *pass)
{
    return pass->kind == RESOURCE_API_KEY ? &KUBE_API_KEYS : &KUBE_PULL_SECRETS;
}

struct store *pass_resource_store(const struct pass *pass)
{
    return pass->runtime->caches->resources[pass->kind];
}

struct store *pass_secrets(const struct pass *pass)
{
    return pass->runtime->caches->secrets;
}

const char *pass_target_name(const struct pass *pass)
{
    return pass->gathered->resource->spec.secret_name;
}

void pass_kube(struct pass *pass, enum kube_verb verb, const struct kube_resource *resource,
               const char *name, const char *subresource, cJSON *body, bool metadata_only,
               kube_done_fn *done)
{
    auto_json cJSON *owned = body;
    kube_send(pass->runtime->kube, &(struct kube_call){ .verb = verb,
                                                        .resource = resource,
                                                        .namespace = pass->key.namespace,
                                                        .name = name,
                                                        .subresource = subresource,
                                                        .body = owned,
                                                        .metadata_only = metadata_only,
                                                        .done = done,
                                                        .context = pass });
}

bool pass_take_over(struct pass *pass, struct store *store, const char *name, const char *uid,
                    cJSON **object, const struct err *err)
{
    if (err && err->kind != ERR_NOT_FOUND) {
        pass_fail(pass, FAILURE_KUBERNETES, NULL, err);
        return false;
    }
    if (err)
        store_remove_written(store, pass->key.namespace, name, uid ? uid : "");
    else
        store_put_written(store, take(*object));
    return true;
}

struct reread {
    struct pass *pass;
    struct store *store;
    char *name;
    char *uid; /* of what the cache shows, NULL when nothing */
};

static void reread_done(void *context, cJSON **object, const struct err *err)
{
    struct reread *reread = context;
    struct pass *pass = reread->pass;
    if (pass_take_over(pass, reread->store, reread->name, reread->uid, object, err))
        pass_continue(pass);
    mem_free(reread->uid);
    mem_free(reread->name);
    mem_free(reread);
}

void pass_reread(struct pass *pass, const struct kube_resource *resource, const char *name,
                 struct store *store)
{
    struct reread *reread = mem_alloc(sizeof *reread);
    auto_shared_json const cJSON *cached = store_get(store, pass->key.namespace, name);
    reread->uid = mem_strdup(json_string_at(cached, "metadata.uid"));
    reread->pass = pass;
    reread->store = store;
    reread->name = mem_strdup(name);
    kube_send(pass->runtime->kube, &(struct kube_call){ .verb = KUBE_GET,
                                                        .resource = resource,
                                                        .namespace = pass->key.namespace,
                                                        .name = reread->name,
                                                        .metadata_only = resource == &KUBE_SECRETS,
                                                        .done = reread_done,
                                                        .context = reread });
}

static void looked(void *context, cJSON **object, const struct err *err)
{
    struct pass *pass = context;
    const struct resource *resource = pass->gathered->resource;
    bool same = !err && mem_streq(json_string_at(*object, "metadata.resourceVersion"),
                                  resource->resource_version);
    if (same)
        pass->then(pass);
    else if (pass_take_over(pass, pass_resource_store(pass), pass->key.name, resource->uid, object,
                            err))
        pass_continue(pass);
}

void pass_if_unchanged(struct pass *pass, void (*then)(struct pass *pass))
{
    pass->then = then;
    pass->looked_ms = clock_monotonic_ms();
    pass_kube(pass, KUBE_GET, pass_resource_type(pass), pass->key.name, NULL, NULL, false, looked);
}

void pass_written(struct pass *pass, struct store *store, cJSON **object, const struct err *err)
{
    if (!err) {
        store_put_written(store, take(*object));
        failure_clear(pass->gathered->memory, FAILURE_KUBERNETES);
        pass_continue(pass);
    } else if (err->kind == ERR_CONFLICT || err->kind == ERR_NOT_FOUND) {
        /* Only the resource is written with others about; what else changed comes by watch. */
        pass_reread(pass, pass_resource_type(pass), pass->key.name, pass_resource_store(pass));
    } else {
        pass_fail(pass, FAILURE_KUBERNETES, NULL, err);
    }
}

void pass_event(struct pass *pass, enum recorder_type type, const char *reason, const char *action,
                const char *format, ...)
{
    char note[1024];
    va_list args;
    va_start(args, format);
    vsnprintf(note, sizeof note, format, args);
    va_end(args);
    recorder_event(pass->runtime->recorder, pass->gathered->resource, type, reason, action, note);
}
