/* spec.serviceAccounts: pods of these accounts get the target among their imagePullSecrets. Pure.
 *
 * An entry is ours when status.serviceAccounts says so. That is written before the entry, so that a
 * crash in between loses nothing, and after a look at the account as it is: an entry that was there
 * before is somebody else's, and stays. An account that was made anew has another uid, and none of
 * our entries.
 *
 * Nothing here holds up the credential: what can't be done is told in the condition
 * ServiceAccountsUpdated.
 */
#ifndef RECONCILE_ACCOUNTS_H
#define RECONCILE_ACCOUNTS_H

#include "reconcile/rules.h"

/* Living: what is published is put into the accounts that lack it; then, what we put into others,
 * or under an earlier name, is taken out. */
rule_fn rule_tend_accounts;
/* Terminating: what we put there is taken out, so that no further pod starts with it. */
rule_fn rule_leave_accounts;
/* When there is more to do; INT64_MAX: only after an event. */
int64_t accounts_again_ms(const struct world *world);

/* That Secret has to stay: entries of ours name it, or may do so, and can be taken out. */
bool accounts_hold(const struct world *world, const char *secret_name);

/* ---- for those who tell of it, and for the steps ---- */

/* The spec names some, or there are entries of ours. */
bool accounts_used(const struct world *world);
/* What limits the changes. */
struct limit accounts_limit(const struct world *world);
/* The first account that lacks what is published; NULL: none. */
const struct account_view *accounts_lacking(const struct world *world);
/* The entry of the target in it is ours, as the status tells it. */
bool accounts_noted(const struct world *world, const struct account_view *account);
/* Somebody takes the entry out each time. */
bool accounts_contested(const struct world *world);
/* status.accounts[i] tells of an entry that is there, or should be. */
bool accounts_note_counts(const struct world *world, size_t i);

#endif
