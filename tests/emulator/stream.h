#ifndef EMULATOR_STREAM_H
#define EMULATOR_STREAM_H

/* One WebSocket connection to /v1/listen, from its handshake to its end. It belongs to its
 * connection, where lws_get_opaque_user_data() finds it once the handshake is through. */

#include <libwebsockets.h>

#include "emulator.h"

/* Decides about the handshake; takes the request. Returns what LWS_CALLBACK_HTTP_CONFIRM_UPGRADE
 * has to return: 0 lets it proceed. */
int stream_confirm(struct lws *wsi, struct emulator *emulator, struct request *request);

/* An event of an open connection; returns what its callback has to return. */
int stream_event(struct lws *wsi, enum lws_callback_reasons reason, const void *in, size_t length);

#endif
