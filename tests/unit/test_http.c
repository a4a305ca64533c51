#include "http_peer.h"

#include <fcntl.h>
#include <netdb.h>
#include <time.h>

#include "net/http.h"

struct world {
    struct loop *loop;
    struct http *http;
    struct http_peer peer;
};

/* What a request came to. */
struct result {
    bool done;
    int calls;
    enum http_outcome outcome;
    long status;
    char body[256];
    char streamed[256];
    int chunks;
    int asked;
    char content_type[64], retry_after[64], date[64], failure[256];
    int64_t duration_ms;
    /* what the callbacks do besides */
    int stop_after_chunks;
    struct http_request *cancel_in_chunk;
    struct http_request *cancel_in_done;
    struct http *send_in_chunk;
    const struct http_call *call;
};

static void copy(char *to, size_t size, const char *from)
{
    snprintf(to, size, "%s", from ? from : "(none)");
}

static void on_done(void *context, const struct http_answer *answer)
{
    struct result *result = context;
    result->done = true;
    result->calls++;
    result->outcome = answer->outcome;
    result->status = answer->status;
    result->duration_ms = answer->duration_ms;
    copy(result->body, sizeof result->body, buf_text(answer->body));
    copy(result->content_type, sizeof result->content_type, answer->content_type);
    copy(result->retry_after, sizeof result->retry_after, answer->retry_after);
    copy(result->date, sizeof result->date, answer->date);
    copy(result->failure, sizeof result->failure, answer->failure);
    http_cancel(take(result->cancel_in_done));
}

static bool on_chunk(void *context, const char *bytes, size_t length)
{
    struct result *result = context;
    assert_false(result->done);
    strncat(result->streamed, bytes, length);
    result->chunks++;
    http_cancel(take(result->cancel_in_chunk));
    if (result->send_in_chunk)
        (void)http_send(take(result->send_in_chunk), result->call);
    return result->chunks != result->stop_after_chunks;
}

static const char *path_of(const char *request)
{
    static char path[128];
    sscanf(request, "%*s %127s", path);
    return path;
}

