/* libwebsockets waits, in poll(): the event loop's epoll descriptor is adopted as a raw *file*,
 * which libwebsockets only reports as readable (a raw socket it would read from). It gets a
 * duplicate, because it closes what it has adopted.
 *
 * The sockets are listened on and accepted by the event loop, which keeps the choice of addresses
 * and the words of an error here; libwebsockets adopts the accepted connections. */
#include "net/server.h"

#include <errno.h>
#include <fcntl.h>
#include <libwebsockets.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/log.h"
#include "net/listen.h"
#include "net/server_lws.h"

enum {
    MAX_DESCRIPTORS = 64,     /* connections and a few of our own: scrapers and probes are few */
    MAX_HEADERS_AT_ONCE = 16, /* net/websocket's too */
    MAX_BODY_BYTES = 8 * 1024 * 1024,
    WRITE_BYTES = 4096,
    CLIENT_TIMEOUT_S = 10,
    ACCEPT_PAUSE_MS = 500,
};

struct server {
    struct loop *loop;
    server_handler_fn *handler;
    void *context;
    int listen_fd;
    int port;
    struct loop_fd_watch *watch;
    struct loop_timer accept_pause;
    struct lws_context *lws;
    struct lws_vhost *vhost;
};

struct session { /* one connection's; zeroed by libwebsockets */
    struct buf body;
    size_t sent;
};

/* ---- requests ---- */

static bool write_head(struct lws *wsi, int status, const char *content_type, size_t length)
{
    unsigned char bytes[LWS_PRE + 1024];
    unsigned char *start = bytes + LWS_PRE;
    unsigned char *end = bytes + sizeof bytes - 1;
    unsigned char *at = start;
    return lws_add_http_common_headers(wsi, (unsigned)status, content_type, length, &at, end) ==
               0 &&
           lws_finalize_write_http_header(wsi, start, &at, end) == 0;
}

/* Both return what the callback has to return: negative closes the connection. */

static int end_request(struct lws *wsi, struct session *session)
{
    buf_done(&session->body);
    return lws_http_transaction_completed(wsi) ? -1 : 0;
}

static int start_request(struct server *server, struct lws *wsi, struct session *session,
                         const char *path)
{
    char *uri = NULL;
    int uri_length = 0;
    int method = lws_http_get_uri_and_method(wsi, &uri, &uri_length);
    const char *content_type = "text/plain; charset=utf-8";
    if (method != LWSHUMETH_GET && method != LWSHUMETH_HEAD) {
        (void)write_head(wsi, HTTP_STATUS_METHOD_NOT_ALLOWED, content_type, 0);
        return -1; /* a body may follow that nobody reads */
    }
    buf_done(&session->body);
    buf_init(&session->body, MAX_BODY_BYTES);
    session->sent = 0;
    int status = server->handler(server->context, path, &content_type, &session->body);
    if (session->body.failed)
        status = HTTP_STATUS_INTERNAL_SERVER_ERROR;
    if (!write_head(wsi, status, content_type, session->body.length))
        return -1;
    if (method == LWSHUMETH_HEAD || session->body.length == 0)
        return end_request(wsi, session);
    lws_callback_on_writable(wsi);
    return 0;
}

static int continue_body(struct lws *wsi, struct session *session)
{
    unsigned char bytes[LWS_PRE + WRITE_BYTES];
    size_t left = session->body.length - session->sent;
    if (left == 0)
        return 0;
    size_t length = left < WRITE_BYTES ? left : WRITE_BYTES;
    memcpy(bytes + LWS_PRE, session->body.data + session->sent, length);
    bool last = length == left;
    if (lws_write(wsi, bytes + LWS_PRE, length, last ? LWS_WRITE_HTTP_FINAL : LWS_WRITE_HTTP) < 0)
        return -1;
    session->sent += length;
    if (last)
        return end_request(wsi, session);
    lws_callback_on_writable(wsi);
    return 0;
}

static int on_http(struct lws *wsi, enum lws_callback_reasons reason, void *user, void *in,
                   size_t length)
{
    struct server *server = lws_context_user(lws_get_context(wsi));
    switch ((int)reason) {
    case LWS_CALLBACK_HTTP:
        return start_request(server, wsi, user, in);
    case LWS_CALLBACK_HTTP_WRITEABLE:
        return continue_body(wsi, user);
    case LWS_CALLBACK_HTTP_CONFIRM_UPGRADE:
        return -1; /* neither WebSocket nor HTTP/2 here */
    case LWS_CALLBACK_HTTP_DROP_PROTOCOL:
    case LWS_CALLBACK_CLOSED_HTTP:
        buf_done(user ? &((struct session *)user)->body : NULL);
        return 0;
    default:
        return lws_callback_http_dummy(wsi, reason, user, in, length);
    }
}

/* ---- the event loop as a guest of libwebsockets ---- */

