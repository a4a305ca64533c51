/* A failure is kept with what it was made from (generation, version of the admin Secret, rotate
 * token): whoever mends one of these is answered at once, without waiting for the back-off. */
#include "reconcile/failure.h"

#include <stdio.h>
#include <string.h>

#include "base/backoff.h"

enum retry { RETRY_SOON, RETRY_FAST, RETRY_SLOW, RETRY_RARE, RETRY_TOLD, RETRY_ON_CHANGE };

struct policy {
    enum err_kind kind;
    const char *reason;
    bool stalled;
    enum retry retry;
};

static const struct policy DEEPGRAM[] = {
    { ERR_UNAUTHORIZED, "Unauthorized", true, RETRY_SLOW },
    { ERR_FORBIDDEN, "Forbidden", true, RETRY_SLOW },
    { ERR_NOT_FOUND, "ProjectNotFound", true, RETRY_SLOW },
    { ERR_INVALID, "InvalidRequest", true, RETRY_ON_CHANGE },
    { ERR_THROTTLED, "Throttled", false, RETRY_TOLD },
    { ERR_UNKNOWN_OUTCOME, "UnknownOutcome", false, RETRY_FAST },
    { ERR_MALFORMED, "MalformedAnswer", false, RETRY_FAST },
    { ERR_NONE, "DeepgramUnavailable", false, RETRY_FAST },
};

/* An API server that starts forbids everything until it has read its roles. */
static const struct policy KUBERNETES[] = {
    { ERR_FORBIDDEN, "KubernetesForbidden", true, RETRY_FAST },
    { ERR_INVALID, "KubernetesRefused", true, RETRY_SLOW },
    { ERR_THROTTLED, "KubernetesUnavailable", false, RETRY_TOLD },
    { ERR_NONE, "KubernetesUnavailable", false, RETRY_FAST },
};

/* Of the check before publishing. INVALID, FORBIDDEN, NOT_FOUND: the credential is thrown away, so
 * each further try is a create; UNAUTHORIZED: it may be too new to be known. */
static const struct policy CHECK[] = {
    { ERR_INVALID, "NotGranted", true, RETRY_RARE },
    { ERR_FORBIDDEN, "RegistryRefused", true, RETRY_RARE },
    { ERR_NOT_FOUND, "NotAccepted", false, RETRY_FAST },
    { ERR_UNAUTHORIZED, "NotAccepted", false, RETRY_SOON },
    { ERR_THROTTLED, "RegistryUnavailable", false, RETRY_TOLD },
    { ERR_NONE, "RegistryUnavailable", false, RETRY_FAST },
};

static const struct policy VERIFY[] = {
    { ERR_NONE, "VerifyFailed", false, RETRY_SLOW },
};

static const struct policy *const POLICIES[FAILURE_SIDES] = {
    [FAILURE_KUBERNETES] = KUBERNETES, [FAILURE_DEEPGRAM] = DEEPGRAM,   [FAILURE_CHECK] = CHECK,
    [FAILURE_VERIFY] = VERIFY,         [FAILURE_ACCOUNTS] = KUBERNETES,
};

static const struct policy ADMIN_SECRET = { ERR_INVALID, NULL, true, RETRY_SLOW };

/* After so long without another failure the last one is history. */
enum { IN_A_ROW_MS = 300 * 1000, SOON_MS = 3 * 1000 };

static const struct backoff_policy FAST = { .floor_ms = 1000, .cap_ms = 300 * 1000 };
static const struct backoff_policy SLOW = { .floor_ms = 5000, .cap_ms = 300 * 1000 };
static const struct backoff_policy RARE = { .floor_ms = 60 * 1000, .cap_ms = 3600 * 1000 };

static const struct policy *policy_for(enum failure_side side, enum err_kind kind)
{
    const struct policy *policy = POLICIES[side];
    while (policy->kind != ERR_NONE && policy->kind != kind)
        policy++;
    return policy;
}

