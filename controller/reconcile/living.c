/* The rules of a resource that is not being deleted, in the order in which they count: first what
 * must not be lost, then what holds everything up, then publishing and healing (which need no
 * Deepgram), then a new credential when one is due, then what earlier ones left behind. */
#include "api/revision_number.h"
#include "base/fingerprint.h"
#include "reconcile/accounts.h"
#include "reconcile/failure.h"
#include "reconcile/limiter.h"
#include "reconcile/report.h"
#include "reconcile/rollout.h"
#include "reconcile/rules.h"
#include "reconcile/schedule.h"
#include "reconcile/verify.h"

#include <string.h>

enum { ANNOUNCEMENT_VALID_MS = 10 * 1000 };

bool announcement_is_fresh(const struct memory *memory, int64_t monotonic_ms)
{
    return monotonic_ms - memory->announced_ms <= ANNOUNCEMENT_VALID_MS;
}

/* An answered create is kept before anything else happens. */
static bool keep_answer(const struct world *world, struct step *step)
{
    if (world->memory->issued_for.revision == 0)
        return false;
    if (world->namespace_terminating)
        return rule_revoke_answer(world, step);
    step->revision = world->memory->issued_for.revision;
    return rule_step(step, STEP_KEEP);
}

/* As long as it has to wait, it holds up nothing that needs no Deepgram. */
static bool discard_at_once(const struct world *world, struct step *step)
{
    struct step discard = *step;
    if (!rule_discard(world, &discard) || discard.kind != STEP_REVOKE)
        return false;
    *step = discard;
    return true;
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
    if (world_is_useless(world))
        return rule_verdict(step, VERDICT_STALLED, "AdoptionFailed", INT64_MAX,
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

static size_t open_attempts(const struct world *world)
{
    size_t count = 0;
    for (size_t i = 0; i < world->resource->attempt_count; i++)
        if (world_attempt_open(world, &world->resource->attempts[i]))
            count++;
    return count;
}

/* Announcements without an answer are dropped once a list that was taken long enough after them
 * shows nothing: Deepgram may carry a create out late. */
static bool close_attempts(const struct world *world, struct step *step)
{
    if (open_attempts(world) == 0)
        return false;
    int64_t settled = rules_open_since_ms(world) + world->settle_ms;
    if (world->monotonic_ms < settled)
        return false;
    return rule_need_list(world, step, settled) || rule_step(step, STEP_CLOSE_ATTEMPTS);
}

/* Deepgram refused it, or this process announced it and never sent it. */
static bool left_nothing(const struct world *world, const struct attempt *attempt)
{
    const struct memory *memory = world->memory;
    return attempt->revision == memory->refused_revision ||
           (strcmp(attempt->nonce, memory->announced.nonce) == 0 &&
            !announcement_is_fresh(memory, world->monotonic_ms));
}

/* When an announcement that was not sent will be void; INT64_MAX: there is none. */
static int64_t void_at_ms(const struct world *world)
{
    const struct memory *memory = world->memory;
    for (size_t i = 0; i < world->resource->attempt_count; i++)
        if (strcmp(world->resource->attempts[i].nonce, memory->announced.nonce) == 0)
            return memory->announced_ms + ANNOUNCEMENT_VALID_MS + 1;
    return INT64_MAX;
}

/* What left nothing is no longer announced, so that a restart has no doubt about it. */
static bool close_void(const struct world *world, struct step *step)
{
    for (size_t i = 0; i < world->resource->attempt_count; i++)
        if (left_nothing(world, &world->resource->attempts[i])) {
            step->keep_open = true;
            return rule_step(step, STEP_CLOSE_ATTEMPTS);
        }
    return false;
}

/* A Secret that isn't ours is never touched, and no key is minted that could not be published. What
 * earlier creates may have left is revoked all the same. */
static bool yield_to_other_owner(const struct world *world, struct step *step)
{
    const struct target_view *target = &world->target;
    if (!target->exists || target->ours)
        return false;
    if (rule_sweep_orphan(world, step) || close_attempts(world, step))
        return true;
    int64_t until =
        open_attempts(world) > 0 ? rules_open_since_ms(world) + world->settle_ms : INT64_MAX;
    until = rules_sooner(until, void_at_ms(world));
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

/* Status is ahead of the cached Secrets, as after a take-over: they may only be late. Whoever takes
 * them for lost publishes an older revision, or mints. */
static bool look_for_current(const struct world *world, struct step *step)
{
    int64_t number = world->resource->status.revision;
    const struct world_revision *current = world_revision(world, number);
    if (!current || current->gone || current->secret || world->memory->absent_revision == number)
        return false;
    step->revision = number;
    return rule_step(step, STEP_LOOK_FOR_REVISION);
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

static bool can_list(const struct world *world)
{
    return world->admin.state == ADMIN_USABLE || world->admin.state == ADMIN_DELETING;
}

/* Before it is published for the first time. */
static bool must_check(const struct world *world, const struct world_revision *newest)
{
    return newest->number > world->resource->status.revision &&
           world->memory->checked_revision != newest->number;
}

/* Pull credentials can only be asked about by id: that is done when another leader may have swept
 * them since they were announced. */
static bool must_confirm(const struct world *world, const struct world_revision *newest)
{
    return !world->checkable && can_list(world) &&
           world->memory->confirmed_revision != newest->number &&
           !announcement_is_fresh(world->memory, world->monotonic_ms);
}

static bool check(const struct world *world, struct step *step, const struct world_revision *newest)
{
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

/* Whatever else it waits for. */
static int64_t roll_out_again_ms(const struct world *world)
{
    struct rollout rollout;
    rollout_decide(world, &rollout);
    return rollout.again_ms == INT64_MAX ? INT64_MAX : rules_monotonic(world, rollout.again_ms);
}

/* The create itself, directly after its announcement was written by this process. */
static bool post_announced(const struct world *world, struct step *step)
{
    const struct attempt *announced = &world->memory->announced;
    if (announced->revision == 0 || !announcement_is_fresh(world->memory, world->monotonic_ms) ||
        world->admin.state != ADMIN_USABLE || failure_holds(world, FAILURE_DEEPGRAM) ||
        strcmp(announced->spec_hash, world->resource->spec_hash) != 0)
        return false;
    for (size_t i = 0; i < world->resource->attempt_count; i++) {
        if (strcmp(world->resource->attempts[i].nonce, announced->nonce) == 0) {
            step->revision = announced->revision;
            return rule_step(step, STEP_CREATE);
        }
    }
    return false;
}

/* Why nothing can be issued now, although Deepgram would answer. */
static bool must_wait_to_issue(const struct world *world, struct step *step)
{
    if (schedule_expiry_passed(world))
        return rule_verdict(step, VERDICT_STALLED, "ExpiryPassed", INT64_MAX,
                            "spec.expiresAt lies in the past, so a new credential would be dead at "
                            "once: set a later time, or use spec.validFor");
    if (schedule_expiry_near(world))
        return rule_verdict(step, VERDICT_STALLED, "ExpiryTooNear", INT64_MAX,
                            "spec.expiresAt is less than a minute away: a new credential would be "
                            "dead before any pod has it. Set a later time, or use spec.validFor");
    if (rule_wait_for_check(world, step) || rule_admin_problem(world, step, true))
        return true;
    size_t open = open_attempts(world);
    if (open >= ATTEMPTS_MAX)
        return rule_verdict(step, VERDICT_PROGRESSING, "MintLimited",
                            rules_open_since_ms(world) + world->settle_ms,
                            "%zu creates in a row had no answer: no further one until it is "
                            "certain what they left at Deepgram",
                            open);
    if (world->highest_revision >= REVISION_NUMBER_MAX)
        return rule_verdict(step, VERDICT_STALLED, "RevisionsExhausted", INT64_MAX,
                            "Revision %d is the last that there can be, and something claims to be "
                            "it: status, " ANNOTATION_ISSUING ", or a Secret of this resource. "
                            "Remove what is wrong there",
                            REVISION_NUMBER_MAX);
    int64_t may_mint_ms = mint_earliest_ms(world);
    if (may_mint_ms > world->monotonic_ms)
        return rule_verdict(step, VERDICT_PROGRESSING, "MintLimited", may_mint_ms,
                            "Many credentials were issued for this resource or its project in a "
                            "short time: the next one waits, so that a mistake can't flood the "
                            "project. Look into the events for the reason");
    return false;
}

/* A new credential when one is due: first what earlier attempts may have left, then the mark on the
 * admin Secret, then the announcement. When it has to wait, the rules below go on: earlier
 * credentials are still revoked, and settle() tells why. */
static bool issue_when_due(const struct world *world, struct step *step)
{
    const char *why = schedule_due(world);
    if (!why || must_wait_to_issue(world, step))
        return false;
    if (rule_wait_for_deepgram(world, step))
        return true;
    if (open_attempts(world) > 0 &&
        (rule_need_list(world, step, rules_open_since_ms(world)) || rule_sweep_orphan(world, step)))
        return true;
    if (!world->admin.marked)
        return rule_step(step, STEP_MARK_ADMIN);
    step->revision = world->highest_revision + 1;
    step->why = why;
    return rule_step(step, STEP_ANNOUNCE);
}

/* Whoever may have to be revoked needs the admin Secret: also one that was made anew. */
static bool mark_admin(const struct world *world, struct step *step)
{
    return world_holds_credential(world) && world->admin.state == ADMIN_USABLE &&
           !world->admin.marked && rule_step(step, STEP_MARK_ADMIN);
}

/* When the next routine list may be sent; every resource comes by, the first one sends it. */
static int64_t next_list_ms(const struct world *world)
{
    const struct inventory_view *inventory = &world->inventory;
    int64_t next = inventory->due_ms;
    if (inventory->blocked_until_ms > next)
        next = inventory->blocked_until_ms;
    return world->project_blocked_until_ms > next ? world->project_blocked_until_ms : next;
}

/* One list a project now and then, whoever of its resources comes first. */
static bool refresh_inventory(const struct world *world, struct step *step)
{
    return can_list(world) && next_list_ms(world) <= world->monotonic_ms &&
           rule_step(step, STEP_LIST);
}

static bool is_settled(const struct world *world, const struct world_revision *revision)
{
    int64_t issued = revision->secret  ? revision->secret->issued_at_ms
                     : revision->noted ? revision->noted->issued_at_ms
                                       : 0;
    return issued + world->settle_ms <= world->now_ms;
}

/* Not in the list although it should be: asked for by name, because a list alone proves nothing. */
static bool confirm_missing(const struct world *world, struct step *step)
{
    int64_t listed_at = world->inventory.listed_at_ms;
    if (listed_at == NEVER || !can_list(world) || failure_holds(world, FAILURE_DEEPGRAM))
        return false;
    for (size_t i = 0; i < world->revision_count; i++) {
        const struct world_revision *revision = &world->revisions[i];
        if (revision->gone || revision->listed || !is_settled(world, revision) ||
            memory_is_confirmed(world->memory, revision->id, listed_at))
            continue;
        step->revision = revision->number;
        step->id = revision->id;
        return rule_step(step, STEP_CONFIRM);
    }
    return false;
}

/* Pods that may still hold it. */
static size_t holders(const struct world *world, const struct world_revision *revision)
{
    if (world->resource->spec.rollout_mode == ROLLOUT_IGNORE)
        return 0;
    bool taken_back = revision->number > world_published(world)->number;
    return taken_back ? world->consumers.failed_pods : world->consumers.old_pods;
}

/* Replaced by what is published, its overlap over, and no pod left that may still hold it. */
static bool may_retire(const struct world *world, const struct world_revision *revision)
{
    const struct world_revision *published = world_published(world);
    return published && (revision->number < published->number || revision->failed) &&
           strcmp(revision->id, published->id) != 0 && !revision->gone && revision->noted &&
           revision->noted->state == REVISION_RETIRING && !world->old_target.exists &&
           world->old_target.pods == 0 && world->now_ms >= revision->noted->revoke_after_ms &&
           holders(world, revision) == 0 && (revision->failed || verify_is_done(world));
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

static bool revoke_retired(const struct world *world, struct step *step)
{
    for (size_t i = 0; i < world->revision_count; i++) {
        if (!may_retire(world, &world->revisions[i]))
            continue;
        if (rule_admin_problem(world, step, false) || rule_wait_for_deepgram(world, step))
            return true;
        step->id = world->revisions[i].id;
        step->why = "Retired";
        return rule_step(step, STEP_REVOKE);
    }
    return false;
}

/* spec.secret.name was changed: the old target goes once no pod refers to it. */
static bool drop_old_target(const struct world *world, struct step *step)
{
    const struct world_revision *published = world_published(world);
    if (!world->old_target.exists || world->old_target.pods > 0 || !published ||
        published->number != world->resource->status.revision)
        return false;
    step->secret_name = world->old_target.name;
    return rule_step(step, STEP_DELETE_TARGET);
}

/* Nothing to do: say so, and come back when time alone changes something. */
static bool settle(const struct world *world, struct step *step)
{
    int64_t until =
        rules_sooner(step->wait_until_ms, can_list(world) ? next_list_ms(world) : INT64_MAX);
    int64_t rotation = schedule_next_rotation_ms(world);
    if (rotation > world->now_ms)
        until = rules_sooner(until, rules_monotonic(world, rotation));
    const struct world_revision *published = world_published(world);
    if (published && published->secret && published->secret->expires_at_ms > world->now_ms)
        until = rules_sooner(until, rules_monotonic(world, published->secret->expires_at_ms));
    if (world_any_attempt_open(world))
        until = rules_sooner(until, rules_open_since_ms(world) + world->settle_ms);
    for (size_t i = 0; i < world->resource->status.revision_count; i++) {
        const struct status_revision *noted = &world->resource->status.revisions[i];
        if (noted->state == REVISION_RETIRING && noted->revoke_after_ms > world->now_ms)
            until = rules_sooner(until, rules_monotonic(world, noted->revoke_after_ms));
    }
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
        discard_at_once,
        refuse_bad_spec,
        respect_suspend,
        leave_terminating_namespace,
        protect,
        claim,
        adopt,
        close_void,
        yield_to_other_owner,
        wait_for_target_to_go,
        look_for_current,
        keep_again,
        publish_newest,
        heal_target,
        commit,
        rule_tend_accounts,
        rule_discard,
        post_announced,
        roll_out,
        issue_when_due,
        mark_admin,
        rule_sweep_orphan,
        close_attempts,
        refresh_inventory,
        confirm_missing,
        drop_old_target,
        verify,
        revoke_retired,
        rule_drop_gone,
        settle,
        NULL,
    };
    struct step step = rules_apply(RULES, world);
    if (step.kind == STEP_WAIT)
        step.wait_until_ms = rules_sooner(
            rules_sooner(step.wait_until_ms, roll_out_again_ms(world)), accounts_again_ms(world));
    return step;
}
