/* The trial of a new key where it is to serve: a second of generated sound is streamed to a
 * Deepgram API, as any client would, and a well-formed answer is asked for.
 */
#ifndef OPERATOR_STREAMING_H
#define OPERATOR_STREAMING_H

#include "api/stream_url.h"
#include "deepgram/listen.h"
#include "net/websocket.h"

struct streaming; /* a trial under way */

/* err: NULL when it was answered; otherwise plain words, without numbers that change from one time
 * to the next. TRANSIENT whatever it was: who answers so today may answer otherwise tomorrow. */
typedef void streaming_done_fn(void *context, const struct listen_answer *answer,
                               int64_t duration_ms, const struct err *err);

/* Answers once, from the loop, at the latest after timeout_ms. shown_url is the address as a person
 * wrote it; key is copied. */
void streaming_start(struct loop *loop, struct websockets *sockets, const char *shown_url,
                     const struct secret *key, int64_t timeout_ms, streaming_done_fn *done,
                     void *context);

#endif
