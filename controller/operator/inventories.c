/* Entries are sorted by UID when a list comes, so that a decision sees only its own. A revoked
 * credential may be listed for a while (lists lag): whoever revoked it remembers that. */
#include "operator/inventories.h"

#include <stdlib.h>
#include <string.h>

#include "base/backoff.h"
#include "base/table.h"
#include "reconcile/limiter.h"

struct waiter {
    struct queue_key key;
    struct waiter *next;
};

struct project { /* as one admin Secret sees it */
    char *key;
    int64_t paused_until_ms;
    struct limit mint_limit; /* grows with the resources, and stays when they go */
    int64_t mint_stamp_ms;
};

struct inventory {
    char *key;
    struct project *project;
    const struct inventories *owner;
    struct deepgram_list list; /* by UID */
    const char **ids;          /* of the list, sorted */
    struct waiter *waiters;
    bool under_way;
    int64_t listed_at_ms;
    int64_t blocked_until_ms;
    unsigned failures;
};

struct inventories {
    struct table all;
    struct table projects;
    int64_t interval_ms;
};

static const struct backoff_policy RETRY = { .floor_ms = 1000, .cap_ms = 300 * 1000 };

static const char *key_of_inventory(const void *inventory)
{
    return ((const struct inventory *)inventory)->key;
}

static const char *key_of_project(const void *project)
{
    return ((const struct project *)project)->key;
}

struct inventories *inventories_new(int64_t interval_ms)
{
    struct inventories *inventories = mem_alloc(sizeof *inventories);
    inventories->all.key = key_of_inventory;
    inventories->projects.key = key_of_project;
    inventories->interval_ms = interval_ms;
    return inventories;
}

static void drop_list(struct inventory *inventory)
{
    deepgram_list_done(&inventory->list);
    mem_free(take(inventory->ids));
}

static void drop_waiters(struct inventory *inventory)
{
    while (inventory->waiters) {
        struct waiter *waiter = inventory->waiters;
        inventory->waiters = waiter->next;
        queue_key_done(&waiter->key);
        mem_free(waiter);
    }
}

void inventories_free(struct inventories *inventories)
{
    if (!inventories)
        return;
    struct table_walk walk = { 0 };
    for (struct inventory *inventory; (inventory = table_next(&inventories->all, &walk)) != NULL;) {
        drop_list(inventory);
        drop_waiters(inventory);
        mem_free(inventory->key);
        mem_free(inventory);
    }
    walk = (struct table_walk){ 0 };
    for (struct project *project; (project = table_next(&inventories->projects, &walk)) != NULL;) {
        mem_free(project->key);
        mem_free(project);
    }
    table_done(&inventories->all);
    table_done(&inventories->projects);
    mem_free(inventories);
}

static struct project *get_project(struct inventories *inventories, const char *key)
{
    struct project *project = table_find(&inventories->projects, key);
    if (project)
        return project;
    project = mem_alloc(sizeof *project);
    project->key = mem_strdup(key);
    table_add(&inventories->projects, project);
    return project;
}

struct inventory *inventories_get(struct inventories *inventories, enum resource_kind kind,
                                  const char *project_id, const struct admin_view *admin)
{
    auto_free char *project_key =
        mem_printf("%s %s/%s %s", project_id, admin->namespace, admin->name, admin->key);
    auto_free char *key = mem_printf("%d %s", (int)kind, project_key);
    struct inventory *inventory = table_find(&inventories->all, key);
    if (inventory)
        return inventory;
    inventory = mem_alloc(sizeof *inventory);
    inventory->key = take(key);
    inventory->project = get_project(inventories, project_key);
    inventory->owner = inventories;
    inventory->listed_at_ms = NEVER;
    table_add(&inventories->all, inventory);
    return inventory;
}

static int by_uid(const void *a, const void *b)
{
    return strcmp(((const struct inventory_entry *)a)->uid,
                  ((const struct inventory_entry *)b)->uid);
}

