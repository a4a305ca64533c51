/* One block per object (with all texts, and its places in the indexes), because most objects are
 * other people's Secrets of which little more than the name is kept. A change makes a new entry:
 * the sizes differ anyway.
 *
 * An object that we deleted leaves a tombstone, so that an older event in flight doesn't bring it
 * back; it goes with its DELETED event or with the next complete list. The other way round, an
 * answer of ours may come after somebody else's deletion was told, and would stay for ever: what is
 * older than that and isn't there is gone. */
#include "kube/store.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/fingerprint.h"
#include "base/json.h"
#include "base/shared_json.h"
#include "base/table.h"
#include "kube/phrases.h"

/* Each of the passes that there usually are at the same time, with its revision and its target. */
enum { PARSED_MAX = 80 };

enum standing {
    STALE,   /* from before the list that is under way, and not in it so far */
    SEEN,    /* told by the watch or the list */
    WRITTEN, /* told by the answer of a write of ours */
};

struct link { /* an entry's place in the ring of those with the same index key */
    struct entry *entry;
    struct link *prev;
    struct link *next;
    const char *key; /* in the entry */
};

struct entry {
    uint64_t uid_fingerprint;
    uint16_t link_count;
    uint8_t standing; /* enum standing */
    bool tombstone;
    uint8_t parsed; /* place in `lately` plus one, when it was looked at lately; 0: not there */
    struct link links[];
    /* and behind them one after the other: "namespace/name", the version, the shortened text, and
     * the index keys */
};

struct parsed {
    struct entry *entry; /* NULL: unused */
    const cJSON *object; /* our share */
};

struct lately { /* what is kept parsed; the oldest is replaced first */
    struct parsed parsed[PARSED_MAX];
    size_t next;
};

struct reached { /* how far the watch is in one namespace, as deletions show it */
    char *version;
    char namespace[];
};

struct store {
    store_trim_fn *trim;
    store_index_fn *index;
    store_change_fn *change;
    void *context;
    struct table entries;
    struct table links; /* one of each ring */
    struct table reached;
    struct phrases *phrases;
    struct lately *lately;
    char *listed; /* version of the last list of all; NULL: none */
    size_t count; /* without tombstones */
};

/* ---- versions and keys ---- */

static bool is_decimal(const char *version)
{
    return version[0] >= '1' && version[0] <= '9' &&
           strspn(version, "0123456789") == strlen(version);
}

static bool is_older(const char *version, const char *than)
{
    if (!is_decimal(version) || !is_decimal(than))
        return false;
    size_t length = strlen(version);
    size_t other = strlen(than);
    return length != other ? length < other : strcmp(version, than) < 0;
}

static char *make_key(const char *namespace, const char *name)
{
    return mem_printf("%s/%s", namespace ? namespace : "", name);
}

static const char *version_of(const cJSON *object)
{
    const char *version = json_string_at(object, "metadata.resourceVersion");
    return version ? version : "";
}

static const char *key_of(const void *entry)
{
    const struct entry *of = entry;
    return (const char *)(of->links + of->link_count);
}

static const char *behind(const char *text)
{
    return text + strlen(text) + 1;
}

static const char *entry_version(const struct entry *entry)
{
    return behind(key_of(entry));
}

static const char *entry_text(const struct entry *entry)
{
    return behind(entry_version(entry));
}

static struct entry *find(const struct store *store, const char *key)
{
    return table_find(&store->entries, key);
}

static struct entry *find_object(const struct store *store, const cJSON *object)
{
    const char *name = json_string_at(object, "metadata.name");
    if (!name)
        return NULL;
    auto_free char *key = make_key(json_string_at(object, "metadata.namespace"), name);
    return find(store, key);
}

static bool in_scope(const struct entry *entry, const char *scope)
{
    if (!scope)
        return true;
    size_t length = strlen(scope);
    const char *key = key_of(entry);
    return strncmp(key, scope, length) == 0 && key[length] == '/';
}

/* ---- how far the watch is ---- */

static const char *namespace_of(const cJSON *object)
{
    const char *namespace = json_string_at(object, "metadata.namespace");
    return namespace ? namespace : "";
}

static const char *reached_namespace(const void *reached)
{
    return ((const struct reached *)reached)->namespace;
}