static int64_t delay_ms(enum retry retry, const struct err *err, int64_t count, uint64_t random)
{
    unsigned failures = count < 32 ? (unsigned)count : 32;
    switch (retry) {
    case RETRY_ON_CHANGE:
        return INT64_MAX;
    case RETRY_TOLD:
        if (err->retry_after_ms >= 0)
            return err->retry_after_ms;
        return backoff_delay_ms(FAST, failures, random);
    case RETRY_SOON:
        return SOON_MS;
    case RETRY_SLOW:
        return backoff_delay_ms(SLOW, failures, random);
    case RETRY_RARE:
        return backoff_delay_ms(RARE, failures, random);
    case RETRY_FAST:
        break;
    }
    /* What a lost answer left is swept by the list that comes next; the first new try need not
     * wait as well. */
    if (err->kind == ERR_UNKNOWN_OUTCOME && count == 1)
        return 0;
    return backoff_delay_ms(FAST, failures, random);
}

/* What status counts may have been another trouble, and mended since. While a credential does its
 * work, no condition tells which. */
static bool was_noted(const struct status *status, bool stalls, const char *reason)
{
    if (status->stalled)
        return mem_streq(status->stalled_reason, reason);
    return !stalls || !status->reconciling;
}

/* Waiting for a credential to become known isn't another failure. */
static int64_t count_after(const struct world *world, const struct memory *memory,
                           enum failure_side side, const struct policy *policy, const char *reason)
{
    int64_t one = policy->retry == RETRY_SOON ? 0 : 1;
    const struct failure *last = memory->failures[side];
    if (last &&
        (last->retry_at_ms == INT64_MAX || world->monotonic_ms - last->retry_at_ms < IN_A_ROW_MS))
        return last->count + one;
    /* goes on where the last process stopped; the check comes long after Deepgram was asked */
    bool is_first = side == FAILURE_CHECK || (side == FAILURE_DEEPGRAM && !memory->asked_deepgram);
    if (is_first && was_noted(&world->resource->status, policy->stalled, reason))
        return world->resource->status.failures + one;
    return one;
}

/* What these mean depends on the key that was used. */
static bool is_about_admin_key(enum failure_side side, enum err_kind kind)
{
    return side == FAILURE_DEEPGRAM &&
           (kind == ERR_UNAUTHORIZED || kind == ERR_FORBIDDEN || kind == ERR_NOT_FOUND);
}

static char *say_where(const struct admin_view *admin, const char *message)
{
    return mem_printf("%s (the admin key is entry %s of Secret %s/%s)", message, admin->key,
                      admin->namespace, admin->name);
}

/* Takes it over. */
static void replace(struct memory *memory, enum failure_side side, struct failure *failure)
{
    failure_free(memory->failures[side]);
    memory->failures[side] = failure;
    if (side == FAILURE_DEEPGRAM)
        memory->asked_deepgram = true;
}

void failure_set(const struct world *world, struct memory *memory, enum failure_side side,
                 const char *reason, bool reporting, const struct err *err, uint64_t random)
{
    const struct policy *policy = reason ? &ADMIN_SECRET : policy_for(side, err->kind);
    const char *told = reason ? reason : policy->reason;
    struct failure *failure = mem_alloc(sizeof *failure);
    *failure = (struct failure){
        .kind = err->kind,
        .reason = told,
        .stalled = policy->stalled,
        .reporting = reporting,
        .count = count_after(world, memory, side, policy, told),
        .generation = world->resource->generation,
        .mends = world_mends(world),
    };
    int64_t delay = delay_ms(policy->retry, err, failure->count, random);
    bool timed = delay != INT64_MAX;
    failure->retry_at_ms = timed ? world->monotonic_ms + delay : INT64_MAX;
    failure->retry_at_wall_ms = timed ? world->now_ms + delay : 0;
    failure->message = !reason && is_about_admin_key(side, err->kind)
                           ? say_where(&world->admin, err->message)
                           : mem_strdup(err->message);
    replace(memory, side, failure);
}

void failure_clear(struct memory *memory, enum failure_side side)
{
    replace(memory, side, NULL);
}

void failure_clear_but_unknown(struct memory *memory)
{
    const struct failure *failure = memory->failures[FAILURE_DEEPGRAM];
    if (!failure || failure->kind != ERR_UNKNOWN_OUTCOME)
        failure_clear(memory, FAILURE_DEEPGRAM);
}

bool failure_holds(const struct world *world, enum failure_side side)
{
    const struct failure *failure = world->memory->failures[side];
    if (!failure)
        return false;
    if (side != FAILURE_KUBERNETES && (failure->generation != world->resource->generation ||
                                       failure->mends != world_mends(world)))
        return false;
    return world->monotonic_ms < failure->retry_at_ms;
}
