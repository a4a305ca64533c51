/* What the steps at Deepgram share: the admin key, sending, and how a failure is remembered. */
#ifndef OPERATOR_DEEPGRAM_CALL_H
#define OPERATOR_DEEPGRAM_CALL_H

#include "operator/pass.h"

typedef void deepgram_call_then_fn(struct pass *pass);
typedef void deepgram_call_failed_fn(struct pass *pass, const struct err *err);

/* Reads the admin Secret of the pass's resource, then calls `then` with pass->admin_key filled. A
 * Secret that can't be read or used goes to `failed`; NULL: the step fails with a reason that names
 * the Secret. */
void deepgram_call_with_key(struct pass *pass, deepgram_call_then_fn *then,
                            deepgram_call_failed_fn *failed);

/* May this process still write? When not, somebody else leads or is about to: the pass is ended. */
NODISCARD bool deepgram_call_allowed(struct pass *pass);

/* Sends pass->request, which is taken over, with that key; pass->sent_ms is when it left. */
void deepgram_call_send(struct pass *pass, const struct secret *key, gateway_done_fn *done);

/* Asks for that credential with pass->admin_key, whatever was asked before. */
void deepgram_call_get(struct pass *pass, const char *id, gateway_done_fn *done);
/* Asks a key about itself, whatever was asked before. */
void deepgram_call_check(struct pass *pass, const struct secret *key, gateway_done_fn *done);

/* The admin Secret could not be read or used: the step fails with a reason that names it. */
void deepgram_call_key_failed(struct pass *pass, const struct err *err);
/* A 429 pauses the project; anything else doesn't. */
void deepgram_call_pause(struct pass *pass, const struct err *err);
/* A request failed: the step fails on Deepgram's side, and a 429 pauses the project. */
void deepgram_call_failed(struct pass *pass, const struct err *err);
/* A request succeeded: whatever failed before is over. */
void deepgram_call_worked(struct pass *pass);

#endif
