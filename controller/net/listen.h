/* A listening TCP socket from "ADDR:PORT", "[v6]:PORT" or ":PORT". */
#ifndef NET_LISTEN_H
#define NET_LISTEN_H

#include "base/err.h"

/* Addresses are numeric. ":PORT" is every address, of IPv6 and IPv4 where the system has both.
 * Port 0 lets the system choose; *ret_port is the one that is listened on. The descriptor is
 * non-blocking and the caller's. */
NODISCARD bool listen_open(const char *listen, int *ret_fd, int *ret_port, struct err *err);

#endif
