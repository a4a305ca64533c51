/* The rules of a new credential: announced, posted, and what became of announcements without an
 * answer. Private to reconcile/.
 */
#ifndef RECONCILE_ISSUING_H
#define RECONCILE_ISSUING_H

#include "reconcile/rules.h"

/* Announces one when it is due. */
rule_fn rule_issue;
/* The create itself, directly after its announcement. */
rule_fn rule_post_announced;
/* Announcements that can't have left anything are closed at once, */
rule_fn rule_close_void;
/* others once that is certain. */
rule_fn rule_close_attempts;
/* Monotonic time at which the last two have more to do; INT64_MAX: never. */
int64_t issuing_again_ms(const struct world *world);

#endif
