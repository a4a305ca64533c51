#ifndef EMULATOR_SERVER_H
#define EMULATOR_SERVER_H

/* The network side: an HTTP/1.1 server that runs until SIGTERM or SIGINT. */

#include "emulator.h"
#include "mem.h"

struct server_options {
    const char *address;
    int port;                  /* 0: any free one */
    const char *tls_cert_file; /* both or neither; PEM */
    const char *tls_key_file;
};

/* Prints "listening on URL" to stdout once connections are accepted. False when it can't. */
NODISCARD bool server_run(const struct server_options *options, struct emulator *emulator);

#endif
