/* A map from UID to memory; the names of resources come again, UIDs don't. */
#include "operator/memories.h"

#include <string.h>

#define uthash_malloc(size) mem_alloc(size)
#define uthash_free(block, size) mem_free(block)
#include <uthash.h>

struct slot {
    struct memory *memory;
    UT_hash_handle hh;
};

struct memories {
    struct slot *slots;
};

struct memories *memories_new(void)
{
    return mem_alloc(sizeof(struct memories));
}

static void drop(struct memories *memories, struct slot *slot)
{
    HASH_DEL(memories->slots, slot);
    memory_free(slot->memory);
    mem_free(slot);
}

void memories_free(struct memories *memories)
{
    if (!memories)
        return;
    struct slot *slot = NULL;
    struct slot *next = NULL;
    HASH_ITER(hh, memories->slots, slot, next)
        drop(memories, slot);
    mem_free(memories);
}

static struct slot *find(const struct memories *memories, const char *uid)
{
    struct slot *slot = NULL;
    HASH_FIND_STR(memories->slots, uid, slot);
    return slot;
}

struct memory *memories_get(struct memories *memories, const char *uid, int64_t monotonic_ms)
{
    struct slot *slot = find(memories, uid);
    if (!slot) {
        slot = mem_alloc(sizeof *slot);
        slot->memory = memory_new(uid, monotonic_ms);
        HASH_ADD_KEYPTR(hh, memories->slots, slot->memory->uid, strlen(slot->memory->uid), slot);
    }
    return slot->memory;
}

struct memory *memories_find(struct memories *memories, const char *uid)
{
    struct slot *slot = find(memories, uid);
    return slot ? slot->memory : NULL;
}

void memories_forget(struct memories *memories, const char *uid)
{
    struct slot *slot = find(memories, uid);
    if (slot)
        drop(memories, slot);
}

size_t memories_unkept(const struct memories *memories)
{
    size_t count = 0;
    for (const struct slot *slot = memories->slots; slot; slot = slot->hh.next)
        count += slot->memory->issued_for.revision != 0;
    return count;
}
