/* A hash table of items that are found by a text in them. Made for very many small items: some 16
 * bytes for each, and nothing in the item itself.
 */
#ifndef BASE_TABLE_H
#define BASE_TABLE_H

#include <stddef.h>
#include <stdint.h>

#include "base/mem.h"

/* The text by which the item is found; it stays the same as long as the item is in the table. */
typedef const char *table_key_fn(const void *item);

struct table { /* a zeroed one with `key` set is an empty one */
    table_key_fn *key;
    void **slots_;
    uint8_t *marks_;
    size_t capacity_;
    size_t count; /* of items */
};

/* Frees the table, which is an empty one then, and of the items nothing: they may have been freed
 * in a walk before. */
void table_done(struct table *table);

/* NULL: there is none. */
NODISCARD void *table_find(const struct table *table, const char *key);
/* There must be none of that key. */
void table_add(struct table *table, void *item);
/* It must be in the table. */
void table_remove(struct table *table, const void *item);

/* All items once, in no particular order; NULL ends it. The item that was handed out last may be
 * removed meanwhile, and nothing else be done to the table. */
struct table_walk { /* begins zeroed */
    size_t at_;
    size_t steps_;
};
NODISCARD void *table_next(const struct table *table, struct table_walk *walk);

#endif
