/* The rules of a resource that is not being deleted, in the order in which they count (the table at
 * the end): first what must not be lost, then what holds everything up, then publishing and healing
 * (which need no Deepgram), then a new credential when one is due (issuing.c), then what earlier
 * ones left behind (retiring.c). */
#include "base/fingerprint.h"
#include "reconcile/accounts.h"
#include "reconcile/failure.h"
#include "reconcile/issuing.h"
#include "reconcile/limiter.h"
#include "reconcile/report.h"
#include "reconcile/retiring.h"
#include "reconcile/rollout.h"
#include "reconcile/rules.h"
#include "reconcile/schedule.h"
#include "reconcile/verify.h"

#include <string.h>

/* An answered create is kept before anything else happens. */
static bool keep_answer(const struct world *world, struct step *step)
{
    const struct mint *issued = memory_issued(world->memory);
    if (!issued)
        return false;
    if (world->namespace_terminating)
        return rule_revoke_answer(world, step);
    step->revision = issued->attempt.revision;
    return rule_step(step, STEP_KEEP);
}

/* A spec that got past the schema is told and otherwise left alone. */
static bool refuse_bad_spec(const struct world *world, struct step *step)
{
    if (world->resource->spec_error[0] == '\0')
        return false;
    return rule_verdict(step, VERDICT_STALLED, "InvalidSpec", INT64_MAX, "%s",
                        world->resource->spec_error);
}

static bool respect_suspend(const struct world *world, struct step *step)
{
    if (!world->resource->spec.suspend)
        return false;
    return rule_verdict(step, VERDICT_SUSPENDED, "Suspended", INT64_MAX,
                        "spec.suspend is true: nothing is issued, healed, rotated or revoked "
                        "until it is false");
}

/* Nothing new where everything is going. */
static bool leave_terminating_namespace(const struct world *world, struct step *step)
{
    return world->namespace_terminating && rule_wait(step, INT64_MAX);
}

/* Something that nobody controls, and that is ours to take. */
static bool may_take_over(const struct world *world)
{
    for (size_t i = 0; i < world->secret_count; i++)
        if (!world->secrets[i].owner_uid)
            return true;
    return world->target.lost || world->target.adopt;
}

/* Credentials without our finalizer would outlive the resource. */
static bool protect(const struct world *world, struct step *step)
{
    return !world->resource->has_finalizer &&
           (world_holds_credential(world) || may_take_over(world)) && rule_step(step, STEP_PROTECT);
}

/* What somebody else does to the target is undone, but not for ever: of two who undo each other's
 * work neither would ever be done. */
static bool heal(const struct world *world, struct step *step, enum step_kind kind)
{
    int64_t allowed_ms = limiter_allowed_ms(HEAL_LIMIT, world->memory->heal_at_ms);
    const char *name = world->resource->spec.secret_name;
    if (allowed_ms > world->monotonic_ms)
        return rule_verdict(step, VERDICT_STALLED, "SecretConflict", allowed_ms,
                            "Somebody else changes Secret %s each time it was put right, so that "
                            "is done only now and then: find out who (kubectl get secret %s -o "
                            "yaml --show-managed-fields) and end it, or choose another "
                            "spec.secret.name",
                            name, name);
    step->heals = true;
    return rule_step(step, kind);
}

/* Kept by Retain for a resource of this name, or its owner reference was taken off: it is taken
 * over again, and nothing is minted in its place. */
static bool claim(const struct world *world, struct step *step)
{
    const struct world_revision *newest = world_newest(world);
    bool adopted = world->target.adopt && newest;
    if (adopted && !newest->noted) { /* it bears no marker: only status remembers it for certain */
        rule_verdict(step, VERDICT_PROGRESSING, "Adopting", INT64_MAX,
                     "Taking over credential %s from Secret %s", newest->id,
                     world->resource->spec.secret_name);
        return rule_step(step, STEP_REPORT);
    }
    if ((world->target.lost || adopted) && !world->target.deleting) {
        step->secret_name = world->resource->spec.secret_name;
        return heal(world, step, STEP_CLAIM);
    }
    for (size_t i = 0; i < world->secret_count; i++) {
        const struct revision *secret = &world->secrets[i];
        if (secret->owner_uid || secret->deleting ||
            strcmp(secret->project_id, world->resource->spec.project_id) != 0)
            continue;
        step->secret_name = secret->secret_name;
        return rule_step(step, STEP_CLAIM);
    }
    return false;
}

/* deepgram.com/adopt on a Secret made by hand: its key becomes the first revision. */
static bool adopt(const struct world *world, struct step *step)
{
    const struct target_view *target = &world->target;
    if (!target->adopt || target->deleting || world_newest(world))
        return false;
    int64_t adopt_at_ms = world->memory->adopt_at_ms;
    if (world_is_useless(world) && world->monotonic_ms < adopt_at_ms)
        return rule_verdict(step, VERDICT_STALLED, "AdoptionFailed", adopt_at_ms,
                            "Secret %s can't be adopted: %s. Mend it, or delete it so that a new "
                            "credential is issued",
                            world->resource->spec.secret_name, world->memory->adoption_problem);
    /* A key answers for itself; pull credentials are asked about with the admin key. */
    if ((!world->checkable && rule_admin_problem(world, step, false)) ||
        rule_wait_for_deepgram(world, step))
        return true;
    step->revision = world->highest_revision + 1;
    return rule_step(step, STEP_ADOPT);
}

