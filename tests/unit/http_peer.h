/* A scripted HTTP/1.1 peer for tests: it runs on the test's own loop, reads requests whole, counts
 * them and leaves the answer, or its absence, to the test.
 */
#ifndef TESTS_UNIT_HTTP_PEER_H
#define TESTS_UNIT_HTTP_PEER_H

#include "test.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/buf.h"
#include "net/loop.h"

enum { HTTP_PEER_CONNECTIONS = 16 };

struct http_peer;

struct http_peer_connection {
    struct http_peer *peer;
    int fd; /* -1: closed */
    struct loop_fd_watch *watch;
    struct buf input;
};

/* `request` is one whole request, NUL-terminated: head and body. */
typedef void http_peer_fn(struct http_peer_connection *connection, const char *request);

struct http_peer {
    struct loop *loop;
    http_peer_fn *fn;
    int fd;
    int port;
    struct loop_fd_watch *watch;
    struct http_peer_connection connections[HTTP_PEER_CONNECTIONS];
    int accepted;
    int requests;
    char last_request[4096];
    char url[256];
};

static inline void http_peer_close(struct http_peer_connection *connection)
{
    if (connection->fd < 0)
        return;
    loop_unwatch_fd(take(connection->watch));
    close(connection->fd);
    connection->fd = -1;
    buf_done(&connection->input);
}

static inline void http_peer_write(struct http_peer_connection *connection, const char *text)
{
    assert_int_equal(send(connection->fd, text, strlen(text), MSG_NOSIGNAL), strlen(text));
}

/* 200 with that body, connection kept. */
static inline void http_peer_reply(struct http_peer_connection *connection, const char *body)
{
    char answer[4096];
    snprintf(answer, sizeof answer, "HTTP/1.1 200 OK\r\nContent-Length: %zu\r\n\r\n%s",
             strlen(body), body);
    http_peer_write(connection, answer);
}

/* Length of the first whole request in text, 0 when it isn't whole yet. */
static inline size_t http_peer_request_length(const char *text)
{
    const char *end = strstr(text, "\r\n\r\n");
    if (!end)
        return 0;
    const char *field = strcasestr(text, "\r\nContent-Length:");
    size_t body =
        field && field < end ? strtoul(field + strlen("\r\nContent-Length:"), NULL, 10) : 0;
    size_t length = (size_t)(end + 4 - text) + body;
    return strlen(text) >= length ? length : 0;
}

static inline void http_peer_on_data(void *context, int fd, unsigned events)
{
    (void)events;
    struct http_peer_connection *connection = context;
    struct http_peer *peer = connection->peer;
    char bytes[64 * 1024]; /* what came is looked through as a whole each time */
    ssize_t got = recv(fd, bytes, sizeof bytes, MSG_DONTWAIT);
    if (got <= 0) {
        http_peer_close(connection);
        return;
    }
    buf_append(&connection->input, bytes, (size_t)got);
    size_t length = http_peer_request_length(buf_text(&connection->input));
    if (length == 0)
        return;
    snprintf(peer->last_request, sizeof peer->last_request, "%.*s", (int)length,
             buf_text(&connection->input));
    peer->requests++;
    buf_consume(&connection->input, length);
    peer->fn(connection, peer->last_request);
}

static inline void http_peer_on_accept(void *context, int fd, unsigned events)
{
    (void)events;
    struct http_peer *peer = context;
    int accepted = accept(fd, NULL, NULL);
    assert_true(accepted >= 0);
    peer->accepted++;
    for (size_t i = 0; i < HTTP_PEER_CONNECTIONS; i++) {
        struct http_peer_connection *connection = &peer->connections[i];
        if (connection->fd >= 0)
            continue;
        *connection = (struct http_peer_connection){ .peer = peer, .fd = accepted };
        buf_init(&connection->input, 4 * 1024 * 1024);
        connection->watch =
            loop_watch_fd(peer->loop, accepted, LOOP_READ, http_peer_on_data, connection);
        return;
    }
    fail_msg("too many connections");
}

/* Listens on 127.0.0.1; *ret_port is the port. */
static inline int http_peer_listen(int *ret_port)
{
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct sockaddr_in address = { .sin_family = AF_INET,
                                   .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t length = sizeof address;
    assert_int_equal(bind(fd, (struct sockaddr *)&address, length), 0);
    assert_int_equal(listen(fd, 16), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &length), 0);
    *ret_port = ntohs(address.sin_port);
    return fd;
}

static inline void http_peer_start(struct http_peer *peer, struct loop *loop, http_peer_fn *fn)
{
    *peer = (struct http_peer){ .loop = loop, .fn = fn };
    for (size_t i = 0; i < HTTP_PEER_CONNECTIONS; i++)
        peer->connections[i].fd = -1;
    peer->fd = http_peer_listen(&peer->port);
    peer->watch = loop_watch_fd(loop, peer->fd, LOOP_READ, http_peer_on_accept, peer);
}

static inline void http_peer_stop(struct http_peer *peer)
{
    for (size_t i = 0; i < HTTP_PEER_CONNECTIONS; i++)
        http_peer_close(&peer->connections[i]);
    loop_unwatch_fd(peer->watch);
    close(peer->fd);
}

/* Borrowed until the next call. */
static inline const char *http_peer_url(struct http_peer *peer, const char *path)
{
    snprintf(peer->url, sizeof peer->url, "http://127.0.0.1:%d%s", peer->port, path);
    return peer->url;
}

#endif
