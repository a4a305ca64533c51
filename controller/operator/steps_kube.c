/* The steps that write the resource itself and the mark on its admin Secret: merge patches with
 * resourceVersion as precondition, so that a stale or second leader is refused. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "api/condition.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/log.h"
#include "operator/steps.h"
#include "reconcile/failure.h"
#include "reconcile/limiter.h"
#include "reconcile/report.h"
#include "reconcile/rollout.h"

static void resource_written(void *context, cJSON **object, const struct err *err)
{
    struct pass *pass = context;
    pass_written(pass, pass_resource_store(pass), object, err);
}

static void patch_resource(struct pass *pass, const char *subresource, cJSON *patch,
                           kube_done_fn *done)
{
    pass_kube(pass, KUBE_MERGE_PATCH, pass_resource_type(pass), pass->key.name, subresource, patch,
              false, done);
}

/* ---- status ---- */

/* What keeps a resource from being at rest is worth an event, also where Ready stays True, and so
 * is its end, unless another event shows it; the same in other words isn't. */
static void tell_state(struct pass *pass, bool shown)
{
    const struct verdict *verdict = &pass->step.verdict;
    struct memory *memory = pass->gathered->memory;
    if (verdict->kind == VERDICT_NONE)
        return;
    const char *reason = verdict->kind == VERDICT_READY ? NULL : verdict->reason;
    bool trouble = verdict->kind == VERDICT_STALLED || verdict->kind == VERDICT_PROGRESSING;
    bool told = reason && (mem_streq(memory->told_reason, reason) ||
                           report_told(&pass->gathered->world, reason, verdict->message));
    if (reason && !told)
        pass_event(pass, trouble ? EVENT_WARNING : EVENT_NORMAL, reason, "Reconcile", "%s",
                   verdict->message);
    else if (!reason && memory->told_reason && !shown)
        pass_event(pass, EVENT_NORMAL, "Recovered", "Reconcile", "%s is over", memory->told_reason);
    memory->told_reason = reason;
}

/* Was there something to tell? */
static bool tell_published(struct pass *pass, const cJSON *written)
{
    const struct resource *resource = pass->gathered->resource;
    int64_t revision = json_int_at(written, "status.revision", 0);
    if (revision == resource->status.revision)
        return false;
    if (resource->status.revision > 0 && revision > resource->status.revision)
        metrics_add(pass->runtime->metrics, METRIC_CREDENTIALS_ROTATED, 1,
                    resource_kind_name(pass->kind), NULL);
    pass_event(pass, EVENT_NORMAL, "Issued", "Issue",
               "Issued credential %s as revision %lld and published it in Secret %s",
               json_string_at(written, "status.id"), (long long)revision,
               resource->spec.secret_name);
    log_info("credential published", "kind", resource_kind_name(pass->kind), "namespace",
             pass->key.namespace, "name", pass->key.name, "id",
             json_string_at(written, "status.id"), NULL);
    return true;
}

/* Once in a roll-out, however often it gets on and stands still again. */
static void tell_obstacle(struct pass *pass, const char *message)
{
    const struct world *world = &pass->gathered->world;
    struct rollout rollout;
    rollout_decide(world, &rollout);
    if (!rollout.blocked)
        return;
    auto_free char *obstacle = mem_printf(
        "%lld %s/%s %s", (long long)world_published(world)->number,
        workload_kind_name(rollout.blocked->kind), rollout.blocked->name, rollout.blocked_by);
    struct memory *memory = pass->gathered->memory;
    bool no_node = strcmp(rollout.blocked_by, ROLLOUT_NO_NODE) == 0;
    if (!mem_streq(memory->told_obstacle, obstacle))
        pass_event(pass, EVENT_WARNING, "RolloutBlocked", "RollOut", "%s%s", message,
                   no_node ? ". It goes on when a node has room for that pod" : "");
    mem_replace(&memory->told_obstacle, obstacle);
}

