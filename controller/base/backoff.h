/* Exponential back-off with full jitter: a wait drawn evenly from [floor, min(cap, floor * 2^n)],
 * so that many clients that failed together don't come back together. Pure: randomness is an
 * argument.
 */
#ifndef BASE_BACKOFF_H
#define BASE_BACKOFF_H

#include <stdint.h>

struct backoff_policy {
    int64_t floor_ms;
    int64_t cap_ms;
};

/* failures >= 1; random is any 64-bit value. */
int64_t backoff_delay_ms(struct backoff_policy policy, unsigned failures, uint64_t random);

#endif
