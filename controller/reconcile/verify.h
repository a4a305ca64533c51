/* The trial of a published key where it is to serve (spec.verify.streaming): when it is due, and
 * what the condition Verified says of it. Pure.
 *
 * The condition is the record: it names revision and address, so that no restart repeats a trial
 * and a new address asks for another one.
 */
#ifndef RECONCILE_VERIFY_H
#define RECONCILE_VERIFY_H

#include "api/condition.h"
#include "reconcile/world.h"

/* How the message of a trial that worked begins; free with mem_free. */
NODISCARD char *verify_prefix(const struct world *world, int64_t revision);

/* The published key was tried out, or nobody asks for that. */
NODISCARD bool verify_is_done(const struct world *world);

/* Not done, and its consumers are all there: monotonic time at which to try, which may have come;
 * INT64_MAX: not until something changes. */
NODISCARD int64_t verify_at_ms(const struct world *world);

/* Sets, keeps or removes the condition Verified. */
void verify_report(const struct world *world, cJSON *conditions);

#endif
