/* The part of the oracle that judges the entries of ServiceAccounts. */
#ifndef SCENARIO_ORACLE_ACCOUNTS_H
#define SCENARIO_ORACLE_ACCOUNTS_H

#include <cjson/cJSON.h>

#include "api_server.h"

/* For a new schedule. */
void oracle_accounts_reset(void);
/* ---- at each effect; resource, account, target: as they were or are written by an operator ----
 */
void oracle_accounts_noted(const cJSON *resource);
void oracle_account_written(const cJSON *before, const cJSON *after);
void oracle_account_secret_deleted(const cJSON *target);
/* Entries that this resource wrote are left to whoever comes next: Retain. */
void oracle_entries_forgotten(const char *owner);
/* A person put it there. */
void oracle_entry_by_hand(const char *uid, const char *secret);
bool oracle_account_lists(const cJSON *account, const char *secret);
/* ---- after things settled ---- */
/* What is done when it is due, and not only when somebody looks for another reason. */
void oracle_judge_accounts_in_time(void);
void oracle_judge_accounts_of(const struct api_object *resource);
void oracle_judge_entries(void);

#endif
