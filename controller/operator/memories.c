/* A resource that was made anew under the same name has another UID, and nothing of its
 * predecessor's memory is true of it. */
#include "operator/memories.h"

#include <string.h>

#include "base/table.h"

struct slot {
    struct memory *memory;
    char name[]; /* "<kind> <namespace>/<name>" */
};

struct memories {
    struct table slots;
};

static const char *name_of(const void *slot)
{
    return ((const struct slot *)slot)->name;
}

struct memories *memories_new(void)
{
    struct memories *memories = mem_alloc(sizeof *memories);
    memories->slots.key = name_of;
    return memories;
}

static void slot_free(struct slot *slot)
{
    memory_free(slot->memory);
    mem_free(slot);
}

static void drop(struct memories *memories, struct slot *slot)
{
    table_remove(&memories->slots, slot);
    slot_free(slot);
}

void memories_free(struct memories *memories)
{
    if (!memories)
        return;
    struct table_walk walk = { 0 };
    for (struct slot *slot; (slot = table_next(&memories->slots, &walk)) != NULL;)
        slot_free(slot);
    table_done(&memories->slots);
    mem_free(memories);
}

static char *slot_name(enum resource_kind kind, const char *namespace, const char *name)
{
    return mem_printf("%d %s/%s", (int)kind, namespace, name);
}

struct memory *memories_get(struct memories *memories, enum resource_kind kind,
                            const char *namespace, const char *name, const char *uid,
                            int64_t monotonic_ms)
{
    auto_free char *key = slot_name(kind, namespace, name);
    struct slot *slot = table_find(&memories->slots, key);
    if (slot && strcmp(slot->memory->uid, uid) == 0)
        return slot->memory;
    if (slot)
        drop(memories, slot);
    slot = mem_alloc(sizeof *slot + strlen(key) + 1);
    memcpy(slot->name, key, strlen(key) + 1);
    slot->memory = memory_new(uid, monotonic_ms);
    table_add(&memories->slots, slot);
    return slot->memory;
}

void memories_forget(struct memories *memories, enum resource_kind kind, const char *namespace,
                     const char *name)
{
    auto_free char *key = slot_name(kind, namespace, name);
    struct slot *slot = table_find(&memories->slots, key);
    if (slot)
        drop(memories, slot);
}

const struct memory *memories_find(const struct memories *memories, const char *uid)
{
    struct table_walk walk = { 0 };
    for (const struct slot *slot; (slot = table_next(&memories->slots, &walk)) != NULL;)
        if (strcmp(slot->memory->uid, uid) == 0)
            return slot->memory;
    return NULL;
}

size_t memories_unkept(const struct memories *memories)
{
    size_t count = 0;
    struct table_walk walk = { 0 };
    for (const struct slot *slot; (slot = table_next(&memories->slots, &walk)) != NULL;)
        count += memory_issued(slot->memory) != NULL;
    return count;
}
