/* A map from index keys to the items found under them; each item remembers its places, so that
 * leaving all of them takes no search. Pure; part of kube/store.
 */
#ifndef KUBE_STORE_INDEX_H
#define KUBE_STORE_INDEX_H

#include <stddef.h>

#include "base/mem.h"

struct store_index_key;

struct store_index { /* zero-initialised; empty again when every item has left */
    struct store_index_key *keys;
};

struct store_place {
    struct store_index_key *key;
    void *item; /* borrowed */
    struct store_place *prev;
    struct store_place *next;
};

struct store_places {          /* embedded in the item, zero-initialised */
    struct store_place *array; /* NULL when there are none */
    size_t count;
};

/* Puts the item under `count` different keys (copied). */
void store_index_add(struct store_index *index, struct store_places *places, char *const *keys,
                     size_t count, void *item);
/* Takes the item out of all its places; fine when it has none. */
void store_index_remove(struct store_index *index, struct store_places *places);

/* The first item under a key, the others by ->next; NULL when there is none. */
NODISCARD const struct store_place *store_index_first(const struct store_index *index,
                                                      const char *key);
NODISCARD size_t store_index_count(const struct store_index *index, const char *key);

#endif