static void note_reached(struct store *store, const char *namespace, const char *version)
{
    struct reached *reached = table_find(&store->reached, namespace);
    if (!reached) {
        size_t size = strlen(namespace) + 1;
        reached = mem_alloc(sizeof *reached + size);
        memcpy(reached->namespace, namespace, size);
        table_add(&store->reached, reached);
    }
    mem_replace(&reached->version, version);
}

static void forget_reached(struct store *store)
{
    struct table_walk walk = { 0 };
    for (struct reached *reached; (reached = table_next(&store->reached, &walk)) != NULL;) {
        mem_free(reached->version);
        mem_free(reached);
    }
    table_done(&store->reached);
}

/* Whatever had this version has been shown since. */
static bool is_overtaken(const struct store *store, const cJSON *object)
{
    const char *version = version_of(object);
    const struct reached *reached = table_find(&store->reached, namespace_of(object));
    return (reached && is_older(version, reached->version)) ||
           (store->listed && is_older(version, store->listed));
}

/* ---- secondary indexes ---- */

static const char *link_key(const void *link)
{
    return ((const struct link *)link)->key;
}

static void index_entry(struct store *store, struct entry *entry)
{
    for (size_t i = 0; i < entry->link_count; i++) {
        struct link *link = &entry->links[i];
        struct link *first = table_find(&store->links, link->key);
        link->next = first ? first : link;
        link->prev = first ? first->prev : link;
        link->next->prev = link->prev->next = link;
        if (!first)
            table_add(&store->links, link);
    }
}

static void unindex_entry(struct store *store, struct entry *entry)
{
    for (size_t i = 0; i < entry->link_count; i++) {
        struct link *link = &entry->links[i];
        bool first = table_find(&store->links, link->key) == link;
        if (first)
            table_remove(&store->links, link);
        if (first && link->next != link)
            table_add(&store->links, link->next);
        link->next->prev = link->prev;
        link->prev->next = link->next;
    }
}

/* Visits the ring of that key in the order in which they came. */
static const struct link *next_link(const struct link *first, const struct link *link)
{
    return link->next != first ? link->next : NULL;
}

/* ---- parsed objects ---- */

static void forget_parsed(struct lately *lately, struct entry *entry)
{
    if (entry->parsed == 0)
        return;
    struct parsed *parsed = &lately->parsed[entry->parsed - 1];
    shared_json_drop(parsed->object);
    *parsed = (struct parsed){ 0 };
    entry->parsed = 0;
}

/* Takes the share over. */
static void keep_parsed(struct lately *lately, struct entry *entry, const cJSON *object)
{
    struct parsed *parsed = &lately->parsed[lately->next];
    if (parsed->entry)
        forget_parsed(lately, parsed->entry);
    *parsed = (struct parsed){ .entry = entry, .object = object };
    lately->next = (lately->next + 1) % PARSED_MAX;
    entry->parsed = (uint8_t)(parsed - lately->parsed + 1);
}

/* A share for the caller. */
static const cJSON *look(const struct store *store, const struct entry *entry)
{
    if (entry->parsed != 0)
        return shared_json_hold(store->lately->parsed[entry->parsed - 1].object);
    auto_free char *text = phrases_restore(entry_text(entry));
    return shared_json_new(json_parse(text, strlen(text)));
}

/* ---- entries ---- */

static char *append(char *end, const char *text)
{
    return stpcpy(end, text) + 1;
}

static struct entry *entry_new(const char *key, const char *version, const char *text,
                               char *const *index_keys, size_t index_count)
{
    size_t size = strlen(key) + strlen(version) + strlen(text) + 3;
    for (size_t i = 0; i < index_count; i++)
        size += strlen(index_keys[i]) + 1;
    struct entry *entry = mem_alloc(sizeof *entry + index_count * sizeof(struct link) + size);
    entry->link_count = (uint16_t)index_count;
    char *end = (char *)(entry->links + index_count);
    end = append(append(append(end, key), version), text);
    for (size_t i = 0; i < index_count; i++) {
        entry->links[i] = (struct link){ .entry = entry, .key = end };
        end = append(end, index_keys[i]);
    }
    return entry;
}

static void insert(struct store *store, struct entry *entry)
{
    table_add(&store->entries, entry);
    index_entry(store, entry);
    if (!entry->tombstone)
        store->count++;
}

