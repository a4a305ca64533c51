/* A key exists as long as something is under it, so keys that come and go leave nothing behind. */
#include "kube/store_index.h"

#include <string.h>

#define uthash_malloc(size) mem_alloc(size)
#define uthash_free(block, size) mem_free(block)
#include <uthash.h>
#include <utlist.h>

struct store_index_key {
    UT_hash_handle hh;
    struct store_place *places;
    size_t count;
    char text[];
};

static struct store_index_key *find(const struct store_index *index, const char *text)
{
    struct store_index_key *key = NULL;
    HASH_FIND_STR(index->keys, text, key);
    return key;
}

static struct store_index_key *find_or_add(struct store_index *index, const char *text)
{
    struct store_index_key *key = find(index, text);
    if (key)
        return key;
    size_t size = strlen(text) + 1;
    key = mem_alloc(sizeof *key + size);
    memcpy(key->text, text, size);
    HASH_ADD_STR(index->keys, text, key);
    return key;
}

void store_index_add(struct store_index *index, struct store_places *places, char *const *keys,
                     size_t count, void *item)
{
    if (count == 0)
        return;
    places->array = mem_calloc(count, sizeof *places->array);
    places->count = count;
    for (size_t i = 0; i < count; i++) {
        struct store_place *place = &places->array[i];
        *place = (struct store_place){ .key = find_or_add(index, keys[i]), .item = item };
        DL_APPEND(place->key->places, place);
        place->key->count++;
    }
}

void store_index_remove(struct store_index *index, struct store_places *places)
{
    for (size_t i = 0; i < places->count; i++) {
        struct store_place *place = &places->array[i];
        struct store_index_key *key = place->key;
        DL_DELETE(key->places, place);
        if (--key->count == 0) {
            HASH_DEL(index->keys, key);
            mem_free(key);
        }
    }
    mem_free(places->array);
    *places = (struct store_places){ 0 };
}

const struct store_place *store_index_first(const struct store_index *index, const char *key)
{
    const struct store_index_key *found = find(index, key);
    return found ? found->places : NULL;
}

size_t store_index_count(const struct store_index *index, const char *key)
{
    const struct store_index_key *found = find(index, key);
    return found ? found->count : 0;
}
