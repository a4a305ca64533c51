/* ServiceAccounts, as far as this program has to do with them: spec.serviceAccounts names them, and
 * imagePullSecrets of an account is what its pods get to pull images with. Pure.
 */
#ifndef API_ACCOUNT_H
#define API_ACCOUNT_H

#include "api/spec.h"

/* The reader of spec.serviceAccounts: at most 16 names. */
NODISCARD bool account_read_names(const cJSON *json, struct spec *spec, struct err *err);

/* Is the Secret among its imagePullSecrets? The account may be trimmed, or NULL. */
bool account_lists(const cJSON *account, const char *secret);

/* Merge patch that puts the Secret behind the other entries, or takes it out from among them, with
 * uid and resourceVersion as preconditions; the list can only be written whole. NULL when there is
 * nothing to do. The caller deletes it. */
NODISCARD cJSON *account_patch_add(const cJSON *account, const char *secret);
NODISCARD cJSON *account_patch_take(const cJSON *account, const char *secret);

#endif
