/* One place decides what running out of memory means, so that no handler has to. */

#include "mem.h"

#include <cjson/cJSON.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void *check(void *ptr)
{
    if (!ptr) {
        fputs("deepgram-emulator: out of memory\n", stderr);
        abort();
    }
    return ptr;
}

void *mem_alloc(size_t size)
{
    return check(calloc(1, size ? size : 1));
}

void *mem_grow(void *ptr, size_t size)
{
    return check(realloc(ptr, size));
}

char *mem_dup(const char *text)
{
    return text ? check(strdup(text)) : NULL;
}

char *mem_format(const char *format, ...)
{
    va_list args, again;
    va_start(args, format);
    va_copy(again, args);
    int length = vsnprintf(NULL, 0, format, args);
    va_end(args);
    char *text = mem_alloc((size_t)length + 1);
    vsnprintf(text, (size_t)length + 1, format, again);
    va_end(again);
    return text;
}

static void *alloc_for_json(size_t size)
{
    return check(malloc(size));
}

void mem_hook_json(void)
{
    cJSON_Hooks hooks = { .malloc_fn = alloc_for_json, .free_fn = free };
    cJSON_InitHooks(&hooks);
}

void mem_free_ptr(void *ptr_to_ptr)
{
    free(*(void **)ptr_to_ptr);
}

void mem_delete_json(struct cJSON **json)
{
    cJSON_Delete(*json);
}
