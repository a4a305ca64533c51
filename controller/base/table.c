/* Open addressing, one step at a time. A byte of the hash stands beside each pointer, so that
 * hardly ever another item than the one that is looked for has to be read. What is removed leaves
 * no mark: those behind it move up. */
#include "base/table.h"

#include <assert.h>
#include <string.h>

#include "base/fingerprint.h"

enum { FIRST_CAPACITY = 8, UNUSED = 0, USED = 0x80 };

struct place {
    size_t first; /* where the item would stand, if it were alone */
    uint8_t mark;
};

/* FNV's upper bits are the better ones, once they are spread. */
static struct place place_of(const struct table *table, const char *key)
{
    uint64_t hash = fingerprint(key) * 0x9E3779B97F4A7C15u;
    return (struct place){ .first = (size_t)(hash >> 32) & (table->capacity_ - 1),
                           .mark = (uint8_t)(USED | (hash >> 25 & 0x7F)) };
}

static size_t after(const struct table *table, size_t at)
{
    return (at + 1) & (table->capacity_ - 1);
}

static void put(struct table *table, void *item)
{
    struct place place = place_of(table, table->key(item));
    size_t at = place.first;
    while (table->marks_[at] != UNUSED)
        at = after(table, at);
    table->slots_[at] = item;
    table->marks_[at] = place.mark;
}

static void grow(struct table *table)
{
    struct table old = *table;
    table->capacity_ = old.capacity_ > 0 ? 2 * old.capacity_ : FIRST_CAPACITY;
    table->slots_ = mem_calloc(table->capacity_, sizeof(void *) + 1);
    table->marks_ = (uint8_t *)(table->slots_ + table->capacity_);
    for (size_t i = 0; i < old.capacity_; i++)
        if (old.marks_[i] != UNUSED)
            put(table, old.slots_[i]);
    mem_free(old.slots_);
}

void table_done(struct table *table)
{
    mem_free(table->slots_);
    *table = (struct table){ .key = table->key };
}

void *table_find(const struct table *table, const char *key)
{
    if (table->count == 0)
        return NULL;
    struct place place = place_of(table, key);
    for (size_t at = place.first; table->marks_[at] != UNUSED; at = after(table, at))
        if (table->marks_[at] == place.mark && strcmp(table->key(table->slots_[at]), key) == 0)
            return table->slots_[at];
    return NULL;
}

void table_add(struct table *table, void *item)
{
    if (table->count >= table->capacity_ / 4 * 3)
        grow(table);
    put(table, item);
    table->count++;
}

static size_t find_item(const struct table *table, const void *item)
{
    size_t at = place_of(table, table->key(item)).first;
    while (table->slots_[at] != item) {
        assert(table->marks_[at] != UNUSED);
        at = after(table, at);
    }
    return at;
}

/* Could what stands at `at` stand in the hole before it, too? Not when that is before its first
 * place. */
static bool may_move(const struct table *table, size_t at, size_t hole)
{
    size_t first = place_of(table, table->key(table->slots_[at])).first;
    size_t last = table->capacity_ - 1;
    return ((at - first) & last) >= ((at - hole) & last);
}

void table_remove(struct table *table, const void *item)
{
    assert(table->count > 0);
    size_t hole = find_item(table, item);
    for (size_t at = after(table, hole); table->marks_[at] != UNUSED; at = after(table, at)) {
        if (!may_move(table, at, hole))
            continue;
        table->slots_[hole] = table->slots_[at];
        table->marks_[hole] = table->marks_[at];
        hole = at;
    }
    table->slots_[hole] = NULL;
    table->marks_[hole] = UNUSED;
    table->count--;
}

/* Backwards from an unused place: a removal moves items only up to its own place, from those that
 * were handed out already, and none across what is unused. */
void *table_next(const struct table *table, struct table_walk *walk)
{
    while (walk->steps_ == 0 && table->capacity_ > 0 && table->marks_[walk->at_] != UNUSED)
        walk->at_++;
    while (walk->steps_ < table->capacity_) {
        walk->steps_++;
        walk->at_ = (walk->at_ - 1) & (table->capacity_ - 1);
        if (table->marks_[walk->at_] != UNUSED)
            return table->slots_[walk->at_];
    }
    return NULL;
}
