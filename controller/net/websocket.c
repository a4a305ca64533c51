/* libwebsockets would look names up while the loop stands still, so that it gets addresses, one
 * after the other, and the name for TLS and the Host header. Its own time-outs are switched off:
 * whoever opens a connection has a time for the whole of what it does.
 *
 * libwebsockets keeps no pointer to a struct websocket but its opaque user data: NULL there is a
 * connection that nobody waits for any more. */
#include "net/websocket.h"

#include <libwebsockets.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <stdio.h>
#include <string.h>
#include <utlist.h>

#include "base/buf.h"
#include "net/resolve.h"
#include "net/server_lws.h"

enum { FAILURE_BYTES = 160 };

struct outgoing {
    unsigned char *bytes; /* LWS_PRE bytes of room, then the message */
    size_t length;
    bool binary;
    struct outgoing *prev;
    struct outgoing *next;
};

struct websocket {
    struct websockets *sockets;
    struct websocket_call call; /* its strings are the three below */
    char *host;
    char *path;
    struct secret token;
    struct resolve *resolve;
    struct loop_timer later;
    char addresses[RESOLVE_ADDRESSES_MAX][RESOLVE_ADDRESS_BYTES];
    size_t address_count;
    size_t address;
    struct lws *wsi;       /* NULL: none, or no more */
    unsigned char *header; /* in libwebsockets' buffer: holds the token while it is sent */
    size_t header_length;
    bool open;
    struct outgoing *queue;
    struct buf message;
    struct websocket_end end;
    char failure[FAILURE_BYTES];
    struct websocket *prev;
    struct websocket *next;
};

struct websockets {
    struct loop *loop;
    struct lws_context *lws;
    struct lws_vhost *vhosts[2]; /* without and with TLS, each made when it is first needed */
    const char *ca_pem;
    struct websocket *open;
};

/* ---- the end ---- */

static void drop_outgoing(struct websocket *socket, struct outgoing *outgoing)
{
    DL_DELETE(socket->queue, outgoing);
    mem_free(outgoing->bytes);
    mem_free(outgoing);
}

/* It would stay in libwebsockets' buffer until something overwrites it. From the loop only: nothing
 * else is in that buffer then. */
static void wipe_header(struct websocket *socket)
{
    if (socket->header)
        mem_wipe(socket->header, socket->header_length);
    socket->header = NULL;
}

static void leave_lws(struct websocket *socket)
{
    if (!socket->wsi)
        return;
    lws_set_opaque_user_data(socket->wsi, NULL);
    lws_set_timeout(socket->wsi, PENDING_TIMEOUT_USER_OK, LWS_TO_KILL_ASYNC);
    socket->wsi = NULL;
}

void websocket_close(struct websocket *socket)
{
    if (!socket)
        return;
    wipe_header(socket);
    resolve_cancel(socket->resolve);
    loop_timer_stop(&socket->later);
    leave_lws(socket);
    while (socket->queue)
        drop_outgoing(socket, socket->queue);
    buf_done(&socket->message);
    secret_done(&socket->token);
    mem_free(socket->host);
    mem_free(socket->path);
    DL_DELETE(socket->sockets->open, socket);
    mem_free(socket);
}

static void tell_end(void *context)
{
    struct websocket *socket = context;
    struct websocket_end told = socket->end;
    char failure[FAILURE_BYTES];
    snprintf(failure, sizeof failure, "%s", socket->failure);
    told.failure = failure;
    void (*ended)(void *, const struct websocket_end *) = socket->call.ended;
    void *owner = socket->call.context;
    websocket_close(socket);
    ended(owner, &told);
}

/* The first cause counts; it is told from the loop. */
static void end(struct websocket *socket, enum websocket_outcome outcome, const char *failure)
{
    if (socket->failure[0] == '\0')
        snprintf(socket->failure, sizeof socket->failure, "%s", failure);
    socket->end.outcome = outcome;
    leave_lws(socket);
    loop_timer_start(socket->sockets->loop, &socket->later, 0, tell_end, socket);
}

/* ---- connecting ---- */

static void connect_next(void *context);

static void handshake_sent(void *context)
{
    struct websocket *socket = context;
    wipe_header(socket);
    if (socket->wsi)
        lws_set_timeout(socket->wsi, NO_PENDING_TIMEOUT, 0);
}

/* What libwebsockets says of TLS are OpenSSL's numbers. */
static const char *in_words(struct websocket *socket, struct lws *wsi, const char *why)
{
    const SSL *ssl = socket->call.tls ? lws_get_ssl(wsi) : NULL;
    long verdict = ssl ? SSL_get_verify_result(ssl) : X509_V_OK;
    if (verdict == X509_V_OK)
        return strstr(why, "SSL") ? "the TLS handshake failed" : why;
    snprintf(socket->failure, sizeof socket->failure, "its certificate isn't accepted: %s",
             X509_verify_cert_error_string(verdict));
    return socket->failure;
}

