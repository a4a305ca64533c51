/* The part of status that tells about ServiceAccounts: serviceAccounts[] and the condition
 * ServiceAccountsUpdated. Private to reconcile/report. Pure.
 */
#ifndef RECONCILE_REPORT_ACCOUNTS_H
#define RECONCILE_REPORT_ACCOUNTS_H

#include "reconcile/credential.h"

/* Adds status.serviceAccounts: the entries that are ours, and the one that is about to be. */
void report_accounts(cJSON *status, const struct world *world, const struct verdict *verdict);
/* Sets ServiceAccountsUpdated, or removes it where there is nothing to say. */
void report_accounts_condition(cJSON *conditions, const struct world *world);

#endif
