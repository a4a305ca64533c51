/* Work begins when all caches are synced and this process leads; it ends with SIGTERM (what is
 * under way is finished first) or with a lost lease (at once: somebody else writes by now). */
#include "operator/manager.h"

#include <signal.h>
#include <unistd.h>

#include "base/log.h"
#include "net/http.h"
#include "net/server.h"
#include "operator/admin_mark.h"
#include "operator/runtime.h"
#include "operator/pass.h"
#include "operator/probes.h"
#include "operator/version.h"

enum {
    CONNECTIONS_MIN = 16, /* per host, beside the watches: more of them wait for the same server */
    BEGUN_MAX = 64,       /* passes, until other work gets a turn */
    PASSES_WAITING = 8,   /* for their turn at one of two servers */
    SHUTDOWN_MS = 10 * 1000,
};

struct manager {
    struct runtime runtime;
    struct http *http;
    struct probes *probes;
    struct server *server;
    struct loop_timer shutdown;
    const struct kube_config *config;
    size_t passes;
    bool leading;
    bool lost;
    bool releasing;
};

/* ---- work ---- */

static void work(void *context);

static void leave_when_idle(struct manager *manager);

static void pass_ended(void *context)
{
    struct manager *manager = context;
    manager->passes--; /* the queue calls work() when keys are left */
    leave_when_idle(manager);
}

static long connections_per_host(const struct options *options)
{
    long most = options->max_in_flight;
    return most > CONNECTIONS_MIN ? most : CONNECTIONS_MIN;
}

/* As many as both servers can be asked by, and some that are ready to: more would only take memory.
 */
static bool has_room(const struct manager *manager)
{
    size_t connections = (size_t)connections_per_host(manager->runtime.options);
    return manager->passes < 2 * connections + PASSES_WAITING;
}

static bool may_work(const struct manager *manager)
{
    const char *missing = NULL;
    /* An answer that no Secret holds yet is put away before the process goes. */
    bool wanted = !manager->runtime.stopping || memories_unkept(manager->runtime.memories) > 0;
    return manager->leading && wanted && watches_synced(manager->runtime.watches, &missing);
}

static void observe_wait(const struct runtime *runtime)
{
    struct queue_stats stats;
    queue_stats(runtime->queue, &stats);
    metrics_observe(runtime->metrics, METRIC_WORKQUEUE_QUEUE_SECONDS,
                    (double)stats.last_queue_duration_ms / 1000.0, "resources", NULL);
}

static void work(void *context)
{
    struct manager *manager = context;
    struct queue_key key = { 0 };
    /* The end of a pass that had nothing to send asks for the next call of this, so that answers
     * get their turn in between: the first list of a project spares most others a second pass. */
    for (size_t begun = 0; begun < BEGUN_MAX && has_room(manager) && may_work(manager) &&
                           queue_take(manager->runtime.queue, &key);
         begun++) {
        manager->passes++;
        observe_wait(&manager->runtime);
        if (key.kind == QUEUE_ADMIN_SECRET)
            admin_mark_run(&manager->runtime, &key, pass_ended, manager);
        else
            pass_run(&manager->runtime, &key, pass_ended, manager);
    }
}

static void begin_when_ready(struct manager *manager)
{
    if (!may_work(manager))
        return;
    log_info("working", NULL);
    caches_enqueue_all(manager->runtime.caches);
    work(manager);
}

static void one_synced(void *context)
{
    begin_when_ready(context);
}

static void leadership_changed(void *context, enum leader_change change)
{
    struct manager *manager = context;
    manager->leading = change == LEADER_ELECTED;
    metrics_set(manager->runtime.metrics, METRIC_LEADER, manager->leading ? 1 : 0, NULL);
    if (manager->leading) {
        begin_when_ready(manager);
        return;
    }
    log_error("lease lost: stopping at once, because another replica may lead by now", NULL);
    manager->lost = true;
    loop_stop(manager->runtime.loop);
}

/* ---- the end ---- */

static void released(void *context)
{
    struct manager *manager = context;
    loop_stop(manager->runtime.loop);
}

static void leave(struct manager *manager)
{
    if (manager->releasing)
        return;
    manager->releasing = true;
    loop_timer_stop(&manager->shutdown);
    leader_release(manager->runtime.leader, released, manager);
}

static void leave_when_idle(struct manager *manager)
{
    if (manager->runtime.stopping && manager->passes == 0 &&
        memories_unkept(manager->runtime.memories) == 0)
        leave(manager);
}

static void shutdown_timed_out(void *context)
{
    struct manager *manager = context;
    log_warn("leaving with requests under way: what they left at Deepgram is found by its marker "
             "at the next start",
             NULL);
    leave(manager);
}

static void terminate(void *context, int signal_number)
{
    (void)signal_number;
    struct manager *manager = context;
    if (manager->runtime.stopping)
        return;
    log_info("stopping: finishing what is under way", NULL);
    manager->runtime.stopping = true;
    loop_timer_start(manager->runtime.loop, &manager->shutdown, SHUTDOWN_MS, shutdown_timed_out,
                     manager);
    leave_when_idle(manager);
}

/* ---- probes ---- */

static bool ready(void *context, const char **missing)
{
    const struct manager *manager = context;
    return watches_synced(manager->runtime.watches, missing);
}

