/* What an answer of Deepgram means: HTTP outcome, status and body → a value or a struct err. Pure.
 */
#ifndef DEEPGRAM_ANSWER_H
#define DEEPGRAM_ANSWER_H

#include "deepgram/request.h"
#include "deepgram/retry_after.h"

/* The part of net/http's answer that matters here. */
enum deepgram_transport {
    DEEPGRAM_ANSWERED,
    DEEPGRAM_NOT_SENT, /* provably nothing reached Deepgram */
    DEEPGRAM_BROKEN,   /* time-out, reset, cut: it may have been carried out */
    DEEPGRAM_TOO_LARGE,
};

struct deepgram_answer {
    enum deepgram_transport transport;
    long status;
    const char *body; /* of a 2xx answer to LIST: "" */
    size_t body_length;
    struct deepgram_listing *listing; /* of LIST: what was read of a 2xx answer; else NULL */
    const char *retry_after;          /* header text or NULL */
    const char *failure;              /* plain words when not answered */
    int64_t now_ms;                   /* wall clock, for a Retry-After date */
};

/* Fills err and returns false unless the answer is a 2xx whose body is complete.
 * 400 INVALID, and every other 4xx not named here; 401 UNAUTHORIZED; 402, 403 FORBIDDEN (also 401
 * with INSUFFICIENT_PERMISSIONS); 404 NOT_FOUND; 429 THROTTLED; 3xx MALFORMED ("answered with a
 * redirect, which is never followed …").
 * For everything else (408, 409, 425, 5xx, no answer) the operation decides: a create that may have
 * been carried out is UNKNOWN_OUTCOME, any other operation TRANSIENT. The message says in plain
 * words what happened and what to do, and quotes Deepgram's own words (cut, one line) with its
 * request_id; it speaks of "the admin key", and the caller says where that is kept. */
NODISCARD bool deepgram_answer_ok(enum deepgram_operation operation,
                                  const struct deepgram_answer *answer, struct err *err);

/* As above and parses the body. A 2xx create without a secret or id, cut or not JSON, is
 * UNKNOWN_OUTCOME. *ret_credential is overwritten, empty on failure; the caller calls
 * credential_done in any case. */
NODISCARD bool deepgram_created(enum resource_kind kind, const struct deepgram_answer *answer,
                                struct credential *ret_credential, struct err *err);
/* What a GET, or a CHECK with the credential itself, tells of a credential: id ("" when not told),
 * scopes, creation and expiry; the secret is never told. ret is initialised; the caller calls
 * credential_done. */
NODISCARD bool deepgram_described(enum resource_kind kind, enum deepgram_operation operation,
                                  const struct deepgram_answer *answer,
                                  struct credential *ret_credential, struct err *err);
/* The marker in the answer of a GET, its uid "" when there is none. An answer that can't be read
 * says nothing: MALFORMED, never "none". */
NODISCARD bool deepgram_marker(enum resource_kind kind, const struct deepgram_answer *answer,
                               struct marker *ret_marker, struct err *err);
/* A list that can't be read says nothing: MALFORMED, never an empty list. *ret_list is overwritten,
 * empty on failure; the caller calls deepgram_list_done in any case. Once for each answer. */
NODISCARD bool deepgram_listed(enum resource_kind kind, const struct deepgram_answer *answer,
                               struct deepgram_list *ret_list, struct err *err);
/* For GET and REVOKE: true when the credential exists or was revoked now; ret_gone when Deepgram
 * says that it doesn't exist. A 404 that speaks of the project (PROJECT_NOT_FOUND), of a malformed
 * id, or that isn't Deepgram's (a proxy's page, an empty body) is an error: it says nothing of the
 * credential. */
NODISCARD bool deepgram_credential_answer(enum deepgram_operation operation,
                                          const struct deepgram_answer *answer, bool *ret_gone,
                                          struct err *err);

#endif
