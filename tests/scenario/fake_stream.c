/* A Deepgram API in the cluster behind net/websocket.h: it knows every live key, and answers a
 * stream that was ended in good form. Opening and the answer are a request each, so that faults
 * strike at both. */
#include "net/websocket.h"

#include <string.h>

#include "base/json.h"
#include "deepgram.h"
#include "sim.h"

enum { STREAM_MS = 15 };

#define METADATA                                                                                   \
    "{\"type\":\"Metadata\",\"request_id\":\"r\",\"duration\":1,\"channels\":1,"                   \
    "\"model_info\":{\"m\":{\"name\":\"simulated\"}}}"

struct websocket {
    struct websocket_call call;
    char *key;
    struct request *request; /* under way; NULL: none */
};

struct stream_detail {
    struct websocket *socket;
    char *key;
    bool refused;
};

/* Beside the pods of an earlier one it takes up a stream of theirs. */
static void check_turn(const struct credential_record *tried)
{
    for (size_t i = 0; i < sim.deepgram.count && sim.schedule->fault_count == 0; i++) {
        const struct credential_record *earlier = &sim.deepgram.credentials[i];
        if (strcmp(earlier->uid, tried->uid) == 0 && earlier->revision < tried->revision &&
            actors_holder(earlier->value))
            sim_broken(I2, "tried out %s while a pod holds %s", tried->id, earlier->id);
    }
}

static void perform(struct request *request)
{
    struct stream_detail *detail = request->detail;
    struct credential_record *record = deepgram_by_value(detail->key);
    detail->refused = sim.deepgram.deaf || !record || record->pull || !deepgram_alive(record);
    if (detail->refused || !strstr(request->what, "close"))
        return;
    record->streamed = true;
    check_turn(record);
}

static void release(struct request *request)
{
    mem_free(((struct stream_detail *)request->detail)->key);
}

static void end(struct websocket *socket, enum websocket_outcome outcome, long status)
{
    const struct websocket_end told = { .outcome = outcome, .status = status, .failure = "" };
    struct websocket_call call = socket->call;
    websocket_close(socket);
    call.ended(call.context, &told);
}

static bool failed(struct websocket *socket, const struct request *request)
{
    const struct stream_detail *detail = request->detail;
    if (request->reply_kind == REPLY_NOT_SENT)
        end(socket, WEBSOCKET_UNREACHED, 0);
    else if (request->reply_kind == REPLY_LOST)
        end(socket, WEBSOCKET_CLOSED, 0);
    else if (request->reply_kind == REPLY_FAILED || request->reply_kind == REPLY_THROTTLED)
        end(socket, WEBSOCKET_REFUSED, 503);
    else if (detail->refused)
        end(socket, WEBSOCKET_REFUSED, 401);
    else
        return false;
    return true;
}

static void opened(struct request *request)
{
    struct websocket *socket = ((struct stream_detail *)request->detail)->socket;
    socket->request = NULL;
    if (!failed(socket, request))
        socket->call.opened(socket->call.context);
}

static void closed(struct request *request)
{
    struct websocket *socket = ((struct stream_detail *)request->detail)->socket;
    socket->request = NULL;
    if (failed(socket, request))
        return;
    size_t length = strlen(METADATA);
    socket->call.message(socket->call.context, METADATA,
                         request->reply_kind == REPLY_CUT ? length / 2 : length);
}

static void ask(struct websocket *socket, const char *what, void (*answer)(struct request *))
{
    struct request *request = request_new(sizeof(struct stream_detail));
    struct process *process = memory_enter(NULL);
    struct stream_detail *detail = request->detail;
    *detail = (struct stream_detail){ .socket = socket, .key = mem_strdup(socket->key) };
    memory_enter(process);
    snprintf(request->what, sizeof request->what, "stream %s", what);
    request->perform = perform;
    request->answer = answer;
    request->release = release;
    socket->request = request;
    request_start(request, STREAM_MS);
}

struct websocket *websocket_open(struct websockets *sockets, const struct websocket_call *call)
{
    (void)sockets;
    struct websocket *socket = mem_alloc(sizeof *socket);
    socket->call = *call;
    socket->key = mem_strdup(secret_reveal(call->token));
    ask(socket, "open", opened);
    return socket;
}

void websocket_send(struct websocket *socket, bool binary, const void *bytes, size_t length)
{
    (void)bytes, (void)length;
    if (!binary)
        ask(socket, "close", closed);
}

void websocket_close(struct websocket *socket)
{
    if (!socket)
        return;
    if (socket->request)
        request_cancel(socket->request);
    mem_free(socket->key);
    mem_free(socket);
}