static void not_connected(struct websocket *socket, struct lws *wsi, const char *why)
{
    long status = (long)lws_http_client_http_response(wsi);
    why = in_words(socket, wsi, why);
    socket->wsi = NULL;
    lws_set_opaque_user_data(wsi, NULL);
    if (status != 0) {
        socket->end.status = status;
        end(socket, WEBSOCKET_REFUSED, "");
    } else if (++socket->address < socket->address_count) {
        loop_timer_start(socket->sockets->loop, &socket->later, 0, connect_next, socket);
    } else {
        end(socket, WEBSOCKET_UNREACHED, why);
    }
}

static int add_token(struct websocket *socket, unsigned char **at, size_t room)
{
    int length =
        snprintf((char *)*at, room, "Authorization: Token %s\r\n", secret_reveal(&socket->token));
    if (length < 0 || (size_t)length >= room)
        return -1;
    socket->header = *at;
    socket->header_length = (size_t)length;
    *at += length;
    loop_timer_start(socket->sockets->loop, &socket->later, 0, handshake_sent, socket);
    return 0;
}

/* ---- an open connection ---- */

static int send_next(struct websocket *socket)
{
    struct outgoing *outgoing = socket->queue;
    if (!outgoing)
        return 0;
    int sent = lws_write(socket->wsi, outgoing->bytes + LWS_PRE, outgoing->length,
                         outgoing->binary ? LWS_WRITE_BINARY : LWS_WRITE_TEXT);
    drop_outgoing(socket, outgoing);
    if (sent < 0)
        return -1;
    if (socket->queue)
        lws_callback_on_writable(socket->wsi);
    return 0;
}

static int receive(struct websocket *socket, const void *bytes, size_t length)
{
    if (!buf_append(&socket->message, bytes, length)) {
        end(socket, WEBSOCKET_TOO_LARGE, "");
        return -1;
    }
    if (!lws_is_final_fragment(socket->wsi) || lws_remaining_packet_payload(socket->wsi) > 0)
        return 0;
    size_t count = socket->message.length;
    auto_free char *text = buf_take(&socket->message);
    socket->call.message(socket->call.context, text, count); /* may close it */
    return 0;
}

static void note_close(struct websocket *socket, const unsigned char *bytes, size_t length)
{
    if (length < 2)
        return;
    socket->end.code = bytes[0] << 8 | bytes[1];
    snprintf(socket->failure, sizeof socket->failure, "%.*s", (int)(length - 2),
             (const char *)bytes + 2);
}

static int on_open_connection(struct websocket *socket, enum lws_callback_reasons reason, void *in,
                              size_t length)
{
    switch ((int)reason) {
    case LWS_CALLBACK_CLIENT_WRITEABLE:
        return send_next(socket);
    case LWS_CALLBACK_CLIENT_RECEIVE:
        return receive(socket, in, length);
    case LWS_CALLBACK_WS_PEER_INITIATED_CLOSE:
        note_close(socket, in, length);
        return 0;
    case LWS_CALLBACK_CLIENT_CLOSED:
        end(socket, WEBSOCKET_CLOSED, "");
        return 0;
    default:
        return 0;
    }
}

static int on_event(struct lws *wsi, enum lws_callback_reasons reason, void *user, void *in,
                    size_t length)
{
    (void)user;
    struct websocket *socket = lws_get_opaque_user_data(wsi);
    if (reason == LWS_CALLBACK_CLIENT_HTTP_REDIRECT)
        return -1; /* the token is for this host alone */
    if (!socket)
        return reason == LWS_CALLBACK_CLIENT_RECEIVE ? -1 : 0;
    switch ((int)reason) {
    case LWS_CALLBACK_CLIENT_CONNECTION_ERROR:
        not_connected(socket, wsi, in ? in : "no connection");
        return 0;
    case LWS_CALLBACK_CLIENT_APPEND_HANDSHAKE_HEADER:
        return add_token(socket, in, length);
    case LWS_CALLBACK_CLIENT_ESTABLISHED:
        socket->open = true;
        socket->call.opened(socket->call.context);
        return 0;
    default:
        return on_open_connection(socket, reason, in, length);
    }
}

/* ---- TLS ---- */

/* libwebsockets takes one certificate from memory; a bundle has more. */
static void trust_bundle(SSL_CTX *context, const char *pem)
{
    BIO *bio = BIO_new_mem_buf(pem, -1);
    X509 *certificate = NULL;
    while (bio && (certificate = PEM_read_bio_X509(bio, NULL, NULL, NULL)) != NULL) {
        X509_STORE_add_cert(SSL_CTX_get_cert_store(context), certificate);
        X509_free(certificate);
    }
    BIO_free(bio);
}

static int on_tls_event(struct lws *wsi, enum lws_callback_reasons reason, void *user, void *in,
                        size_t length)
{
    if (reason != LWS_CALLBACK_OPENSSL_LOAD_EXTRA_CLIENT_VERIFY_CERTS)
        return on_event(wsi, reason, user, in, length);
    const struct websockets *sockets = lws_vhost_user(lws_get_vhost(wsi));
    if (sockets && sockets->ca_pem)
        trust_bundle(user, sockets->ca_pem);
    return 0;
}

