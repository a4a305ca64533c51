/* The cache of one resource type: objects by namespace/name as compact JSON text, with secondary
 * indexes. Pure.
 *
 * What is kept is up to `trim`, which reduces an object to what decisions need; so the memory per
 * foreign Secret is its name and a resourceVersion. Texts are parsed when somebody looks; some of
 * the latest objects are kept parsed as well, so that looking again costs nothing.
 *
 * Read your own writes: store_put_written() puts the answer of a write in at once; older versions
 * that the watch still delivers are ignored, and so is an answer that the watch has overtaken.
 * "Older" is what the API server defines for versions of one resource type (KEP-5504): decimal
 * integers of any length; versions that aren't decimal are only compared for equality.
 */
#ifndef KUBE_STORE_H
#define KUBE_STORE_H

#include <cjson/cJSON.h>
#include <stddef.h>
#include <stdint.h>

#include "base/mem.h"

struct store;

enum { STORE_INDEX_KEYS_MAX = 256 };

/* Reduces *object in place to what is kept (may replace it). Key, uid and resourceVersion have been
 * read before and needn't be kept. */
typedef void store_trim_fn(cJSON *object);
/* Fills in up to STORE_INDEX_KEYS_MAX different keys (mem_alloc'ed) under which the trimmed object
 * is found; returns how many. */
typedef size_t store_index_fn(const cJSON *object, char *ret_keys[STORE_INDEX_KEYS_MAX]);
/* Called after each change with the old and the new trimmed object (one of them may be NULL). Must
 * not change the store. */
typedef void store_change_fn(void *context, const cJSON *before, const cJSON *after);

/* Each function may be NULL: keep everything, no index, tell nobody. */
NODISCARD struct store *store_new(store_trim_fn *trim, store_index_fn *index,
                                  store_change_fn *change, void *context);
void store_free(struct store *store);

/* From the watch or a list. The object is consumed; one without a name is dropped. An equal or an
 * older resourceVersion changes nothing and notifies nobody. */
void store_put(struct store *store, cJSON *object);
/* The object of a DELETED event, with the version of the deletion. Ignored when what is stored is
 * newer (created again by us). */
void store_remove(struct store *store, const cJSON *object);
/* From the answer of our own write or read; consumed. One that came so late that the watch has
 * shown the object and its deletion meanwhile is dropped. */
void store_put_written(struct store *store, cJSON *object);
/* Our own DELETE, or the update that took the last finalizer off, was answered "gone". Nothing of
 * this uid comes back through a watch that is behind; another uid of that name is left alone. */
void store_remove_written(struct store *store, const char *namespace, const char *name,
                          const char *uid);

/* A complete list: store_replace_begin(), store_put() for each, store_replace_end() with the list's
 * resourceVersion removes what was neither put in between nor written by us later than the list
 * (with notifications). The list is believed even where it is older than the store (etcd was
 * restored), but for what was written since the begin. scope NULL = the whole store, else the
 * namespace that was listed. A begin without an end leaves everything in place. */
void store_replace_begin(struct store *store, const char *scope);
void store_replace_end(struct store *store, const char *scope, const char *resource_version);

/* A share of the parsed object (base/shared_json.h: the caller drops it) or NULL. It stays as it
 * is, whatever becomes of the store. */
NODISCARD const cJSON *store_get(const struct store *store, const char *namespace,
                                 const char *name);
/* All objects with that index key, in no particular order: calls fn with the object, borrowed; fn
 * may take a share of it. fn must not change the store. */
typedef void store_visit_fn(void *context, const cJSON *object);
void store_visit(const struct store *store, const char *index_key, store_visit_fn *fn,
                 void *context);
/* Is there one of them for which the test holds? */
typedef bool store_test_fn(const void *context, const cJSON *object);
NODISCARD bool store_any(const struct store *store, const char *index_key, store_test_fn *test,
                         const void *context);
/* store_visit() without a look at the objects; namespace is "" for those that have none. */
typedef void store_name_fn(void *context, const char *namespace, const char *name);
void store_visit_names(const struct store *store, const char *index_key, store_name_fn *fn,
                       void *context);
void store_visit_all_names(const struct store *store, store_name_fn *fn, void *context);
size_t store_count(const struct store *store);
/* The fingerprints (base/fingerprint.h) of the uids of all objects that aren't in this namespace,
 * in ascending order; the caller frees them. */
NODISCARD uint64_t *store_uids_outside(const struct store *store, const char *namespace,
                                       size_t *ret_count);

#endif