/* The end of a roll-out, and what holds one up, each once. */
static void tell_rollout(struct pass *pass, const cJSON *written)
{
    const cJSON *is = condition_find(json_at(written, "status.conditions"), "ConsumersUpdated");
    const char *reason = json_string_member(is, "reason");
    const char *message = json_string_member(is, "message");
    const char *before = pass->gathered->resource->status.consumers_reason;
    if (!reason || !message || strcmp(reason, before) == 0)
        return;
    if (strcmp(reason, "Updated") == 0 && before[0] != '\0')
        pass_event(pass, EVENT_NORMAL, "RolledOut", "RollOut", "%s", message);
    else if (strcmp(reason, "RolloutBlocked") == 0)
        tell_obstacle(pass, message);
}

/* What keeps ServiceAccounts from getting the Secret, once. */
static void tell_accounts(struct pass *pass, const cJSON *written)
{
    static const char TYPE[] = "ServiceAccountsUpdated";
    const cJSON *before = json_member(pass->gathered->resource->status.json, "conditions");
    const cJSON *is = condition_find(json_at(written, "status.conditions"), TYPE);
    const char *reason = json_string_member(is, "reason");
    const char *message = json_string_member(is, "message");
    if (reason && message && mem_streq(json_string_member(is, "status"), "False") &&
        !mem_streq(reason, json_string_member(condition_find(before, TYPE), "reason")))
        pass_event(pass, EVENT_WARNING, reason, "UpdateServiceAccounts", "%s", message);
}

static void reported(void *context, cJSON **object, const struct err *err)
{
    struct pass *pass = context;
    if (!err) {
        tell_rollout(pass, *object);
        tell_accounts(pass, *object);
        tell_state(pass, tell_published(pass, *object));
    }
    resource_written(context, object, err);
}

void step_report(struct pass *pass)
{
    struct memory *memory = pass->gathered->memory;
    memory->report_at_ms = limiter_taken(REPORT_LIMIT, memory->report_at_ms, clock_monotonic_ms());
    patch_resource(pass, "status", report_patch(&pass->gathered->world, &pass->step.verdict),
                   reported);
}

/* ---- announcement and finalizer ---- */

static void random_nonce(char nonce[NONCE_BYTES])
{
    unsigned char bytes[(NONCE_BYTES - 1) / 2];
    if (getrandom(bytes, sizeof bytes, 0) != (ssize_t)sizeof bytes)
        abort();
    for (size_t i = 0; i < sizeof bytes; i++)
        snprintf(nonce + 2 * i, 3, "%02x", bytes[i]);
}

/* Those that may have left something stay on record. */
static size_t open_attempts(const struct world *world, struct attempt *ret_attempts)
{
    size_t count = 0;
    for (size_t i = 0; i < world->resource->attempt_count; i++)
        if (world_attempt_open(world, &world->resource->attempts[i]))
            ret_attempts[count++] = world->resource->attempts[i];
    return count;
}

static void announced(void *context, cJSON **object, const struct err *err)
{
    struct pass *pass = context;
    if (err)
        memory_end_mint(pass->gathered->memory);
    else if (strcmp(pass->step.why, "Created") != 0)
        pass_event(pass, EVENT_NORMAL, "Rotating", "Issue", "Issuing revision %lld (%s)",
                   (long long)pass->step.revision, pass->step.why);
    resource_written(context, object, err);
}

void step_announce(struct pass *pass)
{
    const struct world *world = &pass->gathered->world;
    const struct resource *resource = world->resource;
    struct attempt attempts[ATTEMPTS_MAX];
    size_t count = open_attempts(world, attempts);
    struct attempt *attempt = &attempts[count++];
    *attempt = (struct attempt){ .revision = pass->step.revision,
                                 .since_ms = world->now_ms,
                                 .rotate = resource->rotate };
    random_nonce(attempt->nonce);
    snprintf(attempt->spec_hash, sizeof attempt->spec_hash, "%s", resource->spec_hash);
    struct memory *memory = pass->gathered->memory;
    memory_announce(memory, attempt, clock_monotonic_ms());
    memory->refused_revision = 0;
    auto_free char *text = attempts_print(attempts, count);
    patch_resource(pass, NULL, resource_metadata_patch(resource, true, text), announced);
}

