/* One block per object (key, version and text behind the hash handle), because most objects are
 * other people's Secrets of which little more than the name is kept. A change makes a new entry:
 * the sizes differ anyway.
 *
 * An object that we deleted leaves a tombstone, so that an older event in flight doesn't bring it
 * back; it goes with its DELETED event or with the next complete list. The other way round, an
 * answer of ours may come after somebody else's deletion was told, and would stay for ever: what is
 * older than that and isn't there is gone. */
#include "kube/store.h"

#include <stdint.h>
#include <string.h>

#include "base/json.h"
#include "base/shared_json.h"
#include "kube/phrases.h"

#define uthash_malloc(size) mem_alloc(size)
#define uthash_free(block, size) mem_free(block)
#include <uthash.h>
#include <utlist.h>

/* Each of the passes that there may be at the same time, with its revision and its target. */
enum { PARSED_MAX = 128 };

enum standing {
    STALE,   /* from before the list that is under way, and not in it so far */
    SEEN,    /* told by the watch or the list */
    WRITTEN, /* told by the answer of a write of ours */
};

struct link { /* an entry's place in the bucket of one index key */
    struct bucket *bucket;
    struct entry *entry;
    struct link *prev;
    struct link *next;
};

struct bucket { /* exists as long as something is in it */
    UT_hash_handle hh;
    struct link *links;
    size_t count;
    char key[];
};

struct entry {
    UT_hash_handle hh;
    const cJSON *parsed; /* our share, of what was looked at lately; else NULL */
    struct entry *prev;  /* among those */
    struct entry *next;
    struct link *links; /* array, NULL when not indexed */
    size_t link_count;
    uint64_t uid_hash;
    enum standing standing;
    bool tombstone;
    const char *version; /* both point behind the key */
    const char *text;    /* shortened */
    char key[];          /* "namespace/name" */
};

struct lately { /* the entries that are kept parsed, the latest first */
    struct entry *entries;
    size_t count;
};

struct reached { /* how far the watch is in one namespace, as deletions show it */
    UT_hash_handle hh;
    char *version;
    char namespace[];
};

