#include "http_peer.h"

#include "base/json.h"
#include "base/shared_json.h"
#include "kube/reflector.h"

/* A reflector against an API server that plays one of the parts below. Each request is recorded as
 * "L" (streaming list), "P" (page) or "W<resourceVersion>" (watch). */
struct world {
    struct http_peer peer; /* first: the peer's callback finds the world through it */
    struct loop *loop;
    struct http *http;
    struct kube_config config;
    struct kube_client *client;
    struct store *store;
    struct reflector *reflector;
    void (*list)(struct world *, struct http_peer_connection *);
    void (*page)(struct world *, struct http_peer_connection *, const char *request);
    void (*watch)(struct world *, struct http_peer_connection *);
    int lists, pages, watches;
    int64_t bookmark_timeout_ms;
    int timeout_s; /* of the last watch */
    struct http_peer_connection *stream;
    char requests[256];
    char notes[256]; /* S synced, R relist, E<kind> error */
    struct err last_error;
};

/* ---- what the API server says ---- */

static void begin_stream(struct http_peer_connection *connection)
{
    http_peer_write(connection, "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
                                "Transfer-Encoding: chunked\r\n\r\n");
}

static void write_chunk(struct http_peer_connection *connection, const char *text)
{
    auto_free char *chunk = mem_printf("%zx\r\n%s\r\n", strlen(text), text);
    http_peer_write(connection, chunk);
}

static void write_event(struct http_peer_connection *connection, const char *type, const char *name,
                        const char *version)
{
    auto_free char *text =
        mem_printf("{\"type\":\"%s\",\"object\":{\"metadata\":{\"namespace\":\"ns\","
                   "\"name\":\"%s\",\"uid\":\"u-%s\",\"resourceVersion\":\"%s\"}}}\n",
                   type, name, name, version);
    write_chunk(connection, text);
}

static void write_bookmark(struct http_peer_connection *connection, const char *version, bool end)
{
    auto_free char *text = mem_printf(
        "{\"type\":\"BOOKMARK\",\"object\":{\"metadata\":{\"resourceVersion\":\"%s\"%s}}}\n",
        version, end ? ",\"annotations\":{\"k8s.io/initial-events-end\":\"true\"}" : "");
    write_chunk(connection, text);
}

static void end_stream(struct http_peer_connection *connection)
{
    http_peer_write(connection, "0\r\n\r\n");
}

static void write_status(struct http_peer_connection *connection, int code, const char *reason,
                         const char *headers)
{
    auto_free char *body = mem_printf("{\"kind\":\"Status\",\"code\":%d,\"reason\":\"%s\","
                                      "\"message\":\"words\"}",
                                      code, reason);
    auto_free char *answer = mem_printf("HTTP/1.1 %d X\r\n%sContent-Length: %zu\r\n\r\n%s", code,
                                        headers, strlen(body), body);
    http_peer_write(connection, answer);
}

static void write_list(struct http_peer_connection *connection, const char *name,
                       const char *version, const char *continue_token)
{
    auto_free char *body = mem_printf(
        "{\"metadata\":{\"resourceVersion\":\"%s\",\"continue\":\"%s\"},\"items\":[{\"metadata\":{"
        "\"namespace\":\"ns\",\"name\":\"%s\",\"resourceVersion\":\"%s\"}}]}",
        version, continue_token, name, version);
    http_peer_reply(connection, body);
}

/* ---- the world ---- */

static void record(struct world *world, const char *text)
{
    strncat(world->requests, text, sizeof world->requests - strlen(world->requests) - 1);
}

static void respond(struct http_peer_connection *connection, const char *request)
{
    struct world *world = (struct world *)connection->peer;
    world->stream = connection;
    const char *timeout = strstr(request, "timeoutSeconds=");
    world->timeout_s = timeout ? atoi(timeout + strlen("timeoutSeconds=")) : -1;
    if (strstr(request, "sendInitialEvents=true&resourceVersionMatch=NotOlderThan")) {
        world->lists++;
        record(world, "L ");
        world->list(world, connection);
    } else if (strstr(request, "limit=500")) {
        world->pages++;
        record(world, "P ");
        world->page(world, connection, request);
    } else {
        const char *version = strstr(request, "&resourceVersion=");
        assert_non_null(version);
        assert_non_null(strstr(request, "watch=true&allowWatchBookmarks=true"));
        version += strlen("&resourceVersion=");
        auto_free char *text = mem_printf("W%.*s ", (int)strcspn(version, " &"), version);
        world->watches++;
        record(world, text);
        world->watch(world, connection);
    }
}

