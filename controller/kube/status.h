/* What an HTTP answer of the API server means: status code and `Status` object (apimachinery
 * metav1.Status) → struct err. Pure; the only place where this mapping is made.
 */
#ifndef KUBE_STATUS_H
#define KUBE_STATUS_H

#include <cjson/cJSON.h>

#include "base/err.h"

/* code: HTTP status or Status.code. status: the parsed body or NULL. Always returns false and fills
 * err: 401 UNAUTHORIZED, 403 FORBIDDEN (the message keeps the server's "cannot patch resource …"),
 * 404 NOT_FOUND, 409 CONFLICT (AlreadyExists too: kube_status_already_exists tells), 410 GONE and
 * reason Expired GONE, 400/405/413/415/422 INVALID, 429 THROTTLED with details.retryAfterSeconds,
 * everything else TRANSIENT. */
bool kube_status_error(long code, const cJSON *status, struct err *err);

/* True when the error is a 409 with reason AlreadyExists. */
bool kube_status_already_exists(const struct err *err);

/* True when the error is a 403 that isn't about rights: nothing is created any more in a namespace
 * that is being deleted. */
bool kube_status_namespace_terminating(const struct err *err);

#endif
