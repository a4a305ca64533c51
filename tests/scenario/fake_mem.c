/* base/mem.h, and base/json_blocks.h, with an address space for each process: what a killed process
 * had allocated goes at once, as the kernel does it, so that crashes neither leak nor need code of
 * their own.
 *
 * Under AddressSanitizer each block is the C library's, so that it sees every one. Otherwise blocks
 * are cut from one arena by size and kept for the next use: half of a schedule would be malloc(),
 * and moment.c couldn't put everything back. */
#include "address_space.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "base/json_blocks.h"
#include "sim.h"

union header {
    struct {
        union header *prev;
        union header *next;
        size_t size;
    } block;
    max_align_t align;
};

enum { OWNERS = PROCESSES_MAX + 1 };

static union header lists[OWNERS];
static struct process *current;
static unsigned current_owner;

/* ---- where blocks come from ---- */

#ifdef __SANITIZE_ADDRESS__

void *memory_arena(size_t *ret_used)
{
    *ret_used = 0;
    return NULL;
}

static union header *take_block(size_t size)
{
    return calloc(1, size);
}

static void give_block(union header *header)
{
    free(header);
}

#else

enum {
    STEP_BYTES = 64, /* between the sizes of small blocks; larger ones are powers of two */
    SMALL_CLASSES = 32,
    CLASSES = SMALL_CLASSES + 16,
    ARENA_BYTES = 256 << 20
};

static union header *unused[CLASSES]; /* by size; linked by `next` */
static unsigned char *arena;
static size_t arena_used;

static size_t class_of(size_t size)
{
    size_t class = (size - 1) / STEP_BYTES;
    if (class < SMALL_CLASSES)
        return class;
    class = SMALL_CLASSES;
    while (size > (size_t)STEP_BYTES * SMALL_CLASSES << (class - SMALL_CLASSES + 1))
        class ++;
    return class;
}

static size_t bytes_of(size_t class)
{
    return class < SMALL_CLASSES
               ? (class + 1) * STEP_BYTES
               : (size_t)STEP_BYTES * SMALL_CLASSES << (class - SMALL_CLASSES + 1);
}

static union header *cut(size_t size)
{
    if (!arena)
        arena = mmap(NULL, ARENA_BYTES, PROT_READ | PROT_WRITE,
                     MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    assert(arena != MAP_FAILED && arena_used + size <= ARENA_BYTES);
    union header *header = (union header *)(void *)(arena + arena_used);
    arena_used += size;
    return header;
}

static union header *take_block(size_t size)
{
    size_t class = class_of(size);
    assert(class < CLASSES);
    union header *header = unused[class];
    if (header)
        unused[class] = header->block.next;
    else
        header = cut(bytes_of(class));
    return memset(header, 0, size);
}

static void give_block(union header *header)
{
    size_t class = class_of(sizeof *header + header->block.size);
    header->block.next = unused[class];
    unused[class] = header;
}

void *memory_arena(size_t *ret_used)
{
    *ret_used = arena_used;
    return arena;
}

#endif

/* ---- whose they are ---- */

static void link_block(union header *list, union header *header)
{
    if (!list->block.next)
        list->block.next = list->block.prev = list;
    header->block.prev = list->block.prev;
    header->block.next = list;
    list->block.prev->block.next = header;
    list->block.prev = header;
}

struct process *memory_enter(struct process *process)
{
    struct process *before = current;
    current = process;
    current_owner = process_owner(process);
    return before;
}

struct process *memory_current(void)
{
    return current;
}

void memory_drop(unsigned owner)
{
    union header *list = &lists[owner];
    union header *header = list->block.next;
    while (header && header != list) {
        union header *next = header->block.next;
        give_block(header);
        header = next;
    }
    list->block.next = list->block.prev = list;
}

size_t memory_count(unsigned owner)
{
    size_t count = 0;
    const union header *list = &lists[owner];
    for (const union header *at = list->block.next; at && at != list; at = at->block.next)
        count++;
    return count;
}

/* ---- base/mem.h ---- */

void *mem_alloc(size_t size)
{
    size = size > 0 ? size : 1;
    union header *header = take_block(sizeof *header + size);
    if (!header)
        abort();
    header->block.size = size;
    link_block(&lists[current_owner], header);
    return header + 1;
}

void *mem_alloc_raw(size_t size)
{
    return mem_alloc(size);
}

void *mem_calloc(size_t count, size_t size)
{
    size_t total = 0;
    if (__builtin_mul_overflow(count, size, &total))
        abort();
    return mem_alloc(total);
}

void mem_free(void *block)
{
    if (!block)
        return;
    union header *header = (union header *)block - 1;
    header->block.prev->block.next = header->block.next;
    header->block.next->block.prev = header->block.prev;
    give_block(header);
}

void *mem_realloc(void *block, size_t size)
{
    void *moved = mem_alloc(size);
    if (block) {
        size_t old = ((union header *)block - 1)->block.size;
        memcpy(moved, block, old < size ? old : size);
        mem_free(block);
    }
    return moved;
}

char *mem_strndup(const char *text, size_t length)
{
    char *copy = mem_alloc(length + 1);
    memcpy(copy, text, length);
    return copy;
}

char *mem_strdup(const char *text)
{
    return text ? mem_strndup(text, strlen(text)) : NULL;
}

char *mem_printf(const char *format, ...)
{
    char brief[256];
    va_list args;
    va_start(args, format);
    va_list again;
    va_copy(again, args);
    int length = vsnprintf(brief, sizeof brief, format, args);
    va_end(args);
    if (length < 0)
        abort();
    char *text = mem_alloc((size_t)length + 1);
    if ((size_t)length < sizeof brief)
        memcpy(text, brief, (size_t)length + 1);
    else
        vsnprintf(text, (size_t)length + 1, format, again);
    va_end(again);
    return text;
}

void mem_replace(char **field, const char *text)
{
    char *copy = mem_strdup(text);
    mem_free(*field);
    *field = copy;
}

bool mem_streq(const char *a, const char *b)
{
    if (!a || !b)
        return a == b;
    return strcmp(a, b) == 0;
}

void mem_wipe(void *block, size_t size)
{
    memset(block, 0, size);
}

void mem_free_indirect(void *pointer_to_block)
{
    mem_free(*(void **)pointer_to_block);
}

/* ---- base/json_blocks.h: nothing is kept from one process for another ---- */

void *json_block_alloc(size_t size)
{
    return mem_alloc_raw(size);
}

void json_block_free(void *block)
{
    mem_free(block);
}
