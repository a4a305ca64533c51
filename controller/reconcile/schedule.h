/* When a credential is due for replacement, and why. Pure.
 */
#ifndef RECONCILE_SCHEDULE_H
#define RECONCILE_SCHEDULE_H

#include "reconcile/world.h"

/* Why a new credential has to be issued now: "Created", "SpecChanged", "RotationRequested",
 * "Expiring", "RotationScheduled", "RolledBack" (another attempt), "Lost"; NULL when nothing is
 * due. */
const char *schedule_due(const struct world *world);

/* Wall clock time of the next rotation by itself; 0: never. */
int64_t schedule_next_rotation_ms(const struct world *world);

/* Wall clock time at which another credential is issued in place of the one that pods failed on; 0
 * when none was taken back. */
int64_t schedule_retry_ms(const struct world *world);

/* spec.expiresAt is over: nothing can be issued for it. */
bool schedule_expiry_passed(const struct world *world);
/* It is too near for pods to get what is issued for it. */
bool schedule_expiry_near(const struct world *world);

#endif
