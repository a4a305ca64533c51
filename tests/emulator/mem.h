#ifndef EMULATOR_MEM_H
#define EMULATOR_MEM_H

/* Allocation that never fails: a test server that is out of memory has nothing better to do than
 * to abort. Everything returned is freed with free(). */

#include <stddef.h>

#define NODISCARD __attribute__((warn_unused_result))

/* Frees the variable at the end of its scope. */
#define auto_free __attribute__((cleanup(mem_free_ptr)))
#define auto_json __attribute__((cleanup(mem_delete_json)))

struct cJSON;

NODISCARD void *mem_alloc(size_t size); /* zeroed */
NODISCARD void *mem_grow(void *ptr, size_t size);
NODISCARD char *mem_dup(const char *text); /* NULL stays NULL */
NODISCARD char *mem_format(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Makes cJSON allocate the same way, so that its constructors never return NULL. */
void mem_hook_json(void);

void mem_free_ptr(void *ptr_to_ptr);
void mem_delete_json(struct cJSON **json);

#endif
