/* HTTP requests on libcurl's multi_socket interface: HTTP/1.1 with keep-alive, no redirects, TLS
 * always verified, an overall time-out on every transfer (and our own timer behind it, because
 * multi_socket has lost wake-ups in several libcurl versions).
 *
 * A request is answered exactly once through its `done` callback, from the loop and never from
 * inside http_send(); or not at all after http_cancel(). A streamed body (a watch) is handed to
 * `chunk` as it comes. Callbacks may send and cancel anything.
 *
 * A POST or PATCH leaves at most once. GET, HEAD, PUT and DELETE may be sent a second time when a
 * kept-alive connection turns out to be dead before any byte of an answer came.
 */
#ifndef NET_HTTP_H
#define NET_HTTP_H

#include "base/buf.h"
#include "base/err.h"
#include "base/secret.h"
#include "net/loop.h"

struct http;         /* the pool of connections */
struct http_request; /* one transfer in flight; owned by the pool */

/* TLS material and proxy of a peer; PEM texts, not paths. */
struct http_tls {
    const char *ca_pem;                  /* NULL: the system's CA bundle */
    const char *client_certificate_pem;  /* NULL: none */
    const struct secret *client_key_pem; /* NULL: none */
    const char *server_name;             /* NULL: the host of the URL (SNI and verification) */
    bool insecure_skip_verify;           /* only what a kubeconfig explicitly asks for */
    const char *proxy_url;               /* NULL: HTTPS_PROXY/NO_PROXY of the environment */
};

enum http_outcome {
    HTTP_ANSWERED,  /* a complete answer: status, headers, body */
    HTTP_NOT_SENT,  /* nothing of the request can have reached the peer (resolve, connect, TLS) */
    HTTP_BROKEN,    /* time-out, reset, cut body: the peer may have carried it out */
    HTTP_TOO_LARGE, /* the body went over max_body_bytes; the peer has carried it out */
    HTTP_STOPPED,   /* `chunk` returned false */
};

struct http_answer {
    enum http_outcome outcome;
    long status;              /* 0 unless answered (or known before it broke) */
    const char *content_type; /* NULL when absent; borrowed during the callback */
    const char *retry_after;  /* the header's raw text or NULL */
    const char *date;         /* the server's Date header or NULL */
    struct buf *body;         /* whole body unless streamed; the callback may buf_take() it */
    const char *failure;      /* plain words when not answered; "" otherwise */
    int64_t duration_ms;
};

typedef void http_done_fn(void *context, const struct http_answer *answer);
/* Asked just before the first byte leaves, however long the wait for a connection was: false, and
 * nothing is sent (HTTP_NOT_SENT). */
typedef bool http_may_send_fn(void *context);
/* Bytes of a 2xx answer in order; false ends the transfer (HTTP_STOPPED). */
typedef bool http_chunk_fn(void *context, const char *bytes, size_t length);

enum http_auth { HTTP_AUTH_NONE, HTTP_AUTH_BEARER, HTTP_AUTH_TOKEN, HTTP_AUTH_BASIC };

struct http_call { /* everything is borrowed for the time of http_send() only */
    const char *method;
    const char *url;
    const char *accept;       /* NULL: application/json */
    const char *content_type; /* NULL when there is no body */
    const char *body;         /* NULL: none */
    size_t body_length;
    enum http_auth auth;             /* BEARER: `Bearer x`; TOKEN: `Token x` (Deepgram) */
    const struct secret *credential; /* token, or `user:password` for BASIC */
    const struct http_tls *tls;      /* NULL: the system's CA bundle, proxy of the environment */
    int64_t timeout_ms;              /* overall, waiting for a connection included; > 0 */
    size_t max_body_bytes;           /* of an answer that isn't streamed, and of error bodies */
    http_may_send_fn *may_send;      /* NULL: always */
    http_chunk_fn *chunk;            /* NULL: collect the body */
    http_done_fn *done;
    void *context;
};

/* max_connections_per_host bounds the pool. user_agent is sent with every request. */
NODISCARD bool http_new(struct loop *loop, const char *user_agent, long max_connections_per_host,
                        struct http **ret_http, struct err *err);
/* Cancels what is in flight (no callbacks). Before loop_free() and before the server's end; not
 * from a callback. */
void http_free(struct http *http);

/* Never fails: a request that can't be started is answered HTTP_NOT_SENT. */
struct http_request *http_send(struct http *http, const struct http_call *call);
/* The request is gone for the caller: no callback follows. NULL is fine; not after `done`. */
void http_cancel(struct http_request *request);
/* The same, because no answer came in time. As after a time-out, connections that are idle by now
 * are not used again: the next request must not wait for one that died silently as well. */
void http_give_up(struct http_request *request);

#endif
