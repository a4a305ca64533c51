/* Is a text still what it was? Told from eight bytes, where keeping the text would cost more than
 * all that is told by it. Nothing that others could gain from may depend on it: whoever wants to,
 * finds two texts of one fingerprint.
 */
#ifndef BASE_FINGERPRINT_H
#define BASE_FINGERPRINT_H

#include <stdint.h>

#include "base/mem.h"

/* 0 for NULL and "". */
NODISCARD uint64_t fingerprint(const char *text);
/* Of several texts, one after the other; begins with 0. */
NODISCARD uint64_t fingerprint_add(uint64_t sum, const char *text);
/* Ascending, for qsort() and bsearch(). */
NODISCARD int fingerprint_order(const void *a, const void *b);

#endif
