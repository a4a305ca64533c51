/* The address of a streaming endpoint: ws:// or wss://, a host, perhaps a port and a path; no user,
 * query or fragment, so that it can be shown to everybody. Pure.
 */
#ifndef API_STREAM_URL_H
#define API_STREAM_URL_H

#include "base/mem.h"

enum { STREAM_HOST_BYTES = 254, STREAM_PATH_BYTES = 257 };

struct stream_url {
    bool tls;
    char host[STREAM_HOST_BYTES]; /* a name, or an IP address without brackets */
    int port;                     /* 80 or 443 when it isn't given */
    char path[STREAM_PATH_BYTES]; /* "/v1/listen" when it isn't given */
};

/* False when NULL or of another form. */
NODISCARD bool stream_url_parse(const char *text, struct stream_url *ret_url);

#endif
