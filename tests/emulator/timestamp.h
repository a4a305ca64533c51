#ifndef EMULATOR_TIMESTAMP_H
#define EMULATOR_TIMESTAMP_H

/* Wall-clock time as milliseconds since 1970 and as RFC 3339 text. */

#include <stdbool.h>
#include <stdint.h>

#include "mem.h"

enum { TIMESTAMP_SIZE = 40 };

int64_t timestamp_now_ms(void);

/* Writes "2026-07-01T12:00:00.123000Z": Deepgram's own form has six decimals. */
const char *timestamp_format(int64_t time_ms, char ret_text[static TIMESTAMP_SIZE]);

/* Any RFC 3339 date-time, with or without decimals, `Z` or an offset. */
NODISCARD bool timestamp_parse(const char *text, int64_t *ret_time_ms);

#endif
