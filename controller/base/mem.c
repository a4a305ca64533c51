/* A header in front of each block holds its size, so that a block can be wiped whole when it is
 * freed. malloc_usable_size would say more than was asked for, and valgrind rightly complains. */
#include "base/mem.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BRIEF_BYTES = 128 };

union header {
    size_t size;
    max_align_t align;
};

static union header *header_of(void *block)
{
    return (union header *)block - 1;
}

static void out_of_memory(void)
{
    static const char text[] = "deepgram-operator: out of memory\n";
    fputs(text, stderr);
    abort();
}

void *mem_alloc(size_t size)
{
    if (size > SIZE_MAX / 2)
        out_of_memory();
    union header *header = malloc(sizeof *header + (size > 0 ? size : 1));
    if (!header)
        out_of_memory();
    header->size = size;
    return memset(header + 1, 0, size > 0 ? size : 1);
}

void *mem_calloc(size_t count, size_t size)
{
    size_t total = 0;
    if (__builtin_mul_overflow(count, size, &total))
        out_of_memory();
    return mem_alloc(total);
}

void *mem_realloc(void *block, size_t size)
{
    void *moved = mem_alloc(size);
    if (block) {
        size_t old = header_of(block)->size;
        memcpy(moved, block, old < size ? old : size);
        mem_free(block);
    }
    return moved;
}

void mem_free(void *block)
{
    if (!block)
        return;
    union header *header = header_of(block);
    mem_wipe(block, header->size);
    free(header);
}

char *mem_strdup(const char *text)
{
    return text ? mem_strndup(text, strlen(text)) : NULL;
}

char *mem_strndup(const char *text, size_t length)
{
    char *copy = mem_alloc(length + 1);
    memcpy(copy, text, length);
    return copy;
}

/* Most texts are short: those are formatted once. They may be secret, so no copy stays behind. */
char *mem_printf(const char *format, ...)
{
    char brief[BRIEF_BYTES];
    va_list args;
    va_start(args, format);
    va_list again;
    va_copy(again, args);
    int length = vsnprintf(brief, sizeof brief, format, args);
    va_end(args);
    if (length < 0)
        out_of_memory();
    char *text = mem_alloc((size_t)length + 1);
    if ((size_t)length < sizeof brief)
        memcpy(text, brief, (size_t)length);
    else
        vsnprintf(text, (size_t)length + 1, format, again);
    va_end(again);
    mem_wipe(brief, (size_t)length < sizeof brief ? (size_t)length : sizeof brief);
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
    explicit_bzero(block, size);
}

void mem_free_indirect(void *pointer_to_block)
{
    mem_free(*(void **)pointer_to_block);
}
