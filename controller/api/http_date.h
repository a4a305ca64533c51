/* Dates in HTTP headers: the form that RFC 9110 section 5.6.7 prescribes for senders, such as
 * "Sun, 06 Nov 1994 08:49:37 GMT". Pure.
 */
#ifndef API_HTTP_DATE_H
#define API_HTTP_DATE_H

#include <stddef.h>
#include <stdint.h>

#include "base/mem.h"

/* Milliseconds since 1970; false when the text isn't exactly such a date. */
NODISCARD bool http_date_parse(const char *text, size_t length, int64_t *ret_ms);

#endif
