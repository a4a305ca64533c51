/* A resource that was made anew under the same name has another UID, and nothing of its
 * predecessor's memory is true of it. */
#include "operator/memories.h"

#include <string.h>

#define uthash_malloc(size) mem_alloc(size)
#define uthash_free(block, size) mem_free(block)
#include <uthash.h>

struct slot {
    char *name; /* "<kind> <namespace>/<name>" */
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
    mem_free(slot->name);
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

static char *slot_name(enum resource_kind kind, const char *namespace, const char *name)
{
    return mem_printf("%d %s/%s", (int)kind, namespace, name);
}

static struct slot *find(const struct memories *memories, const char *name)
{
    struct slot *slot = NULL;
    HASH_FIND_STR(memories->slots, name, slot);
    return slot;
}

struct memory *memories_get(struct memories *memories, enum resource_kind kind,
                            const char *namespace, const char *name, const char *uid,
                            int64_t monotonic_ms)
{
    auto_free char *key = slot_name(kind, namespace, name);
    struct slot *slot = find(memories, key);
    if (slot && strcmp(slot->memory->uid, uid) == 0)
        return slot->memory;
    if (slot)
        drop(memories, slot);
    slot = mem_alloc(sizeof *slot);
    slot->name = take(key);
    slot->memory = memory_new(uid, monotonic_ms);
    HASH_ADD_KEYPTR(hh, memories->slots, slot->name, strlen(slot->name), slot);
    return slot->memory;
}

void memories_forget(struct memories *memories, enum resource_kind kind, const char *namespace,
                     const char *name)
{
    auto_free char *key = slot_name(kind, namespace, name);
    struct slot *slot = find(memories, key);
    if (slot)
        drop(memories, slot);
}

bool memories_know(const struct memories *memories, const char *uid)
{
    for (const struct slot *slot = memories->slots; slot; slot = slot->hh.next)
        if (strcmp(slot->memory->uid, uid) == 0)
            return true;
    return false;
}

size_t memories_unkept(const struct memories *memories)
{
    size_t count = 0;
    for (const struct slot *slot = memories->slots; slot; slot = slot->hh.next)
        count += slot->memory->issued_for.revision != 0;
    return count;
}
