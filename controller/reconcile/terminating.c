/* The rules of a resource that is being deleted. With Revoke: no pod left, close the door (the
 * target Secret goes), look again, revoke everything, and only then let the resource go. With
 * Retain: the Secrets are released and stay. Either way nothing may surface later that nobody
 * owns. */
#include "reconcile/accounts.h"
#include "reconcile/rules.h"

#include <string.h>

/* A pod made just before the target went shows in the cache within this time. */
enum { DOOR_MS = 5 * 1000 };

static bool already_released(const struct world *world, struct step *step)
{
    return !world->resource->has_finalizer && rule_wait(step, INT64_MAX);
}

/* deepgram.com/abandon: the person takes care of what is left at Deepgram. */
static bool give_up_when_told(const struct world *world, struct step *step)
{
    if (!world->resource->abandon)
        return false;
    step->why = "Abandoned";
    return rule_step(step, STEP_DROP_FINALIZER);
}

static bool retains(const struct world *world)
{
    return world->resource->spec.deletion_policy == DELETION_RETAIN;
}

/* What a cache that is behind doesn't show is not gone for certain. */
static bool look_for_target(const struct world *world, struct step *step)
{
    const struct memory *memory = world->memory;
    bool is_unseen =
        !world->target.exists && !memory->target_looked && memory->door_closed_ms == NEVER;
    return (memory->target_unsure || is_unseen) && rule_step(step, STEP_LOOK_AT_TARGET);
}

/* Retain: without our owner reference the garbage collector leaves the Secrets alone. */
static bool release_secrets(const struct world *world, struct step *step)
{
    if (!retains(world))
        return false;
    if (world->target.ours) {
        step->secret_name = world->resource->spec.secret_name;
        return rule_step(step, STEP_RELEASE);
    }
    if (world->old_target.exists) {
        step->secret_name = world->old_target.name;
        return rule_step(step, STEP_RELEASE);
    }
    for (size_t i = 0; i < world->revision_count; i++) {
        if (world->revisions[i].secret && world->revisions[i].secret->owner_uid) {
            step->secret_name = world->revisions[i].secret->secret_name;
            return rule_step(step, STEP_RELEASE);
        }
    }
    return false;
}

static bool in_use(const struct world *world, struct step *step, size_t pods, const char *secret,
                   const char *example)
{
    return rule_verdict(step, VERDICT_TERMINATING, "InUse", rules_poll_pods_ms(world),
                        "%zu pod(s) still use Secret %s, among them %s: the credential is revoked "
                        "and the resource goes when none does any more",
                        pods, secret, example);
}

/* Also by what only an announcement or the inventory tells of: status may have been wiped. */
static bool may_be_in_use(const struct world *world)
{
    bool listed = world->target.lost && inventory_view_holds(&world->inventory, world->target.id);
    return world_holds_credential(world) || listed || world_orphan(world) ||
           world_any_attempt_open(world);
}

/* Like the protection of a volume that is mounted. */
static bool wait_for_pods(const struct world *world, struct step *step)
{
    if (retains(world) || !may_be_in_use(world))
        return false;
    if (world->old_target.pods > 0)
        return in_use(world, step, world->old_target.pods, world->old_target.name,
                      world->old_target.example);
    size_t pods = world_pods_in_use(world);
    if (pods == 0)
        return false;
    return in_use(world, step, pods, world->resource->spec.secret_name, world->consumers.example);
}

static bool close_door(const struct world *world, struct step *step)
{
    if (retains(world))
        return false;
    bool present = world_holds_target(world);
    if (!present && !world->old_target.exists)
        return false;
    step->secret_name = present ? world->resource->spec.secret_name : world->old_target.name;
    bool deleting = present ? world->target.deleting : world->old_target.deleting;
    return deleting ? rule_wait(step, INT64_MAX) : rule_step(step, STEP_DELETE_TARGET);
}

/* When the target went: seen by this process, or before it began to look. */
static int64_t door_closed_ms(const struct world *world)
{
    if (world->memory->door_closed_ms != NEVER || world->resource->status.revision == 0)
        return world->memory->door_closed_ms;
    return world->memory->deleting_since_ms;
}

static bool look_again_for_pods(const struct world *world, struct step *step)
{
    int64_t closed = door_closed_ms(world);
    return !retains(world) && closed != NEVER && world->monotonic_ms < closed + DOOR_MS &&
           rule_wait(step, closed + DOOR_MS);
}

static bool revoke_everything(const struct world *world, struct step *step)
{
    if (retains(world))
        return false;
    for (size_t i = 0; i < world->revision_count; i++) {
        if (world->revisions[i].gone || world_is_being_adopted(world, &world->revisions[i]))
            continue;
        if (rule_admin_problem(world, step, false) || rule_wait_for_deepgram(world, step))
            return true;
        step->id = world->revisions[i].id;
        step->why = "Deleted";
        return rule_step(step, STEP_REVOKE);
    }
    return false;
}

/* Creates without an answer may still be carried out: wait until they can't, then look. */
static bool await_late_creates(const struct world *world, struct step *step)
{
    if (!world_any_attempt_open(world))
        return false;
    int64_t settled = rules_open_since_ms(world) + world->settle_ms;
    if (world->monotonic_ms < settled)
        return rule_verdict(
            step, VERDICT_TERMINATING, "AwaitingLateCreates", settled,
            "A create had no answer and may still be carried out at Deepgram: "
            "looking again before the resource goes (annotate it with " ANNOTATION_ABANDON
            "=true to give that up)");
    return rule_need_list(world, step, settled);
}

/* The last word on what carries this resource's marker. With our finalizer and without a status
 * there may be something that nobody remembers, or nobody but this process. */
static bool look_a_last_time(const struct world *world, struct step *step)
{
    bool forgotten =
        world->resource->status.observed_generation == 0 || world->memory->had_revision;
    if (retains(world) || (world->revision_count == 0 && !forgotten))
        return false;
    return rule_need_list(world, step, world->memory->deleting_since_ms);
}

static bool let_go(const struct world *world, struct step *step)
{
    (void)world;
    return rule_step(step, STEP_DROP_FINALIZER);
}

struct step decide_terminating(const struct world *world)
{
    static rule_fn *const RULES[] = {
        already_released,
        rule_wait_for_kubernetes,
        rule_leave_accounts,
        give_up_when_told,
        look_for_target,
        rule_revoke_answer,
        rule_discard,
        rule_look_for_revision,
        release_secrets,
        rule_sweep_orphan,
        rule_drop_gone,
        wait_for_pods,
        close_door,
        look_again_for_pods,
        revoke_everything,
        await_late_creates,
        look_a_last_time,
        let_go,
        NULL,
    };
    return rules_apply(RULES, world);
}