static int by_id(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

void inventory_view(const struct inventory *inventory, const char *uid,
                    struct inventory_view *ret_view)
{
    const struct deepgram_list *list = &inventory->list;
    const struct inventory_entry *end = list->entries + list->count;
    const struct inventory_entry *first =
        list->count == 0 ? NULL
                         : bsearch(&(struct inventory_entry){ .uid = uid }, list->entries,
                                   list->count, sizeof *first, by_uid);
    while (first && first > list->entries && strcmp(first[-1].uid, uid) == 0)
        first--;
    size_t count = 0;
    while (first && first + count < end && strcmp(first[count].uid, uid) == 0)
        count++;
    *ret_view = (struct inventory_view){
        .listed_at_ms = inventory->listed_at_ms,
        .due_ms = inventory->listed_at_ms == NEVER
                      ? 0
                      : inventory->listed_at_ms + inventory->owner->interval_ms,
        .blocked_until_ms = inventory->blocked_until_ms,
        .entries = first,
        .count = count,
    };
}

bool inventory_begin(struct inventory *inventory, enum queue_kind kind, const char *namespace,
                     const char *name)
{
    if (!inventory->under_way) {
        inventory->under_way = true;
        return true;
    }
    struct waiter *waiter = mem_alloc(sizeof *waiter);
    queue_key_set(&waiter->key, kind, namespace, name);
    waiter->next = inventory->waiters;
    inventory->waiters = waiter;
    return false;
}

bool inventory_lists(const struct inventory *inventory, const char *id)
{
    size_t count = inventory->list.count;
    return count > 0 && bsearch(&id, inventory->ids, count, sizeof id, by_id) != NULL;
}

int64_t inventory_mint_allowed_ms(struct inventory *inventory, size_t resources, int64_t now_ms)
{
    struct project *project = inventory->project;
    struct limit limit = mint_limit_project(resources);
    if (limit.burst > project->mint_limit.burst) {
        project->mint_stamp_ms =
            limiter_moved(project->mint_limit, limit, project->mint_stamp_ms, now_ms);
        project->mint_limit = limit;
    }
    return limiter_allowed_ms(project->mint_limit, project->mint_stamp_ms);
}

void inventory_note_mint(struct inventory *inventory, int64_t now_ms)
{
    struct project *project = inventory->project;
    project->mint_stamp_ms = limiter_taken(project->mint_limit, project->mint_stamp_ms, now_ms);
}

void inventory_set(struct inventory *inventory, struct deepgram_list *list, int64_t sent_ms)
{
    drop_list(inventory);
    inventory->list = *list;
    *list = (struct deepgram_list){ 0 };
    size_t count = inventory->list.count;
    inventory->ids = mem_calloc(count, sizeof inventory->ids[0]);
    for (size_t i = 0; i < count; i++)
        inventory->ids[i] = inventory->list.entries[i].id;
    if (count > 0) {
        qsort(inventory->list.entries, count, sizeof inventory->list.entries[0], by_uid);
        qsort(inventory->ids, count, sizeof inventory->ids[0], by_id);
    }
    inventory->listed_at_ms = sent_ms;
    inventory->blocked_until_ms = 0;
    inventory->failures = 0;
}

void inventory_fail(struct inventory *inventory, const struct err *err, int64_t now_ms,
                    uint64_t random)
{
    inventory->failures++;
    int64_t delay_ms = backoff_delay_ms(RETRY, inventory->failures, random);
    if (delay_ms < err->retry_after_ms)
        delay_ms = err->retry_after_ms;
    inventory->blocked_until_ms = now_ms + delay_ms;
}

void inventory_end(struct inventory *inventory, struct queue *queue)
{
    inventory->under_way = false;
    for (const struct waiter *waiter = inventory->waiters; waiter; waiter = waiter->next)
        queue_add(queue, waiter->key.kind, waiter->key.namespace, waiter->key.name);
    drop_waiters(inventory);
}

void inventory_pause(struct inventory *inventory, int64_t until_ms)
{
    if (until_ms > inventory->project->paused_until_ms)
        inventory->project->paused_until_ms = until_ms;
}

int64_t inventory_paused_until_ms(const struct inventory *inventory)
{
    return inventory->project->paused_until_ms;
}
