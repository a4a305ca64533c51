/* Reading a credential back out of a target Secret: the way back when a revision Secret is lost,
 * and the way in for a Secret that was made by hand. Pure.
 */
#ifndef API_RECOVER_H
#define API_RECOVER_H

#include "api/credential.h"

/* Fills id (when the Secret tells it: pull credentials by their user name), username and secret.
 * API keys are found by inverting the templates of spec.secret.data (or the default), so an entry
 * must hold the key once, with known text around it; pull credentials stand in the
 * .dockerconfigjson under the registry. INVALID says what is missing; the caller calls
 * credential_done in any case. */
NODISCARD bool recover_credential(const struct resource *resource, const cJSON *target,
                                  struct credential *ret_credential, struct err *err);

/* True when the data is what the operator rendered last: its digest stands in the annotation
 * deepgram.com/digest. */
NODISCARD bool recover_is_unedited(const cJSON *target);

#endif
