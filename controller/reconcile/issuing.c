/* What was announced is posted at once or never; what was posted and not answered stays announced
 * until it is certain what it left. */
#include "reconcile/issuing.h"

#include <string.h>

#include "api/revision_number.h"
#include "reconcile/limiter.h"
#include "reconcile/schedule.h"

enum { ANNOUNCEMENT_VALID_MS = 10 * 1000 };

bool announcement_is_fresh(const struct memory *memory, int64_t monotonic_ms)
{
    return monotonic_ms - memory->announced_ms <= ANNOUNCEMENT_VALID_MS;
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
bool rule_close_attempts(const struct world *world, struct step *step)
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
           (memory_announces(memory, attempt->nonce) &&
            !announcement_is_fresh(memory, world->monotonic_ms));
}

/* When an announcement that was not sent will be void; INT64_MAX: there is none. */
static int64_t void_at_ms(const struct world *world)
{
    const struct memory *memory = world->memory;
    for (size_t i = 0; i < world->resource->attempt_count; i++)
        if (memory_announces(memory, world->resource->attempts[i].nonce))
            return memory->announced_ms + ANNOUNCEMENT_VALID_MS + 1;
    return INT64_MAX;
}

/* What left nothing is no longer announced, so that a restart has no doubt about it. */
bool rule_close_void(const struct world *world, struct step *step)
{
    for (size_t i = 0; i < world->resource->attempt_count; i++)
        if (left_nothing(world, &world->resource->attempts[i])) {
            step->keep_open = true;
            return rule_step(step, STEP_CLOSE_ATTEMPTS);
        }
    return false;
}

/* The create itself, directly after its announcement was written by this process. */
bool rule_post_announced(const struct world *world, struct step *step)
{
    const struct attempt *announced = memory_announced(world->memory);
    if (!announced || !announcement_is_fresh(world->memory, world->monotonic_ms) ||
        world->admin.state != ADMIN_USABLE || rules_deepgram_rests(world) ||
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
 * credentials are still revoked, and the resource's state tells why. */
bool rule_issue(const struct world *world, struct step *step)
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

int64_t issuing_again_ms(const struct world *world)
{
    int64_t settled =
        open_attempts(world) > 0 ? rules_open_since_ms(world) + world->settle_ms : INT64_MAX;
    return rules_sooner(settled, void_at_ms(world));
}
