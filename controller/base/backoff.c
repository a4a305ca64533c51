#include "base/backoff.h"

int64_t backoff_delay_ms(struct backoff_policy policy, unsigned failures, uint64_t random)
{
    int64_t ceiling = policy.floor_ms;
    for (unsigned i = 0; i < failures && ceiling < policy.cap_ms; i++)
        if (__builtin_mul_overflow(ceiling, 2, &ceiling))
            ceiling = policy.cap_ms;
    if (ceiling > policy.cap_ms)
        ceiling = policy.cap_ms;
    if (ceiling <= policy.floor_ms)
        return policy.floor_ms;
    uint64_t choices = (uint64_t)(ceiling - policy.floor_ms) + 1;
    return policy.floor_ms + (int64_t)(random % choices);
}