static void on_note(void *context, enum reflector_note note, const struct err *err)
{
    struct world *world = context;
    static const char *const NAMES[] = { [REFLECTOR_SYNCED] = "S",
                                         [REFLECTOR_RELIST] = "R",
                                         [REFLECTOR_ERROR] = "E",
                                         [REFLECTOR_RECOVERED] = "C" };
    const char *text = NAMES[note];
    strncat(world->notes, text, sizeof world->notes - strlen(world->notes) - 1);
    assert_int_equal(note == REFLECTOR_ERROR, err != NULL);
    if (err) {
        world->last_error = *err;
        strncat(world->notes, err_kind_name(err->kind),
                sizeof world->notes - strlen(world->notes) - 1);
    }
    strncat(world->notes, " ", sizeof world->notes - strlen(world->notes) - 1);
}

static void list_one(struct world *world, struct http_peer_connection *connection)
{
    (void)world;
    begin_stream(connection);
    write_event(connection, "ADDED", "a", "90");
    write_bookmark(connection, "100", true);
}

static void list_refused(struct world *world, struct http_peer_connection *connection)
{
    (void)world;
    write_status(connection, 422, "Invalid", "");
}

static void watch_quietly(struct world *world, struct http_peer_connection *connection)
{
    (void)world;
    begin_stream(connection);
}

static int set_up(void **state)
{
    struct world *world = mem_alloc(sizeof *world);
    struct err err = ERR_INIT;
    world->loop = test_loop_new();
    http_peer_start(&world->peer, world->loop, respond);
    assert_true(http_new(world->loop, "test", 8, &world->http, &err));
    world->config.server = mem_strdup(http_peer_url(&world->peer, ""));
    world->client = kube_client_new(world->loop, world->http, &world->config, NULL, NULL);
    world->store = store_new(NULL, NULL, NULL, NULL);
    world->list = list_one;
    world->watch = watch_quietly;
    world->bookmark_timeout_ms = 300 * 1000;
    *state = world;
    return 0;
}

static int tear_down(void **state)
{
    struct world *world = *state;
    reflector_free(world->reflector);
    store_free(world->store);
    kube_client_free(world->client);
    http_free(world->http);
    http_peer_stop(&world->peer);
    loop_free(world->loop);
    kube_config_done(&world->config);
    mem_free(world);
    return 0;
}

static void start(struct world *world, int64_t watch_timeout_ms)
{
    world->reflector = reflector_new(world->loop, world->client, world->store,
                                     &(struct reflector_options){
                                         .resource = &KUBE_SECRETS,
                                         .namespace = "ns",
                                         .watch_timeout_ms = watch_timeout_ms,
                                         .bookmark_timeout_ms = world->bookmark_timeout_ms,
                                     },
                                     on_note, world);
}

static void run_for(struct world *world, int64_t ms)
{
    bool never = false;
    (void)test_loop_until(world->loop, &never, ms);
}

/* Runs until the requests so far begin with `requests` and the store has that many objects. */
static void expect(struct world *world, const char *requests, size_t objects, int64_t timeout_ms)
{
    int64_t deadline = clock_monotonic_ms() + timeout_ms;
    while ((strcmp(world->requests, requests) != 0 || store_count(world->store) != objects) &&
           clock_monotonic_ms() < deadline)
        run_for(world, 5);
    run_for(world, 20); /* nothing more than that */
    assert_string_equal(world->requests, requests);
    assert_int_equal(store_count(world->store), objects);
}

static bool has(const struct world *world, const char *name)
{
    auto_shared_json const cJSON *object = store_get(world->store, "ns", name);
    return object != NULL;
}

/* ---- the stories ---- */

