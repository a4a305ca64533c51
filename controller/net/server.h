/* The process's own HTTP endpoints (/healthz, /readyz, /metrics) on libwebsockets, whose service
 * loop is the process's wait: the event loop's epoll descriptor is adopted into it.
 */
#ifndef NET_SERVER_H
#define NET_SERVER_H

#include "base/buf.h"
#include "base/err.h"
#include "net/loop.h"

struct server;

/* Fills the body and returns the HTTP status; called for GET of a path. `path` has no query. A
 * path that isn't served returns 404. */
typedef int server_handler_fn(void *context, const char *path, const char **content_type,
                              struct buf *body);

/* listen is "ADDR:PORT", ":PORT" (all addresses) or "[v6]:PORT"; port 0 lets the system choose. */
NODISCARD bool server_new(struct loop *loop, const char *listen, server_handler_fn *handler,
                          void *context, struct server **ret_server, struct err *err);
/* The port that is listened on. */
int server_port(const struct server *server);
/* Serves and dispatches the loop until loop_stop(). */
void server_run(struct server *server);
/* After http_free(): libcurl's sockets must be gone from the loop first. */
void server_free(struct server *server);

#endif
