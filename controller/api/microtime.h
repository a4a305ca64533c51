/* metav1.MicroTime, as Leases and Events are written with. Pure. */
#ifndef API_MICROTIME_H
#define API_MICROTIME_H

#include "api/timestamp.h"

/* "2026-07-31T08:15:00.123000Z" of milliseconds since 1970-01-01T00:00:00Z. */
void microtime_format(int64_t ms, char ret_text[TIMESTAMP_BYTES]);

#endif
