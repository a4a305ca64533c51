/* How much of a block is to be wiped when it is freed, malloc knows: a header of our own in front
 * of each would cost more than most of what is stored here. */
#include "base/mem.h"

#include <malloc.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BRIEF_BYTES = 128 };

static void out_of_memory(void)
{
    static const char text[] = "deepgram-operator: out of memory\n";
    fputs(text, stderr);
    abort();
}

void *mem_alloc_raw(size_t size)
{
    void *block = size <= SIZE_MAX / 2 ? malloc(size > 0 ? size : 1) : NULL;
    if (!block)
        out_of_memory();
    return block;
}

void *mem_alloc(size_t size)
{
    return memset(mem_alloc_raw(size), 0, size > 0 ? size : 1);
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
    if (!block)
        return mem_alloc(size);
    size_t old = malloc_usable_size(block);
    if (size <= old)
        return block;
    void *moved =
        memcpy(mem_alloc_raw(size), block, old); /* the rest isn't touched: it may stay unused */
    mem_free(block);
    return moved;
}

void mem_free(void *block)
{
    if (!block)
        return;
    mem_wipe(block, malloc_usable_size(block));
    free(block);
}

char *mem_strdup(const char *text)
{
    return text ? mem_strndup(text, strlen(text)) : NULL;
}

char *mem_strndup(const char *text, size_t length)
{
    char *copy = mem_alloc_raw(length + 1);
    memcpy(copy, text, length);
    copy[length] = '\0';
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
    char *text = mem_alloc_raw((size_t)length + 1);
    if ((size_t)length < sizeof brief)
        memcpy(text, brief, (size_t)length + 1);
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