static void discard(struct store *store, struct entry *entry)
{
    if (!entry)
        return;
    if (!entry->tombstone)
        store->count--;
    unindex_entry(store, entry);
    forget_parsed(store->lately, entry);
    table_remove(&store->entries, entry);
    mem_free(entry);
}

/* The trimmed object for `change`; NULL when there was none or nobody listens. */
static const cJSON *picture(const struct store *store, const struct entry *entry)
{
    return store->change && entry && !entry->tombstone ? look(store, entry) : NULL;
}

static void remove_entry(struct store *store, struct entry *entry)
{
    auto_shared_json const cJSON *before = picture(store, entry);
    discard(store, entry);
    if (before)
        store->change(store->context, before, NULL);
}

/* Consumes the object. */
static void replace_entry(struct store *store, struct entry *old, cJSON *object,
                          enum standing standing)
{
    auto_shared_json const cJSON *before = picture(store, old);
    auto_free char *key = make_key(json_string_at(object, "metadata.namespace"),
                                   json_string_at(object, "metadata.name"));
    auto_free char *version = mem_strdup(version_of(object));
    uint64_t uid_fingerprint = fingerprint(json_string_at(object, "metadata.uid"));
    if (store->trim)
        store->trim(object);
    auto_free char *printed = json_print(object);
    auto_free char *text = phrases_shorten(store->phrases, printed);

    char *index_keys[STORE_INDEX_KEYS_MAX] = { 0 };
    size_t index_count = store->index ? store->index(object, index_keys) : 0;

    discard(store, old);
    struct entry *entry = entry_new(key, version, text, index_keys, index_count);
    entry->uid_fingerprint = uid_fingerprint;
    entry->standing = (uint8_t)standing;
    insert(store, entry);
    for (size_t i = 0; i < index_count; i++)
        mem_free(index_keys[i]);
    auto_shared_json const cJSON *after = shared_json_new(object);
    keep_parsed(store->lately, entry, shared_json_hold(after));
    if (store->change)
        store->change(store->context, before, after);
}

/* True when the object is no news for what is stored under its name. */
static bool is_known(const struct entry *entry, const cJSON *object)
{
    if (entry->tombstone)
        return entry->standing != STALE &&
               entry->uid_fingerprint == fingerprint(json_string_at(object, "metadata.uid"));
    const char *version = version_of(object);
    if (strcmp(version, entry_version(entry)) == 0)
        return version[0] != '\0';
    return entry->standing != STALE && is_older(version, entry_version(entry));
}

static void put(struct store *store, cJSON *object, enum standing standing)
{
    auto_json cJSON *owned = object;
    if (!json_string_at(object, "metadata.name"))
        return;
    struct entry *entry = find_object(store, object);
    if (standing == WRITTEN && (!entry || entry->tombstone) && is_overtaken(store, object))
        return;
    if (!entry || !is_known(entry, object))
        replace_entry(store, entry, take(owned), standing);
    else if (standing == SEEN || entry->standing == STALE)
        entry->standing = (uint8_t)standing;
}

static void tell_name(const struct entry *entry, store_name_fn *fn, void *context)
{
    const char *key = key_of(entry);
    const char *name = strchr(key, '/') + 1;
    auto_free char *namespace = mem_strndup(key, (size_t)(name - 1 - key));
    fn(context, namespace, name);
}

/* ---- the interface ---- */

struct store *store_new(store_trim_fn *trim, store_index_fn *index, store_change_fn *change,
                        void *context)
{
    struct store *store = mem_alloc(sizeof *store);
    *store = (struct store){
        .trim = trim,
        .index = index,
        .change = change,
        .context = context,
        .entries.key = key_of,
        .links.key = link_key,
        .reached.key = reached_namespace,
        .phrases = phrases_new(),
        .lately = mem_alloc(sizeof(struct lately)),
    };
    return store;
}

void store_free(struct store *store)
{
    if (!store)
        return;
    struct table_walk walk = { 0 };
    for (struct entry *entry; (entry = table_next(&store->entries, &walk)) != NULL;)
        discard(store, entry);
    forget_reached(store);
    table_done(&store->entries);
    table_done(&store->links);
    phrases_free(store->phrases);
    mem_free(store->lately);
    mem_free(store->listed);
    mem_free(store);
}

void store_put(struct store *store, cJSON *object)
{
    put(store, object, SEEN);
}

void store_put_written(struct store *store, cJSON *object)
{
    put(store, object, WRITTEN);
}

