#include "test.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/log.h"
#include "net/http.h"
#include "net/server.h"

enum { BIG = 1024 * 1024 };

struct world {
    struct loop *loop;
    struct server *server;
    pid_t child;
    int child_status;
    int handled;
    char last_path[256];
};

/* ---- the server under test ---- */

static int handle(void *context, const char *path, const char **content_type, struct buf *body)
{
    struct world *world = context;
    world->handled++;
    snprintf(world->last_path, sizeof world->last_path, "%s", path);
    if (strcmp(path, "/big") == 0) {
        for (int i = 0; i < BIG / 16; i++)
            buf_printf(body, "%015d\n", i);
        return 200;
    }
    if (strcmp(path, "/huge") == 0) {
        while (buf_puts(body, "0123456789012345678901234567890123456789"))
            ;
        return 200;
    }
    if (strcmp(path, "/healthz") != 0)
        return 404;
    *content_type = "text/x-test";
    buf_puts(body, "fine\n");
    return 200;
}

static int world_setup(void **state)
{
    static struct world world;
    struct err err = ERR_INIT;
    log_setup(LOG_TEXT, LOG_INFO);
    world = (struct world){ .loop = test_loop_new() };
    if (!server_new(world.loop, "127.0.0.1:0", handle, &world, &world.server, &err))
        fail_msg("%s", err.message);
    *state = &world;
    return 0;
}

static int world_teardown(void **state)
{
    struct world *world = *state;
    server_free(world->server);
    loop_free(world->loop);
    return 0;
}

/* The child held the other end of the pipe. */
static void on_child_ended(void *context, int fd, unsigned events)
{
    (void)fd, (void)events;
    struct world *world = context;
    assert_int_equal(waitpid(world->child, &world->child_status, 0), world->child);
    loop_stop(world->loop);
}

/* Runs `client` in a child process while the server serves; it reports by CHECK. */
static void serve(struct world *world, void (*client)(int port))
{
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    fflush(NULL);
    world->child = fork();
    if (world->child == 0) {
        alarm(20);
        client(server_port(world->server));
        _exit(0);
    }
    close(ends[1]);
    struct loop_fd_watch *watch =
        loop_watch_fd(world->loop, ends[0], LOOP_READ, on_child_ended, world);
    server_run(world->server);
    loop_unwatch_fd(watch);
    close(ends[0]);
    assert_int_equal(world->child_status, 0);
}

/* ---- clients ---- */

#define CHECK(condition)                                                                           \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #condition);                        \
            _exit(1);                                                                              \
        }                                                                                          \
    } while (0)

static char answer[10 * BIG];

static int connect_to(int port)
{
    struct sockaddr_in address = {
        .sin_family = AF_INET,
        .sin_port = htons((in_port_t)port),
        .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
    };
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    CHECK(connect(fd, (struct sockaddr *)&address, sizeof address) == 0);
    return fd;
}

static void ask(int fd, const char *request)
{
    CHECK(send(fd, request, strlen(request), MSG_NOSIGNAL) == (ssize_t)strlen(request));
}

/* Reads one answer into `answer`: head and body as long as Content-Length says. Returns the
 * status, 0 when the connection ended first. */
static int receive(int fd, bool has_body)
{
    size_t length = 0;
    for (;;) {
        ssize_t got = recv(fd, answer + length, sizeof answer - 1 - length, 0);
        if (got <= 0)
            return 0;
        length += (size_t)got;
        answer[length] = '\0';
        const char *end = strstr(answer, "\r\n\r\n");
        const char *field = strcasestr(answer, "content-length:");
        if (!end || !field)
            continue;
        size_t body = has_body ? strtoul(field + strlen("content-length:"), NULL, 10) : 0;
        if (length >= (size_t)(end + 4 - answer) + body) {
            CHECK(length == (size_t)(end + 4 - answer) + body);
            return atoi(answer + strlen("HTTP/1.1 "));
        }
    }
}

static const char *body(void)
{
    return strstr(answer, "\r\n\r\n") + 4;
}

static void get_twice_on_one_connection(int port)
{
    int fd = connect_to(port);
    for (int i = 0; i < 2; i++) {
        ask(fd, "GET /healthz?verbose=1 HTTP/1.1\r\nHost: x\r\n\r\n");
        CHECK(receive(fd, true) == 200);
        CHECK(strcmp(body(), "fine\n") == 0);
        CHECK(strcasestr(answer, "\r\ncontent-type: text/x-test\r\n"));
        CHECK(strcasestr(answer, "\r\ncontent-length: 5\r\n"));
    }
}

static void test_serves_a_path_without_its_query(void **state)
{
    struct world *world = *state;
    serve(world, get_twice_on_one_connection);
    assert_int_equal(world->handled, 2);
    assert_string_equal(world->last_path, "/healthz");
}

