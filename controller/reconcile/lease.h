/* The decision of leader election over one observed Lease. Pure; the clock is an argument.
 *
 * As in client-go, somebody else's lease counts as expired when this process has watched the same
 * renewal for a whole lease duration on its own monotonic clock, so that clocks need not agree.
 */
#ifndef RECONCILE_LEASE_H
#define RECONCILE_LEASE_H

#include <stdbool.h>
#include <stdint.h>

struct lease_view {
    bool exists;
    const char *holder;    /* "" when given up */
    int64_t duration_ms;   /* as written in the lease; 0 when it doesn't say */
    int64_t seen_since_ms; /* monotonic time at which its present resourceVersion, which
                              changes with every renewal, was first seen */
};

struct lease_policy {
    const char *identity;
    int64_t duration_ms;
    int64_t renew_deadline_ms; /* give up when not renewed for so long */
};

enum lease_action {
    LEASE_ACQUIRE, /* create or take over, with the seen resourceVersion as precondition */
    LEASE_RENEW,
    LEASE_WAIT,
    LEASE_LOST, /* was ours and isn't any more, or couldn't be renewed in time */
};

/* leading: this process was elected and has not lost it. renewed_ms: monotonic time before the last
 * successful write was sent. */
enum lease_action lease_decide(const struct lease_view *view, const struct lease_policy *policy,
                               bool leading, int64_t renewed_ms, int64_t now_ms);

/* Monotonic time from which on another's lease may be taken, unless it is renewed before. */
int64_t lease_runs_out_ms(const struct lease_view *view, const struct lease_policy *policy);

#endif