static struct lws_vhost *vhost_for(struct websockets *sockets, bool tls)
{
    static const struct lws_protocols plain[] = { { .name = "ws", .callback = on_event }, { 0 } };
    static const struct lws_protocols secured[] = { { .name = "ws", .callback = on_tls_event },
                                                    { 0 } };
    if (sockets->vhosts[tls])
        return sockets->vhosts[tls];
    struct lws_context_creation_info info = {
        .port = CONTEXT_PORT_NO_LISTEN,
        .protocols = tls ? secured : plain,
        .vhost_name = tls ? "wss" : "ws",
        .user = sockets,
        .options = tls ? LWS_SERVER_OPTION_DO_SSL_GLOBAL_INIT : 0,
    };
    if (tls && sockets->ca_pem) {
        info.options |= LWS_SERVER_OPTION_DISABLE_OS_CA_CERTS;
        info.client_ssl_ca_mem = sockets->ca_pem;
        info.client_ssl_ca_mem_len = (unsigned)strlen(sockets->ca_pem) + 1;
    }
    /* $http_proxy isn't for addresses in the cluster; that this is none is worth no line. */
    info.http_proxy_address = "";
    lws_set_log_level(0, NULL);
    sockets->vhosts[tls] = lws_create_vhost(sockets->lws, &info);
    lws_set_log_level(LLL_ERR | LLL_WARN, NULL);
    return sockets->vhosts[tls];
}

/* ---- opening ---- */

static void connect_next(void *context)
{
    struct websocket *socket = context;
    struct lws_vhost *vhost = vhost_for(socket->sockets, socket->call.tls);
    if (!vhost) {
        end(socket, WEBSOCKET_UNREACHED, "no client can be set up");
        return;
    }
    struct lws *wsi = NULL;
    bool usual_port = socket->call.port == (socket->call.tls ? 443 : 80);
    bool is_v6 = strchr(socket->host, ':') != NULL;
    auto_free char *host =
        usual_port ? mem_strdup(socket->host)
                   : mem_printf(is_v6 ? "[%s]:%d" : "%s:%d", socket->host, socket->call.port);
    const struct lws_client_connect_info info = {
        .context = socket->sockets->lws,
        .vhost = vhost,
        .address = socket->addresses[socket->address],
        .port = socket->call.port,
        .ssl_connection = socket->call.tls ? LCCSCF_USE_SSL : 0,
        .path = socket->path,
        .host = host,
        .local_protocol_name = "ws",
        .opaque_user_data = socket,
        .pwsi = &wsi,
    };
    /* A failure is told by the callback, and so perhaps before this returns. */
    if (lws_client_connect_via_info(&info))
        socket->wsi = wsi;
    else if (!loop_timer_armed(&socket->later))
        end(socket, WEBSOCKET_UNREACHED, "no connection");
}

static void resolved(void *context, char (*addresses)[RESOLVE_ADDRESS_BYTES], size_t count,
                     const char *failure)
{
    struct websocket *socket = context;
    socket->resolve = NULL;
    if (count == 0) {
        end(socket, WEBSOCKET_UNREACHED, failure);
        return;
    }
    memcpy(socket->addresses, addresses, count * sizeof socket->addresses[0]);
    socket->address_count = count;
    connect_next(socket);
}

struct websocket *websocket_open(struct websockets *sockets, const struct websocket_call *call)
{
    struct websocket *socket = mem_alloc(sizeof *socket);
    socket->sockets = sockets;
    socket->call = *call;
    socket->call.host = socket->host = mem_strdup(call->host);
    socket->call.path = socket->path = mem_strdup(call->path);
    secret_copy(&socket->token, call->token);
    socket->call.token = &socket->token;
    buf_init(&socket->message, call->max_message_bytes);
    DL_APPEND(sockets->open, socket);
    socket->resolve = resolve_start(sockets->loop, socket->host, resolved, socket);
    return socket;
}

void websocket_send(struct websocket *socket, bool binary, const void *bytes, size_t length)
{
    if (!socket->wsi || !socket->open)
        return; /* its end is about to be told */
    struct outgoing *outgoing = mem_alloc(sizeof *outgoing);
    outgoing->bytes = mem_alloc(LWS_PRE + length);
    memcpy(outgoing->bytes + LWS_PRE, bytes, length);
    outgoing->length = length;
    outgoing->binary = binary;
    DL_APPEND(socket->queue, outgoing);
    lws_callback_on_writable(socket->wsi);
}

struct websockets *websockets_new(struct loop *loop, const struct server *server,
                                  const char *ca_pem)
{
    struct websockets *sockets = mem_alloc(sizeof *sockets);
    sockets->loop = loop;
    sockets->lws = server_lws(server);
    sockets->ca_pem = ca_pem;
    return sockets;
}

void websockets_free(struct websockets *sockets)
{
    if (!sockets)
        return;
    while (sockets->open)
        websocket_close(sockets->open);
    mem_free(sockets);
}
