/* FNV-1a, begun with 0, so that nothing is 0. The end of a text counts, so that "ab" and "c" aren't
 * "a" and "bc". */
#include "base/fingerprint.h"

static const uint64_t PRIME = 0x100000001b3u;

static uint64_t add(uint64_t sum, const char *text)
{
    for (const char *at = text; at && *at; at++)
        sum = (sum ^ (unsigned char)*at) * PRIME;
    return sum;
}

uint64_t fingerprint(const char *text)
{
    return add(0, text);
}

uint64_t fingerprint_add(uint64_t sum, const char *text)
{
    return add((sum ^ 0xFF) * PRIME, text);
}

int fingerprint_order(const void *a, const void *b)
{
    uint64_t left = *(const uint64_t *)a;
    uint64_t right = *(const uint64_t *)b;
    return (left > right) - (left < right);
}
