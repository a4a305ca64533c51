/* The part of status that tells about consumers: consumers[] and the condition ConsumersUpdated.
 * Private to reconcile/report. Pure.
 */
#ifndef RECONCILE_REPORT_CONSUMERS_H
#define RECONCILE_REPORT_CONSUMERS_H

#include "reconcile/world.h"

/* Adds status.consumers: the first 32 of the workloads that use the target, in the order of their
 * restart. */
void report_consumers(cJSON *status, const struct world *world);
/* Sets ConsumersUpdated, or removes it where there is nothing to say. */
void report_consumers_condition(cJSON *conditions, const struct world *world);
/* Takes out of a status what changes with each pod. */
void report_forget_progress(cJSON *status);

/* Pods failed on the newest credential, so these conditions say: what was taken back is to be tried
 * again. NULL: nothing was. */
NODISCARD const char *report_taken_back(const cJSON *conditions);

#endif
