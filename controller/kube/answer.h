/* What an HTTP exchange with the API server came to: an object or an error. Pure.
 * `server` is its URL, for the messages.
 */
#ifndef KUBE_ANSWER_H
#define KUBE_ANSWER_H

#include <cjson/cJSON.h>

#include "net/http.h"

/* True for a 2xx answer, and for a stream that its reader ended. */
NODISCARD bool kube_answer_check(const struct http_answer *answer, const char *server,
                                 struct err *err);

/* Its JSON without the managedFields of the object or of a list's items; the caller deletes it. */
NODISCARD bool kube_answer_read(const struct http_answer *answer, const char *server,
                                cJSON **ret_object, struct err *err);

#endif
