/* Times and durations as they stand in resources. Pure.
 * Times: RFC 3339, milliseconds since 1970-01-01T00:00:00Z inside. Durations: hours, minutes and
 * seconds in this order as in Go ("720h", "1h30m", "90s"), milliseconds inside.
 */
#ifndef API_TIMESTAMP_H
#define API_TIMESTAMP_H

#include <stdint.h>

#include "base/mem.h"

enum { TIMESTAMP_BYTES = 32 };
/* "2026-07-31T08:15:00Z" (seconds; fractions are dropped). Years 0000 to 9999; what lies beyond is
 * shown as the first or last second of them. */
void timestamp_format(int64_t ms, char ret_text[TIMESTAMP_BYTES]);
/* Accepts fractions and offsets; false when text is NULL or isn't RFC 3339. */
NODISCARD bool timestamp_parse(const char *text, int64_t *ret_ms);
/* As above; fallback when text is NULL or isn't RFC 3339. */
NODISCARD int64_t timestamp_or(const char *text, int64_t fallback_ms);

/* A time of day in UTC on the Gregorian calendar, as other formats of time give it. */
struct civil_time {
    int year, month, day;     /* month and day count from 1 */
    int hour, minute, second; /* second 60 is a leap second */
};
/* False when there is no such time. */
NODISCARD bool timestamp_from_civil(const struct civil_time *civil, int64_t *ret_ms);

/* False when NULL, empty, not of the form above, or over 100 years. */
NODISCARD bool duration_parse(const char *text, int64_t *ret_ms);
/* For people: "1h30m", "45s"; rounded to seconds. */
void duration_format(int64_t ms, char ret_text[TIMESTAMP_BYTES]);

#endif
