/* Entries are grouped by UID when a list comes, so that a decision sees only its own. A revoked
 * credential may be listed for a while (lists lag): whoever revoked it remembers that. */
#include "operator/inventories.h"

#include <string.h>

#include "base/backoff.h"
#include "reconcile/limiter.h"

#define uthash_malloc(size) mem_alloc(size)
#define uthash_free(block, size) mem_free(block)
#include <uthash.h>

struct group { /* the entries of one resource */
    char *uid;
    struct inventory_entry *entries;
    size_t count;
    UT_hash_handle hh;
};

struct waiter {
    struct queue_key key;
    struct waiter *next;
};

struct project { /* as one admin Secret sees it */
    char *key;
    int64_t paused_until_ms;
    struct limit mint_limit; /* grows with the resources, and stays when they go */
    int64_t mint_stamp_ms;
    UT_hash_handle hh;
};

struct listed_id { /* borrows the id of an entry */
    const char *id;
    UT_hash_handle hh;
};

struct inventory {
    char *key;
    struct project *project;
    const struct inventories *owner;
    struct deepgram_list list; /* owns the strings that groups point at */
    struct group *groups;
    struct listed_id *ids; /* by id */
    struct waiter *waiters;
    bool under_way;
    int64_t listed_at_ms;
    int64_t blocked_until_ms;
    unsigned failures;
    UT_hash_handle hh;
};

struct inventories {
    struct inventory *all;
    struct project *projects;
    int64_t interval_ms;
};

static const struct backoff_policy RETRY = { .floor_ms = 1000, .cap_ms = 300 * 1000 };

struct inventories *inventories_new(int64_t interval_ms)
{
    struct inventories *inventories = mem_alloc(sizeof *inventories);
    inventories->interval_ms = interval_ms;
    return inventories;
}

static void drop_groups(struct inventory *inventory)
{
    struct group *group = NULL;
    struct group *next = NULL;
    HASH_ITER(hh, inventory->groups, group, next) {
        HASH_DEL(inventory->groups, group);
        mem_free(group->uid);
        mem_free(group->entries);
        mem_free(group);
    }
    struct listed_id *listed = NULL;
    struct listed_id *next_listed = NULL;
    HASH_ITER(hh, inventory->ids, listed, next_listed) {
        HASH_DEL(inventory->ids, listed);
        mem_free(listed);
    }
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
    struct inventory *inventory = NULL;
    struct inventory *next = NULL;
    HASH_ITER(hh, inventories->all, inventory, next) {
        HASH_DEL(inventories->all, inventory);
        drop_groups(inventory);
        drop_waiters(inventory);
        deepgram_list_done(&inventory->list);
        mem_free(inventory->key);
        mem_free(inventory);
    }
    struct project *project = NULL;
    struct project *next_project = NULL;
    HASH_ITER(hh, inventories->projects, project, next_project) {
        HASH_DEL(inventories->projects, project);
        mem_free(project->key);
        mem_free(project);
    }
    mem_free(inventories);
}

static struct project *get_project(struct inventories *inventories, const char *key)
{
    struct project *project = NULL;
    HASH_FIND_STR(inventories->projects, key, project);
    if (project)
        return project;
    project = mem_alloc(sizeof *project);
    project->key = mem_strdup(key);
    HASH_ADD_KEYPTR(hh, inventories->projects, project->key, strlen(project->key), project);
    return project;
}

struct inventory *inventories_get(struct inventories *inventories, enum resource_kind kind,
                                  const char *project_id, const struct admin_view *admin)
{
    auto_free char *project_key =
        mem_printf("%s %s/%s %s", project_id, admin->namespace, admin->name, admin->key);
    auto_free char *key = mem_printf("%d %s", (int)kind, project_key);
    struct inventory *inventory = NULL;
    HASH_FIND_STR(inventories->all, key, inventory);
    if (inventory)
        return inventory;
    inventory = mem_alloc(sizeof *inventory);
    inventory->key = take(key);
    inventory->project = get_project(inventories, project_key);
    inventory->owner = inventories;
    inventory->listed_at_ms = NEVER;
    HASH_ADD_KEYPTR(hh, inventories->all, inventory->key, strlen(inventory->key), inventory);
    return inventory;
}

void inventory_view(const struct inventory *inventory, const char *uid,
                    struct inventory_view *ret_view)
{
    struct group *group = NULL;
    HASH_FIND_STR(inventory->groups, uid, group);
    *ret_view = (struct inventory_view){
        .listed_at_ms = inventory->listed_at_ms,
        .due_ms = inventory->listed_at_ms == NEVER
                      ? 0
                      : inventory->listed_at_ms + inventory->owner->interval_ms,
        .blocked_until_ms = inventory->blocked_until_ms,
        .entries = group ? group->entries : NULL,
        .count = group ? group->count : 0,
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

static void add_entry(struct inventory *inventory, const struct deepgram_entry *entry)
{
    struct group *group = NULL;
    HASH_FIND_STR(inventory->groups, entry->marker.uid, group);
    if (!group) {
        group = mem_alloc(sizeof *group);
        group->uid = mem_strdup(entry->marker.uid);
        HASH_ADD_KEYPTR(hh, inventory->groups, group->uid, strlen(group->uid), group);
    }
    group->entries = mem_realloc(group->entries, (group->count + 1) * sizeof group->entries[0]);
    group->entries[group->count++] = (struct inventory_entry){ .id = entry->id,
                                                               .revision = entry->marker.revision,
                                                               .nonce = entry->marker.nonce };
}

static void add_id(struct inventory *inventory, const char *id)
{
    if (inventory_lists(inventory, id))
        return;
    struct listed_id *listed = mem_alloc(sizeof *listed);
    listed->id = id;
    HASH_ADD_KEYPTR(hh, inventory->ids, id, strlen(id), listed);
}

bool inventory_lists(const struct inventory *inventory, const char *id)
{
    struct listed_id *listed = NULL;
    HASH_FIND_STR(inventory->ids, id, listed);
    return listed != NULL;
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
    drop_groups(inventory);
    deepgram_list_done(&inventory->list);
    inventory->list = *list;
    *list = (struct deepgram_list){ 0 };
    for (size_t i = 0; i < inventory->list.count; i++) {
        add_entry(inventory, &inventory->list.entries[i]);
        add_id(inventory, inventory->list.entries[i].id);
    }
    inventory->listed_at_ms = sent_ms;
    inventory->blocked_until_ms = 0;
    inventory->failures = 0;
}

void inventory_fail(struct inventory *inventory, int64_t now_ms, uint64_t random)
{
    inventory->failures++;
    inventory->blocked_until_ms = now_ms + backoff_delay_ms(RETRY, inventory->failures, random);
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
