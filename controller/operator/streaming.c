/* Sound goes out at the speed at which it would be spoken, as some servers refuse to be fed faster.
 * What counts is the answer: how the connection ends after it says nothing more. */
#include "operator/streaming.h"

#include <stdio.h>
#include <string.h>

#include "api/timestamp.h"
#include "base/clock.h"
#include "deepgram/quote.h"

enum { MESSAGE_MAX_BYTES = 256 * 1024, QUOTE_BYTES = 121 };

struct streaming {
    struct loop *loop;
    struct websocket *socket;
    struct loop_timer deadline;
    struct loop_timer next_chunk;
    struct listen_tone tone;
    int chunks;
    struct listen_answer answer;
    char *url;
    int64_t started_ms;
    int64_t timeout_ms;
    streaming_done_fn *done;
    void *context;
};

static void finish(struct streaming *streaming, const struct err *err)
{
    int64_t duration_ms = clock_monotonic_ms() - streaming->started_ms;
    struct listen_answer answer = streaming->answer;
    streaming_done_fn *done = streaming->done;
    void *context = streaming->context;
    loop_timer_stop(&streaming->deadline);
    loop_timer_stop(&streaming->next_chunk);
    websocket_close(streaming->socket);
    mem_free(streaming->url);
    mem_free(streaming);
    done(context, &answer, duration_ms, err);
}

static void fail(struct streaming *streaming, const char *what)
{
    struct err err = ERR_INIT;
    err_set(&err, ERR_TRANSIENT, "%s %s", streaming->url, what);
    finish(streaming, &err);
}

static void too_late(void *context)
{
    struct streaming *streaming = context;
    char limit[TIMESTAMP_BYTES];
    duration_format(streaming->timeout_ms, limit);
    auto_free char *what = mem_printf("didn't answer within %s", limit);
    fail(streaming, what);
}

/* ---- sending ---- */

static void send_chunk(void *context)
{
    struct streaming *streaming = context;
    if (streaming->chunks == LISTEN_CHUNKS) {
        websocket_send(streaming->socket, false, LISTEN_CLOSE_STREAM, strlen(LISTEN_CLOSE_STREAM));
        return;
    }
    unsigned char chunk[LISTEN_CHUNK_BYTES];
    listen_sound(&streaming->tone, chunk);
    websocket_send(streaming->socket, true, chunk, sizeof chunk);
    streaming->chunks++;
    loop_timer_start(streaming->loop, &streaming->next_chunk, LISTEN_CHUNK_MS, send_chunk,
                     streaming);
}

static void opened(void *context)
{
    send_chunk(context);
}

/* ---- what comes back ---- */

static void message(void *context, const char *bytes, size_t length)
{
    struct streaming *streaming = context;
    struct err err = ERR_INIT;
    if (!listen_read(&streaming->answer, bytes, length, &err)) {
        auto_free char *what =
            err.kind == ERR_INVALID
                ? mem_printf("answered with an error: %s", err.message)
                : mem_printf("doesn't speak Deepgram's streaming protocol: %s", err.message);
        fail(streaming, what);
    } else if (streaming->answer.is_complete) {
        finish(streaming, NULL);
    }
}

static char *describe_refusal(const struct websocket_end *end)
{
    if (end->status == 401 || end->status == 403)
        return mem_printf("doesn't accept the new key (%ld)", end->status);
    return mem_printf("answered with %ld where 101 opens a stream", end->status);
}

static char *describe_end(const struct websocket_end *end)
{
    char said[QUOTE_BYTES];
    quote(said, sizeof said, end->failure);
    switch (end->outcome) {
    case WEBSOCKET_UNREACHED:
        return mem_printf("can't be reached (%s)", said);
    case WEBSOCKET_REFUSED:
        return describe_refusal(end);
    case WEBSOCKET_TOO_LARGE:
        return mem_strdup("sent a message that is too large");
    case WEBSOCKET_CLOSED:
        break;
    }
    if (end->code == 0)
        return mem_strdup("closed the connection before it answered");
    return mem_printf("closed the connection before it answered (code %d%s%s)", end->code,
                      said[0] ? ": " : "", said);
}

static void ended(void *context, const struct websocket_end *end)
{
    struct streaming *streaming = context;
    streaming->socket = NULL;
    if (end->outcome == WEBSOCKET_CLOSED && streaming->answer.has_results) {
        finish(streaming, NULL);
        return;
    }
    auto_free char *what = describe_end(end);
    fail(streaming, what);
}

void streaming_start(struct loop *loop, struct websockets *sockets, const char *shown_url,
                     const struct secret *key, int64_t timeout_ms, streaming_done_fn *done,
                     void *context)
{
    struct streaming *streaming = mem_alloc(sizeof *streaming);
    struct stream_url url = { 0 };
    bool usable = stream_url_parse(shown_url, &url); /* api/spec has made sure of it */
    streaming->loop = loop;
    streaming->url = mem_strdup(shown_url);
    streaming->started_ms = clock_monotonic_ms();
    streaming->timeout_ms = timeout_ms;
    streaming->done = done;
    streaming->context = context;
    loop_timer_start(loop, &streaming->deadline, timeout_ms, too_late, streaming);
    auto_free char *path = mem_printf("%s" LISTEN_QUERY, url.path);
    if (usable)
        streaming->socket = websocket_open(sockets, &(struct websocket_call){
                                                        .tls = url.tls,
                                                        .host = url.host,
                                                        .port = url.port,
                                                        .path = path,
                                                        .token = key,
                                                        .max_message_bytes = MESSAGE_MAX_BYTES,
                                                        .opened = opened,
                                                        .message = message,
                                                        .ended = ended,
                                                        .context = streaming,
                                                    });
}