struct store {
    store_trim_fn *trim;
    store_index_fn *index;
    store_change_fn *change;
    void *context;
    struct entry *entries;
    struct bucket *buckets;
    struct lately *lately;
    struct reached *reached; /* by namespace */
    char *listed;            /* version of the last list of all; NULL: none */
    size_t count;            /* without tombstones */
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

/* FNV-1a; tells two objects of one name apart in 8 bytes. */
static uint64_t hash_uid(const char *uid)
{
    uint64_t hash = 0xcbf29ce484222325u;
    for (const char *p = uid ? uid : ""; *p; p++)
        hash = (hash ^ (unsigned char)*p) * 0x100000001b3u;
    return hash;
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

static struct entry *find(const struct store *store, const char *key)
{
    struct entry *entry = NULL;
    HASH_FIND_STR(store->entries, key, entry);
    return entry;
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
    return strncmp(entry->key, scope, length) == 0 && entry->key[length] == '/';
}

/* ---- how far the watch is ---- */

static const char *namespace_of(const cJSON *object)
{
    const char *namespace = json_string_at(object, "metadata.namespace");
    return namespace ? namespace : "";
}

static void note_reached(struct store *store, const char *namespace, const char *version)
{
    struct reached *reached = NULL;
    HASH_FIND_STR(store->reached, namespace, reached);
    if (!reached) {
        size_t size = strlen(namespace) + 1;
        reached = mem_alloc(sizeof *reached + size);
        memcpy(reached->namespace, namespace, size);
        HASH_ADD_STR(store->reached, namespace, reached);
    }
    mem_replace(&reached->version, version);
}

static void forget_reached(struct store *store)
{
    struct reached *reached = NULL;
    struct reached *next = NULL;
    HASH_ITER(hh, store->reached, reached, next) {
        HASH_DEL(store->reached, reached);
        mem_free(reached->version);
        mem_free(reached);
    }
}

/* Whatever had this version has been shown since. */
static bool is_overtaken(const struct store *store, const cJSON *object)
{
    const char *version = version_of(object);
    struct reached *reached = NULL;
    HASH_FIND_STR(store->reached, namespace_of(object), reached);
    return (reached && is_older(version, reached->version)) ||
           (store->listed && is_older(version, store->listed));
}

/* ---- secondary indexes ---- */

static struct bucket *find_bucket(const struct store *store, const char *key)
{
    struct bucket *bucket = NULL;
    HASH_FIND_STR(store->buckets, key, bucket);
    return bucket;
}

static struct bucket *need_bucket(struct store *store, const char *key)
{
    struct bucket *bucket = find_bucket(store, key);
    if (bucket)
        return bucket;
    size_t size = strlen(key) + 1;
    bucket = mem_alloc(sizeof *bucket + size);
    memcpy(bucket->key, key, size);
    HASH_ADD_STR(store->buckets, key, bucket);
    return bucket;
}

static void index_entry(struct store *store, struct entry *entry, const cJSON *object)
{
    char *keys[STORE_INDEX_KEYS_MAX] = { 0 };
    size_t count = store->index ? store->index(object, keys) : 0;
    if (count == 0)
        return;
    entry->links = mem_calloc(count, sizeof *entry->links);
    entry->link_count = count;
    for (size_t i = 0; i < count; i++) {
        struct bucket *bucket = need_bucket(store, keys[i]);
        entry->links[i] = (struct link){ .bucket = bucket, .entry = entry };
        DL_APPEND(bucket->links, &entry->links[i]);
        bucket->count++;
        mem_free(keys[i]);
    }
}

static void unindex_entry(struct store *store, struct entry *entry)
{
    for (size_t i = 0; i < entry->link_count; i++) {
        struct bucket *bucket = entry->links[i].bucket;
        DL_DELETE(bucket->links, &entry->links[i]);
        if (--bucket->count == 0) {
            HASH_DEL(store->buckets, bucket);
            mem_free(bucket);
        }
    }
    mem_free(entry->links);
}

/* ---- parsed objects ---- */

static void forget_parsed(struct lately *lately, struct entry *entry)
{
    if (!entry->parsed)
        return;
    DL_DELETE(lately->entries, entry);
    lately->count--;
    shared_json_drop(take(entry->parsed));
}

/* Takes the share over. */
static void keep_parsed(struct lately *lately, struct entry *entry, const cJSON *parsed)
{
    entry->parsed = parsed;
    DL_PREPEND(lately->entries, entry);
    if (++lately->count > PARSED_MAX)
        forget_parsed(lately, lately->entries->prev);
}

/* A share for the caller. */
static const cJSON *entry_look(const struct entry *entry)
{
    if (entry->parsed)
        return shared_json_hold(entry->parsed);
    auto_free char *text = phrases_restore(entry->text);
    return shared_json_new(json_parse(text, strlen(text)));
}

/* ---- entries ---- */

static struct entry *entry_new(const char *key, const char *version, const char *text)
{
    size_t key_size = strlen(key) + 1;
    size_t version_size = strlen(version) + 1;
    size_t text_size = strlen(text) + 1;
    struct entry *entry = mem_alloc(sizeof *entry + key_size + version_size + text_size);
    char *end = entry->key;
    memcpy(end, key, key_size);
    entry->version = memcpy(end + key_size, version, version_size);
    entry->text = memcpy(end + key_size + version_size, text, text_size);
    return entry;
}

static void insert(struct store *store, struct entry *entry)
{
    HASH_ADD_STR(store->entries, key, entry);
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
    HASH_DEL(store->entries, entry);
    mem_free(entry);
}

/* The trimmed object for `change`; NULL when there was none or nobody listens. */
static const cJSON *picture(const struct store *store, const struct entry *entry)
{
    return store->change && entry && !entry->tombstone ? entry_look(entry) : NULL;
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
    uint64_t uid_hash = hash_uid(json_string_at(object, "metadata.uid"));
    if (store->trim)
        store->trim(object);
    auto_free char *printed = json_print(object);
    auto_free char *text = phrases_shorten(printed);

    discard(store, old);
    struct entry *entry = entry_new(key, version, text);
    entry->uid_hash = uid_hash;
    entry->standing = standing;
    insert(store, entry);
    index_entry(store, entry, object);
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
               entry->uid_hash == hash_uid(json_string_at(object, "metadata.uid"));
    const char *version = version_of(object);
    if (strcmp(version, entry->version) == 0)
        return version[0] != '\0';
    return entry->standing != STALE && is_older(version, entry->version);
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
        entry->standing = standing;
}

static void tell_name(const struct entry *entry, store_name_fn *fn, void *context)
{
    const char *name = strchr(entry->key, '/') + 1;
    auto_free char *namespace = mem_strndup(entry->key, (size_t)(name - 1 - entry->key));
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
        .lately = mem_alloc(sizeof(struct lately)),
    };
    return store;
}

void store_free(struct store *store)
{
    if (!store)
        return;
    struct entry *entry = NULL;
    struct entry *next = NULL;
    HASH_ITER(hh, store->entries, entry, next)
        discard(store, entry);
    mem_free(store->lately);
    forget_reached(store);
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
                      is_older(version_of(object), entry->version);
    if (!superseded)
        remove_entry(store, entry);
}

void store_remove_written(struct store *store, const char *namespace, const char *name,
                          const char *uid)
{
    auto_free char *key = make_key(namespace, name);
    struct entry *entry = find(store, key);
    if (!entry || entry->tombstone || entry->uid_hash != hash_uid(uid))
        return;
    remove_entry(store, entry);
    struct entry *tombstone = entry_new(key, "", "");
    tombstone->uid_hash = hash_uid(uid);
    tombstone->standing = WRITTEN;
    tombstone->tombstone = true;
    insert(store, tombstone);
}

void store_replace_begin(struct store *store, const char *scope)
{
    for (struct entry *entry = store->entries; entry; entry = entry->hh.next)
        if (in_scope(entry, scope))
            entry->standing = STALE;
}

/* A tombstone that the list still showed will get its DELETED event; any other is of no use (its
 * version is empty, so it is never newer). */
static bool outlasts(const struct entry *entry, const char *list_version)
{
    if (entry->standing == SEEN)
        return true;
    return entry->standing == WRITTEN && is_older(list_version, entry->version);
}

void store_replace_end(struct store *store, const char *scope, const char *resource_version)
{
    if (scope) {
        note_reached(store, scope, resource_version);
    } else {
        forget_reached(store);
        mem_replace(&store->listed, resource_version);
    }
    struct entry *entry = NULL;
    struct entry *next = NULL;
    HASH_ITER(hh, store->entries, entry, next)
        if (in_scope(entry, scope) && !outlasts(entry, resource_version))
            remove_entry(store, entry);
}

const cJSON *store_get(const struct store *store, const char *namespace, const char *name)
{
    auto_free char *key = make_key(namespace, name);
    struct entry *entry = find(store, key);
    if (!entry || entry->tombstone)
        return NULL;
    const cJSON *object = entry_look(entry);
    if (!entry->parsed)
        keep_parsed(store->lately, entry, shared_json_hold(object));
    return object;
}

void store_visit(const struct store *store, const char *index_key, store_visit_fn *fn,
                 void *context)
{
    const struct bucket *bucket = find_bucket(store, index_key);
    for (const struct link *link = bucket ? bucket->links : NULL; link; link = link->next) {
        auto_shared_json const cJSON *object = entry_look(link->entry);
        fn(context, object);
    }
}

void store_visit_names(const struct store *store, const char *index_key, store_name_fn *fn,
                       void *context)
{
    const struct bucket *bucket = find_bucket(store, index_key);
    for (const struct link *link = bucket ? bucket->links : NULL; link; link = link->next)
        tell_name(link->entry, fn, context);
}

void store_visit_all_names(const struct store *store, store_name_fn *fn, void *context)
{
    for (const struct entry *entry = store->entries; entry; entry = entry->hh.next)
        if (!entry->tombstone)
            tell_name(entry, fn, context);
}

void store_visit_all(const struct store *store, store_visit_fn *fn, void *context)
{
    for (const struct entry *entry = store->entries; entry; entry = entry->hh.next) {
        if (entry->tombstone)
            continue;
        auto_shared_json const cJSON *object = entry_look(entry);
        fn(context, object);
    }
}

size_t store_count(const struct store *store)
{
    return store->count;
}

size_t store_count_key(const struct store *store, const char *index_key)
{
    const struct bucket *bucket = find_bucket(store, index_key);
    return bucket ? bucket->count : 0;
}
