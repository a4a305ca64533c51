/* What the client sends is taken in at once; what it is answered waits in a queue for its time and
 * for the connection. The faults are those of HTTP, as a stream shows them: before the handshake
 * (status, html, redirect, reset), or where the answer would have been (lost, cut, garbage, big,
 * silence). */

#include "stream.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <utlist.h>

#include "listen.h"

enum { MAX_TEXT_BYTES = 64 * 1024, CLOSE_POLICY = 1008 };

struct message {
    char *bytes; /* LWS_PRE bytes of room, then the text */
    size_t count;
    struct message *prev, *next;
};

struct stream {
    struct lws *wsi;
    struct emulator *emulator;
    struct plan plan;
    struct listen listen;
    char *text; /* a text message that is coming in */
    size_t text_bytes;
    struct message *queue;
    lws_sorted_usec_list_t timer;
    bool due;     /* the time of what is queued has come */
    bool closing; /* when the queue is empty */
    int close_code;
};

static bool has_fault(const struct stream *stream, const char *name)
{
    return stream->plan.fault && strcmp(stream->plan.fault, name) == 0;
}

/* ---- the handshake ---- */

static int answer_plainly(struct lws *wsi, const struct plan *plan)
{
    size_t message_bytes, body_bytes;
    auto_free char *message =
        reply_render(&plan->reply, LWS_PRE, false, &message_bytes, &body_bytes);
    lws_write(wsi, (unsigned char *)message + LWS_PRE, message_bytes, LWS_WRITE_HTTP);
    return 1;
}

static int hang_up(struct lws *wsi, const struct plan *plan)
{
    const struct sockaddr nobody = { .sa_family = AF_UNSPEC };
    if (plan->ending == ENDING_RESET && connect(lws_get_socket_fd(wsi), &nobody, sizeof nobody) < 0)
        perror("deepgram-emulator: reset");
    return -1;
}

/* Faults that only show once audio has come. */
static bool opens(const struct plan *plan)
{
    static const char *const later[] = { "lost", "cut", "garbage", "big", "silence" };
    for (size_t i = 0; plan->fault && i < sizeof later / sizeof *later; i++)
        if (strcmp(plan->fault, later[i]) == 0)
            return true;
    return !plan->fault && plan->reply.status == 101;
}

int stream_confirm(struct lws *wsi, struct emulator *emulator, struct request *request)
{
    struct plan plan;
    emulator_handle(emulator, request, &plan);
    int result = 0;
    if (opens(&plan)) {
        struct stream *stream = mem_alloc(sizeof *stream);
        stream->emulator = emulator;
        stream->plan = plan;
        listen_init(&stream->listen, request);
        journal_set_status(&emulator->journal, plan.seq, 101);
        lws_set_opaque_user_data(wsi, stream);
    } else {
        result = plan.ending == ENDING_ANSWER ? answer_plainly(wsi, &plan) : hang_up(wsi, &plan);
        reply_done(&plan.reply);
    }
    request_done(request);
    return result;
}

/* ---- sending ---- */

static void on_due(lws_sorted_usec_list_t *timer)
{
    struct stream *stream = lws_container_of(timer, struct stream, timer);
    stream->due = true;
    lws_callback_on_writable(stream->wsi);
}

static void schedule(struct stream *stream)
{
    stream->due = false;
    lws_sul_schedule(lws_get_context(stream->wsi), 0, &stream->timer, on_due,
                     stream->plan.delay_ms * LWS_US_PER_MS + 1);
}

static void queue_text(struct stream *stream, char *text /* taken */)
{
    struct message *message = mem_alloc(sizeof *message);
    message->count = strlen(text);
    message->bytes = mem_alloc(LWS_PRE + message->count + 1);
    memcpy(message->bytes + LWS_PRE, text, message->count);
    free(text);
    DL_APPEND(stream->queue, message);
    schedule(stream);
}

static void queue_close(struct stream *stream, int code)
{
    stream->closing = true;
    stream->close_code = code;
    schedule(stream);
}

static void message_free(struct stream *stream, struct message *message)
{
    DL_DELETE(stream->queue, message);
    free(message->bytes);
    free(message);
}