static int on_loop(struct lws *wsi, enum lws_callback_reasons reason, void *user, void *in,
                   size_t length)
{
    (void)user, (void)in, (void)length;
    const struct server *server = lws_context_user(lws_get_context(wsi));
    if (reason == LWS_CALLBACK_RAW_RX_FILE)
        loop_dispatch_due(server->loop);
    return 0;
}

static void on_accept_again(void *context)
{
    const struct server *server = context;
    loop_watch_update(server->watch, LOOP_READ);
}

static void on_connection(void *context, int fd, unsigned events)
{
    (void)events;
    struct server *server = context;
    int connection = accept4(fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (connection >= 0) {
        (void)lws_adopt_socket_vhost(server->vhost, connection); /* closes it when it can't */
    } else if (errno != EAGAIN && errno != ECONNABORTED && errno != EINTR) {
        /* Out of descriptors, most likely: the socket stays readable, so look away for a while. */
        loop_watch_update(server->watch, 0);
        loop_timer_start(server->loop, &server->accept_pause, ACCEPT_PAUSE_MS, on_accept_again,
                         server);
    }
}

/* ---- setting up ---- */

static void on_lws_log(int level, const char *line)
{
    (void)level;
    auto_free char *text = mem_strndup(line, strcspn(line, "\n"));
    log_warn("HTTP server", "detail", text, NULL);
}

static const struct lws_protocols protocols[] = {
    { .name = "http", .callback = on_http, .per_session_data_size = sizeof(struct session) },
    { .name = "loop", .callback = on_loop },
    { 0 },
};

/* Handshakes of net/websocket pass here, and hold a key: wiped when freed. */
static void *lws_memory(void *block, size_t size, const char *reason)
{
    (void)reason;
    if (size > 0)
        return mem_realloc(block, size);
    mem_free(block);
    return NULL;
}

/* TLS is for net/websocket's vhost alone. */
static bool create_lws(struct server *server, struct err *err)
{
    lws_set_allocator(lws_memory);
    lws_set_log_level(LLL_ERR | LLL_WARN, on_lws_log);
    struct lws_context_creation_info info = {
        .port = CONTEXT_PORT_NO_LISTEN,
        .protocols = protocols,
        .options = LWS_SERVER_OPTION_EXPLICIT_VHOSTS | LWS_SERVER_OPTION_DO_SSL_GLOBAL_INIT,
        .user = server,
        .fd_limit_per_thread = MAX_DESCRIPTORS, /* else tables for every possible descriptor */
        .max_http_header_pool = MAX_HEADERS_AT_ONCE,
        .pt_serv_buf_size = WRITE_BYTES,
        .timeout_secs = CLIENT_TIMEOUT_S,
        .keepalive_timeout = CLIENT_TIMEOUT_S,
    };
    server->lws = lws_create_context(&info);
    info.options = LWS_SERVER_OPTION_EXPLICIT_VHOSTS;
    server->vhost = server->lws ? lws_create_vhost(server->lws, &info) : NULL;
    if (!server->vhost)
        return err_set(err, ERR_TRANSIENT, "cannot set up the HTTP server");
    return true;
}

static bool adopt_loop(struct server *server, struct err *err)
{
    int fd = fcntl(loop_fd(server->loop), F_DUPFD_CLOEXEC, 0);
    if (fd < 0)
        return err_set(err, ERR_TRANSIENT, "cannot duplicate a descriptor: %s", strerror(errno));
    lws_sock_file_fd_type file = { .filefd = fd };
    if (!lws_adopt_descriptor_vhost(server->vhost, LWS_ADOPT_RAW_FILE_DESC, file, "loop", NULL))
        return err_set(err, ERR_TRANSIENT, "cannot hand the event loop to the HTTP server");
    return true;
}

bool server_new(struct loop *loop, const char *listen, server_handler_fn *handler, void *context,
                struct server **ret_server, struct err *err)
{
    struct server *server = mem_alloc(sizeof *server);
    *server = (struct server){
        .loop = loop,
        .handler = handler,
        .context = context,
        .listen_fd = -1,
    };
    if (!listen_open(listen, &server->listen_fd, &server->port, err) || !create_lws(server, err) ||
        !adopt_loop(server, err)) {
        server_free(server);
        return false;
    }
    server->watch = loop_watch_fd(loop, server->listen_fd, LOOP_READ, on_connection, server);
    *ret_server = server;
    return true;
}

struct lws_context *server_lws(const struct server *server)
{
    return server->lws;
}

int server_port(const struct server *server)
{
    return server->port;
}

void server_run(struct server *server)
{
    while (!loop_stopped(server->loop))
        if (lws_service(server->lws, 0) < 0)
            break;
}

void server_free(struct server *server)
{
    if (!server)
        return;
    loop_timer_stop(&server->accept_pause);
    loop_unwatch_fd(server->watch);
    if (server->listen_fd >= 0)
        close(server->listen_fd);
    lws_context_destroy(server->lws);
    mem_free(server);
}
