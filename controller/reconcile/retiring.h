/* The rules of what earlier credentials left behind, and of whether those that we know are still
 * there. Private to reconcile/.
 */
#ifndef RECONCILE_RETIRING_H
#define RECONCILE_RETIRING_H

#include "reconcile/rules.h"

/* One list a project now and then, whoever of its resources comes first. */
rule_fn rule_refresh_inventory;
/* What should be in the list and isn't is asked for by name. */
rule_fn rule_confirm_missing;
/* The target of an earlier spec.secret.name goes once no pod refers to it, */
rule_fn rule_drop_old_target;
/* and a replaced credential once no pod holds it and its successor was seen alive. */
rule_fn rule_revoke_retired;
/* Monotonic time at which time alone gives them something to do; INT64_MAX: never. */
int64_t retiring_again_ms(const struct world *world);

#endif
