/* The header Retry-After (RFC 9110 section 10.2.3). Pure. */
#ifndef DEEPGRAM_RETRY_AFTER_H
#define DEEPGRAM_RETRY_AFTER_H

#include <stdint.h>

#include "base/mem.h"

/* Seconds, or an HTTP date in the form that is sent today ("Sun, 06 Nov 1994 08:49:37 GMT"), in
 * milliseconds from now; -1 when absent or unreadable; at most one hour. */
NODISCARD int64_t retry_after_parse(const char *text, int64_t now_ms);

#endif
