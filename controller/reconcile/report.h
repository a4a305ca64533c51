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

/* What of it the resource doesn't show yet. */
enum report_news {
    REPORT_NOTHING,
    REPORT_PROGRESS, /* only how far the consumers are */
    REPORT_CHANGE,
};
NODISCARD enum report_news report_news(const struct world *world, const struct verdict *verdict);

/* Merge patch for the status subresource with resourceVersion as precondition: members that went
 * are null. The caller deletes it. */
NODISCARD cJSON *report_patch(const struct world *world, const struct verdict *verdict);

/* Does the status that the resource has tell of this already? Then an event did, too, perhaps by a
 * former process. */
NODISCARD bool report_told(const struct world *world, const char *reason, const char *message);

#endif
