/* Errors: what went wrong, named after what the caller will do about it.
 *
 * A struct err lives on the caller's stack, holds no allocation and is the last parameter of a
 * function that returns false on failure. Expected outcomes ("absent", "not leader") are results,
 * not errors. A message is written for the person who reads a condition or a log line: what,
 * where, and what to do. It never holds a secret.
 */
#ifndef BASE_ERR_H
#define BASE_ERR_H

#include <stdbool.h>

#include "base/mem.h"

enum err_kind {
    ERR_NONE,
    ERR_TRANSIENT,       /* nothing was carried out, or it does no harm twice: try again later */
    ERR_THROTTLED,       /* 429: wait retry_after_ms (-1: not told) */
    ERR_UNKNOWN_OUTCOME, /* a create that may have been carried out although no answer was read */
    ERR_CONFLICT,        /* 409: somebody else wrote first; look again and decide anew */
    ERR_NOT_FOUND,       /* 404 */
    ERR_GONE,            /* 410: the resourceVersion is too old; list again */
    ERR_UNAUTHORIZED,    /* 401: the credential is wrong, expired or revoked */
    ERR_FORBIDDEN,       /* 403: the credential is right but may not do this */
    ERR_INVALID,         /* 400, 422, bad input: trying again can't help until something changes */
    ERR_MALFORMED,       /* an answer that can't be understood */
};

struct err {
    enum err_kind kind;
    int http_status;     /* 0 when there was no HTTP answer */
    long retry_after_ms; /* -1 when not told */
    char message[512];   /* one line, UTF-8, truncated at a character's boundary */
};

#define ERR_INIT ((struct err){ .retry_after_ms = -1 })

/* Fills *err; returns false, so that a function can end in `return err_set(…)`. */
bool err_set(struct err *err, enum err_kind kind, const char *format, ...) PRINTF_LIKE(3, 4);

/* Puts "<context>: " in front of the message; returns false. */
bool err_prefix(struct err *err, const char *format, ...) PRINTF_LIKE(2, 3);

/* Name of the kind in CamelCase, for logs and metrics. */
const char *err_kind_name(enum err_kind kind);

#endif
