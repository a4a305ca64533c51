/* Is what Deepgram granted what the spec asks for? Pure.
 *
 * Deepgram may answer with more words than it was asked with: self-hosted:products becomes the
 * products that the account is licensed for, and each may stand there twice, under self-hosted: and
 * under its older name onprem:. Scopes beyond what was asked for are Deepgram's business, but for
 * roles: a key that can do more than was asked for isn't given to pods.
 */
#ifndef API_GRANT_H
#define API_GRANT_H

#include "api/credential.h"

/* Every scope and the role that the spec asks for are among the granted ones, and no higher role.
 * granted: an array of strings. */
NODISCARD bool grant_has_scopes(const struct resource *resource, const cJSON *granted);

/* As above, and the expiry is the one that was asked for, give or take what clocks may differ by.
 * What the credential doesn't tell (scopes NULL, expiry 0) isn't judged. False with INVALID: the
 * message says what was asked for and what was granted. */
NODISCARD bool grant_check(const struct resource *resource, const struct credential *credential,
                           struct err *err);

#endif
