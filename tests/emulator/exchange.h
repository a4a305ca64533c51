#ifndef EMULATOR_EXCHANGE_H
#define EMULATOR_EXCHANGE_H

/* One request on a connection, and the sending of what its plan says. An exchange belongs to its
 * connection, where lws_get_opaque_user_data() finds it, but outlives the connection while a late
 * effect is still to come. */

#include <libwebsockets.h>

#include "emulator.h"

struct exchange {
    struct exchange **list; /* where it is kept until it is freed */
    struct emulator *emulator;
    struct lws *wsi; /* NULL once the connection is gone */
    struct request request;
    struct plan plan;
    lws_sorted_usec_list_t ending_timer;
    lws_sorted_usec_list_t late_timer;
    bool due; /* the time for the ending has come */
    bool late_pending;
    char *message; /* LWS_PRE bytes of room, then the answer */
    size_t message_bytes;
    size_t sent_bytes;
    int64_t filler_left;
    struct exchange *prev, *next;
};

/* Adds one to the list and to the connection, for the caller to fill in the request. */
struct exchange *exchange_new(struct exchange **list, struct emulator *emulator, struct lws *wsi);

/* The request is complete: handles it and schedules its ending. */
void exchange_start(struct exchange *exchange);

/* The connection can be written to. Returns what a libwebsockets callback has to return: -1 closes
 * the connection. */
int exchange_write(struct exchange *exchange);

/* The connection is gone or needs this exchange no longer. */
void exchange_detach(struct exchange *exchange);

/* Cancels every late effect, and frees the exchanges that only waited for theirs. To be called
 * while the libwebsockets context still exists, because the timers are linked into it; destroying
 * the context then detaches the rest. */
void exchange_abandon_late(struct exchange *list);

#endif
