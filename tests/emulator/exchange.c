/* The whole answer is laid out in memory before its time comes, so that cutting it in half or never
 * sending it is a matter of counting bytes. */

#include "exchange.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <utlist.h>

enum { SLICE_BYTES = 64 * 1024 };

struct exchange *exchange_new(struct exchange **list, struct emulator *emulator, struct lws *wsi)
{
    struct exchange *exchange = mem_alloc(sizeof *exchange);
    exchange->list = list;
    exchange->emulator = emulator;
    exchange->wsi = wsi;
    DL_APPEND(*list, exchange);
    lws_set_opaque_user_data(wsi, exchange);
    return exchange;
}

static void exchange_free(struct exchange *exchange)
{
    DL_DELETE(*exchange->list, exchange);
    lws_sul_cancel(&exchange->ending_timer);
    lws_sul_cancel(&exchange->late_timer);
    request_done(&exchange->request);
    reply_done(&exchange->plan.reply);
    free(exchange->message);
    free(exchange);
}

void exchange_detach(struct exchange *exchange)
{
    lws_set_opaque_user_data(exchange->wsi, NULL);
    lws_sul_cancel(&exchange->ending_timer);
    emulator_ended(exchange->emulator, &exchange->plan);
    exchange->wsi = NULL;
    if (!exchange->late_pending)
        exchange_free(exchange);
}

static void on_ending_timer(lws_sorted_usec_list_t *timer)
{
    struct exchange *exchange = lws_container_of(timer, struct exchange, ending_timer);
    exchange->due = true;
    lws_callback_on_writable(exchange->wsi);
}

static void on_late_timer(lws_sorted_usec_list_t *timer)
{
    struct exchange *exchange = lws_container_of(timer, struct exchange, late_timer);
    emulator_carry_out_late(exchange->emulator, &exchange->request, &exchange->plan);
    exchange->late_pending = false;
    if (!exchange->wsi)
        exchange_free(exchange);
}

static void render(struct exchange *exchange)
{
    const struct plan *plan = &exchange->plan;
    size_t body_bytes;
    exchange->message = reply_render(&plan->reply, LWS_PRE, plan->filler_bytes > 0,
                                     &exchange->message_bytes, &body_bytes);
    exchange->filler_left = plan->filler_bytes;
    if (plan->ending == ENDING_CUT)
        exchange->message_bytes -= body_bytes - body_bytes / 2;
}

void exchange_start(struct exchange *exchange)
{
    struct lws_context *context = lws_get_context(exchange->wsi);
    struct plan *plan = &exchange->plan;
    emulator_handle(exchange->emulator, &exchange->request, plan);
    if (plan->ending == ENDING_ANSWER || plan->ending == ENDING_CUT)
        render(exchange);
    lws_set_timeout(exchange->wsi, NO_PENDING_TIMEOUT, 0);
    exchange->late_pending = plan->late;
    if (plan->late)
        lws_sul_schedule(context, 0, &exchange->late_timer, on_late_timer,
                         plan->late_ms * LWS_US_PER_MS);
    if (plan->delay_ms > 0)
        lws_sul_schedule(context, 0, &exchange->ending_timer, on_ending_timer,
                         plan->delay_ms * LWS_US_PER_MS);
    else
        on_ending_timer(&exchange->ending_timer);
}

static int write_bytes(struct lws *wsi, char *bytes, size_t count)
{
    return lws_write(wsi, (unsigned char *)bytes, count, LWS_WRITE_HTTP);
}

/* Sends the next piece. False when the connection is of no use any more. */
static bool send_slice(struct exchange *exchange)
{
    size_t left = exchange->message_bytes - exchange->sent_bytes;
    if (left > 0) {
        size_t slice = left < SLICE_BYTES ? left : SLICE_BYTES;
        char *from = exchange->message + LWS_PRE + exchange->sent_bytes;
        exchange->sent_bytes += slice;
        return write_bytes(exchange->wsi, from, slice) >= 0;
    }
    char filler[LWS_PRE + SLICE_BYTES];
    memset(filler, 'x', sizeof filler);
    size_t slice =
        exchange->filler_left < SLICE_BYTES ? (size_t)exchange->filler_left : (size_t)SLICE_BYTES;
    exchange->filler_left -= (int64_t)slice;
    return write_bytes(exchange->wsi, filler + LWS_PRE, slice) >= 0;
}

/* Dissolving the association makes the kernel send a reset instead of an orderly end. */
static void reset_connection(struct lws *wsi)
{
    const struct sockaddr nobody = { .sa_family = AF_UNSPEC };
    if (connect(lws_get_socket_fd(wsi), &nobody, sizeof nobody) < 0)
        perror("deepgram-emulator: reset");
}

int exchange_write(struct exchange *exchange)
{
    struct lws *wsi = exchange->wsi;
    if (!exchange->due)
        return 0;
    if (exchange->plan.ending == ENDING_RESET)
        reset_connection(wsi);
    if (exchange->plan.ending == ENDING_RESET || exchange->plan.ending == ENDING_CLOSE)
        return -1;

    if (!send_slice(exchange))
        return -1;
    if (exchange->sent_bytes < exchange->message_bytes || exchange->filler_left > 0) {
        lws_callback_on_writable(wsi);
        return 0;
    }
    if (exchange->plan.ending == ENDING_CUT || exchange->plan.filler_bytes > 0)
        return -1;
    exchange_detach(exchange);
    return lws_http_transaction_completed(wsi) ? -1 : 0;
}

void exchange_abandon_late(struct exchange *list)
{
    struct exchange *exchange, *next;
    DL_FOREACH_SAFE(list, exchange, next) {
        lws_sul_cancel(&exchange->late_timer);
        exchange->late_pending = false;
        if (!exchange->wsi)
            exchange_free(exchange);
    }
}
