/* From an event to the keys that it concerns. Indexes keep that constant in the number of
 * resources: a Secret finds those that name it as target or as admin Secret, a pod those whose
 * target it refers to. */
#include "operator/caches.h"

#include <string.h>

#include "api/canonical.h"
#include "api/condition.h"
#include "api/credential.h"
#include "base/json.h"
#include "base/shared_json.h"
#include "operator/trim.h"

static const char MARKED_KEY[] = "marked"; /* of Secrets with our finalizer */

char *caches_target_key(const char *namespace, const char *secret)
{
    return mem_printf("target:%s/%s", namespace, secret);
}

char *caches_admin_key(const char *namespace, const char *name)
{
    return name ? mem_printf("admin:%s/%s", namespace, name) : mem_strdup("admin:");
}

char *caches_account_key(const char *namespace, const char *name)
{
    return name ? mem_printf("account:%s/%s", namespace, name) : mem_strdup("accounts:");
}

char *caches_revision_key(enum resource_kind kind, const char *namespace, const char *resource)
{
    return mem_printf("revision:%s/%s/%s", namespace, resource_kind_name(kind), resource);
}

char *caches_adopted_key(const char *id)
{
    return mem_printf("adopted:%s", id);
}

char *caches_owned_key(enum resource_kind kind, const char *namespace, const char *resource)
{
    return mem_printf("owned:%s/%s/%s", namespace, resource_kind_name(kind), resource);
}

char *caches_pod_key(const char *namespace, const char *secret)
{
    return mem_printf("pod:%s/%s", namespace, secret);
}

char *caches_pods_key(const char *namespace)
{
    return mem_printf("pods:%s", namespace);
}

char *caches_workload_key(const char *namespace, const char *secret)
{
    return mem_printf("workload:%s/%s", namespace, secret);
}

enum queue_kind caches_queue_kind(enum resource_kind kind)
{
    return kind == RESOURCE_API_KEY ? QUEUE_API_KEY : QUEUE_PULL_SECRET;
}

/* ---- what an object is found by ---- */

static const char *target_name(const cJSON *resource)
{
    const char *name = json_string_at(resource, "spec.secret.name");
    return name ? name : json_string_at(resource, "metadata.name");
}

/* Once, whether in spec, in status or in both. */
static size_t add_account_key(const char *namespace, const char *name, size_t count,
                              char *ret_keys[STORE_INDEX_KEYS_MAX])
{
    auto_free char *key = name ? caches_account_key(namespace, name) : NULL;
    if (!key || count == STORE_INDEX_KEYS_MAX - 1) /* the last one is for those with any */
        return count;
    for (size_t i = 0; i < count; i++)
        if (strcmp(ret_keys[i], key) == 0)
            return count;
    ret_keys[count] = take(key);
    return count + 1;
}

static size_t index_accounts(const cJSON *resource, size_t first,
                             char *ret_keys[STORE_INDEX_KEYS_MAX])
{
    const char *namespace = json_string_at(resource, "metadata.namespace");
    size_t count = first;
    const cJSON *item = NULL;
    cJSON_ArrayForEach(item, json_at(resource, "spec.serviceAccounts"))
        count = add_account_key(namespace, cJSON_GetStringValue(item), count, ret_keys);
    cJSON_ArrayForEach(item, json_at(resource, "status.serviceAccounts"))
        count = add_account_key(namespace, json_string_member(item, "name"), count, ret_keys);
    if (count > first)
        ret_keys[count++] = caches_account_key(NULL, NULL);
    return count;
}

static size_t index_resource(const cJSON *resource, char *ret_keys[STORE_INDEX_KEYS_MAX])
{
    const char *namespace = json_string_at(resource, "metadata.namespace");
    ret_keys[0] = caches_target_key(namespace, target_name(resource));
    ret_keys[1] = caches_admin_key(namespace, json_string_at(resource, "spec.credentialsRef.name"));
    return index_accounts(resource, 2, ret_keys);
}

bool caches_is_default_credentials(const struct caches *caches, const char *namespace,
                                   const char *name)
{
    const struct options *options = caches->options;
    return mem_streq(namespace, options->default_credentials_namespace) &&
           mem_streq(name, options->default_credentials_name);
}