/* A Secret that isn't ours is never touched, and no key is minted that could not be published. What
 * earlier creates may have left is revoked all the same. */
static bool yield_to_other_owner(const struct world *world, struct step *step)
{
    const struct target_view *target = &world->target;
    if (!target->exists || target->ours)
        return false;
    if (rule_sweep_orphan(world, step) || rule_close_attempts(world, step) ||
        rule_refresh_inventory(world, step))
        return true;
    int64_t until = rules_sooner(issuing_again_ms(world), retiring_again_ms(world));
    if (target->owner[0] != '\0')
        return rule_verdict(step, VERDICT_STALLED, "SecretConflict", until,
                            "Secret %s already belongs to %s: choose another spec.secret.name, or "
                            "delete the other resource",
                            world->resource->spec.secret_name, target->owner);
    return rule_verdict(
        step, VERDICT_STALLED, "SecretConflict", until,
        "Secret %s exists and was not made by this resource, so it is left alone: "
        "choose another spec.secret.name, delete the Secret, or annotate it with " ANNOTATION_ADOPT
        "=true to have it taken over",
        world->resource->spec.secret_name);
}

/* The target is on its way out: what replaces it can be written when it is gone. */
static bool wait_for_target_to_go(const struct world *world, struct step *step)
{
    return world->target.exists && world->target.deleting && rule_wait(step, INT64_MAX);
}

/* The target still holds what a lost revision Secret held: kept again, nothing is minted. */
static bool keep_again(const struct world *world, struct step *step)
{
    const struct world_revision *published = world_published(world);
    if (!published || published->secret || world_is_useless(world))
        return false;
    step->revision = published->number;
    return rule_step(step, STEP_KEEP_AGAIN);
}

/* As the spec is now: what the target lacks of it was taken away since. */
static bool was_published(const struct world *world, const struct world_revision *revision)
{
    const struct resource *resource = world->resource;
    return revision->number == resource->status.revision &&
           resource->status.observed_generation == resource->generation;
}

/* Before it is published for the first time. What was found long ago may have changed since. */
static bool must_check(const struct world *world, const struct world_revision *newest)
{
    enum { CHECK_VALID_MS = 60 * 1000 };
    const struct memory *memory = world->memory;
    return newest->number > world->resource->status.revision &&
           (memory->checked_revision != newest->number ||
            world->monotonic_ms - memory->checked_ms > CHECK_VALID_MS);
}

/* Pull credentials can only be asked about by id: that is done when another leader may have swept
 * them since they were announced. */
static bool must_confirm(const struct world *world, const struct world_revision *newest)
{
    return !world->checkable && world_can_list(world) &&
           world->memory->confirmed_revision != newest->number &&
           !announcement_is_fresh(world->memory, world->monotonic_ms);
}

/* Not one that may be in the target by now; nor one that would be discarded in another one's place.
 */
static bool check(const struct world *world, struct step *step, const struct world_revision *newest)
{
    if (world->memory->target_unsure)
        return rule_step(step, STEP_LOOK_AT_TARGET);
    if (world->memory->discard_id)
        return false;
    if (rule_wait_for_deepgram(world, step))
        return true;
    if (rule_wait_for_check(world, step)) /* the published one is looked after all the same */
        return false;
    if (must_confirm(world, newest)) {
        step->id = newest->id;
        return rule_step(step, STEP_CONFIRM);
    }
    const struct revision *secret = newest->secret;
    step->judged =
        secret->nonce[0] != '\0' && strcmp(secret->spec_hash, world->resource->spec_hash) == 0;
    return rule_step(step, STEP_CHECK);
}

/* An older one takes over again: it may have been revoked meanwhile, and its Secret may have come
 * late, from a leader that stood still. */
static bool must_be_seen(const struct world *world, const struct world_revision *newest)
{
    return newest->number < world->resource->status.revision && !newest->listed &&
           !memory_is_confirmed(world->memory, newest->id, world->inventory.listed_at_ms) &&
           (world->checkable || world_can_list(world));
}

static bool look_whether_alive(const struct world *world, struct step *step,
                               const struct world_revision *revision)
{
    if (rule_wait_for_deepgram(world, step))
        return true;
    step->id = revision->id;
    return rule_step(step, STEP_CONFIRM);
}

/* The newest revision belongs into the target; one that was never published is checked first. */
static bool publish_newest(const struct world *world, struct step *step)
{
    const struct world_revision *newest = world_newest(world);
    const struct world_revision *published = world_published(world);
    if (!newest || (published && newest->number < published->number && !published->failed))
        return false;
    step->revision = newest->number;
    bool same = published && published->number == newest->number;
    if (same && world->target.metadata_current)
        return false;
    if (!same && must_check(world, newest))
        return check(world, step, newest);
    if (!same && must_be_seen(world, newest))
        return look_whether_alive(world, step, newest);
    return was_published(world, newest) ? heal(world, step, STEP_PUBLISH)
                                        : rule_step(step, STEP_PUBLISH);
}

