/* The blocks that cJSON builds its trees of: wiped when they are freed, and kept for the next tree.
 *
 * A tree is hundreds of small blocks that come and go together. malloc keeps seven of a size at
 * hand; the others it joins and splits again, which was a fifth of the time of a start.
 */
#ifndef BASE_JSON_BLOCKS_H
#define BASE_JSON_BLOCKS_H

#include "base/mem.h"

/* What mem_alloc_raw() gives, too: mem_free() may free it, and json_block_free() blocks of
 * base/mem. */
NODISCARD void *json_block_alloc(size_t size);
void json_block_free(void *block);

#endif
