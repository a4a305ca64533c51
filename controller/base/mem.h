/* Memory: allocation that never fails, cleanup attributes, ownership transfer.
 *
 * Out of memory ends the process: a restart is cheap in a level-triggered program, and no caller
 * has to handle a half-done step. Every block is wiped when it is freed or moved, because cJSON
 * (by base/json_blocks.h) and libcurl are hooked onto these functions and handle tokens and keys.
 *
 * Ownership: `char *` in a struct is owned, `const char *` is borrowed.
 */
#ifndef BASE_MEM_H
#define BASE_MEM_H

#include <stdbool.h>
#include <stddef.h>

#define NODISCARD __attribute__((warn_unused_result))
#define PRINTF_LIKE(fmt, args) __attribute__((format(printf, fmt, args)))

/* Zeroed block of `size` bytes (at least one). Aborts when there is no memory. */
NODISCARD void *mem_alloc(size_t size);

/* The same with anything in it, for libraries that expect no more of malloc. */
NODISCARD void *mem_alloc_raw(size_t size);

/* Zeroed array; aborts on overflow too. */
NODISCARD void *mem_calloc(size_t count, size_t size);

/* Like realloc, but the old block is wiped when the data moves. NULL acts like mem_alloc. What is
 * behind the old data is anything. */
NODISCARD void *mem_realloc(void *block, size_t size);

/* Wipes and frees; NULL is fine. Only for blocks of this module. */
void mem_free(void *block);

/* Copies of strings; mem_strdup(NULL) is NULL. */
NODISCARD char *mem_strdup(const char *text);
NODISCARD char *mem_strndup(const char *text, size_t length);
NODISCARD char *mem_printf(const char *format, ...) PRINTF_LIKE(1, 2);

/* Frees *field and puts a copy of text there. */
void mem_replace(char **field, const char *text);

/* True when both are NULL or both are equal strings. */
NODISCARD bool mem_streq(const char *a, const char *b);
/* The text itself, or "" for NULL. */
NODISCARD static inline const char *mem_or_empty(const char *text)
{
    return text ? text : "";
}

/* Overwrites in a way that the compiler can't drop. */
void mem_wipe(void *block, size_t size);

/* For `auto_free char *x = …;`: freed when the scope is left. */
void mem_free_indirect(void *pointer_to_block);
#define auto_free __attribute__((cleanup(mem_free_indirect)))

/* Moves a pointer out of a variable: the variable becomes NULL, the value is returned. */
#define take(pointer)                                                                              \
    ({                                                                                             \
        __typeof__(pointer) taken_ = (pointer);                                                    \
        (pointer) = NULL;                                                                          \
        taken_;                                                                                    \
    })

#define ARRAY_LENGTH(array) (sizeof(array) / sizeof((array)[0]))

#endif