bool caches_is_marked(const cJSON *secret)
{
    return canonical_contains(json_at(secret, "metadata.finalizers"), FINALIZER_IN_USE);
}

static size_t index_secret(const cJSON *secret, char *ret_keys[STORE_INDEX_KEYS_MAX])
{
    size_t count = 0;
    if (caches_is_marked(secret))
        ret_keys[count++] = mem_strdup(MARKED_KEY);
    const char *resource =
        json_string_member(json_at(secret, "metadata.annotations"), ANNOTATION_RESOURCE);
    if (!resource)
        return count;
    struct revision revision;
    bool is_revision = revision_parse(secret, &revision);
    const char *what = is_revision ? "revision" : "owned";
    if (is_revision && revision.nonce[0] == '\0')
        ret_keys[count++] = caches_adopted_key(revision.id);
    ret_keys[count++] =
        mem_printf("%s:%s/%s", what, json_string_at(secret, "metadata.namespace"), resource);
    return count;
}

static size_t index_references(const cJSON *object, char *key(const char *, const char *),
                               char *ret_keys[STORE_INDEX_KEYS_MAX])
{
    const char *namespace = json_string_at(object, "metadata.namespace");
    size_t count = 0;
    const cJSON *name = NULL;
    cJSON_ArrayForEach(name, json_member(object, "secrets")) {
        if (count == STORE_INDEX_KEYS_MAX - 1)
            break;
        ret_keys[count++] = key(namespace, name->valuestring);
    }
    return count;
}

static size_t index_workload(const cJSON *workload, char *ret_keys[STORE_INDEX_KEYS_MAX])
{
    return index_references(workload, caches_workload_key, ret_keys);
}

static size_t index_pod(const cJSON *pod, char *ret_keys[STORE_INDEX_KEYS_MAX])
{
    const char *namespace = json_string_at(pod, "metadata.namespace");
    size_t count = index_references(pod, caches_pod_key, ret_keys);
    if (count > 0)
        ret_keys[count++] = caches_pods_key(namespace);
    return count;
}

/* ---- from a change to keys ---- */

struct enqueue {
    struct queue *queue;
    enum queue_kind kind;
};

static void enqueue_named(void *context, const char *namespace, const char *name)
{
    const struct enqueue *enqueue = context;
    queue_add(enqueue->queue, enqueue->kind, namespace, name);
}

static void enqueue_object(void *context, const cJSON *object)
{
    enqueue_named(context, json_string_at(object, "metadata.namespace"),
                  json_string_at(object, "metadata.name"));
}

static void enqueue_indexed(const struct caches *caches, const char *index_key)
{
    for (enum resource_kind kind = 0; kind < RESOURCE_KINDS; kind++) {
        struct enqueue enqueue = { caches->queue, caches_queue_kind(kind) };
        store_visit_names(caches->resources[kind], index_key, enqueue_named, &enqueue);
    }
}

void caches_enqueue_target_users(struct caches *caches, const char *namespace, const char *secret)
{
    auto_free char *key = caches_target_key(namespace, secret);
    enqueue_indexed(caches, key);
}

/* A resource that went, or turned elsewhere, leaves its target to others and its admin Secret
 * perhaps without use. */
static void enqueue_left_behind(struct caches *caches, const cJSON *before, const cJSON *after)
{
    const char *namespace = json_string_at(before, "metadata.namespace");
    if (!after || !mem_streq(target_name(before), target_name(after)))
        caches_enqueue_target_users(caches, namespace, target_name(before));
    const char *admin = json_string_at(before, "spec.credentialsRef.name");
    if (admin && (!after || !mem_streq(admin, json_string_at(after, "spec.credentialsRef.name"))))
        queue_add(caches->queue, QUEUE_ADMIN_SECRET, namespace, admin);
}

static size_t count_ready(const cJSON *resource)
{
    return condition_is_true(json_at(resource, "status.conditions"), "Ready") ? 1 : 0;
}