/* A resourceVersion that isn't the one we wrote: somebody else did. Look once, and heal. */
static bool heal_target(const struct world *world, struct step *step)
{
    const struct world_revision *published = world_published(world);
    const char *version = world->target.resource_version;
    if (!published || !published->secret)
        return false;
    step->revision = published->number;
    if (world_target_differs(world))
        return heal(world, step, STEP_PUBLISH);
    if (strcmp(version, world->resource->status.secret_resource_version) == 0 ||
        fingerprint(version) == world->memory->target_same)
        return false;
    return rule_step(step, STEP_COMPARE_TARGET);
}

/* What is published is noted before anything else is begun. */
static bool commit(const struct world *world, struct step *step)
{
    const struct world_revision *published = world_published(world);
    if (!published || !published->secret ||
        (published->number == world->resource->status.revision &&
         mem_streq(published->id, world->resource->status.id)))
        return false;
    step->verdict.kind = VERDICT_READY;
    return rule_step(step, STEP_REPORT);
}

/* Retain: a deletion in the foreground has the garbage collector delete what only the resource
 * owns, long before the finalizer goes. */
static bool anchor(const struct world *world, struct step *step)
{
    if (world->resource->spec.deletion_policy != DELETION_RETAIN)
        return false;
    step->secret_name = world->resource->spec.secret_name;
    if (world->target.ours && !world->target.anchored)
        return rule_step(step, STEP_ANCHOR);
    for (size_t i = 0; i < world->revision_count; i++) {
        const struct revision *secret = world->revisions[i].secret;
        if (!secret || secret->anchored)
            continue;
        step->secret_name = secret->secret_name;
        return rule_step(step, STEP_ANCHOR);
    }
    return false;
}

/* Workload after workload gets the published key, or the one before it when pods fail. */
static bool roll_out(const struct world *world, struct step *step)
{
    struct rollout rollout;
    rollout_decide(world, &rollout);
    step->workload = rollout.workload;
    switch (rollout.action) {
    case ROLLOUT_DO_RESTART:
        step->revision = world_published(world)->number;
        return rule_step(step, STEP_RESTART);
    case ROLLOUT_DO_PUT_BACK:
        step->revision = world_published(world)->number;
        return rule_step(step, STEP_PUT_BACK);
    case ROLLOUT_DO_TAKE_BACK:
        step->revision = world_published(world)->number;
        return rule_step(step, STEP_TAKE_BACK);
    case ROLLOUT_DO_NOTHING:
        break;
    }
    return false;
}

/* Whoever may have to be revoked needs the admin Secret: also one that was made anew. */
static bool mark_admin(const struct world *world, struct step *step)
{
    return world_holds_credential(world) && world->admin.state == ADMIN_USABLE &&
           !world->admin.marked && rule_step(step, STEP_MARK_ADMIN);
}

/* Asked for by spec.verify.streaming: the key is tried out where it serves, before the old one
 * goes. */
static bool verify(const struct world *world, struct step *step)
{
    if (verify_at_ms(world) > world->monotonic_ms)
        return false;
    step->revision = world_published(world)->number;
    return rule_step(step, STEP_VERIFY);
}

/* Nothing to do: say so, and come back when time alone changes something. */
static bool settle(const struct world *world, struct step *step)
{
    int64_t until = rules_sooner(step->wait_until_ms, retiring_again_ms(world));
    int64_t rotation = schedule_next_rotation_ms(world);
    if (rotation > world->now_ms)
        until = rules_sooner(until, rules_monotonic(world, rotation));
    const struct world_revision *published = world_published(world);
    if (published && published->secret && published->secret->expires_at_ms > world->now_ms)
        until = rules_sooner(until, rules_monotonic(world, published->secret->expires_at_ms));
    if (world_any_attempt_open(world))
        until = rules_sooner(until, rules_open_since_ms(world) + world->settle_ms);
    until = rules_sooner(until, verify_at_ms(world));
    if (step->verdict.kind == VERDICT_NONE)
        step->verdict.kind = VERDICT_READY;
    return rule_wait(step, until);
}

struct step decide_living(const struct world *world)
{
    static rule_fn *const RULES[] = {
        rule_wait_for_kubernetes,
        keep_answer,
        refuse_bad_spec,
        respect_suspend,
        leave_terminating_namespace,
        protect,
        claim,
        adopt,
        rule_close_void,
        yield_to_other_owner,
        wait_for_target_to_go,
        rule_look_for_revision,
        keep_again,
        publish_newest,
        heal_target,
        commit,
        anchor,
        rule_tend_accounts,
        rule_discard,
        rule_post_announced,
        roll_out,
        rule_issue,
        mark_admin,
        rule_sweep_orphan,
        rule_close_attempts,
        rule_refresh_inventory,
        rule_confirm_missing,
        rule_drop_old_target,
        verify,
        rule_revoke_retired,
        rule_drop_gone,
        settle,
        NULL,
    };
    return rules_apply(RULES, world);
}
