/* A mark too many holds up a namespace; a mark too few leaves credentials that nobody can revoke.
 * So the cache is only believed when it says "needed". */
#include "operator/admin_mark.h"

#include "api/attempt.h"
#include "api/canonical.h"
#include "api/resource.h"
#include "base/json.h"
#include "base/shared_json.h"
#include "base/log.h"
#include "operator/gather.h"

enum { RETRY_MS = 5 * 1000, LOOK_AGAIN_MS = 30 * 1000 };

struct sweep {
    struct runtime *runtime;
    struct queue_key key;
    void (*ended)(void *context);
    void *ended_context;
    enum resource_kind kind; /* being looked at */
    bool deleting;           /* the Secret */
};

static void finish(struct sweep *sweep)
{
    queue_finish(sweep->runtime->queue, &sweep->key);
    queue_key_done(&sweep->key);
    void (*ended)(void *) = sweep->ended;
    void *context = sweep->ended_context;
    mem_free(sweep);
    ended(context);
}

static void try_later(struct sweep *sweep, const struct err *err)
{
    log_warn("mark on admin Secret not removed yet", "namespace", sweep->key.namespace, "name",
             sweep->key.name, "error", err->message, NULL);
    queue_add_after(sweep->runtime->queue, sweep->key.kind, sweep->key.namespace, sweep->key.name,
                    RETRY_MS);
    finish(sweep);
}

static bool is_noted(const cJSON *revisions, int64_t number)
{
    const cJSON *revision = NULL;
    cJSON_ArrayForEach(revision, revisions)
        if (json_int_at(revision, "revision", 0) == number)
            return true;
    return false;
}

/* An announcement stays after its revision came to be. */
static bool has_open_attempt(const cJSON *resource)
{
    auto_json cJSON *announced = resource_announcement(resource);
    struct attempt attempts[ATTEMPTS_MAX];
    size_t count = attempts_parse(announced, attempts);
    for (size_t i = 0; i < count; i++)
        if (!is_noted(json_at(resource, "status.revisions"), attempts[i].revision))
            return true;
    return false;
}

static bool holds_credential(const cJSON *resource)
{
    const cJSON *revision = NULL;
    cJSON_ArrayForEach(revision, json_at(resource, "status.revisions"))
        if (!mem_streq(json_string_member(revision, "state"), "Revoked"))
            return true;
    return has_open_attempt(resource);
}

/* Also a resource that has issued nothing yet: its pass may be about to. But nothing is issued with
 * a Secret that is being deleted, so then only what there is to revoke counts; also while somebody
 * has just taken off the resource's own finalizer. */
static bool needs(const cJSON *resource, const char *secret, bool secret_deleting)
{
    if (!mem_streq(json_string_at(resource, "spec.credentialsRef.name"), secret))
        return false;
    bool stays = canonical_contains(json_at(resource, "metadata.finalizers"), FINALIZER_REVOKE) ||
                 !json_at(resource, "metadata.deletionTimestamp");
    return stays && (!secret_deleting || holds_credential(resource));
}

/* ---- taking it off ---- */

static void unmarked(void *context, cJSON **object, const struct err *err)
{
    struct sweep *sweep = context;
    if (err && err->kind != ERR_NOT_FOUND) {
        try_later(sweep, err);
        return;
    }
    if (!err)
        store_put_written(sweep->runtime->caches->secrets, take(*object));
    finish(sweep);
}

static void unmark(struct sweep *sweep)
{
    auto_shared_json const cJSON *secret =
        store_get(sweep->runtime->caches->secrets, sweep->key.namespace, sweep->key.name);
    if (!secret || !runtime_may_write(sweep->runtime)) {
        finish(sweep);
        return;
    }
    auto_json cJSON *patch = cJSON_CreateObject();
    cJSON *metadata = json_add_object(patch, "metadata");
    json_add_string(metadata, "resourceVersion",
                    json_string_at(secret, "metadata.resourceVersion"));
    cJSON *kept = json_add_array(metadata, "finalizers");
    const cJSON *finalizer = NULL;
    cJSON_ArrayForEach(finalizer, json_at(secret, "metadata.finalizers"))
        if (!mem_streq(finalizer->valuestring, FINALIZER_IN_USE))
            cJSON_AddItemToArray(kept, cJSON_CreateString(finalizer->valuestring));
    kube_send(sweep->runtime->kube, &(struct kube_call){ .verb = KUBE_MERGE_PATCH,
                                                         .resource = &KUBE_SECRETS,
                                                         .namespace = sweep->key.namespace,
                                                         .name = sweep->key.name,
                                                         .body = patch,
                                                         .metadata_only = true,
                                                         .done = unmarked,
                                                         .context = sweep });
}