static void resource_changed(struct caches *caches, enum resource_kind kind, const cJSON *before,
                             const cJSON *after)
{
    caches->ready[kind] += count_ready(after);
    caches->ready[kind] -= count_ready(before);
    resource_series_change(caches->series, kind, before, after);
    struct enqueue enqueue = { caches->queue, caches_queue_kind(kind) };
    enqueue_object(&enqueue, after ? after : before);
    if (before)
        enqueue_left_behind(caches, before, after);
}

static void api_key_changed(void *context, const cJSON *before, const cJSON *after)
{
    resource_changed(context, RESOURCE_API_KEY, before, after);
}

static void pull_secret_changed(void *context, const cJSON *before, const cJSON *after)
{
    resource_changed(context, RESOURCE_PULL_SECRET, before, after);
}

/* A revision Secret belongs to the resource that its annotation names. */
static void enqueue_named_resource(struct caches *caches, const cJSON *secret)
{
    const char *resource =
        json_string_member(json_at(secret, "metadata.annotations"), ANNOTATION_RESOURCE);
    const char *slash = resource ? strchr(resource, '/') : NULL;
    if (!slash)
        return;
    for (enum resource_kind kind = 0; kind < RESOURCE_KINDS; kind++) {
        const char *name = resource_kind_name(kind);
        if (strlen(name) == (size_t)(slash - resource) &&
            strncmp(resource, name, strlen(name)) == 0)
            queue_add(caches->queue, caches_queue_kind(kind),
                      json_string_at(secret, "metadata.namespace"), slash + 1);
    }
}

static void secret_changed(void *context, const cJSON *before, const cJSON *after)
{
    struct caches *caches = context;
    const cJSON *secret = after ? after : before;
    const char *namespace = json_string_at(secret, "metadata.namespace");
    const char *name = json_string_at(secret, "metadata.name");
    enqueue_named_resource(caches, secret);
    caches_enqueue_target_users(caches, namespace, name);
    auto_free char *admin = caches_admin_key(namespace, name);
    enqueue_indexed(caches, admin);
    if (caches_is_default_credentials(caches, namespace, name)) {
        auto_free char *by_default = caches_admin_key(NULL, NULL);
        enqueue_indexed(caches, by_default);
    }
    if (caches_is_marked(secret))
        queue_add(caches->queue, QUEUE_ADMIN_SECRET, namespace, name);
}

/* Those whose target it is now, and the one for which it was made (under an earlier name). */
static void enqueue_pod_secrets(struct caches *caches, const cJSON *pod)
{
    const char *namespace = json_string_at(pod, "metadata.namespace");
    const cJSON *name = NULL;
    cJSON_ArrayForEach(name, json_member(pod, "secrets")) {
        caches_enqueue_target_users(caches, namespace, name->valuestring);
        auto_shared_json const cJSON *secret =
            store_get(caches->secrets, namespace, name->valuestring);
        enqueue_named_resource(caches, secret);
    }
}

/* Most of what happens to a pod is nothing that a decision knows of. */
static void pod_changed(void *context, const cJSON *before, const cJSON *after)
{
    if (!before || !after || !cJSON_Compare(before, after, true))
        enqueue_pod_secrets(context, after ? after : before);
}

static bool same_but_version(const cJSON *before, const cJSON *after)
{
    auto_json cJSON *a = cJSON_Duplicate(before, true);
    auto_json cJSON *b = cJSON_Duplicate(after, true);
    cJSON_DeleteItemFromObjectCaseSensitive(cJSON_GetObjectItemCaseSensitive(a, "metadata"),
                                            "resourceVersion");
    cJSON_DeleteItemFromObjectCaseSensitive(cJSON_GetObjectItemCaseSensitive(b, "metadata"),
                                            "resourceVersion");
    return cJSON_Compare(a, b, true);
}

/* Also those whose Secret its template no longer refers to. */
static void workload_changed(void *context, const cJSON *before, const cJSON *after)
{
    if (before && after && same_but_version(before, after))
        return;
    const cJSON *sides[] = { before, after };
    for (size_t i = 0; i < ARRAY_LENGTH(sides); i++) {
        const char *namespace = json_string_at(sides[i], "metadata.namespace");
        const cJSON *name = NULL;
        cJSON_ArrayForEach(name, json_member(sides[i], "secrets"))
            caches_enqueue_target_users(context, namespace, name->valuestring);
    }
}

