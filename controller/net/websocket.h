/* WebSocket clients (RFC 6455) on libwebsockets, in the context of net/server: short connections,
 * ws and wss, TLS always verified, no redirect followed, every one bounded in time and in the size
 * of its messages.
 *
 * A connection ends exactly once through its `ended` callback, from the loop and never from inside
 * websocket_open(); or not at all after websocket_close(). Callbacks may send and close anything.
 */
#ifndef NET_WEBSOCKET_H
#define NET_WEBSOCKET_H

#include "base/secret.h"
#include "net/loop.h"
#include "net/server.h"

struct websockets; /* what they share: the context and whom to trust */
struct websocket;

enum websocket_outcome {
    WEBSOCKET_UNREACHED, /* not found, not connected, or TLS failed */
    WEBSOCKET_REFUSED,   /* the handshake was answered with another status than 101 */
    WEBSOCKET_CLOSED,    /* it was open, and the peer ended it */
    WEBSOCKET_TOO_LARGE, /* a message went over max_message_bytes */
};

struct websocket_end {
    enum websocket_outcome outcome;
    long status;         /* REFUSED: of the answer, 0 when it was none */
    int code;            /* CLOSED: of the close frame, 0 when there was none */
    const char *failure; /* plain words; "" when there are none */
};

struct websocket_call { /* strings are borrowed for the time of websocket_open() only */
    bool tls;
    const char *host; /* a name or an IP address; verified and announced (SNI) with TLS */
    int port;
    const char *path;           /* with query */
    const struct secret *token; /* `Authorization: Token x` (Deepgram) */
    size_t max_message_bytes;
    void (*opened)(void *context);
    /* A whole message. */
    void (*message)(void *context, const char *bytes, size_t length);
    void (*ended)(void *context, const struct websocket_end *end);
    void *context;
};

/* ca_pem: whom to trust, borrowed; NULL: the system's CA bundle. Before the server's end. */
NODISCARD struct websockets *websockets_new(struct loop *loop, const struct server *server,
                                            const char *ca_pem);
/* Closes every connection without callbacks. Before server_free(). */
void websockets_free(struct websockets *sockets);

struct websocket *websocket_open(struct websockets *sockets, const struct websocket_call *call);
/* Queues a message; only once it is open. */
void websocket_send(struct websocket *socket, bool binary, const void *bytes, size_t length);
/* It is gone for the caller: no callback follows. NULL is fine; not after `ended`. */
void websocket_close(struct websocket *socket);

#endif
