/* The way to Deepgram, and to the image registry: at most --max-in-flight requests at once, first
 * come first served, each sent exactly once: no automatic retry, no redirect. Counts and times
 * every request.
 *
 * Deepgram knows no precondition that could refuse a leader who was replaced: so whether a request
 * may be sent is asked once more when it leaves.
 */
#ifndef OPERATOR_GATEWAY_H
#define OPERATOR_GATEWAY_H

#include "deepgram/answer.h"
#include "net/http.h"
#include "operator/metrics.h"
#include "operator/options.h"

struct gateway;
struct gateway_call; /* waiting or in flight; owned by the gateway */

typedef void gateway_done_fn(void *context, const struct deepgram_answer *answer);

NODISCARD struct gateway *gateway_new(struct http *http, const struct options *options,
                                      struct metrics *metrics);
/* Cancels everything, without callbacks. */
void gateway_free(struct gateway *gateway);

/* Asked when a request has waited for its turn, and just before it leaves: false, and it is
 * answered as not sent. */
typedef bool gateway_may_send_fn(void *context);

/* Takes over *request. key: the Deepgram API key to send it with, or "user:password" for the
 * registry; copied. sent_ms, when not NULL,
 * is set to the monotonic time at which the request leaves the queue. may_send may be NULL. */
struct gateway_call *gateway_send(struct gateway *gateway, struct deepgram_request *request,
                                  const struct secret *key, int64_t *sent_ms,
                                  gateway_may_send_fn *may_send, gateway_done_fn *done,
                                  void *context);
void gateway_cancel(struct gateway_call *call);

#endif