/* A Secret that is being deleted waits for its resources to let go, and no event of theirs leads
 * here. */
static void still_needed(struct sweep *sweep)
{
    if (sweep->deleting)
        queue_add_after(sweep->runtime->queue, sweep->key.kind, sweep->key.namespace,
                        sweep->key.name, LOOK_AGAIN_MS);
    finish(sweep);
}

/* ---- asking the API server ---- */

static void list_next(struct sweep *sweep);

static void listed(void *context, cJSON **object, const struct err *err)
{
    struct sweep *sweep = context;
    if (err && err->kind != ERR_NOT_FOUND) { /* not found: the CRD is gone, and all of its kind */
        try_later(sweep, err);
        return;
    }
    const cJSON *resource = NULL;
    cJSON_ArrayForEach(resource, json_at(*object, "items")) {
        if (needs(resource, sweep->key.name, sweep->deleting)) {
            still_needed(sweep);
            return;
        }
    }
    sweep->kind++;
    list_next(sweep);
}

static void list_next(struct sweep *sweep)
{
    if (sweep->kind == RESOURCE_KINDS) {
        unmark(sweep);
        return;
    }
    const struct kube_resource *resource =
        sweep->kind == RESOURCE_API_KEY ? &KUBE_API_KEYS : &KUBE_PULL_SECRETS;
    kube_send(sweep->runtime->kube, &(struct kube_call){ .verb = KUBE_LIST,
                                                         .resource = resource,
                                                         .namespace = sweep->key.namespace,
                                                         .done = listed,
                                                         .context = sweep });
}

/* ---- asking the cache ---- */

/* What nothing in the cluster names any more, Deepgram's list may still show: the first one is
 * waited for. */
static bool may_leave_orphan(const struct sweep *sweep, const cJSON *resource)
{
    struct gathered *gathered = gather(sweep->runtime, sweep->kind, sweep->key.namespace,
                                       json_string_at(resource, "metadata.name"), NULL);
    if (!gathered)
        return false;
    const struct inventory_view *inventory = &gathered->world.inventory;
    bool unlisted = inventory->listed_at_ms == NEVER && inventory->blocked_until_ms == 0;
    bool may = unlisted || world_orphan(&gathered->world);
    gathered_free(gathered);
    return may;
}

static bool needs_it(const void *context, const cJSON *resource)
{
    const struct sweep *sweep = context;
    return needs(resource, sweep->key.name, sweep->deleting) ||
           (sweep->deleting && may_leave_orphan(sweep, resource));
}

static bool worth_asking(struct sweep *sweep)
{
    const struct caches *caches = sweep->runtime->caches;
    auto_shared_json const cJSON *secret =
        store_get(caches->secrets, sweep->key.namespace, sweep->key.name);
    if (!caches_is_marked(secret))
        return false;
    sweep->deleting = json_at(secret, "metadata.deletionTimestamp") != NULL;
    auto_free char *index_key = caches_admin_key(sweep->key.namespace, sweep->key.name);
    for (sweep->kind = 0; sweep->kind < RESOURCE_KINDS; sweep->kind++)
        if (store_any(caches->resources[sweep->kind], index_key, needs_it, sweep))
            return false;
    sweep->kind = 0;
    return true;
}

void admin_mark_run(struct runtime *runtime, struct queue_key *key, void (*ended)(void *context),
                    void *context)
{
    struct sweep *sweep = mem_alloc(sizeof *sweep);
    sweep->runtime = runtime;
    sweep->key = *key;
    *key = (struct queue_key){ 0 };
    sweep->ended = ended;
    sweep->ended_context = context;
    if (worth_asking(sweep))
        list_next(sweep);
    else
        still_needed(sweep);
}