static void collect(void *context, struct buf *page)
{
    struct manager *manager = context;
    struct runtime *runtime = &manager->runtime;
    for (enum resource_kind kind = 0; kind < RESOURCE_KINDS; kind++) {
        const struct caches *caches = runtime->caches;
        const char *name = resource_kind_name(kind);
        metrics_set(runtime->metrics, METRIC_RESOURCES,
                    (double)store_count(caches->resources[kind]), name, NULL);
        metrics_set(runtime->metrics, METRIC_RESOURCES_READY, (double)caches->ready[kind], name,
                    NULL);
    }
    struct queue_stats stats;
    queue_stats(runtime->queue, &stats);
    metrics_set(runtime->metrics, METRIC_WORKQUEUE_DEPTH, (double)stats.depth, "resources", NULL);
    metrics_set(runtime->metrics, METRIC_WORKQUEUE_ADDS, (double)stats.adds_total, "resources",
                NULL);
    watches_collect(runtime->watches);
    resource_series_render(runtime->caches->series, page);
    size_t dropped = resource_series_dropped(runtime->caches->series);
    if (dropped > 0)
        metrics_set(runtime->metrics, METRIC_SAMPLES_DROPPED, (double)dropped,
                    "deepgram_operator_resource_ready", NULL);
}

static void observe_kube(void *context, const char *method, const char *plural, long code,
                         int64_t duration_ms)
{
    struct metrics *metrics = context;
    auto_free char *code_text = mem_printf("%ld", code);
    metrics_add(metrics, METRIC_KUBERNETES_REQUESTS, 1, method, plural, code_text, NULL);
    metrics_observe(metrics, METRIC_KUBERNETES_SECONDS, (double)duration_ms / 1000.0, method, NULL);
}

/* ---- putting together ---- */

static bool start_clients(struct manager *manager, struct err *err)
{
    struct runtime *runtime = &manager->runtime;
    runtime->metrics = metrics_new();
    metrics_set(runtime->metrics, METRIC_BUILD_INFO, 1, DEEPGRAM_OPERATOR_VERSION, NULL);
    metrics_set(runtime->metrics, METRIC_LEADER, 0, NULL);
    for (enum resource_kind kind = 0; kind < RESOURCE_KINDS; kind++)
        metrics_start_kind(runtime->metrics, resource_kind_name(kind));
    if (!http_new(runtime->loop, "deepgram-operator/" DEEPGRAM_OPERATOR_VERSION,
                  connections_per_host(runtime->options) + (long)watches_count(runtime->options),
                  &manager->http, err))
        return false;
    runtime->kube = kube_client_new(runtime->loop, manager->http, manager->config, observe_kube,
                                    runtime->metrics);
    runtime->gateway = gateway_new(manager->http, runtime->options, runtime->metrics);
    runtime->recorder = recorder_new(runtime->kube, runtime->metrics);
    return true;
}

static void start_caches(struct manager *manager)
{
    struct runtime *runtime = &manager->runtime;
    runtime->queue = queue_new(runtime->loop, work, manager);
    runtime->caches = caches_new(runtime->queue, runtime->options);
    runtime->memories = memories_new();
    runtime->inventories = inventories_new(runtime->options->inventory_interval_ms);
    runtime->watches = watches_new(runtime->loop, runtime->kube, runtime->caches, runtime->options,
                                   runtime->metrics, one_synced, manager);
}

static bool start_serving(struct manager *manager, struct err *err)
{
    struct runtime *runtime = &manager->runtime;
    manager->probes = probes_new(runtime->loop, runtime->metrics, ready, collect, manager);
    if (!server_new(runtime->loop, runtime->options->listen, probes_handle, manager->probes,
                    &manager->server, err))
        return false;
    runtime->websockets = websockets_new(runtime->loop, manager->server, runtime->options->ca_pem);
    return loop_on_signal(runtime->loop, SIGTERM, terminate, manager, err) &&
           loop_on_signal(runtime->loop, SIGINT, terminate, manager, err);
}

bool manager_new(struct loop *loop, const struct options *options, const struct kube_config *config,
                 struct manager **ret_manager, struct err *err)
{
    struct manager *manager = mem_alloc(sizeof *manager);
    manager->runtime.loop = loop;
    manager->runtime.options = options;
    manager->config = config;
    if (!start_clients(manager, err)) {
        manager_free(manager);
        return false;
    }
    start_caches(manager);
    if (!start_serving(manager, err)) {
        manager_free(manager);
        return false;
    }
    manager->runtime.leader = leader_new(loop, manager->runtime.kube, options, config->namespace,
                                         leadership_changed, manager);
    *ret_manager = manager;
    return true;
}

int manager_run(struct manager *manager)
{
    server_run(manager->server);
    int code = manager->lost ? 1 : 0;
    if (manager->passes > 0) /* cut off with requests under way: the kernel cleans up */
        _exit(code);
    return code;
}

void manager_free(struct manager *manager)
{
    if (!manager)
        return;
    struct runtime *runtime = &manager->runtime;
    loop_timer_stop(&manager->shutdown);
    leader_free(runtime->leader);
    watches_free(runtime->watches);
    recorder_free(runtime->recorder);
    gateway_free(runtime->gateway);
    kube_client_free(runtime->kube);
    http_free(manager->http);
    websockets_free(runtime->websockets);
    server_free(manager->server);
    probes_free(manager->probes);
    caches_free(runtime->caches);
    queue_free(runtime->queue);
    memories_free(runtime->memories);
    inventories_free(runtime->inventories);
    metrics_free(runtime->metrics);
    mem_free(manager);
}
