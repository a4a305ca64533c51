/* A state machine of three phases. Listing by a stream turns into watching on the same stream;
 * listing by pages is the fallback of servers without it. What decides is whether a
 * resourceVersion is known: forgetting it is how everything starts over.
 *
 * Each turn starts from a timer, so that no callback of the client starts the next request inside
 * itself. */
#include "kube/reflector.h"

#include "base/backoff.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/random.h"
#include "kube/status.h"
#include "kube/watch_decoder.h"

enum {
    EVENT_BYTES_MAX = 16 * 1024 * 1024, /* etcd takes objects of 1.5 MiB */
    QUERY_BYTES_MAX = 16 * 1024,
    SHORT_WATCH_MS = 1000, /* one that ends sooner and brings nothing counts as a failure */
    BACKOFF_FLOOR_MS = 500,
    BACKOFF_CAP_MS = 8 * 1000, /* a handful of watches: asking that often is no load */
};

static const char PAGE_SIZE[] = "500";

enum phase { LISTING_BY_STREAM, LISTING_BY_PAGES, WATCHING };

struct reflector {
    struct loop *loop;
    struct kube_client *client;
    struct store *store;
    const struct kube_resource *resource;
    char *namespace; /* NULL: all */
    bool metadata_only;
    int64_t watch_timeout_ms;
    int64_t bookmark_timeout_ms;
    reflector_note_fn *note;
    void *context;

    enum phase phase;
    struct kube_call_handle *call; /* NULL between two turns */
    struct loop_timer next_turn;
    struct loop_timer watchdog;
    char *resource_version; /* NULL: has to list */
    bool by_pages;          /* the server has no streaming list */
    bool synced;
    unsigned failures; /* since a watch last worked: a list that is followed by a refused watch is
                          no success */
    bool gone;         /* so the last of them said: a second one in a row has to wait */
    int64_t last_bytes_ms;

    struct watch_decoder decoder; /* of the stream under way */
    int64_t started_ms;
    bool brought_event;
    bool failed; /* an ERROR event or nonsense: `failure` says which */
    struct err failure;
};

static void on_turn(void *context);

static void schedule(struct reflector *reflector, int64_t delay_ms)
{
    loop_timer_start(reflector->loop, &reflector->next_turn, delay_ms, on_turn, reflector);
}

static void retry_later(struct reflector *reflector, const struct err *err)
{
    const struct backoff_policy policy = { BACKOFF_FLOOR_MS, BACKOFF_CAP_MS };
    int64_t delay_ms = backoff_delay_ms(policy, ++reflector->failures, random_u64());
    bool gone = err->kind == ERR_GONE;
    if (gone && !reflector->gone)
        delay_ms = 0;
    if (gone)
        mem_replace(&reflector->resource_version, NULL);
    reflector->gone = gone;
    if (delay_ms < err->retry_after_ms)
        delay_ms = err->retry_after_ms;
    schedule(reflector, delay_ms);
    reflector->note(reflector->context, REFLECTOR_ERROR, err);
}

/* ---- listing ---- */

static void finish_list(struct reflector *reflector, const char *resource_version)
{
    mem_replace(&reflector->resource_version, resource_version);
    store_replace_end(reflector->store, reflector->namespace, resource_version);
    reflector->phase = WATCHING;
    bool again = reflector->synced;
    reflector->synced = true;
    reflector->note(reflector->context, again ? REFLECTOR_RELIST : REFLECTOR_SYNCED, NULL);
}

static void request_page(struct reflector *reflector, const char *continue_token);

static void on_page(void *context, cJSON **object, const struct err *err)
{
    struct reflector *reflector = context;
    reflector->call = NULL;
    if (err) {
        retry_later(reflector, err);
        return;
    }
    reflector->last_bytes_ms = clock_monotonic_ms();
    cJSON *items = cJSON_GetObjectItemCaseSensitive(*object, "items");
    for (cJSON *item; (item = cJSON_DetachItemFromArray(items, 0)) != NULL;)
        store_put(reflector->store, item);

    const char *continue_token = json_string_at(*object, "metadata.continue");
    const char *resource_version = json_string_at(*object, "metadata.resourceVersion");
    if (continue_token && continue_token[0]) {
        request_page(reflector, continue_token);
    } else if (resource_version) {
        finish_list(reflector, resource_version);
        schedule(reflector, 0);
    } else {
        struct err nonsense = ERR_INIT;
        err_set(&nonsense, ERR_MALFORMED, "a list of %s has no resourceVersion",
                reflector->resource->plural);
        retry_later(reflector, &nonsense);
    }
}

