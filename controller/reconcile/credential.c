/* The door to the rules: which chain applies, and whether what a person should know is already
 * written. */
#include "reconcile/credential.h"

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
        [STEP_COMPARE_TARGET] = "compare-target",
        [STEP_LIST] = "list",
        [STEP_CONFIRM] = "confirm",
        [STEP_REVOKE] = "revoke",
        [STEP_DROP_REVISION] = "drop-revision",
        [STEP_CLOSE_ATTEMPTS] = "close-attempts",
        [STEP_DELETE_TARGET] = "delete-target",
        [STEP_CLAIM] = "claim",
        [STEP_RELEASE] = "release",
        [STEP_DROP_FINALIZER] = "drop-finalizer",
    };
    return NAMES[kind];
}

struct step decide(const struct world *world)
{
    struct step step = world->resource->deleting ? decide_terminating(world) : decide_living(world);
    if (step.kind == STEP_WAIT && step.verdict.kind != VERDICT_NONE &&
        !report_is_current(world, &step.verdict))
        step.kind = STEP_REPORT;
    return step;
}
