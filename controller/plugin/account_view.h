/* Which ServiceAccounts name the Secret of a pull credential, so that their pods pull with it.
 * Pure.
 */
#ifndef PLUGIN_ACCOUNT_VIEW_H
#define PLUGIN_ACCOUNT_VIEW_H

#include "api/resource.h"
#include "plugin/layout.h"

/* The spec names some, or there are entries of the operator's. */
bool account_view_needed(const struct resource *resource);
/* {updated, reason, message, accounts: [{name, secret, exists, listed, byOperator, wanted}]}:
 * the condition ServiceAccountsUpdated, each account that the spec names, and those that hold an
 * entry of the operator's which is to go. accounts: an array of whole ServiceAccounts; without it
 * (NULL) nothing is told of what is there. The caller deletes it. */
NODISCARD cJSON *account_view(const struct resource *resource, const cJSON *accounts);
/* Appends their rows at that depth. */
void account_view_rows(const cJSON *view, size_t depth, struct layout *layout);

#endif