static void test_list_and_watch_on_one_stream(void **state)
{
    struct world *world = *state;
    start(world, 300 * 1000);
    assert_false(reflector_synced(world->reflector));
    expect(world, "L ", 1, 2000);
    assert_true(reflector_synced(world->reflector));
    assert_string_equal(world->notes, "S ");
    assert_in_range(world->timeout_s, 180, 240);
    assert_true(reflector_silence_ms(world->reflector) < 1000);

    write_event(world->stream, "ADDED", "b", "101");
    write_event(world->stream, "MODIFIED", "b", "102");
    write_event(world->stream, "DELETED", "a", "103");
    run_for(world, 50);
    assert_true(has(world, "b"));
    expect(world, "L ", 1, 0);
}

static void test_not_synced_before_the_end_of_the_list(void **state)
{
    struct world *world = *state;
    world->list = watch_quietly;
    start(world, 300 * 1000);
    expect(world, "L ", 0, 2000);
    write_event(world->stream, "ADDED", "a", "90");
    expect(world, "L ", 1, 2000);
    assert_false(reflector_synced(world->reflector));
    write_bookmark(world->stream, "95", false);
    run_for(world, 30);
    assert_false(reflector_synced(world->reflector));
    write_bookmark(world->stream, "100", true);
    run_for(world, 30);
    assert_true(reflector_synced(world->reflector));
}

static void two_pages(struct world *world, struct http_peer_connection *connection,
                      const char *request)
{
    if (world->pages % 2 == 1)
        write_list(connection, "a", "100", "to/ken");
    else if (strstr(request, "limit=500&continue=to%2Fken "))
        write_list(connection, "b", "100", "");
}

static void watch_gone_once(struct world *world, struct http_peer_connection *connection)
{
    if (world->watches == 1)
        write_status(connection, 410, "Expired", "");
    else
        begin_stream(connection);
}

static void test_pages_where_streaming_is_refused_and_ever_after(void **state)
{
    struct world *world = *state;
    world->list = list_refused;
    world->page = two_pages;
    world->watch = watch_gone_once;
    start(world, 300 * 1000);
    expect(world, "L P P W100 P P W100 ", 2, 2000);
    assert_string_equal(world->notes, "S EGone R ");
}

static void list_cut(struct world *world, struct http_peer_connection *connection)
{
    (void)world;
    begin_stream(connection);
    write_event(connection, "ADDED", "a", "90");
    end_stream(connection);
}

static void test_pages_where_the_list_never_ends(void **state)
{
    struct world *world = *state;
    world->list = list_cut;
    world->page = two_pages;
    start(world, 300 * 1000);
    expect(world, "L P P W100 ", 2, 2000);
    assert_string_equal(world->notes, "S ");
}

static void test_an_ended_watch_goes_on_where_it_was(void **state)
{
    struct world *world = *state;
    start(world, 300 * 1000);
    expect(world, "L ", 1, 2000);
    write_event(world->stream, "MODIFIED", "a", "101");
    end_stream(world->stream);
    expect(world, "L W101 ", 1, 2000);
    write_bookmark(world->stream, "150", false);
    end_stream(world->stream);
    expect(world, "L W101 W150 ", 1, 2000);
    assert_string_equal(world->notes, "S ");
}

static void test_a_watch_cut_in_the_middle_of_an_event(void **state)
{
    struct world *world = *state;
    start(world, 300 * 1000);
    expect(world, "L ", 1, 2000);
    write_event(world->stream, "ADDED", "b", "101");
    write_chunk(world->stream, "{\"type\":\"ADDED\",\"object\":{\"metadata\":{\"na");
    run_for(world, 30);
    http_peer_close(world->stream);
    expect(world, "L W101 ", 2, 2000);
    assert_string_equal(world->notes, "S ETransient ");
    write_event(world->stream, "ADDED", "c", "102"); /* the half event left nothing behind */
    expect(world, "L W101 ", 3, 2000);
}

static void list_twice(struct world *world, struct http_peer_connection *connection)
{
    begin_stream(connection);
    write_event(connection, "ADDED", world->lists == 1 ? "a" : "b", "90");
    write_bookmark(connection, "100", true);
}