/* The peer's behaviour is named by the path. */
static void respond(struct http_peer_connection *connection, const char *request)
{
    const char *path = path_of(request);
    if (strncmp(request, "CONNECT ", strlen("CONNECT ")) == 0) {
        http_peer_write(connection, "HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n");
    } else if (strcmp(path, "/close") == 0) {
        http_peer_close(connection);
    } else if (strcmp(path, "/reset") == 0) {
        struct linger linger = { .l_onoff = 1 };
        setsockopt(connection->fd, SOL_SOCKET, SO_LINGER, &linger, sizeof linger);
        http_peer_close(connection);
    } else if (strcmp(path, "/cut") == 0) {
        http_peer_write(connection, "HTTP/1.1 201 Created\r\nContent-Length: 100\r\n\r\nhalf");
        http_peer_close(connection);
    } else if (strcmp(path, "/garbage") == 0) {
        http_peer_write(connection, "SSH-2.0-OpenSSH_9.2\r\n\r\n");
        http_peer_close(connection);
    } else if (strcmp(path, "/busy") == 0) {
        http_peer_write(connection,
                        "HTTP/1.1 429 Too Many\r\nRetry-After: 7\r\nContent-Type: a/b\r\n"
                        "Date: Tue, 24 Nov 2026 10:00:00 GMT\r\n"
                        "Content-Length: 4\r\n\r\nwait");
    } else if (strcmp(path, "/redirect") == 0) {
        http_peer_write(connection, "HTTP/1.1 302 Found\r\nLocation: /hello\r\n"
                                    "Content-Length: 0\r\n\r\n");
    } else if (strcmp(path, "/unauthorized") == 0) {
        http_peer_write(connection, "HTTP/1.1 401 No\r\nWWW-Authenticate: Basic realm=\"x\"\r\n"
                                    "WWW-Authenticate: Bearer\r\nContent-Length: 0\r\n\r\n");
    } else if (strcmp(path, "/endless") == 0) {
        http_peer_write(connection, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
                                    "64\r\n0123456789012345678901234567890123456789012345678901234"
                                    "567890123456789012345678901234567890123456789\r\n");
    } else if (strcmp(path, "/stream") == 0) {
        http_peer_write(connection, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
                                    "3\r\none\r\n3\r\ntwo\r\n0\r\n\r\n");
    } else if (strcmp(path, "/head") == 0) {
        http_peer_write(connection, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n");
    } else if (strcmp(path, "/hang") != 0) {
        http_peer_reply(connection, path);
    }
}

static int world_setup(void **state)
{
    static struct world world;
    struct err err = ERR_INIT;
    world = (struct world){ .loop = test_loop_new() };
    if (!http_new(world.loop, "test/1", 2, &world.http, &err))
        fail_msg("%s", err.message);
    http_peer_start(&world.peer, world.loop, respond);
    *state = &world;
    return 0;
}

static int world_teardown(void **state)
{
    struct world *world = *state;
    http_free(world->http);
    http_peer_stop(&world->peer);
    loop_free(world->loop);
    return 0;
}

static struct http_call call_for(struct result *result, const char *method, const char *url)
{
    *result = (struct result){ 0 };
    return (struct http_call){
        .method = method,
        .url = url,
        .timeout_ms = 5000,
        .max_body_bytes = 200,
        .done = on_done,
        .context = result,
    };
}

static void wait_for(struct world *world, const struct result *result)
{
    if (!test_loop_until(world->loop, &result->done, 8000))
        fail_msg("no answer");
    assert_int_equal(result->calls, 1);
}

static struct result fetch(struct world *world, const char *method, const char *path)
{
    static struct result result;
    struct http_call call = call_for(&result, method, http_peer_url(&world->peer, path));
    if (strcmp(method, "POST") == 0 || strcmp(method, "PATCH") == 0) {
        call.body = "{\"a\":1}";
        call.body_length = 7;
        call.content_type = "application/json";
    }
    (void)http_send(world->http, &call);
    assert_false(result.done);
    wait_for(world, &result);
    return result;
}

/* Dispatches for a while, for what must not happen. */
static void idle(struct world *world, int64_t ms)
{
    bool never = false;
    test_loop_until(world->loop, &never, ms);
}

/* ---- answers ---- */

static void test_an_answer_is_handed_over_whole(void **state)
{
    struct world *world = *state;
    struct result result = fetch(world, "GET", "/busy");
    assert_int_equal(result.outcome, HTTP_ANSWERED);
    assert_int_equal(result.status, 429);
    assert_string_equal(result.body, "wait");
    assert_string_equal(result.content_type, "a/b");
    assert_string_equal(result.retry_after, "7");
    assert_string_equal(result.date, "Tue, 24 Nov 2026 10:00:00 GMT");
    assert_string_equal(result.failure, "");
    result = fetch(world, "GET", "/plain");
    assert_string_equal(result.retry_after, "(none)");
    assert_string_equal(result.content_type, "(none)");
    assert_int_equal(world->peer.accepted, 1);
}

static void test_redirects_are_not_followed(void **state)
{
    struct world *world = *state;
    struct result result = fetch(world, "GET", "/redirect");
    assert_int_equal(result.outcome, HTTP_ANSWERED);
    assert_int_equal(result.status, 302);
    assert_int_equal(world->peer.requests, 1);
}

static void test_head_has_no_body(void **state)
{
    struct result result = fetch(*state, "HEAD", "/head");
    assert_int_equal(result.outcome, HTTP_ANSWERED);
    assert_string_equal(result.body, "");
}

static void test_a_body_over_the_maximum_ends_the_transfer(void **state)
{
    struct world *world = *state;
    struct result result;
    struct http_call call = call_for(&result, "GET", http_peer_url(&world->peer, "/endless"));
    call.max_body_bytes = 99;
    (void)http_send(world->http, &call);
    wait_for(world, &result);
    assert_int_equal(result.outcome, HTTP_TOO_LARGE);
    assert_int_equal(result.status, 200);
    assert_true(result.duration_ms < 2000);
}

/* ---- what is sent ---- */

static void assert_sent(const struct world *world, const char *line)
{
    if (!strstr(world->peer.last_request, line))
        fail_msg("no %s in: %s", line, world->peer.last_request);
}

static void assert_not_sent(const struct world *world, const char *name)
{
    if (strcasestr(world->peer.last_request, name))
        fail_msg("%s in: %s", name, world->peer.last_request);
}

static void test_the_request_is_what_was_asked_for(void **state)
{
    struct world *world = *state;
    struct result result = fetch(world, "PATCH", "/x?y=1");
    assert_int_equal(result.outcome, HTTP_ANSWERED);
    assert_sent(world, "PATCH /x?y=1 HTTP/1.1\r\n");
    assert_sent(world, "\r\nUser-Agent: test/1\r\n");
    assert_sent(world, "\r\nAccept: application/json\r\n");
    assert_sent(world, "\r\nContent-Type: application/json\r\n");
    assert_sent(world, "\r\n\r\n{\"a\":1}");
    assert_not_sent(world, "Expect");
    assert_not_sent(world, "Accept-Encoding");
    assert_not_sent(world, "Authorization");
    (void)fetch(world, "DELETE", "/x");
    assert_sent(world, "DELETE /x HTTP/1.1\r\n");
    assert_not_sent(world, "Content-");
}

static void test_a_post_without_a_body_says_so(void **state)
{
    struct world *world = *state;
    struct result result;
    struct http_call call = call_for(&result, "POST", http_peer_url(&world->peer, "/x"));
    (void)http_send(world->http, &call);
    wait_for(world, &result);
    assert_sent(world, "POST /x HTTP/1.1\r\n");
    assert_sent(world, "\r\nContent-Length: 0\r\n");
    assert_not_sent(world, "Content-Type");
}

static void test_a_big_body_is_sent_without_asking_first(void **state)
{
    enum { LENGTH = 2 * 1024 * 1024 };
    struct world *world = *state;
    auto_free char *body = mem_alloc(LENGTH + 1);
    memset(body, 'b', LENGTH);
    struct result result;
    struct http_call call = call_for(&result, "PUT", http_peer_url(&world->peer, "/x"));
    call.body = body;
    call.body_length = LENGTH;
    (void)http_send(world->http, &call);
    wait_for(world, &result);
    assert_int_equal(result.outcome, HTTP_ANSWERED);
    assert_sent(world, "\r\nContent-Length: 2097152\r\n");
    assert_not_sent(world, "Expect");
}

static void test_credentials_are_sent_in_their_form(void **state)
{
    struct world *world = *state;
    static const struct {
        enum http_auth auth;
        const char *credential, *header;
    } rows[] = {
        { HTTP_AUTH_BEARER, "abc.def", "\r\nAuthorization: Bearer abc.def\r\n" },
        { HTTP_AUTH_TOKEN, "0123", "\r\nAuthorization: Token 0123\r\n" },
        { HTTP_AUTH_BASIC, "user:pass:word", "\r\nAuthorization: Basic dXNlcjpwYXNzOndvcmQ=\r\n" },
    };
    for (size_t i = 0; i < ARRAY_LENGTH(rows); i++) {
        auto_secret struct secret secret = { 0 };
        secret_set(&secret, rows[i].credential, strlen(rows[i].credential));
        struct result result;
        struct http_call call =
            call_for(&result, "POST", http_peer_url(&world->peer, "/unauthorized"));
        call.body = "x";
        call.body_length = 1;
        call.auth = rows[i].auth;
        call.credential = &secret;
        world->peer.requests = 0;
        (void)http_send(world->http, &call);
        secret_done(&secret); /* borrowed for the call only */
        wait_for(world, &result);
        assert_int_equal(result.status, 401);
        assert_int_equal(world->peer.requests, 1);
        assert_sent(world, rows[i].header);
    }
}

/* ---- transfers that fail ---- */

static void test_failures_after_sending_are_broken(void **state)
{
    static const struct {
        const char *path;
        long status;
    } rows[] = { { "/close", 0 }, { "/reset", 0 }, { "/cut", 201 }, { "/garbage", 0 } };
    struct world *world = *state;
    for (size_t i = 0; i < ARRAY_LENGTH(rows); i++) {
        struct result result = fetch(world, "POST", rows[i].path);
        if (result.outcome != HTTP_BROKEN || result.status != rows[i].status)
            fail_msg("%s: outcome %d, status %ld", rows[i].path, result.outcome, result.status);
        assert_string_not_equal(result.failure, "");
    }
    assert_int_equal(world->peer.requests, ARRAY_LENGTH(rows));
}

static void test_failures_before_sending_are_not_sent(void **state)
{
    struct world *world = *state;
    int port = 0;
    close(http_peer_listen(&port)); /* now surely refused */
    char refused[64];
    snprintf(refused, sizeof refused, "http://127.0.0.1:%d/", port);
    char not_tls[64];
    snprintf(not_tls, sizeof not_tls, "https://127.0.0.1:%d/", world->peer.port);
    const char *const urls[] = {
        refused,
        not_tls,
        "http://no-such-name.invalid/",
        "ftp://127.0.0.1/",
        "file:///etc/passwd",
        "not a url",
        "",
        "http://127.0.0.1:99999/",
    };
    for (size_t i = 0; i < ARRAY_LENGTH(urls); i++) {
        struct result result;
        struct http_call call = call_for(&result, "POST", urls[i]);
        call.timeout_ms = 500;
        (void)http_send(world->http, &call);
        assert_false(result.done);
        wait_for(world, &result);
        if (result.outcome != HTTP_NOT_SENT || result.status != 0 || !result.failure[0])
            fail_msg("%s: outcome %d %s", urls[i], result.outcome, result.failure);
    }
    assert_int_equal(world->peer.requests, 0);
}

static void test_an_explicit_proxy_wins_over_no_proxy_and_may_refuse(void **state)
{
    struct world *world = *state;
    struct result result;
    struct http_tls tls = { .proxy_url = http_peer_url(&world->peer, "") };
    struct http_call call = call_for(&result, "POST", "https://api.example.com/");
    call.tls = &tls;
    (void)http_send(world->http, &call);
    wait_for(world, &result);
    assert_int_equal(result.outcome, HTTP_NOT_SENT);
    assert_sent(world, "CONNECT api.example.com:443 HTTP/1.1\r\n");
}

static void test_a_silent_peer_times_out(void **state)
{
    struct world *world = *state;
    struct result result;
    struct http_call call = call_for(&result, "POST", http_peer_url(&world->peer, "/hang"));
    call.timeout_ms = 100;
    (void)http_send(world->http, &call);
    wait_for(world, &result);
    assert_int_equal(result.outcome, HTTP_BROKEN);
    assert_true(result.duration_ms >= 100 && result.duration_ms < 2000);
}

static void test_waiting_for_a_connection_counts_as_time(void **state)
{
    struct world *world = *state;
    struct result busy[2];
    for (size_t i = 0; i < 2; i++) {
        struct http_call call = call_for(&busy[i], "GET", http_peer_url(&world->peer, "/hang"));
        (void)http_send(world->http, &call);
    }
    struct result result;
    struct http_call call = call_for(&result, "POST", http_peer_url(&world->peer, "/x"));
    call.timeout_ms = 100;
    (void)http_send(world->http, &call);
    wait_for(world, &result);
    assert_int_equal(result.outcome, HTTP_NOT_SENT);
    assert_true(result.duration_ms < 2000);
    assert_int_equal(world->peer.accepted, 2);
}

static void test_a_waiting_request_gets_the_next_free_connection(void **state)
{
    struct world *world = *state;
    enum { COUNT = 12 };
    struct result results[COUNT];
    for (size_t i = 0; i < COUNT; i++) {
        struct http_call call = call_for(&results[i], "GET", http_peer_url(&world->peer, "/x"));
        (void)http_send(world->http, &call);
    }
    for (size_t i = 0; i < COUNT; i++) {
        wait_for(world, &results[i]);
        assert_int_equal(results[i].outcome, HTTP_ANSWERED);
    }
    assert_true(world->peer.accepted <= 2);
    assert_int_equal(world->peer.requests, COUNT);
}

/* ---- one sending only ---- */

static void test_a_post_on_a_dying_connection_is_sent_once(void **state)
{
    static const char *const paths[] = { "/close", "/reset" };
    static const char *const methods[] = { "POST", "PATCH" };
    struct world *world = *state;
    for (size_t i = 0; i < 4; i++) {
        struct result result = fetch(world, "GET", "/keep");
        assert_int_equal(result.outcome, HTTP_ANSWERED);
        int accepted = world->peer.accepted;
        world->peer.requests = 0;
        result = fetch(world, methods[i / 2], paths[i % 2]);
        idle(world, 50);
        assert_int_equal(result.outcome, HTTP_BROKEN);
        assert_string_equal(result.failure, "the connection was lost before an answer came");
        assert_int_equal(world->peer.requests, 1);
        assert_true(world->peer.accepted <= accepted + 1); /* opened, but nothing sent */
    }
}

static void test_a_post_without_a_body_is_sent_once_too(void **state)
{
    struct world *world = *state;
    struct result result = fetch(world, "GET", "/keep");
    struct http_call call = call_for(&result, "POST", http_peer_url(&world->peer, "/close"));
    (void)http_send(world->http, &call);
    wait_for(world, &result);
    assert_int_equal(result.outcome, HTTP_BROKEN);
    assert_int_equal(world->peer.requests, 2);
}

static void test_a_get_on_a_dying_connection_is_sent_again(void **state)
{
    struct world *world = *state;
    (void)fetch(world, "GET", "/keep");
    struct result result = fetch(world, "GET", "/close");
    assert_int_equal(result.outcome, HTTP_BROKEN);
    assert_int_equal(world->peer.requests, 3);
}

static void test_a_connection_that_died_idle_is_not_used(void **state)
{
    struct world *world = *state;
    (void)fetch(world, "GET", "/keep");
    http_peer_close(&world->peer.connections[0]);
    struct result result = fetch(world, "POST", "/x");
    assert_int_equal(result.outcome, HTTP_ANSWERED);
    assert_int_equal(world->peer.requests, 2);
    assert_int_equal(world->peer.accepted, 2);
}

/* Two connections are idle for two seconds when a third turns out to be silent. */
static void test_after_a_silent_peer_no_idle_connection_is_used(void **state)
{
    static const struct {
        const char *what;
        bool give_up;
        int64_t timeout_ms;
        int more; /* connections */
    } rows[] = {
        { "a time-out", false, 100, 1 },
        { "given up", true, 8000, 1 },
        { "cancelled for another reason", false, 8000, 0 },
    };
    struct world *world = *state;
    for (size_t i = 0; i < ARRAY_LENGTH(rows); i++) {
        struct result kept[2];
        for (size_t k = 0; k < 2; k++) {
            struct http_call call = call_for(&kept[k], "GET", http_peer_url(&world->peer, "/x"));
            (void)http_send(world->http, &call);
        }
        wait_for(world, &kept[0]);
        wait_for(world, &kept[1]);
        idle(world, 2100);
        struct result silent;
        struct http_call call = call_for(&silent, "POST", http_peer_url(&world->peer, "/hang"));
        call.timeout_ms = rows[i].timeout_ms;
        struct http_request *request = http_send(world->http, &call);
        if (rows[i].timeout_ms < 1000)
            wait_for(world, &silent);
        else
            idle(world, 50);
        int accepted = world->peer.accepted;
        if (rows[i].give_up)
            http_give_up(request);
        else if (!silent.done)
            http_cancel(request);
        struct result next = fetch(world, "GET", "/x");
        assert_int_equal(next.outcome, HTTP_ANSWERED);
        if (world->peer.accepted - accepted != rows[i].more)
            fail_msg("%s: %d new connections", rows[i].what, world->peer.accepted - accepted);
    }
}

/* ---- streams ---- */

static void test_a_stream_comes_in_order_and_ends(void **state)
{
    struct world *world = *state;
    struct result result;
    struct http_call call = call_for(&result, "GET", http_peer_url(&world->peer, "/stream"));
    call.chunk = on_chunk;
    call.max_body_bytes = 1;
    (void)http_send(world->http, &call);
    wait_for(world, &result);
    assert_int_equal(result.outcome, HTTP_ANSWERED);
    assert_string_equal(result.streamed, "onetwo");
    assert_string_equal(result.body, "");
}

static void test_an_error_instead_of_a_stream_is_collected(void **state)
{
    struct world *world = *state;
    struct result result;
    struct http_call call = call_for(&result, "GET", http_peer_url(&world->peer, "/busy"));
    call.chunk = on_chunk;
    (void)http_send(world->http, &call);
    wait_for(world, &result);
    assert_int_equal(result.status, 429);
    assert_int_equal(result.chunks, 0);
    assert_string_equal(result.body, "wait");
}

static void test_a_reader_can_stop_the_stream(void **state)
{
    struct world *world = *state;
    struct result result;
    struct http_call call = call_for(&result, "GET", http_peer_url(&world->peer, "/endless"));
    call.chunk = on_chunk;
    result.stop_after_chunks = 1;
    (void)http_send(world->http, &call);
    wait_for(world, &result);
    assert_int_equal(result.outcome, HTTP_STOPPED);
}

/* ---- sending and cancelling from anywhere ---- */

static void test_nothing_is_heard_of_a_cancelled_request(void **state)
{
    struct world *world = *state;
    struct result early, late;
    struct http_call call = call_for(&early, "POST", http_peer_url(&world->peer, "/x"));
    http_cancel(http_send(world->http, &call));
    call = call_for(&late, "GET", http_peer_url(&world->peer, "/hang"));
    struct http_request *request = http_send(world->http, &call);
    idle(world, 50);
    http_cancel(request);
    idle(world, 50);
    assert_false(early.done);
    assert_false(late.done);
    assert_int_equal(world->peer.requests, 1); /* the early one never left */
    http_cancel(NULL);
}

/* A listener that nobody accepts from: what was sent to it can be seen at any moment. */
static bool something_was_sent(int listener, int *connection)
{
    if (*connection < 0)
        *connection = accept4(listener, NULL, NULL, SOCK_NONBLOCK);
    char byte;
    return *connection >= 0 && recv(*connection, &byte, 1, MSG_PEEK) == 1;
}

static void test_nothing_is_sent_after_a_cancellation(void **state)
{
    struct world *world = *state;
    int seen_before = 0;
    for (int dispatches = 0; dispatches < 10; dispatches++) {
        int port = 0;
        int listener = http_peer_listen(&port);
        fcntl(listener, F_SETFL, O_NONBLOCK);
        int connection = -1;
        char url[64];
        snprintf(url, sizeof url, "http://127.0.0.1:%d/", port);
        struct result result;
        struct http_call call = call_for(&result, "POST", url);
        struct http_request *request = http_send(world->http, &call);
        for (int i = 0; i < dispatches; i++)
            loop_dispatch(world->loop);
        bool before = something_was_sent(listener, &connection);
        http_cancel(request);
        idle(world, 30);
        assert_int_equal(something_was_sent(listener, &connection), before);
        seen_before += before;
        close(connection);
        close(listener);
    }
    assert_true(seen_before > 0 && seen_before < 10); /* both sides of the moment were tried */
}

static bool refuse(void *context)
{
    struct result *result = context;
    result->asked++;
    return false;
}

static void test_a_request_that_may_not_be_sent_any_more_is_not(void **state)
{
    struct world *world = *state;
    struct result result;
    struct http_call call = call_for(&result, "POST", http_peer_url(&world->peer, "/x"));
    call.may_send = refuse;
    (void)http_send(world->http, &call);
    assert_int_equal(result.asked, 0); /* not yet: it has no connection */
    wait_for(world, &result);
    assert_int_equal(result.asked, 1);
    assert_int_equal(result.outcome, HTTP_NOT_SENT);
    assert_string_equal(result.failure, "it was no longer to be sent");
    assert_int_equal(world->peer.requests, 0);
}

static void test_callbacks_may_send_and_cancel(void **state)
{
    struct world *world = *state;
    struct result streamed, hanging, sent;
    struct http_call hang = call_for(&hanging, "GET", http_peer_url(&world->peer, "/hang"));
    struct http_request *hanging_request = http_send(world->http, &hang);
    char url[sizeof world->peer.url];
    copy(url, sizeof url, http_peer_url(&world->peer, "/x"));
    struct http_call other = call_for(&sent, "GET", url);
    struct http_call call = call_for(&streamed, "GET", http_peer_url(&world->peer, "/stream"));
    call.chunk = on_chunk;
    streamed.cancel_in_chunk = hanging_request;
    streamed.send_in_chunk = world->http;
    streamed.call = &other;
    (void)http_send(world->http, &call);
    wait_for(world, &streamed);
    wait_for(world, &sent);
    assert_int_equal(streamed.outcome, HTTP_ANSWERED);
    assert_int_equal(sent.outcome, HTTP_ANSWERED);
    assert_false(hanging.done);
}

static void test_a_stream_may_cancel_itself(void **state)
{
    struct world *world = *state;
    struct result result;
    struct http_call call = call_for(&result, "GET", http_peer_url(&world->peer, "/stream"));
    call.chunk = on_chunk;
    result.cancel_in_chunk = http_send(world->http, &call);
    idle(world, 100);
    assert_true(result.chunks > 0);
    assert_false(result.done);
}

static void test_two_answers_of_one_batch_may_cancel_each_other(void **state)
{
    struct world *world = *state;
    struct result results[2];
    struct http_request *requests[2];
    for (size_t i = 0; i < 2; i++) {
        struct http_call call = call_for(&results[i], "GET", http_peer_url(&world->peer, "/x"));
        requests[i] = http_send(world->http, &call);
    }
    results[0].cancel_in_done = requests[1];
    results[1].cancel_in_done = requests[0];
    idle(world, 100);
    assert_true(results[0].done || results[1].done);
}

static void test_free_cancels_what_is_in_flight(void **state)
{
    struct world *world = *state;
    struct result results[2];
    struct http_call call = call_for(&results[0], "GET", http_peer_url(&world->peer, "/hang"));
    (void)http_send(world->http, &call);
    idle(world, 30);
    call = call_for(&results[1], "GET", http_peer_url(&world->peer, "/x"));
    (void)http_send(world->http, &call);
    http_free(take(world->http));
    idle(world, 30);
    assert_false(results[0].done || results[1].done);
}

/* ---- names ---- */

static struct addrinfo *address_info(const char *ip, const char *service, struct addrinfo *next)
{
    struct addrinfo *info = calloc(1, sizeof *info);
    struct sockaddr_in *address = calloc(1, sizeof *address);
    address->sin_family = AF_INET;
    address->sin_port = htons((in_port_t)strtoul(service, NULL, 10));
    inet_pton(AF_INET, ip, &address->sin_addr);
    *info = (struct addrinfo){
        .ai_family = AF_INET,
        .ai_socktype = SOCK_STREAM,
        .ai_addr = (struct sockaddr *)address,
        .ai_addrlen = sizeof *address,
        .ai_next = next,
    };
    return info;
}

/* These two stand in for the C library's, in libcurl too. */
int getaddrinfo(const char *node, const char *service, const struct addrinfo *hints,
                struct addrinfo **result)
{
    (void)hints;
    if (strcmp(node, "slow.invalid") == 0) /* a name server that doesn't answer */
        nanosleep(&(struct timespec){ .tv_sec = 1 }, NULL);
    if (strcmp(node, "several.invalid") != 0)
        return EAI_NONAME;
    *result = address_info("127.0.0.1", service, NULL);
    for (int i = 0; i < 3; i++) /* where nobody listens */
        *result = address_info("127.0.0.2", service, *result);
    return 0;
}

void freeaddrinfo(struct addrinfo *info)
{
    while (info) {
        struct addrinfo *next = info->ai_next;
        free(info->ai_addr);
        free(info);
        info = next;
    }
}

static void test_addresses_that_refuse_cost_no_time(void **state)
{
    struct world *world = *state;
    struct result result;
    char url[64];
    snprintf(url, sizeof url, "http://several.invalid:%d/x", world->peer.port);
    struct http_call call = call_for(&result, "POST", url);
    (void)http_send(world->http, &call);
    wait_for(world, &result);
    assert_int_equal(result.outcome, HTTP_ANSWERED);
    assert_true(result.duration_ms < 150);
}

static void test_a_stuck_name_lookup_blocks_nobody(void **state)
{
    struct world *world = *state;
    struct result slow, other;
    struct http_call call = call_for(&slow, "GET", "http://slow.invalid/");
    call.timeout_ms = 100;
    (void)http_send(world->http, &call);
    idle(world, 20);
    int64_t before = clock_monotonic_ms();
    call = call_for(&other, "GET", http_peer_url(&world->peer, "/x"));
    (void)http_send(world->http, &call);
    wait_for(world, &other);
    wait_for(world, &slow);
    assert_int_equal(slow.outcome, HTTP_NOT_SENT);
    assert_int_equal(other.outcome, HTTP_ANSWERED);
    assert_true(clock_monotonic_ms() - before < 700);
    idle(world, 1100); /* the lookup's thread cleans up behind itself */
}

static void test_an_idle_pool_sleeps(void **state)
{
    struct world *world = *state;
    (void)fetch(world, "GET", "/keep");
    int wake_ups = 0;
    for (int64_t end = clock_monotonic_ms() + 300; clock_monotonic_ms() < end;) {
        struct pollfd wait = { .fd = loop_fd(world->loop), .events = POLLIN };
        wake_ups += poll(&wait, 1, 50) > 0 ? 1 : 0;
        loop_dispatch(world->loop);
    }
    assert_true(wake_ups < 20);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, world_setup, world_teardown)

int main(void)
{
    setenv("no_proxy", "*", 1);
    const struct CMUnitTest tests[] = {
        TEST(test_an_answer_is_handed_over_whole),
        TEST(test_redirects_are_not_followed),
        TEST(test_head_has_no_body),
        TEST(test_a_body_over_the_maximum_ends_the_transfer),
        TEST(test_the_request_is_what_was_asked_for),
        TEST(test_a_post_without_a_body_says_so),
        TEST(test_a_big_body_is_sent_without_asking_first),
        TEST(test_credentials_are_sent_in_their_form),
        TEST(test_failures_after_sending_are_broken),
        TEST(test_failures_before_sending_are_not_sent),
        TEST(test_an_explicit_proxy_wins_over_no_proxy_and_may_refuse),
        TEST(test_a_silent_peer_times_out),
        TEST(test_waiting_for_a_connection_counts_as_time),
        TEST(test_a_waiting_request_gets_the_next_free_connection),
        TEST(test_a_post_on_a_dying_connection_is_sent_once),
        TEST(test_a_post_without_a_body_is_sent_once_too),
        TEST(test_a_get_on_a_dying_connection_is_sent_again),
        TEST(test_a_connection_that_died_idle_is_not_used),
        TEST(test_after_a_silent_peer_no_idle_connection_is_used),
        TEST(test_a_stream_comes_in_order_and_ends),
        TEST(test_an_error_instead_of_a_stream_is_collected),
        TEST(test_a_reader_can_stop_the_stream),
        TEST(test_nothing_is_heard_of_a_cancelled_request),
        TEST(test_nothing_is_sent_after_a_cancellation),
        TEST(test_a_request_that_may_not_be_sent_any_more_is_not),
        TEST(test_callbacks_may_send_and_cancel),
        TEST(test_a_stream_may_cancel_itself),
        TEST(test_two_answers_of_one_batch_may_cancel_each_other),
        TEST(test_free_cancels_what_is_in_flight),
        TEST(test_addresses_that_refuse_cost_no_time),
        TEST(test_a_stuck_name_lookup_blocks_nobody),
        TEST(test_an_idle_pool_sleeps),
    };
    return test_run(tests);
}