static void request_page(struct reflector *reflector, const char *continue_token)
{
    auto_buf struct buf query;
    buf_init(&query, QUERY_BYTES_MAX);
    kube_query_add(&query, "limit", PAGE_SIZE);
    if (continue_token)
        kube_query_add(&query, "continue", continue_token);
    reflector->call = kube_send(reflector->client, &(struct kube_call){
                                                       .verb = KUBE_LIST,
                                                       .resource = reflector->resource,
                                                       .namespace = reflector->namespace,
                                                       .query = buf_text(&query) + 1,
                                                       .metadata_only = reflector->metadata_only,
                                                       .done = on_page,
                                                       .context = reflector,
                                                   });
}

/* ---- the stream ---- */

static void watch_works(struct reflector *reflector)
{
    bool recovered = reflector->failures > 0;
    reflector->failures = 0;
    reflector->gone = false;
    if (recovered)
        reflector->note(reflector->context, REFLECTOR_RECOVERED, NULL);
}

static void store_event(struct reflector *reflector, struct watch_event *event)
{
    const char *version = json_string_at(event->object, "metadata.resourceVersion");
    auto_free char *resource_version = mem_strdup(version);
    if (event->type == WATCH_DELETED)
        store_remove(reflector->store, event->object);
    else if (event->type != WATCH_BOOKMARK)
        store_put(reflector->store, take(event->object));
    if (!resource_version)
        return;
    if (reflector->phase == WATCHING) {
        mem_replace(&reflector->resource_version, resource_version);
        watch_works(reflector);
    } else if (event->initial_events_end) {
        finish_list(reflector, resource_version);
    }
}

static void on_event(void *context, struct watch_event *event)
{
    struct reflector *reflector = context;
    if (reflector->failed)
        return;
    if (event->type == WATCH_ERROR) {
        reflector->failed = true;
        kube_status_error((long)json_int_at(event->object, "code", 500), event->object,
                          &reflector->failure);
        return;
    }
    reflector->brought_event = true;
    store_event(reflector, event);
}

static bool on_chunk(void *context, const char *bytes, size_t length)
{
    struct reflector *reflector = context;
    reflector->last_bytes_ms = clock_monotonic_ms();
    struct err err = ERR_INIT;
    if (!watch_decoder_feed(&reflector->decoder, bytes, length, &err) && !reflector->failed) {
        reflector->failed = true;
        reflector->failure = err;
    }
    return !reflector->failed;
}

static bool waits_in_vain(const struct reflector *reflector)
{
    return clock_monotonic_ms() - reflector->last_bytes_ms >= reflector->bookmark_timeout_ms;
}

static void list_again(struct reflector *reflector)
{
    struct err err = ERR_INIT;
    err_set(&err, ERR_TRANSIENT,
            "the watch of %s brought nothing in %lld ms, not even a bookmark: listing again",
            reflector->resource->plural, (long long)reflector->bookmark_timeout_ms);
    mem_replace(&reflector->resource_version, NULL);
    schedule(reflector, 0);
    reflector->note(reflector->context, REFLECTOR_ERROR, &err);
}

/* An orderly end is the rule (timeoutSeconds), but a server that does nothing else must not be
 * asked in a tight loop. */
static void stream_ended_in_order(struct reflector *reflector)
{
    if (reflector->phase == LISTING_BY_STREAM) {
        reflector->by_pages = true;
        schedule(reflector, 0);
    } else if (waits_in_vain(reflector)) {
        list_again(reflector);
    } else if (reflector->brought_event ||
               clock_monotonic_ms() - reflector->started_ms >= SHORT_WATCH_MS) {
        watch_works(reflector);
        schedule(reflector, 0);
    } else {
        struct err err = ERR_INIT;
        err_set(&err, ERR_TRANSIENT, "the API server ended the watch of %s at once",
                reflector->resource->plural);
        retry_later(reflector, &err);
    }
}

static void on_stream_done(void *context, const struct err *err)
{
    struct reflector *reflector = context;
    reflector->call = NULL;
    loop_timer_stop(&reflector->watchdog);
    watch_decoder_done(&reflector->decoder); /* a half event is told again */
    if (reflector->failed)
        err = &reflector->failure;
    if (!err) {
        stream_ended_in_order(reflector);
    } else if (reflector->phase == LISTING_BY_STREAM && err->kind == ERR_INVALID) {
        reflector->by_pages = true;
        schedule(reflector, 0);
    } else {
        retry_later(reflector, err);
    }
}

