/* A first-in first-out queue in front of net/http. libcurl could bound connections itself, but its
 * time-outs run while a transfer waits for one. */
#include "operator/gateway.h"

#include <stdio.h>
#include <string.h>
#include <utlist.h>

#include "base/clock.h"

enum {
    TIMEOUT_MS = 30 * 1000,
    MAX_ANSWER_BYTES = 1 << 20,
};

struct gateway_call {
    struct gateway *gateway;
    struct deepgram_request request;
    struct secret key;
    int64_t *sent_ms;
    gateway_may_send_fn *may_send;
    gateway_done_fn *done;
    void *context;
    struct http_request *in_flight;
    struct gateway_call *prev;
    struct gateway_call *next;
};

struct gateway {
    struct http *http;
    const struct options *options;
    struct metrics *metrics;
    struct http_tls tls;
    long in_flight;
    struct gateway_call *waiting;
    struct gateway_call *sent;
};

struct gateway *gateway_new(struct http *http, const struct options *options,
                            struct metrics *metrics)
{
    struct gateway *gateway = mem_alloc(sizeof *gateway);
    gateway->http = http;
    gateway->options = options;
    gateway->metrics = metrics;
    gateway->tls.ca_pem = options->ca_pem;
    return gateway;
}

static void call_free(struct gateway_call *call)
{
    deepgram_request_done(&call->request);
    secret_done(&call->key);
    mem_free(call);
}

static void drop_all(struct gateway_call **list)
{
    struct gateway_call *call = NULL;
    struct gateway_call *next = NULL;
    DL_FOREACH_SAFE(*list, call, next) {
        DL_DELETE(*list, call);
        if (call->in_flight)
            http_cancel(call->in_flight);
        call_free(call);
    }
}

void gateway_free(struct gateway *gateway)
{
    if (!gateway)
        return;
    drop_all(&gateway->waiting);
    drop_all(&gateway->sent);
    mem_free(gateway);
}

static enum deepgram_transport transport_of(enum http_outcome outcome)
{
    switch (outcome) {
    case HTTP_ANSWERED:
        return DEEPGRAM_ANSWERED;
    case HTTP_NOT_SENT:
        return DEEPGRAM_NOT_SENT;
    case HTTP_TOO_LARGE:
    case HTTP_STOPPED: /* by read_list() */
        return DEEPGRAM_TOO_LARGE;
    case HTTP_BROKEN:
        break;
    }
    return DEEPGRAM_BROKEN;
}

static void count(struct gateway *gateway, const struct gateway_call *call,
                  const struct http_answer *answer)
{
    char code[16];
    snprintf(code, sizeof code, "%ld", answer->outcome == HTTP_ANSWERED ? answer->status : 0L);
    const char *operation = deepgram_operation_name(call->request.operation);
    metrics_add(gateway->metrics, METRIC_DEEPGRAM_REQUESTS, 1, operation, code, NULL);
    metrics_observe(gateway->metrics, METRIC_DEEPGRAM_SECONDS, (double)answer->duration_ms / 1000.0,
                    operation, NULL);
}

static void send_waiting(struct gateway *gateway);

static void answered(void *context, const struct http_answer *answer)
{
    struct gateway_call *call = context;
    struct gateway *gateway = call->gateway;
    DL_DELETE(gateway->sent, call);
    gateway->in_flight--;
    count(gateway, call, answer);
    struct deepgram_answer result = {
        .transport = transport_of(answer->outcome),
        .status = answer->status,
        .body = buf_text(answer->body),
        .body_length = answer->body->length,
        .listing = call->request.listing,
        .retry_after = answer->retry_after,
        .failure = answer->failure,
        .now_ms = clock_wall_ms(),
    };
    call->done(call->context, &result);
    call_free(call);
    send_waiting(gateway);
}

static bool read_list(void *context, const char *bytes, size_t length)
{
    const struct gateway_call *call = context;
    return deepgram_listing_feed(call->request.listing, bytes, length);
}

static bool still_allowed(void *context)
{
    const struct gateway_call *call = context;
    return !call->may_send || call->may_send(call->context);
}

static void send_now(struct gateway *gateway, struct gateway_call *call)
{
    bool to_registry = call->request.operation == DEEPGRAM_PULL_TOKEN;
    auto_free char *url = mem_printf(
        "%s%s", to_registry ? gateway->options->registry_url : gateway->options->deepgram_url,
        call->request.path);
    const char *body = call->request.body;
    struct http_call http_call = {
        .method = call->request.method,
        .url = url,
        .content_type = body ? "application/json" : NULL,
        .body = body,
        .body_length = body ? strlen(body) : 0,
        .auth = to_registry ? HTTP_AUTH_BASIC : HTTP_AUTH_TOKEN,
        .credential = &call->key,
        .tls = &gateway->tls,
        .timeout_ms = TIMEOUT_MS,
        .max_body_bytes = MAX_ANSWER_BYTES,
        .may_send = still_allowed,
        .chunk = call->request.listing ? read_list : NULL,
        .done = answered,
        .context = call,
    };
    if (call->sent_ms)
        *call->sent_ms = clock_monotonic_ms();
    DL_APPEND(gateway->sent, call);
    gateway->in_flight++;
    call->in_flight = http_send(gateway->http, &http_call);
}

static void give_up(struct gateway_call *call)
{
    struct deepgram_answer result = {
        .transport = DEEPGRAM_NOT_SENT,
        .body = "",
        .failure = "it waited for its turn for too long",
        .now_ms = clock_wall_ms(),
    };
    call->done(call->context, &result);
    call_free(call);
}

static void send_waiting(struct gateway *gateway)
{
    while (gateway->waiting && gateway->in_flight < gateway->options->max_in_flight) {
        struct gateway_call *call = gateway->waiting;
        DL_DELETE(gateway->waiting, call);
        if (still_allowed(call))
            send_now(gateway, call);
        else
            give_up(call);
    }
}

struct gateway_call *gateway_send(struct gateway *gateway, struct deepgram_request *request,
                                  const struct secret *key, int64_t *sent_ms,
                                  gateway_may_send_fn *may_send, gateway_done_fn *done,
                                  void *context)
{
    struct gateway_call *call = mem_alloc(sizeof *call);
    call->gateway = gateway;
    call->request = *request;
    *request = (struct deepgram_request){ 0 };
    secret_copy(&call->key, key);
    call->sent_ms = sent_ms;
    call->may_send = may_send;
    call->done = done;
    call->context = context;
    /* When it need not wait, its sender has just made sure that it may. */
    if (!gateway->waiting && gateway->in_flight < gateway->options->max_in_flight)
        send_now(gateway, call);
    else
        DL_APPEND(gateway->waiting, call);
    return call;
}

void gateway_cancel(struct gateway_call *call)
{
    struct gateway *gateway = call->gateway;
    if (call->in_flight) {
        http_cancel(call->in_flight);
        DL_DELETE(gateway->sent, call);
        gateway->in_flight--;
    } else {
        DL_DELETE(gateway->waiting, call);
    }
    call_free(call);
    send_waiting(gateway);
}