static void account_changed(void *context, const cJSON *before, const cJSON *after)
{
    const struct caches *caches = context;
    if (before && after && same_but_version(before, after))
        return;
    const cJSON *metadata = json_member(after ? after : before, "metadata");
    auto_free char *key = caches_account_key(json_string_member(metadata, "namespace"),
                                             json_string_member(metadata, "name"));
    enqueue_indexed(caches, key);
}

static void namespace_changed(void *context, const cJSON *before, const cJSON *after)
{
    (void)context, (void)before, (void)after; /* its objects tell on their own */
}

static size_t index_nothing(const cJSON *object, char *ret_keys[STORE_INDEX_KEYS_MAX])
{
    (void)object, (void)ret_keys;
    return 0;
}

/* ---- the whole ---- */

struct caches *caches_new(struct queue *queue, const struct options *options)
{
    struct caches *caches = mem_alloc(sizeof *caches);
    caches->queue = queue;
    caches->options = options;
    caches->series = resource_series_new();
    caches->resources[RESOURCE_API_KEY] =
        store_new(resource_trim, index_resource, api_key_changed, caches);
    caches->resources[RESOURCE_PULL_SECRET] =
        store_new(resource_trim, index_resource, pull_secret_changed, caches);
    caches->secrets = store_new(trim_secret, index_secret, secret_changed, caches);
    caches->pods = store_new(trim_pod, index_pod, pod_changed, caches);
    for (size_t i = 0; i < WORKLOAD_KINDS; i++)
        caches->workloads[i] = store_new(trim_workload, index_workload, workload_changed, caches);
    caches->namespaces = store_new(trim_namespace, index_nothing, namespace_changed, caches);
    caches->accounts = store_new(trim_account, index_nothing, account_changed, caches);
    return caches;
}

void caches_free(struct caches *caches)
{
    if (!caches)
        return;
    for (enum resource_kind kind = 0; kind < RESOURCE_KINDS; kind++)
        store_free(caches->resources[kind]);
    store_free(caches->secrets);
    store_free(caches->pods);
    for (size_t i = 0; i < WORKLOAD_KINDS; i++)
        store_free(caches->workloads[i]);
    store_free(caches->namespaces);
    store_free(caches->accounts);
    mem_free(caches->accounts_refusal);
    resource_series_free(caches->series);
    mem_free(caches);
}

void caches_enqueue_all(struct caches *caches)
{
    for (enum resource_kind kind = 0; kind < RESOURCE_KINDS; kind++) {
        struct enqueue enqueue = { caches->queue, caches_queue_kind(kind) };
        store_visit_all_names(caches->resources[kind], enqueue_named, &enqueue);
    }
    struct enqueue enqueue = { caches->queue, QUEUE_ADMIN_SECRET };
    store_visit_names(caches->secrets, MARKED_KEY, enqueue_named, &enqueue);
}

void caches_set_accounts(struct caches *caches, enum accounts_state state, const char *refusal)
{
    bool same = state == caches->accounts_state &&
                strcmp(mem_or_empty(refusal), mem_or_empty(caches->accounts_refusal)) == 0;
    caches->accounts_state = state;
    mem_replace(&caches->accounts_refusal, refusal);
    auto_free char *key = caches_account_key(NULL, NULL);
    if (!same)
        enqueue_indexed(caches, key);
}

bool caches_namespace_terminating(const struct caches *caches, const char *namespace)
{
    auto_shared_json const cJSON *object = store_get(caches->namespaces, NULL, namespace);
    return json_at(object, "metadata.deletionTimestamp") != NULL;
}

const cJSON *caches_resource_named(const struct caches *caches, const cJSON *secret)
{
    const char *text =
        json_string_member(json_at(secret, "metadata.annotations"), ANNOTATION_RESOURCE);
    const char *namespace = json_string_at(secret, "metadata.namespace");
    for (enum resource_kind kind = 0; text && kind < RESOURCE_KINDS; kind++) {
        auto_free char *prefix = mem_printf("%s/", resource_kind_name(kind));
        if (strncmp(text, prefix, strlen(prefix)) == 0)
            return store_get(caches->resources[kind], namespace, text + strlen(prefix));
    }
    return NULL;
}