void step_protect(struct pass *pass)
{
    patch_resource(pass, NULL, resource_metadata_patch(pass->gathered->resource, true, NULL),
                   resource_written);
}

static void closed(void *context, cJSON **object, const struct err *err)
{
    struct pass *pass = context;
    if (!err) {
        pass->gathered->memory->refused_revision = 0;
        if (!pass->step.keep_open)
            pass->gathered->memory->unknown_ms = NEVER;
    }
    resource_written(context, object, err);
}

void step_close_attempts(struct pass *pass)
{
    const struct world *world = &pass->gathered->world;
    struct attempt attempts[ATTEMPTS_MAX];
    size_t count = pass->step.keep_open ? open_attempts(world, attempts) : 0;
    auto_free char *text = count > 0 ? attempts_print(attempts, count) : mem_strdup("");
    patch_resource(pass, NULL, resource_metadata_patch(world->resource, true, text), closed);
}

/* The answer to the update that took the last finalizer off shows the object once more. */
static bool is_gone(const cJSON *object, const struct err *err)
{
    if (err)
        return err->kind == ERR_NOT_FOUND;
    return json_at(object, "metadata.deletionTimestamp") &&
           cJSON_GetArraySize(json_at(object, "metadata.finalizers")) == 0;
}

static void let_go(void *context, cJSON **object, const struct err *err)
{
    struct pass *pass = context;
    if (is_gone(*object, err)) {
        store_remove_written(pass_resource_store(pass), pass->key.namespace, pass->key.name,
                             pass->gathered->resource->uid);
        pass_continue(pass);
        return;
    }
    resource_written(context, object, err);
}

static void tell_abandoned(struct pass *pass)
{
    const struct world *world = &pass->gathered->world;
    for (size_t i = 0; i < world->revision_count; i++)
        if (!world->revisions[i].gone)
            pass_event(pass, EVENT_WARNING, "Abandoned", "Abandon",
                       "Credential %s of project %s stays alive at Deepgram: revoke it there when "
                       "it is no longer needed",
                       world->revisions[i].id, world->resource->spec.project_id);
}

void step_drop_finalizer(struct pass *pass)
{
    if (pass->step.why)
        tell_abandoned(pass);
    patch_resource(pass, NULL, resource_metadata_patch(pass->gathered->resource, false, NULL),
                   let_go);
}

/* ---- the mark on the admin Secret ---- */

static void admin_marked(void *context, cJSON **object, const struct err *err)
{
    struct pass *pass = context;
    inventory_end(pass->gathered->inventory, pass->runtime->queue);
    if (err && (err->kind == ERR_CONFLICT || err->kind == ERR_NOT_FOUND))
        pass_reread(pass, &KUBE_SECRETS, pass->gathered->world.admin.name, pass_secrets(pass));
    else
        pass_written(pass, pass_secrets(pass), object, err);
}

void step_mark_admin(struct pass *pass)
{
    if (!inventory_begin(pass->gathered->inventory, pass->key.kind, pass->key.namespace,
                         pass->key.name)) {
        pass_end(pass);
        return;
    }
    const cJSON *admin = pass->gathered->admin;
    cJSON *patch = cJSON_CreateObject();
    cJSON *metadata = json_add_object(patch, "metadata");
    json_add_string(metadata, "resourceVersion", json_string_at(admin, "metadata.resourceVersion"));
    const cJSON *old = json_at(admin, "metadata.finalizers");
    cJSON *finalizers = old ? cJSON_Duplicate(old, true) : cJSON_CreateArray();
    cJSON_AddItemToArray(finalizers, cJSON_CreateString(FINALIZER_IN_USE));
    cJSON_AddItemToObject(metadata, "finalizers", finalizers);
    pass_kube(pass, KUBE_MERGE_PATCH, &KUBE_SECRETS, pass->gathered->world.admin.name, NULL, patch,
              true, admin_marked);
}
