/* A table of what is watched; the rest is bookkeeping for logs, readiness and metrics. */
#include "operator/watches.h"

#include "base/log.h"
#include "kube/reflector.h"

enum { TYPES = 8, TEXT_BYTES = 128 };

struct watch {
    struct watches *watches;
    const struct kube_resource *resource;
    const char *namespace; /* "" for all */
    struct reflector *reflector;
};

struct watches {
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

static void noted(void *context, enum reflector_note note, const struct err *err)
{
    const struct watch *watch = context;
    const char *plural = watch->resource->plural;
    switch (note) {
    case REFLECTOR_SYNCED:
        log_info("cache synced", "resource", plural, "namespace", watch->namespace, NULL);
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
    }
}

static void add(struct watches *watches, struct loop *loop, struct kube_client *kube,
                const struct type *type, const char *namespace, int64_t watch_timeout_ms)
{
    struct watch *watch = &watches->items[watches->count++];
    watch->watches = watches;
    watch->resource = type->resource;
    watch->namespace = namespace ? namespace : "";
    struct reflector_options options = { .resource = type->resource,
                                         .namespace = namespace,
                                         .metadata_only = type->metadata_only,
                                         .watch_timeout_ms = watch_timeout_ms };
    watch->reflector = reflector_new(loop, kube, type->store, &options, noted, watch);
}

static size_t count_namespaces(char *const *namespaces)
{
    size_t count = 0;
    while (namespaces && namespaces[count])
        count++;
    return count;
}

size_t watches_count(const struct options *options)
{
    size_t namespaces = count_namespaces(options->namespaces);
    return TYPES * (namespaces > 0 ? namespaces : 1);
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
    watches->metrics = metrics;
    watches->synced = synced;
    watches->context = context;
    size_t namespaces = count_namespaces(options->namespaces);
    watches->items = mem_calloc(watches_count(options), sizeof(struct watch));
    for (size_t i = 0; i < TYPES; i++) {
        if (namespaces == 0)
            add(watches, loop, kube, &types[i], NULL, options->watch_timeout_ms);
        /* Who may see some namespaces only may not watch namespaces. */
        for (size_t n = 0; n < namespaces && !types[i].cluster_scoped; n++)
            add(watches, loop, kube, &types[i], options->namespaces[n], options->watch_timeout_ms);
    }
    return watches;
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
        if (!reflector_synced(watches->items[i].reflector)) {
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
