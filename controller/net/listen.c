/* No name is ever looked up: a program must not depend on a name server for its own address. */
#include "net/listen.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { BACKLOG = 64 };

union address {
    struct sockaddr any;
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
};

static bool parse_port(const char *text, in_port_t *ret_port)
{
    size_t digits = strspn(text, "0123456789");
    if (digits == 0 || digits > 5 || text[digits] != '\0')
        return false;
    unsigned long port = strtoul(text, NULL, 10);
    if (port > UINT16_MAX)
        return false;
    *ret_port = htons((in_port_t)port);
    return true;
}

/* An empty host is the IPv6 wildcard. */
static bool parse(const char *listen, union address *ret_address)
{
    const char *colon = strrchr(listen, ':');
    in_port_t port = 0;
    if (!colon || !parse_port(colon + 1, &port))
        return false;
    bool brackets = listen[0] == '[' && colon > listen + 1 && colon[-1] == ']';
    auto_free char *host = brackets ? mem_strndup(listen + 1, (size_t)(colon - listen) - 2)
                                    : mem_strndup(listen, (size_t)(colon - listen));
    *ret_address = (union address){ .v6 = { .sin6_family = AF_INET6, .sin6_port = port } };
    if (brackets)
        return inet_pton(AF_INET6, host, &ret_address->v6.sin6_addr) == 1;
    if (host[0] == '\0')
        return true;
    *ret_address = (union address){ .v4 = { .sin_family = AF_INET, .sin_port = port } };
    return inet_pton(AF_INET, host, &ret_address->v4.sin_addr) == 1;
}

static int open_socket(union address *address, bool wildcard)
{
    int type = SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK;
    int fd = socket(address->any.sa_family, type, 0);
    if (fd < 0 && errno == EAFNOSUPPORT && wildcard) { /* a kernel without IPv6 */
        in_port_t port = address->v6.sin6_port;
        *address = (union address){ .v4 = { .sin_family = AF_INET, .sin_port = port } };
        fd = socket(AF_INET, type, 0);
    }
    return fd;
}

static bool bind_and_listen(int fd, union address *address, bool wildcard)
{
    int on = 1;
    int v6_only = !wildcard;
    bool is_v6 = address->any.sa_family == AF_INET6;
    socklen_t length = is_v6 ? sizeof address->v6 : sizeof address->v4;
    return setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) == 0 &&
           (!is_v6 || setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &v6_only, sizeof v6_only) == 0) &&
           bind(fd, &address->any, length) == 0 && listen(fd, BACKLOG) == 0 &&
           getsockname(fd, &address->any, &length) == 0;
}

bool listen_open(const char *listen, int *ret_fd, int *ret_port, struct err *err)
{
    union address address;
    if (!parse(listen, &address))
        return err_set(err, ERR_INVALID,
                       "cannot listen on \"%s\": expected ADDRESS:PORT, [IPV6]:PORT or :PORT",
                       listen);
    bool wildcard = listen[0] == ':';
    int fd = open_socket(&address, wildcard);
    if (fd < 0 || !bind_and_listen(fd, &address, wildcard)) {
        err_set(err, ERR_INVALID, "cannot listen on %s: %s", listen, strerror(errno));
        if (fd >= 0)
            close(fd);
        return false;
    }
    *ret_fd = fd;
    *ret_port =
        ntohs(address.any.sa_family == AF_INET6 ? address.v6.sin6_port : address.v4.sin_port);
    return true;
}
