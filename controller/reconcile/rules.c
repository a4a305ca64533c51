/* Shared rules and endings. Everything that talks to Deepgram passes rule_admin_problem and
 * rule_wait_for_deepgram first, so that a wrong key or a 429 is told and timed in one place. */
#include "reconcile/rules.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "reconcile/failure.h"
#include "reconcile/rollout.h"

enum { HOLD_MAX_MS = 3600 * 1000 }; /* the longest Retry-After that is honoured */

struct step rules_apply(rule_fn *const *rules, const struct world *world)
{
    struct step step = { .kind = STEP_WAIT, .wait_until_ms = INT64_MAX };
    while (!(*rules)(world, &step)) {
        rules++;
        assert(*rules);
    }
    return step;
}

bool rule_wait(struct step *step, int64_t until_ms)
{
    step->kind = STEP_WAIT;
    step->wait_until_ms = until_ms;
    return true;
}

bool rule_step(struct step *step, enum step_kind kind)
{
    step->kind = kind;
    return true;
}

bool rule_verdict(struct step *step, enum verdict_kind kind, const char *reason, int64_t until_ms,
                  const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(step->verdict.message, sizeof step->verdict.message, format, args);
    va_end(args);
    step->verdict.kind = kind;
    step->verdict.reason = reason;
    return rule_wait(step, until_ms);
}

static bool told(struct step *step, const struct failure *failure)
{
    enum verdict_kind kind = failure->stalled ? VERDICT_STALLED : VERDICT_PROGRESSING;
    return rule_verdict(step, kind, failure->reason, failure->retry_at_ms, "%s", failure->message);
}

bool rule_wait_for_kubernetes(const struct world *world, struct step *step)
{
    if (!failure_holds(world, FAILURE_KUBERNETES))
        return false;
    const struct failure *failure = world->memory->failures[FAILURE_KUBERNETES];
    if (failure->reporting || !failure->stalled)
        return rule_wait(step, failure->retry_at_ms);
    return told(step, failure);
}

/* Status, or the target, is ahead of the cached Secrets, as after a take-over: they may only be
 * late. Whoever takes them for lost publishes an older revision, mints, revokes what is another's,
 * or doesn't release what is to be retained. One after the other. */
bool rule_look_for_revision(const struct world *world, struct step *step)
{
    for (size_t i = 0; i < world->revision_count; i++) {
        const struct world_revision *revision = &world->revisions[i];
        if (revision->secret || revision->gone ||
            revision->number <= world->memory->absent_revision)
            continue;
        step->revision = revision->number;
        return rule_step(step, STEP_LOOK_FOR_REVISION);
    }
    return false;
}

bool rule_discard(const struct world *world, struct step *step)
{
    if (!world->memory->discard_id)
        return false;
    if (rule_admin_problem(world, step, false) || rule_wait_for_deepgram(world, step))
        return true;
    step->id = world->memory->discard_id;
    step->why = "Discarded";
    return rule_step(step, STEP_REVOKE);
}

bool rule_revoke_answer(const struct world *world, struct step *step)
{
    const struct mint *issued = memory_issued(world->memory);
    if (!issued)
        return false;
    if (rule_admin_problem(world, step, false) || rule_wait_for_deepgram(world, step))
        return true;
    step->id = issued->credential.id;
    step->why = "Discarded";
    return rule_step(step, STEP_REVOKE);
}

/* A deletion must not depend on a Secret that nobody can bring back. */
static const char *way_out(const struct world *world)
{
    return world->resource->deleting
               ? "; it is needed for revoking (annotate the resource with " ANNOTATION_ABANDON
                 "=true to leave its credentials at Deepgram alive and let it go)"
               : "";
}

bool rule_admin_problem(const struct world *world, struct step *step, bool for_issuing)
{
    const struct admin_view *admin = &world->admin;
    switch (admin->state) {
    case ADMIN_USABLE:
        return false;
    case ADMIN_MISSING:
        return rule_verdict(step, VERDICT_STALLED, "CredentialsNotFound", INT64_MAX,
                            "Secret %s/%s doesn't exist: create it with an entry %s that holds a "
                            "Deepgram API key with the scopes keys:read and keys:write%s",
                            admin->namespace, admin->name, admin->key, way_out(world));
    case ADMIN_DELETING:
        if (!for_issuing)
            return false;
        return rule_verdict(step, VERDICT_STALLED, "CredentialsDeleted", INT64_MAX,
                            "Secret %s/%s is being deleted, so nothing new is issued with it: "
                            "point spec.credentialsRef at another one",
                            admin->namespace, admin->name);
    case ADMIN_NOT_ALLOWED:
        return rule_verdict(step, VERDICT_STALLED, "CredentialsNotAllowed", INT64_MAX,
                            "No spec.credentialsRef, and the operator has no default credentials "
                            "for namespace %s: name a Secret with a Deepgram key in "
                            "spec.credentialsRef, or have the namespace added to "
                            "--default-credentials-namespaces%s",
                            world->resource->namespace, way_out(world));
    case ADMIN_SCOPE_NOT_ALLOWED:
        if (!for_issuing)
            return false;
        return rule_verdict(step, VERDICT_STALLED, "ScopeNotAllowed", INT64_MAX,
                            "With the operator's default credentials, spec.scopes may hold product "
                            "scopes (self-hosted:…) only: remove the others, or use credentials "
                            "of your own in spec.credentialsRef");
    case ADMIN_ROLE_TOO_HIGH:
        if (!for_issuing)
            return false;
        return rule_verdict(step, VERDICT_STALLED, "RoleNotAllowed", INT64_MAX,
                            "spec.role %s is more than the operator's default credentials may "
                            "grant (--max-role): lower it, or use credentials of your own in "
                            "spec.credentialsRef",
                            role_name(world->resource->spec.role));
    }
    return false;
}

