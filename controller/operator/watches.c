/* A table of what is watched; the rest is bookkeeping for logs, readiness and metrics. */
#include "operator/watches.h"

#include "base/log.h"
#include "kube/reflector.h"

enum {
    BOOKMARK_TIMEOUT_MS = 3 * 60 * 1000, /* three of them are missing */
    TYPES = 8,
    TYPES_LATER = 1,
    /* An API server that has just started refuses everything for a moment. */
    REFUSALS_TOLD = 5,
};

struct watch {
    struct watches *watches;
    const struct kube_resource *resource;
    const char *namespace; /* "" for all */
    struct reflector *reflector;
    unsigned refusals; /* in a row */
};

struct watches {
    struct loop *loop;
    struct kube_client *kube;
    struct caches *caches;
    const struct options *options;
    struct metrics *metrics;
    void (*synced)(void *context);
    void *context;
    struct watch *items;
    size_t count;
};

struct type {
    const struct kube_resource *resource;
    struct store *store;
    bool metadata_only;
    bool cluster_scoped;
};

static bool is_of_accounts(const struct watch *watch)
{
    return watch->resource == &KUBE_SERVICE_ACCOUNTS;
}

static bool accounts_synced(const struct watches *watches)
{
    for (size_t i = 0; i < watches->count; i++)
        if (is_of_accounts(&watches->items[i]) && !reflector_synced(watches->items[i].reflector))
            return false;
    return true;
}

/* What was shown once is told to be refused only when it goes on. */
static void accounts_noted(struct watch *watch, enum reflector_note note, const struct err *err)
{
    struct caches *caches = watch->watches->caches;
    bool synced = accounts_synced(watch->watches);
    bool refused = note == REFLECTOR_ERROR && err->kind == ERR_FORBIDDEN;
    if (note == REFLECTOR_ERROR && !refused)
        return;
    watch->refusals = refused ? watch->refusals + 1 : 0;
    if (refused && (!synced || watch->refusals >= REFUSALS_TOLD))
        caches_set_accounts(caches, synced ? ACCOUNTS_KNOWN : ACCOUNTS_LOADING, err->message);
    else if (!refused && synced)
        caches_set_accounts(caches, ACCOUNTS_KNOWN, NULL);
}

static void noted(void *context, enum reflector_note note, const struct err *err)
{
    struct watch *watch = context;
    const char *plural = watch->resource->plural;
    switch (note) {
    case REFLECTOR_SYNCED:
        log_info("cache synced", "resource", plural, "namespace", watch->namespace, NULL);
        if (!is_of_accounts(watch))
            watch->watches->synced(watch->watches->context);
        break;
    case REFLECTOR_RELIST:
        log_info("listed again", "resource", plural, "namespace", watch->namespace, NULL);
        metrics_add(watch->watches->metrics, METRIC_WATCH_RELISTS, 1, plural, NULL);
        break;
    case REFLECTOR_ERROR:
        log_warn("watch interrupted", "resource", plural, "namespace", watch->namespace, "error",
                 err->message, NULL);
        break;
    case REFLECTOR_RECOVERED:
        log_info("watch works again", "resource", plural, "namespace", watch->namespace, NULL);
        break;
    }
    if (is_of_accounts(watch))
        accounts_noted(watch, note, err);
}

static void add(struct watches *watches, const struct type *type, const char *namespace)
{
    struct watch *watch = &watches->items[watches->count++];
    watch->watches = watches;
    watch->resource = type->resource;
    watch->namespace = namespace ? namespace : "";
    struct reflector_options options = { .resource = type->resource,
                                         .namespace = namespace,
                                         .metadata_only = type->metadata_only,
                                         .watch_timeout_ms = watches->options->watch_timeout_ms,
                                         .bookmark_timeout_ms = BOOKMARK_TIMEOUT_MS };
    watch->reflector =
        reflector_new(watches->loop, watches->kube, type->store, &options, noted, watch);
}

static size_t count_namespaces(char *const *namespaces)
{
    size_t count = 0;
    while (namespaces && namespaces[count])
        count++;
    return count;
}

static void add_everywhere(struct watches *watches, const struct type *type)
{
    char *const *namespaces = watches->options->namespaces;
    size_t count = count_namespaces(namespaces);
    if (count == 0)
        add(watches, type, NULL);
    /* Who may see some namespaces only may not watch namespaces. */
    for (size_t i = 0; i < count && !type->cluster_scoped; i++)
        add(watches, type, namespaces[i]);
}

size_t watches_count(const struct options *options)
{
    size_t namespaces = count_namespaces(options->namespaces);
    return (TYPES + TYPES_LATER) * (namespaces > 0 ? namespaces : 1);
}

struct watches *watches_new(struct loop *loop, struct kube_client *kube, struct caches *caches,
                            const struct options *options, struct metrics *metrics,
                            void (*synced)(void *context), void *context)
{
    const struct type types[TYPES] = {
        { &KUBE_API_KEYS, caches->resources[RESOURCE_API_KEY], false, false },
        { &KUBE_PULL_SECRETS, caches->resources[RESOURCE_PULL_SECRET], false, false },
        { &KUBE_SECRETS, caches->secrets, true, false },
        { &KUBE_PODS, caches->pods, false, false },
        { &KUBE_DEPLOYMENTS, caches->workloads[WORKLOAD_DEPLOYMENT], false, false },
        { &KUBE_STATEFUL_SETS, caches->workloads[WORKLOAD_STATEFUL_SET], false, false },
        { &KUBE_DAEMON_SETS, caches->workloads[WORKLOAD_DAEMON_SET], false, false },
        { &KUBE_NAMESPACES, caches->namespaces, true, true },
    };
    struct watches *watches = mem_alloc(sizeof *watches);
    *watches =
        (struct watches){ .loop = loop,
                          .kube = kube,
                          .caches = caches,
                          .options = options,
                          .metrics = metrics,
                          .synced = synced,
                          .context = context,
                          .items = mem_calloc(watches_count(options), sizeof(struct watch)) };
    for (size_t i = 0; i < TYPES; i++)
        add_everywhere(watches, &types[i]);
    return watches;
}

void watches_begin_accounts(struct watches *watches)
{
    struct caches *caches = watches->caches;
    if (caches->accounts_state != ACCOUNTS_UNWATCHED)
        return;
    caches_set_accounts(caches, ACCOUNTS_LOADING, NULL);
    add_everywhere(watches,
                   &(struct type){ &KUBE_SERVICE_ACCOUNTS, caches->accounts, false, false });
}

void watches_free(struct watches *watches)
{
    if (!watches)
        return;
    for (size_t i = 0; i < watches->count; i++)
        reflector_free(watches->items[i].reflector);
    mem_free(watches->items);
    mem_free(watches);
}

bool watches_synced(const struct watches *watches, const char **missing)
{
    for (size_t i = 0; i < watches->count; i++) {
        if (!is_of_accounts(&watches->items[i]) && !reflector_synced(watches->items[i].reflector)) {
            *missing = watches->items[i].resource->plural;
            return false;
        }
    }
    return true;
}

void watches_collect(const struct watches *watches)
{
    for (size_t i = 0; i < watches->count; i++) {
        const struct watch *watch = &watches->items[i];
        metrics_set(watches->metrics, METRIC_WATCH_SILENCE_SECONDS,
                    (double)reflector_silence_ms(watch->reflector) / 1000.0,
                    watch->resource->plural, watch->namespace, NULL);
    }
}