static void get_as_old_client(int port)
{
    int fd = connect_to(port);
    ask(fd, "GET /healthz HTTP/1.0\r\n\r\n");
    CHECK(receive(fd, true) == 200);
    char more;
    CHECK(recv(fd, &more, 1, 0) == 0);
}

static void test_http_1_0_is_answered_and_closed(void **state)
{
    serve(*state, get_as_old_client);
}

static void head(int port)
{
    int fd = connect_to(port);
    ask(fd, "HEAD /healthz HTTP/1.1\r\nHost: x\r\n\r\n");
    CHECK(receive(fd, false) == 200);
    CHECK(strcasestr(answer, "\r\ncontent-length: 5\r\n"));
    ask(fd, "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n");
    CHECK(receive(fd, true) == 200);
}

static void test_head_has_the_length_but_no_body(void **state)
{
    serve(*state, head);
}

static void ask_for_what_is_not_there(int port)
{
    int fd = connect_to(port);
    ask(fd, "GET /nothing HTTP/1.1\r\nHost: x\r\n\r\n");
    CHECK(receive(fd, true) == 404);
    ask(fd, "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n");
    CHECK(receive(fd, true) == 200);
    static const char *const methods[] = { "POST", "PUT", "DELETE", "OPTIONS" };
    for (size_t i = 0; i < ARRAY_LENGTH(methods); i++) {
        char request[128];
        snprintf(request, sizeof request,
                 "%s /healthz HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{}", methods[i]);
        fd = connect_to(port);
        ask(fd, request);
        CHECK(receive(fd, true) == 405);
        close(fd);
    }
}

static void test_other_paths_are_404_and_other_methods_405(void **state)
{
    struct world *world = *state;
    serve(world, ask_for_what_is_not_there);
    assert_int_equal(world->handled, 2);
}

static void read_slowly(int port)
{
    int slow = connect_to(port);
    ask(slow, "GET /big HTTP/1.1\r\nHost: x\r\n\r\n");
    nanosleep(&(struct timespec){ .tv_nsec = 100000000 }, NULL);
    int quick = connect_to(port);
    ask(quick, "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n");
    CHECK(receive(quick, true) == 200);
    CHECK(receive(slow, true) == 200);
    const char *lines = body();
    CHECK(strlen(lines) == BIG);
    for (int i = 0; i < BIG / 16; i++)
        CHECK(strtol(lines + 16 * i, NULL, 10) == i);
    ask(slow, "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n");
    CHECK(receive(slow, true) == 200);
}

static void test_a_slow_reader_of_a_big_body_blocks_nobody(void **state)
{
    serve(*state, read_slowly);
}

static void give_up_reading(int port)
{
    for (int i = 0; i < 3; i++) {
        int fd = connect_to(port);
        ask(fd, "GET /big HTTP/1.1\r\nHost: x\r\n\r\n");
        CHECK(recv(fd, answer, 100, 0) > 0);
        close(fd);
    }
    int fd = connect_to(port);
    ask(fd, "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n");
    CHECK(receive(fd, true) == 200);
}

static void test_a_reader_that_leaves_does_no_harm(void **state)
{
    serve(*state, give_up_reading);
}

static void ask_for_the_impossible(int port)
{
    int fd = connect_to(port);
    ask(fd, "GET /huge HTTP/1.1\r\nHost: x\r\n\r\n");
    CHECK(receive(fd, true) == 500);
}

static void test_a_body_over_the_maximum_is_an_error(void **state)
{
    serve(*state, ask_for_the_impossible);
}

static void send_nonsense(int port)
{
    static const char *const requests[] = {
        "nonsense\r\n\r\n",
        "\x16\x03\x01\x02\x00\x01\x00\x01",
        "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        "GET /healthz HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n",
        "GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: Upgrade, HTTP2-Settings\r\n"
        "Upgrade: h2c\r\nHTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA\r\n\r\n",
    };
    for (size_t i = 0; i < ARRAY_LENGTH(requests); i++) {
        int fd = connect_to(port);
        ask(fd, requests[i]);
        shutdown(fd, SHUT_WR);
        answer[0] = '\0';
        receive(fd, true);
        CHECK(answer[0] == '\0' || strncmp(answer + strlen("HTTP/1.1"), " 4", 2) == 0);
        close(fd);
    }
    int fd = connect_to(port);
    ask(fd, "GET /healthz HTTP/1.1\r\nHost: x\r\n");
    nanosleep(&(struct timespec){ .tv_nsec = 20000000 }, NULL);
    ask(fd, "\r\n");
    CHECK(receive(fd, true) == 200);
}

static void test_nonsense_is_refused_and_pieces_are_put_together(void **state)
{
    struct world *world = *state;
    serve(world, send_nonsense);
    assert_int_equal(world->handled, 1);
}