/* Somebody mended something since this process came up. */
static bool changed_since_first_sight(const struct world *world)
{
    return world->memory->first_mends != world_mends(world);
}

/* What a former process wrote down still counts: a restart neither hurries nor writes. A time too
 * far away was written by a clock that was wrong. */
static bool held_before(const struct world *world, struct step *step)
{
    const struct status *status = &world->resource->status;
    if (world->memory->asked_deepgram || world->resource->deleting ||
        status->observed_generation != world->resource->generation ||
        changed_since_first_sight(world))
        return false;
    if (status->next_attempt_at_ms > world->now_ms &&
        status->next_attempt_at_ms <= world->now_ms + HOLD_MAX_MS)
        return rule_wait(step, rules_monotonic(world, status->next_attempt_at_ms));
    if (status->stalled && mem_streq(status->stalled_reason, "InvalidRequest"))
        return rule_wait(step, INT64_MAX);
    return false;
}

bool rule_wait_for_deepgram(const struct world *world, struct step *step)
{
    if (failure_holds(world, FAILURE_DEEPGRAM))
        return told(step, world->memory->failures[FAILURE_DEEPGRAM]);
    if (world->project_blocked_until_ms > world->monotonic_ms)
        return rule_verdict(step, VERDICT_PROGRESSING, "Throttled", world->project_blocked_until_ms,
                            "Deepgram asked for a pause for project %s (429): waiting until it is "
                            "over",
                            world->resource->spec.project_id);
    return held_before(world, step);
}

bool rule_wait_for_check(const struct world *world, struct step *step)
{
    return failure_holds(world, FAILURE_CHECK) &&
           told(step, world->memory->failures[FAILURE_CHECK]);
}

bool rule_need_list(const struct world *world, struct step *step, int64_t since_ms)
{
    const struct inventory_view *inventory = &world->inventory;
    if (inventory->listed_at_ms != NEVER && inventory->listed_at_ms >= since_ms)
        return false;
    if (rule_admin_problem(world, step, false) || rule_wait_for_deepgram(world, step))
        return true;
    if (inventory->blocked_until_ms > world->monotonic_ms)
        return rule_wait(step, inventory->blocked_until_ms);
    step->needed = true;
    return rule_step(step, STEP_LIST);
}

bool rule_sweep_orphan(const struct world *world, struct step *step)
{
    const struct inventory_entry *orphan = world_loose_orphan(world);
    if (!orphan)
        return false;
    if (rule_admin_problem(world, step, false) || rule_wait_for_deepgram(world, step))
        return true;
    step->id = orphan->id;
    step->revision = orphan->revision;
    step->why = "Orphaned";
    return rule_step(step, STEP_REVOKE);
}

/* How often pods failed in a row is counted from it, as long as its successor may be taken back
 * too. */
static bool is_memorial(const struct world *world, const struct world_revision *revision)
{
    if (!revision->failed || world->resource->deleting)
        return false;
    for (size_t i = 0; i < world->revision_count; i++)
        if (world->revisions[i].failed && world->revisions[i].number > revision->number)
            return false;
    if (world_taken_back(world) == revision)
        return true;
    if (!world_fallback(world))
        return false;
    struct rollout rollout;
    rollout_decide(world, &rollout);
    return rollout.phase == ROLLOUT_RUNNING || rollout.phase == ROLLOUT_BLOCKED;
}

bool rule_drop_gone(const struct world *world, struct step *step)
{
    for (size_t i = 0; i < world->revision_count; i++) {
        const struct world_revision *revision = &world->revisions[i];
        if (!revision->gone || !revision->secret || revision->secret->deleting ||
            is_memorial(world, revision))
            continue;
        step->revision = revision->number;
        step->secret_name = revision->secret->secret_name;
        return rule_step(step, STEP_DROP_REVISION);
    }
    return false;
}

bool rules_deepgram_rests(const struct world *world)
{
    return failure_holds(world, FAILURE_DEEPGRAM) ||
           world->project_blocked_until_ms > world->monotonic_ms;
}

int64_t rules_open_since_ms(const struct world *world)
{
    const struct memory *memory = world->memory;
    int64_t since_ms = memory->known_since_ms;
    if (memory->announced_ms > since_ms) /* answered, but what held the answer may be gone again */
        since_ms = memory->announced_ms;
    return memory->unknown_ms > since_ms ? memory->unknown_ms : since_ms;
}

int64_t rules_poll_pods_ms(const struct world *world)
{
    enum { POLL_MS = 5 * 1000 };
    bool unseen =
        world->namespace_terminating || (world->old_target.pods > 0 && !world->old_target.exists);
    return unseen ? world->monotonic_ms + POLL_MS : INT64_MAX;
}

int64_t rules_monotonic(const struct world *world, int64_t wall_ms)
{
    return world->monotonic_ms + (wall_ms - world->now_ms);
}

int64_t rules_roll_out_again_ms(const struct world *world)
{
    struct rollout rollout;
    rollout_decide(world, &rollout);
    return rollout.again_ms == INT64_MAX ? INT64_MAX : rules_monotonic(world, rollout.again_ms);
}

int64_t rules_sooner(int64_t a, int64_t b)
{
    return a < b ? a : b;
}
