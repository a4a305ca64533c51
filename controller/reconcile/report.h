/* The status that a resource should show, computed from the world and the verdict. Pure.
 *
 * Conditions as kstatus and `kubectl wait` read them: Ready always; Reconciling and Stalled only
 * while true. Ready stays True as long as the published credential works.
 */
#ifndef RECONCILE_REPORT_H
#define RECONCILE_REPORT_H

#include "reconcile/credential.h"

/* The complete status object; the caller deletes it. */
NODISCARD cJSON *report_status(const struct world *world, const struct verdict *verdict);

/* True when the resource already shows it: nothing to write. */
NODISCARD bool report_is_current(const struct world *world, const struct verdict *verdict);

/* Merge patch for the status subresource with resourceVersion as precondition: members that went
 * are null. The caller deletes it. */
NODISCARD cJSON *report_patch(const struct world *world, const struct verdict *verdict);

#endif