static void open_too_many(int port)
{
    int fds[100];
    for (size_t i = 0; i < ARRAY_LENGTH(fds); i++)
        fds[i] = connect_to(port);
    nanosleep(&(struct timespec){ .tv_nsec = 100000000 }, NULL);
    for (size_t i = 0; i < ARRAY_LENGTH(fds); i++)
        close(fds[i]);
    nanosleep(&(struct timespec){ .tv_nsec = 100000000 }, NULL);
    int fd = connect_to(port);
    ask(fd, "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n");
    CHECK(receive(fd, true) == 200);
}

static void test_too_many_connections_are_survived(void **state)
{
    log_setup(LOG_TEXT, LOG_ERROR);
    serve(*state, open_too_many);
}

/* ---- the loop inside ---- */

static void stop(void *context)
{
    loop_stop(context);
}

static void on_term(void *context, int signal_number)
{
    (void)signal_number;
    loop_stop(context);
}

static void test_sigterm_ends_it_at_once(void **state)
{
    struct world *world = *state;
    struct err err = ERR_INIT;
    assert_true(loop_on_signal(world->loop, SIGTERM, on_term, world->loop, &err));
    pid_t child = fork();
    if (child == 0) {
        nanosleep(&(struct timespec){ .tv_nsec = 50000000 }, NULL);
        kill(getppid(), SIGTERM);
        _exit(0);
    }
    int64_t before = clock_monotonic_ms();
    server_run(world->server);
    assert_true(clock_monotonic_ms() - before < 2000);
    waitpid(child, NULL, 0);
}

static void test_it_sleeps_when_there_is_nothing_to_do(void **state)
{
    struct world *world = *state;
    struct loop_timer timer = { 0 };
    loop_timer_start(world->loop, &timer, 1000, stop, world->loop);
    struct timespec before, after;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &before);
    server_run(world->server);
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &after);
    int64_t used_us =
        (after.tv_sec - before.tv_sec) * 1000000 + (after.tv_nsec - before.tv_nsec) / 1000;
    if (used_us > 50000)
        fail_msg("%lld us of CPU in an idle second", (long long)used_us);
}

struct fetch {
    struct world *world;
    struct http *http;
    int left;
    int answered;
    char url[64];
};

static void send_next(struct fetch *fetch);

static void on_fetched(void *context, const struct http_answer *answered)
{
    struct fetch *fetch = context;
    if (answered->outcome == HTTP_ANSWERED && answered->status == 200 &&
        answered->body->length == BIG)
        fetch->answered++;
    if (fetch->left > 0)
        send_next(fetch);
    else
        loop_stop(fetch->world->loop);
}

static void send_next(struct fetch *fetch)
{
    fetch->left--;
    struct http_call call = {
        .method = "GET",
        .url = fetch->url,
        .timeout_ms = 10000,
        .max_body_bytes = BIG,
        .done = on_fetched,
        .context = fetch,
    };
    (void)http_send(fetch->http, &call);
}

static void test_client_and_server_share_the_loop(void **state)
{
    struct world *world = *state;
    struct err err = ERR_INIT;
    struct fetch fetch = { .world = world, .left = 5 };
    assert_true(http_new(world->loop, "test/1", 2, &fetch.http, &err));
    snprintf(fetch.url, sizeof fetch.url, "http://127.0.0.1:%d/big", server_port(world->server));
    send_next(&fetch);
    server_run(world->server);
    assert_int_equal(fetch.answered, 5);
    http_free(fetch.http);
}

static void test_the_loop_outlives_the_server(void **state)
{
    struct world *world = *state;
    server_free(take(world->server));
    assert_true(fcntl(loop_fd(world->loop), F_GETFD) >= 0);
}

static void test_a_bad_address_is_an_error(void **state)
{
    struct world *world = *state;
    struct err err = ERR_INIT;
    struct server *second = NULL;
    assert_false(server_new(world->loop, "nowhere", handle, world, &second, &err));
    assert_null(second);
    assert_non_null(strstr(err.message, "nowhere"));
    server_free(NULL);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, world_setup, world_teardown)

int main(void)
{
    setenv("no_proxy", "*", 1);
    const struct CMUnitTest tests[] = {
        TEST(test_serves_a_path_without_its_query),
        TEST(test_http_1_0_is_answered_and_closed),
        TEST(test_head_has_the_length_but_no_body),
        TEST(test_other_paths_are_404_and_other_methods_405),
        TEST(test_a_slow_reader_of_a_big_body_blocks_nobody),
        TEST(test_a_reader_that_leaves_does_no_harm),
        TEST(test_a_body_over_the_maximum_is_an_error),
        TEST(test_nonsense_is_refused_and_pieces_are_put_together),
        TEST(test_too_many_connections_are_survived),
        TEST(test_sigterm_ends_it_at_once),
        TEST(test_it_sleeps_when_there_is_nothing_to_do),
        TEST(test_client_and_server_share_the_loop),
        TEST(test_the_loop_outlives_the_server),
        TEST(test_a_bad_address_is_an_error),
    };
    return test_run(tests);
}
