/* One announced create. Written to the annotation deepgram.com/issuing before the POST, so that a
 * credential whose answer is lost can be found and revoked by whoever comes next. Pure.
 */
#ifndef API_ATTEMPT_H
#define API_ATTEMPT_H

#include <cjson/cJSON.h>
#include <stdint.h>

#include "api/canonical.h"
#include "base/mem.h"

enum { NONCE_BYTES = 33, SPEC_HASH_BYTES = CANONICAL_DIGEST_BYTES, ATTEMPTS_MAX = 8 };

struct attempt {
    int64_t revision;
    char nonce[NONCE_BYTES]; /* 32 hexadecimal digits */
    int64_t since_ms;        /* wall clock */
    char spec_hash[SPEC_HASH_BYTES];
    const char *rotate; /* the rotate token that it answers, or ""; borrowed */
};

/* The value of the annotation; free with mem_free. "" for no attempts, which removes it. */
NODISCARD char *attempts_print(const struct attempt *attempts, size_t count);
/* Reads what was printed, parsed as JSON; returns how many. What isn't an announcement and what is
 * too much is left out: a person can edit annotations. */
NODISCARD size_t attempts_parse(const cJSON *json, struct attempt ret_attempts[ATTEMPTS_MAX]);

/* Can this be a nonce: 1 to 32 letters and digits. NULL isn't. */
NODISCARD bool nonce_is_valid(const char *text);

#endif