void store_remove(struct store *store, const cJSON *object)
{
    note_reached(store, namespace_of(object), version_of(object));
    struct entry *entry = find_object(store, object);
    if (!entry)
        return;
    bool superseded = !entry->tombstone && entry->standing != STALE &&
                      is_older(version_of(object), entry_version(entry));
    if (!superseded)
        remove_entry(store, entry);
}

void store_remove_written(struct store *store, const char *namespace, const char *name,
                          const char *uid)
{
    auto_free char *key = make_key(namespace, name);
    struct entry *entry = find(store, key);
    if (!entry || entry->tombstone || entry->uid_fingerprint != fingerprint(uid))
        return;
    remove_entry(store, entry);
    struct entry *tombstone = entry_new(key, "", "", NULL, 0);
    tombstone->uid_fingerprint = fingerprint(uid);
    tombstone->standing = WRITTEN;
    tombstone->tombstone = true;
    insert(store, tombstone);
}

void store_replace_begin(struct store *store, const char *scope)
{
    struct table_walk walk = { 0 };
    for (struct entry *entry; (entry = table_next(&store->entries, &walk)) != NULL;)
        if (in_scope(entry, scope))
            entry->standing = STALE;
}

/* A tombstone that the list still showed will get its DELETED event; any other is of no use (its
 * version is empty, so it is never newer). */
static bool outlasts(const struct entry *entry, const char *list_version)
{
    if (entry->standing == SEEN)
        return true;
    return entry->standing == WRITTEN && is_older(list_version, entry_version(entry));
}

void store_replace_end(struct store *store, const char *scope, const char *resource_version)
{
    if (scope) {
        note_reached(store, scope, resource_version);
    } else {
        forget_reached(store);
        mem_replace(&store->listed, resource_version);
    }
    struct table_walk walk = { 0 };
    for (struct entry *entry; (entry = table_next(&store->entries, &walk)) != NULL;)
        if (in_scope(entry, scope) && !outlasts(entry, resource_version))
            remove_entry(store, entry);
}

const cJSON *store_get(const struct store *store, const char *namespace, const char *name)
{
    auto_free char *key = make_key(namespace, name);
    struct entry *entry = find(store, key);
    if (!entry || entry->tombstone)
        return NULL;
    const cJSON *object = look(store, entry);
    if (entry->parsed == 0)
        keep_parsed(store->lately, entry, shared_json_hold(object));
    return object;
}

void store_visit(const struct store *store, const char *index_key, store_visit_fn *fn,
                 void *context)
{
    const struct link *first = table_find(&store->links, index_key);
    for (const struct link *link = first; link; link = next_link(first, link)) {
        auto_shared_json const cJSON *object = look(store, link->entry);
        fn(context, object);
    }
}

bool store_any(const struct store *store, const char *index_key, store_test_fn *test,
               const void *context)
{
    const struct link *first = table_find(&store->links, index_key);
    for (const struct link *link = first; link; link = next_link(first, link)) {
        auto_shared_json const cJSON *object = look(store, link->entry);
        if (test(context, object))
            return true;
    }
    return false;
}

void store_visit_names(const struct store *store, const char *index_key, store_name_fn *fn,
                       void *context)
{
    const struct link *first = table_find(&store->links, index_key);
    for (const struct link *link = first; link; link = next_link(first, link))
        tell_name(link->entry, fn, context);
}

void store_visit_all_names(const struct store *store, store_name_fn *fn, void *context)
{
    struct table_walk walk = { 0 };
    for (const struct entry *entry; (entry = table_next(&store->entries, &walk)) != NULL;)
        if (!entry->tombstone)
            tell_name(entry, fn, context);
}

size_t store_count(const struct store *store)
{
    return store->count;
}

uint64_t *store_uids_outside(const struct store *store, const char *namespace, size_t *ret_count)
{
    uint64_t *uids = mem_calloc(store->count + 1, sizeof uids[0]);
    size_t count = 0;
    struct table_walk walk = { 0 };
    for (const struct entry *entry; (entry = table_next(&store->entries, &walk)) != NULL;)
        if (!entry->tombstone && !in_scope(entry, namespace))
            uids[count++] = entry->uid_fingerprint;
    qsort(uids, count, sizeof uids[0], fingerprint_order);
    *ret_count = count;
    return uids;
}