static void test_gone_inside_a_stream_lists_again(void **state)
{
    struct world *world = *state;
    world->list = list_twice;
    start(world, 300 * 1000);
    expect(world, "L ", 1, 2000);
    write_chunk(world->stream, "{\"type\":\"ERROR\",\"object\":{\"kind\":\"Status\",\"code\":410,"
                               "\"reason\":\"Expired\",\"message\":\"too old\"}}\n");
    expect(world, "L L ", 1, 2000);
    assert_true(has(world, "b"));
    assert_string_equal(world->notes, "S EGone R ");
}

static void list_cut_the_second_time(struct world *world, struct http_peer_connection *connection)
{
    if (world->lists == 2)
        http_peer_close(connection);
    else
        list_twice(world, connection);
}

static void test_only_a_complete_list_is_told(void **state)
{
    struct world *world = *state;
    world->list = list_cut_the_second_time;
    start(world, 300 * 1000);
    expect(world, "L ", 1, 2000);
    write_chunk(world->stream, "{\"type\":\"ERROR\",\"object\":{\"kind\":\"Status\",\"code\":410,"
                               "\"reason\":\"Expired\",\"message\":\"too old\"}}\n");
    expect(world, "L L L ", 1, 3000);
    assert_true(has(world, "b"));
    assert_string_equal(world->notes, "S EGone ETransient R ");
}

static void gone_always(struct world *world, struct http_peer_connection *connection)
{
    (void)world;
    write_status(connection, 410, "Expired", "");
}

static void test_gone_for_ever_is_no_tight_loop(void **state)
{
    struct world *world = *state;
    world->list = list_refused;
    world->page = two_pages;
    world->watch = gone_always;
    start(world, 300 * 1000);
    run_for(world, 400);
    assert_string_equal(world->requests, "L P P W100 P P W100 ");
}

static void away_then_gone(struct world *world, struct http_peer_connection *connection)
{
    if (world->watches == 1)
        write_status(connection, 503, "ServiceUnavailable", "");
    else if (world->watches == 2)
        write_status(connection, 410, "Expired", "");
    else
        begin_stream(connection);
}

static void test_gone_after_an_outage_lists_again_at_once(void **state)
{
    struct world *world = *state;
    world->list = list_refused;
    world->page = two_pages;
    world->watch = away_then_gone;
    start(world, 300 * 1000);
    while (world->watches < 2)
        run_for(world, 5);
    run_for(world, 400); /* less than the shortest back-off */
    assert_string_equal(world->requests, "L P P W100 W100 P P W100 ");
}

static void throttled_once(struct world *world, struct http_peer_connection *connection)
{
    if (world->lists == 1)
        write_status(connection, 429, "TooManyRequests", "Retry-After: 2\r\n");
    else
        list_one(world, connection);
}

static void test_retry_after_is_waited_for(void **state)
{
    struct world *world = *state;
    world->list = throttled_once;
    start(world, 300 * 1000);
    int64_t before = clock_monotonic_ms();
    expect(world, "L L ", 1, 5000);
    assert_in_range(clock_monotonic_ms() - before, 1900, 3000);
    assert_string_equal(world->notes, "EThrottled S ");
}

static void refused_twice(struct world *world, struct http_peer_connection *connection)
{
    if (world->watches <= 2)
        write_status(connection, 403, "Forbidden", "");
    else
        begin_stream(connection);
}

static void test_a_watch_that_works_again_is_told_once(void **state)
{
    struct world *world = *state;
    world->list = list_refused;
    world->page = two_pages;
    world->watch = refused_twice;
    start(world, 300 * 1000);
    while (world->watches < 3)
        run_for(world, 5);
    run_for(world, 50);
    assert_string_equal(world->notes, "S EForbidden EForbidden ");
    write_bookmark(world->stream, "200", false);
    write_bookmark(world->stream, "201", false);
    run_for(world, 50);
    assert_string_equal(world->notes, "S EForbidden EForbidden C ");
}

static void ends_at_once(struct world *world, struct http_peer_connection *connection)
{
    (void)world;
    begin_stream(connection);
    end_stream(connection);
}

static void test_a_watch_that_ends_at_once_is_no_tight_loop(void **state)
{
    struct world *world = *state;
    world->list = list_refused;
    world->page = two_pages;
    world->watch = ends_at_once;
    start(world, 300 * 1000);
    run_for(world, 400);
    assert_string_equal(world->requests, "L P P W100 ");
    assert_string_equal(world->notes, "S ETransient ");
}