static void on_watchdog(void *context)
{
    struct reflector *reflector = context;
    int64_t since_ms = reflector->last_bytes_ms > reflector->started_ms ? reflector->last_bytes_ms
                                                                        : reflector->started_ms;
    int64_t left_ms = since_ms + reflector->watch_timeout_ms - clock_monotonic_ms();
    if (left_ms > 0) {
        loop_timer_start(reflector->loop, &reflector->watchdog, left_ms, on_watchdog, reflector);
        return;
    }
    kube_give_up(take(reflector->call));
    watch_decoder_done(&reflector->decoder);
    schedule(reflector, 0);
    struct err err = ERR_INIT;
    err_set(&err, ERR_TRANSIENT, "the watch of %s was silent for %lld ms: asking again",
            reflector->resource->plural, (long long)reflector->watch_timeout_ms);
    reflector->note(reflector->context, REFLECTOR_ERROR, &err);
}

/* What the server is told: 60 to 80 % of the watchdog's time, so that it ends an idle watch in
 * order before the watchdog has to, and not all watches at once. */
static int64_t server_timeout_s(const struct reflector *reflector)
{
    int64_t floor_ms = reflector->watch_timeout_ms / 10 * 6;
    int64_t spread_ms = reflector->watch_timeout_ms / 10 * 2 + 1;
    int64_t seconds = (floor_ms + (int64_t)(random_u64() % (uint64_t)spread_ms)) / 1000;
    return seconds > 0 ? seconds : 1;
}

/* The transfer's own time-out is the last resort, for a server that talks on beyond what it was
 * told; it lies behind every moment at which the watchdog may fire. */
static void start_stream(struct reflector *reflector)
{
    int64_t timeout_s = server_timeout_s(reflector);
    auto_free char *timeout = mem_printf("%lld", (long long)timeout_s);
    auto_buf struct buf query;
    buf_init(&query, QUERY_BYTES_MAX);
    kube_query_add(&query, "watch", "true");
    kube_query_add(&query, "allowWatchBookmarks", "true");
    kube_query_add(&query, "timeoutSeconds", timeout);
    if (reflector->phase == LISTING_BY_STREAM) {
        kube_query_add(&query, "sendInitialEvents", "true");
        kube_query_add(&query, "resourceVersionMatch", "NotOlderThan");
    } else {
        kube_query_add(&query, "resourceVersion", reflector->resource_version);
    }
    reflector->started_ms = clock_monotonic_ms();
    reflector->brought_event = false;
    reflector->failed = false;
    watch_decoder_init(&reflector->decoder, EVENT_BYTES_MAX, on_event, reflector);
    loop_timer_start(reflector->loop, &reflector->watchdog, reflector->watch_timeout_ms,
                     on_watchdog, reflector);
    reflector->call = kube_stream(reflector->client, reflector->resource, reflector->namespace,
                                  buf_text(&query) + 1, reflector->metadata_only,
                                  timeout_s * 1000 + 2 * reflector->watch_timeout_ms, on_chunk,
                                  on_stream_done, reflector);
}

/* ---- the interface ---- */

static void on_turn(void *context)
{
    struct reflector *reflector = context;
    if (reflector->resource_version) {
        reflector->phase = WATCHING;
        start_stream(reflector);
        return;
    }
    store_replace_begin(reflector->store, reflector->namespace);
    reflector->phase = reflector->by_pages ? LISTING_BY_PAGES : LISTING_BY_STREAM;
    if (reflector->by_pages)
        request_page(reflector, NULL);
    else
        start_stream(reflector);
}

struct reflector *reflector_new(struct loop *loop, struct kube_client *client, struct store *store,
                                const struct reflector_options *options, reflector_note_fn *note,
                                void *context)
{
    struct reflector *reflector = mem_alloc(sizeof *reflector);
    *reflector = (struct reflector){
        .loop = loop,
        .client = client,
        .store = store,
        .resource = options->resource,
        .namespace = mem_strdup(options->namespace),
        .metadata_only = options->metadata_only,
        .watch_timeout_ms = options->watch_timeout_ms,
        .bookmark_timeout_ms = options->bookmark_timeout_ms,
        .note = note,
        .context = context,
        .last_bytes_ms = clock_monotonic_ms(),
    };
    schedule(reflector, 0);
    return reflector;
}

void reflector_free(struct reflector *reflector)
{
    if (!reflector)
        return;
    loop_timer_stop(&reflector->next_turn);
    loop_timer_stop(&reflector->watchdog);
    kube_cancel(reflector->call);
    watch_decoder_done(&reflector->decoder);
    mem_free(reflector->resource_version);
    mem_free(reflector->namespace);
    mem_free(reflector);
}

bool reflector_synced(const struct reflector *reflector)
{
    return reflector->synced;
}

int64_t reflector_silence_ms(const struct reflector *reflector)
{
    return clock_monotonic_ms() - reflector->last_bytes_ms;
}
