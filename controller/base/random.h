/* Random bits from the kernel: for jitter, unique names and nonces. */
#ifndef BASE_RANDOM_H
#define BASE_RANDOM_H

#include <stdint.h>

uint64_t random_u64(void);

#endif