static void test_nonsense_in_the_stream(void **state)
{
    struct world *world = *state;
    start(world, 300 * 1000);
    expect(world, "L ", 1, 2000);
    write_event(world->stream, "ADDED", "b", "101");
    write_chunk(world->stream, "nonsense\n");
    expect(world, "L W101 ", 2, 2000);
    assert_string_equal(world->notes, "S EMalformed ");
}

static void page_without_version(struct world *world, struct http_peer_connection *connection,
                                 const char *request)
{
    (void)world;
    (void)request;
    http_peer_reply(connection, "{\"items\":[]}");
}

static void test_list_without_a_version(void **state)
{
    struct world *world = *state;
    world->list = list_refused;
    world->page = page_without_version;
    start(world, 300 * 1000);
    run_for(world, 200);
    assert_string_equal(world->requests, "L P ");
    assert_string_equal(world->notes, "EMalformed ");
}

static void test_the_watchdog_cuts_a_silent_watch(void **state)
{
    struct world *world = *state;
    start(world, 2000);
    expect(world, "L ", 1, 1000);
    assert_int_equal(world->timeout_s, 1);
    int64_t before = clock_monotonic_ms();
    int connections = world->peer.accepted;
    run_for(world, 1000);
    write_bookmark(world->stream, "120", false); /* bytes put it off */
    expect(world, "L W120 ", 1, 5000);
    assert_in_range(clock_monotonic_ms() - before, 2900, 4000);
    assert_int_equal(world->peer.accepted, connections + 1);
    assert_string_equal(world->notes, "S ETransient ");
    assert_non_null(strstr(world->last_error.message, "silent for 2000 ms"));
}

/* Ends the watch after a second, in order. */
static void end_watch(struct world *world)
{
    run_for(world, 1100);
    end_stream(world->stream);
    run_for(world, 50);
}

static void test_a_watch_from_a_version_to_come_lists_again(void **state)
{
    struct world *world = *state;
    world->bookmark_timeout_ms = 2000;
    start(world, 300 * 1000);
    expect(world, "L ", 1, 1000);
    end_watch(world);
    assert_string_equal(world->requests, "L W100 ");
    write_bookmark(world->stream, "120", false);
    end_watch(world);
    assert_string_equal(world->requests, "L W100 W120 ");
    end_watch(world);
    assert_string_equal(world->requests, "L W100 W120 L ");
    for (int tries = 0; tries < 50 && !strchr(world->notes, 'R'); tries++)
        run_for(world, 20); /* until the list is answered */
    assert_string_equal(world->notes, "S ETransient R ");
    assert_non_null(strstr(world->last_error.message, "not even a bookmark"));
}

static void test_freed_at_any_moment(void **state)
{
    struct world *world = *state;
    for (int64_t ms = 0; ms < 40; ms += 4) {
        start(world, 300 * 1000);
        run_for(world, ms);
        reflector_free(take(world->reflector));
    }
    reflector_free(NULL);
}

#define in_world(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        in_world(test_list_and_watch_on_one_stream),
        in_world(test_not_synced_before_the_end_of_the_list),
        in_world(test_pages_where_streaming_is_refused_and_ever_after),
        in_world(test_pages_where_the_list_never_ends),
        in_world(test_an_ended_watch_goes_on_where_it_was),
        in_world(test_a_watch_cut_in_the_middle_of_an_event),
        in_world(test_gone_inside_a_stream_lists_again),
        in_world(test_only_a_complete_list_is_told),
        in_world(test_gone_for_ever_is_no_tight_loop),
        in_world(test_gone_after_an_outage_lists_again_at_once),
        in_world(test_retry_after_is_waited_for),
        in_world(test_a_watch_that_works_again_is_told_once),
        in_world(test_a_watch_that_ends_at_once_is_no_tight_loop),
        in_world(test_nonsense_in_the_stream),
        in_world(test_list_without_a_version),
        in_world(test_the_watchdog_cuts_a_silent_watch),
        in_world(test_a_watch_from_a_version_to_come_lists_again),
        in_world(test_freed_at_any_moment),
    };
    json_setup();
    return test_run(tests);
}
