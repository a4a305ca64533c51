/* The door to the rules: which chain applies, and whether what a person should know is already
 * written. */
#include "reconcile/credential.h"

#include "reconcile/accounts.h"
#include "reconcile/limiter.h"
#include "reconcile/report.h"
#include "reconcile/rules.h"

const char *step_name(enum step_kind kind)
{
    static const char *const NAMES[STEP_KINDS] = {
        [STEP_WAIT] = "wait",
        [STEP_REPORT] = "report",
        [STEP_MARK_ADMIN] = "mark-admin",
        [STEP_ANNOUNCE] = "announce",
        [STEP_PROTECT] = "protect",
        [STEP_CREATE] = "create",
        [STEP_KEEP] = "keep",
        [STEP_LOOK_FOR_REVISION] = "look-for-revision",
        [STEP_KEEP_AGAIN] = "keep-again",
        [STEP_ADOPT] = "adopt",
        [STEP_CHECK] = "check",
        [STEP_PUBLISH] = "publish",
        [STEP_VERIFY] = "verify",
        [STEP_COMPARE_TARGET] = "compare-target",
        [STEP_LOOK_AT_TARGET] = "look-at-target",
        [STEP_RESTART] = "restart",
        [STEP_PUT_BACK] = "put-back",
        [STEP_TAKE_BACK] = "take-back",
        [STEP_LIST] = "list",
        [STEP_CONFIRM] = "confirm",
        [STEP_REVOKE] = "revoke",
        [STEP_DROP_REVISION] = "drop-revision",
        [STEP_CLOSE_ATTEMPTS] = "close-attempts",
        [STEP_DELETE_TARGET] = "delete-target",
        [STEP_CLAIM] = "claim",
        [STEP_ANCHOR] = "anchor",
        [STEP_RELEASE] = "release",
        [STEP_WATCH_ACCOUNTS] = "watch-accounts",
        [STEP_NOTE_ACCOUNT] = "note-account",
        [STEP_ADD_TO_ACCOUNT] = "add-to-account",
        [STEP_TAKE_FROM_ACCOUNT] = "take-from-account",
        [STEP_DROP_FINALIZER] = "drop-finalizer",
    };
    return NAMES[kind];
}

/* Somebody else who writes status, or pods that change by the second: what is told in a row has an
 * end, and what is only progress doesn't use it up. */
static void report_when_due(const struct world *world, struct step *step)
{
    enum report_news news = report_news(world, &step->verdict);
    if (news == REPORT_NOTHING)
        return;
    struct limit limit = news == REPORT_PROGRESS ? PROGRESS_LIMIT : REPORT_LIMIT;
    int64_t due_ms = limiter_allowed_ms(limit, world->memory->report_at_ms);
    if (world->monotonic_ms < due_ms)
        step->wait_until_ms = rules_sooner(step->wait_until_ms, due_ms);
    else
        step->kind = STEP_REPORT;
}

struct step decide(const struct world *world)
{
    struct step step = world->resource->deleting ? decide_terminating(world) : decide_living(world);
    if (step.kind == STEP_WAIT)
        step.wait_until_ms =
            rules_sooner(rules_sooner(step.wait_until_ms, rules_roll_out_again_ms(world)),
                         accounts_again_ms(world));
    if (step.kind == STEP_WAIT && step.verdict.kind != VERDICT_NONE)
        report_when_due(world, &step);
    return step;
}
