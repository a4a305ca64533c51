#include "base/random.h"

#include <assert.h>
#include <sys/random.h>

uint64_t random_u64(void)
{
    uint64_t bits = 0;
    ssize_t got = getrandom(&bits, sizeof bits, 0); /* up to 256 bytes come whole */
    assert(got == sizeof bits);
    (void)got;
    return bits;
}
