/* Leader election by a coordination.k8s.io/v1 Lease, compatible with client-go's. The decision is
 * reconcile/lease.h; this file does its I/O.
 */
#ifndef OPERATOR_LEADER_H
#define OPERATOR_LEADER_H

#include "kube/client.h"
#include "operator/options.h"

struct leader;

enum leader_change { LEADER_ELECTED, LEADER_LOST };
typedef void leader_change_fn(void *context, enum leader_change change);

/* Lease `deepgram-operator` in `namespace`; identity is <hostname>_<random>. `change` is called
 * from the loop, with LEADER_LOST at most once and finally: nothing is tried after it. With
 * --leader-elect=false it is elected at once and for good, without a lease. */
NODISCARD struct leader *leader_new(struct loop *loop, struct kube_client *client,
                                    const struct options *options, const char *namespace,
                                    leader_change_fn *change, void *context);
void leader_free(struct leader *leader);

/* True while this process may write: elected, and its own monotonic deadline (time of the last
 * successful renewal, taken before it was sent, plus the lease duration less a safety margin) has
 * not passed. Asked before every write. */
bool leader_may_write(const struct leader *leader);

/* Gives the lease up so that the next one need not wait; leader_may_write() is false from now on.
 * done is called from the loop when that is answered, or after a second. Called once, by a leader
 * or not. */
void leader_release(struct leader *leader, void (*done)(void *context), void *context);

#endif
