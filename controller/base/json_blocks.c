/* What is kept is poisoned under AddressSanitizer: a use after the end of a tree is still seen. */
#include "base/json_blocks.h"

#include <malloc.h>

#ifdef __SANITIZE_ADDRESS__
#include <sanitizer/asan_interface.h>
#else
#define ASAN_POISON_MEMORY_REGION(block, size) ((void)(block))
#define ASAN_UNPOISON_MEMORY_REGION(block, size) ((void)(block))
#endif

/* malloc's own sizes: 24, 40, … 136 bytes; and as many of each as a tree of ours has. */
enum { LEAST_BYTES = 24, STEP_BYTES = 16, SIZES = 8, KEPT_MAX = 128 };

static struct {
    void *blocks[KEPT_MAX];
    size_t count;
} kept[SIZES];

static size_t bytes_of(size_t index)
{
    return LEAST_BYTES + index * STEP_BYTES;
}

/* The first size that is enough. */
static size_t index_for(size_t size)
{
    return size <= LEAST_BYTES ? 0 : (size - LEAST_BYTES + STEP_BYTES - 1) / STEP_BYTES;
}

void *json_block_alloc(size_t size)
{
    size_t index = index_for(size);
    if (index >= SIZES)
        return mem_alloc_raw(size);
    if (kept[index].count == 0)
        return mem_alloc_raw(bytes_of(index));
    void *block = kept[index].blocks[--kept[index].count];
    ASAN_UNPOISON_MEMORY_REGION(block, malloc_usable_size(block));
    return block;
}

void json_block_free(void *block)
{
    size_t size = block ? malloc_usable_size(block) : 0;
    size_t index = size < LEAST_BYTES ? SIZES : (size - LEAST_BYTES) / STEP_BYTES;
    if (index >= SIZES || kept[index].count == KEPT_MAX) {
        mem_free(block);
        return;
    }
    *(volatile char *)block = 0; /* AddressSanitizer sees it when it was freed before */
    mem_wipe(block, size);
    ASAN_POISON_MEMORY_REGION(block, size);
    kept[index].blocks[kept[index].count++] = block;
}
