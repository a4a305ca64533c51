/* Listening, signals, and the events of libwebsockets up to the point where a request is complete:
 * from there on it is an exchange of its own. */

#include "server.h"

#include <libwebsockets.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>

#include "exchange.h"
#include "stream.h"

enum {
    MAX_BODY_BYTES = 1024 * 1024,
    MAX_CONNECTIONS = 1024,
    MAX_HEADER_BYTES = 16 * 1024,
    KEEPALIVE_SECONDS = 75,
};

struct server {
    struct lws_context *context;
    struct emulator *emulator;
    struct exchange *exchanges;
    bool stopping;
};

/* A header's value, the caller's; NULL when it is absent. */
static char *copy_header(struct lws *wsi, enum lws_token_indexes token)
{
    int length = lws_hdr_total_length(wsi, token);
    if (length <= 0)
        return NULL;
    char *value = mem_alloc((size_t)length + 1);
    lws_hdr_copy(wsi, value, length + 1, token);
    return value;
}

static void copy_params(struct lws *wsi, struct request *request)
{
    int length;
    for (int i = 0; (length = lws_hdr_fragment_length(wsi, WSI_TOKEN_HTTP_URI_ARGS, i)) > 0; i++) {
        auto_free char *param = mem_alloc((size_t)length + 1);
        lws_hdr_copy_fragment(wsi, param, length + 1, WSI_TOKEN_HTTP_URI_ARGS, i);
        request_add_param(request, param);
    }
}

/* NULL for the methods that neither Deepgram nor the registry has a use for. */
static const char *method_name(int method)
{
    switch (method) {
    case LWSHUMETH_GET:
        return "GET";
    case LWSHUMETH_POST:
        return "POST";
    case LWSHUMETH_DELETE:
        return "DELETE";
    default:
        return NULL;
    }
}

static bool is_loopback(struct lws *wsi)
{
    char peer[64] = "";
    lws_get_peer_simple(wsi, peer, sizeof peer);
    const char mapped[] = "::ffff:";
    const char *address =
        strncmp(peer, mapped, sizeof mapped - 1) == 0 ? peer + sizeof mapped - 1 : peer;
    return strncmp(address, "127.", 4) == 0 || strcmp(address, "::1") == 0;
}

static int refuse(struct lws *wsi, unsigned status)
{
    (void)lws_return_http_status(wsi, status, NULL);
    return -1; /* what the client still sends can't be told from its next request */
}

/* The head of a request is there. A body that is announced comes by later callbacks; libwebsockets
 * would wait for ever for one of unannounced length, so that is refused. */
static int on_request(struct server *server, struct lws *wsi, const char *path)
{
    char *uri;
    int uri_length;
    const char *method = method_name(lws_http_get_uri_and_method(wsi, &uri, &uri_length));
    if (!method)
        return refuse(wsi, HTTP_STATUS_METHOD_NOT_ALLOWED);
    auto_free char *length = copy_header(wsi, WSI_TOKEN_HTTP_CONTENT_LENGTH);
    bool is_post = strcmp(method, "POST") == 0;
    if (is_post && !length)
        return refuse(wsi, HTTP_STATUS_LENGTH_REQUIRED);
    struct exchange *exchange = exchange_new(&server->exchanges, server->emulator, wsi);
    exchange->request = (struct request){
        .method = method,
        .path = mem_dup(path),
        .authorization = copy_header(wsi, WSI_TOKEN_HTTP_AUTHORIZATION),
        .content_type = copy_header(wsi, WSI_TOKEN_HTTP_CONTENT_TYPE),
        .user_agent = copy_header(wsi, WSI_TOKEN_HTTP_USER_AGENT),
        .from_loopback = is_loopback(wsi),
    };
    copy_params(wsi, &exchange->request);
    bool body_follows = is_post || (length && strcmp(length, "0") != 0);
    if (!body_follows)
        exchange_start(exchange);
    return 0;
}

/* The same for one that wants to become a WebSocket. */
static int on_upgrade(struct server *server, struct lws *wsi, const char *protocol)
{
    char path[512] = "";
    if (strcmp(protocol, "websocket") != 0 ||
        lws_hdr_copy(wsi, path, sizeof path, WSI_TOKEN_GET_URI) <= 0)
        return -1;
    struct request request = {
        .method = "GET",
        .path = mem_dup(path),
        .authorization = copy_header(wsi, WSI_TOKEN_HTTP_AUTHORIZATION),
        .user_agent = copy_header(wsi, WSI_TOKEN_HTTP_USER_AGENT),
        .is_upgrade = true,
        .from_loopback = is_loopback(wsi),
    };
    copy_params(wsi, &request);
    return stream_confirm(wsi, server->emulator, &request);
}

