/* Two rules keep two leaders apart: a lease is taken from somebody only after it stood still for as
 * long as its owner said, and the owner gives up before that. Both are measured, each by its own
 * monotonic clock, never compared between machines. */
#include "reconcile/lease.h"

#include <string.h>

/* Somebody else's lease that doesn't say how long it lasts is granted as long as ours would. */
int64_t lease_runs_out_ms(const struct lease_view *view, const struct lease_policy *policy)
{
    return view->seen_since_ms + (view->duration_ms > 0 ? view->duration_ms : policy->duration_ms);
}

static bool is_held_by(const struct lease_view *view, const char *identity)
{
    return view->exists && strcmp(view->holder, identity) == 0;
}

static bool is_free(const struct lease_view *view)
{
    return !view->exists || view->holder[0] == '\0';
}

/* A lease that was deleted under a leader may be made again: the API server lets only one do it. */
static enum lease_action decide_leading(const struct lease_view *view,
                                        const struct lease_policy *policy, int64_t renewed_ms,
                                        int64_t now_ms)
{
    if (now_ms - renewed_ms >= policy->renew_deadline_ms)
        return LEASE_LOST;
    if (!view->exists)
        return LEASE_ACQUIRE;
    return is_held_by(view, policy->identity) ? LEASE_RENEW : LEASE_LOST;
}

/* Held by this identity and yet not leading: the answer to our own write was lost. */
static enum lease_action decide_following(const struct lease_view *view,
                                          const struct lease_policy *policy, int64_t now_ms)
{
    if (is_free(view) || is_held_by(view, policy->identity))
        return LEASE_ACQUIRE;
    return now_ms >= lease_runs_out_ms(view, policy) ? LEASE_ACQUIRE : LEASE_WAIT;
}

enum lease_action lease_decide(const struct lease_view *view, const struct lease_policy *policy,
                               bool leading, int64_t renewed_ms, int64_t now_ms)
{
    return leading ? decide_leading(view, policy, renewed_ms, now_ms)
                   : decide_following(view, policy, now_ms);
}
