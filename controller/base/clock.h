/* Time: the wall clock for what is written down, the monotonic clock for everything measured.
 * Decisions take the time as an argument and never include this header.
 * RFC 3339 conversion is pure and lives in api/timestamp.h.
 */
#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

#include <stdint.h>

/* Milliseconds since an arbitrary start; never goes back. */
int64_t clock_monotonic_ms(void);
/* Milliseconds since 1970-01-01T00:00:00Z. */
int64_t clock_wall_ms(void);

#endif