static int on_body(struct exchange *exchange, const char *bytes, size_t count)
{
    if (exchange->request.body_bytes + count > MAX_BODY_BYTES)
        return -1;
    if (count > 0)
        request_add_body(&exchange->request, bytes, count);
    return 0;
}

static int on_event(struct lws *wsi, enum lws_callback_reasons reason, void *user, void *in,
                    size_t length)
{
    struct server *server = lws_context_user(lws_get_context(wsi));
    struct exchange *exchange = lws_get_opaque_user_data(wsi); /* or a stream, see below */
    switch ((int)reason) { /* as a number: a hundred other events don't concern us */
    case LWS_CALLBACK_HTTP:
        return on_request(server, wsi, in);
    case LWS_CALLBACK_HTTP_BODY:
        return exchange ? on_body(exchange, in, length) : 0;
    case LWS_CALLBACK_HTTP_BODY_COMPLETION:
        if (exchange)
            exchange_start(exchange);
        return 0;
    case LWS_CALLBACK_HTTP_WRITEABLE:
        return exchange ? exchange_write(exchange) : 0;
    case LWS_CALLBACK_CLOSED_HTTP:
        if (exchange)
            exchange_detach(exchange);
        return 0;
    case LWS_CALLBACK_HTTP_CONFIRM_UPGRADE:
        return on_upgrade(server, wsi, in);
    case LWS_CALLBACK_ESTABLISHED:
    case LWS_CALLBACK_RECEIVE:
    case LWS_CALLBACK_SERVER_WRITEABLE:
    case LWS_CALLBACK_CLOSED:
        return stream_event(wsi, reason, in, length);
    case LWS_CALLBACK_RAW_RX_FILE:
        server->stopping = true;
        return 0;
    default:
        return lws_callback_http_dummy(wsi, reason, user, in, length);
    }
}

static const struct lws_protocols protocols[] = {
    { .name = "http", .callback = on_event },
    { .name = NULL },
};

/* Signals become an event of the loop: nothing runs in a signal handler. */
static bool adopt_signals(struct lws_vhost *vhost)
{
    sigset_t signals;
    sigemptyset(&signals);
    sigaddset(&signals, SIGTERM);
    sigaddset(&signals, SIGINT);
    sigprocmask(SIG_BLOCK, &signals, NULL);
    lws_sock_file_fd_type fd = { .filefd = signalfd(-1, &signals, SFD_NONBLOCK | SFD_CLOEXEC) };
    return fd.filefd >= 0 &&
           lws_adopt_descriptor_vhost(vhost, LWS_ADOPT_RAW_FILE_DESC, fd, "http", NULL);
}

static struct lws_vhost *listen_on(const struct server_options *options, struct server *server)
{
    const bool tls = options->tls_cert_file;
    const struct lws_context_creation_info info = {
        .port = options->port,
        .iface = options->address,
        .protocols = protocols,
        .user = server,
        .alpn = "http/1.1",
        .keepalive_timeout = KEEPALIVE_SECONDS,
        .fd_limit_per_thread = MAX_CONNECTIONS,
        .max_http_header_pool = MAX_CONNECTIONS,
        .max_http_header_data = MAX_HEADER_BYTES,
        .ssl_cert_filepath = options->tls_cert_file,
        .ssl_private_key_filepath = options->tls_key_file,
        .options = LWS_SERVER_OPTION_EXPLICIT_VHOSTS | LWS_SERVER_OPTION_FAIL_UPON_UNABLE_TO_BIND |
                   (tls ? LWS_SERVER_OPTION_DO_SSL_GLOBAL_INIT : 0),
    };
    server->context = lws_create_context(&info);
    return server->context ? lws_create_vhost(server->context, &info) : NULL;
}

bool server_run(const struct server_options *options, struct emulator *emulator)
{
    lws_set_log_level(LLL_ERR, NULL);
    struct server server = { .emulator = emulator };
    struct lws_vhost *vhost = listen_on(options, &server);
    bool running = vhost && adopt_signals(vhost);
    if (running) {
        printf("listening on %s://%s:%d\n", options->tls_cert_file ? "https" : "http",
               options->address, lws_get_vhost_listen_port(vhost));
        fflush(stdout);
    }
    while (running && !server.stopping && lws_service(server.context, 0) >= 0)
        ;
    exchange_abandon_late(server.exchanges);
    if (server.context)
        lws_context_destroy(server.context);
    return running;
}
