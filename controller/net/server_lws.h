/* What net/websocket needs of net/server: the context whose service loop is the process's wait.
 * Private to net/. */
#ifndef NET_SERVER_LWS_H
#define NET_SERVER_LWS_H

#include <libwebsockets.h>

#include "net/server.h"

struct lws_context *server_lws(const struct server *server);

#endif