static int write_next(struct stream *stream)
{
    if (!stream->due)
        return 0;
    struct message *message = stream->queue;
    if (message) {
        unsigned char *bytes = (unsigned char *)message->bytes + LWS_PRE;
        int written = lws_write(stream->wsi, bytes, message->count, LWS_WRITE_TEXT);
        message_free(stream, message);
        if (written < 0)
            return -1;
        lws_callback_on_writable(stream->wsi);
        return 0;
    }
    if (!stream->closing)
        return 0;
    if (stream->close_code)
        lws_close_reason(stream->wsi, (enum lws_close_status)stream->close_code, NULL, 0);
    return -1;
}

/* ---- answers, healthy and otherwise ---- */

static char *filler(size_t count)
{
    char *text = mem_alloc(count + 1);
    memset(text, 'x', count);
    return text;
}

static void answer(struct stream *stream, char *text /* taken */)
{
    if (has_fault(stream, "garbage")) {
        free(text);
        text = mem_dup("{\"type\": <not JSON>");
    } else if (has_fault(stream, "big")) {
        free(text);
        text = filler((size_t)stream->plan.filler_bytes);
    } else if (has_fault(stream, "cut")) {
        text[strlen(text) / 2] = '\0';
    }
    queue_text(stream, text);
}

static bool is_mute(const struct stream *stream)
{
    return has_fault(stream, "lost") || has_fault(stream, "silence");
}

static void end_stream(struct stream *stream)
{
    if (has_fault(stream, "silence"))
        return;
    if (!is_mute(stream)) {
        if (stream->listen.bytes > stream->listen.results_bytes)
            answer(stream, listen_results(&stream->listen, false));
        if (!has_fault(stream, "cut"))
            answer(stream, listen_metadata(&stream->listen));
    }
    queue_close(stream, is_mute(stream) || has_fault(stream, "cut") ? 0 : LWS_CLOSE_STATUS_NORMAL);
}

static void take_audio(struct stream *stream, const void *bytes, size_t count)
{
    listen_audio(&stream->listen, bytes, count);
    journal_set_audio(&stream->emulator->journal, stream->plan.seq, stream->listen.bytes);
    if (listen_has_second(&stream->listen) && !is_mute(stream))
        answer(stream, listen_results(&stream->listen, false));
}

static void take_text(struct stream *stream)
{
    auto_json cJSON *json = cJSON_ParseWithLength(stream->text, stream->text_bytes);
    const char *type = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(json, "type"));
    if (!type)
        type = "";
    if (strcmp(type, "CloseStream") == 0) {
        end_stream(stream);
    } else if (strcmp(type, "Finalize") == 0) {
        if (!is_mute(stream))
            answer(stream, listen_results(&stream->listen, true));
    } else if (strcmp(type, "KeepAlive") != 0) {
        queue_text(stream, listen_error("The message is none that a stream knows."));
        queue_close(stream, CLOSE_POLICY);
    }
}

static int receive(struct stream *stream, const void *in, size_t length)
{
    if (stream->closing)
        return 0;
    if (lws_frame_is_binary(stream->wsi)) {
        take_audio(stream, in, length);
        return 0;
    }
    if (stream->text_bytes + length > MAX_TEXT_BYTES)
        return -1;
    stream->text = mem_grow(stream->text, stream->text_bytes + length + 1);
    memcpy(stream->text + stream->text_bytes, in, length);
    stream->text_bytes += length;
    if (lws_is_final_fragment(stream->wsi)) {
        take_text(stream);
        stream->text_bytes = 0;
    }
    return 0;
}

static void stream_free(struct stream *stream)
{
    lws_sul_cancel(&stream->timer);
    while (stream->queue)
        message_free(stream, stream->queue);
    listen_done(&stream->listen);
    reply_done(&stream->plan.reply);
    free(stream->text);
    free(stream);
}

int stream_event(struct lws *wsi, enum lws_callback_reasons reason, const void *in, size_t length)
{
    struct stream *stream = lws_get_opaque_user_data(wsi);
    if (!stream)
        return 0;
    stream->wsi = wsi;
    switch ((int)reason) {
    case LWS_CALLBACK_RECEIVE:
        return receive(stream, in, length);
    case LWS_CALLBACK_SERVER_WRITEABLE:
        return write_next(stream);
    case LWS_CALLBACK_CLOSED:
        lws_set_opaque_user_data(wsi, NULL);
        stream_free(stream);
        return 0;
    default:
        return 0;
    }
}
