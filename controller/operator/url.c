#include "operator/url.h"

#include <arpa/inet.h>
#include <string.h>
#include <strings.h>

static bool is_https(const char *url)
{
    return strncasecmp(url, "https://", strlen("https://")) == 0;
}

static bool is_http(const char *url)
{
    return strncasecmp(url, "http://", strlen("http://")) == 0;
}

/* "host", "host:port" or "[v6]:port" without the port and the brackets. */
static char *host_of(const char *url)
{
    const char *authority = strstr(url, "://") + strlen("://");
    if (*authority == '[')
        return mem_strndup(authority + 1, strcspn(authority + 1, "]/"));
    return mem_strndup(authority, strcspn(authority, ":/"));
}

bool url_check(const char *url, struct err *err)
{
    if (!is_https(url) && !is_http(url))
        return err_set(err, ERR_INVALID, "'%s' is not a URL such as https://host:port", url);
    for (const char *p = url; *p; p++)
        if (*p <= ' ' || *p >= 0x7F)
            return err_set(err, ERR_INVALID, "a URL has no spaces and only ASCII characters");
    if (strpbrk(url, "@?#")) /* not shown: there may be a password in it */
        return err_set(err, ERR_INVALID,
                       "the URL must not hold a user name, a query or a fragment");
    auto_free char *host = host_of(url);
    const char *bracket = strchr(url, ']');
    if (host[0] == '\0' || (bracket && !strchr(":/", bracket[1])))
        return err_set(err, ERR_INVALID, "'%s' has no valid host", url);
    return true;
}

static bool is_loopback(const char *host)
{
    struct in_addr v4;
    struct in6_addr v6;
    if (inet_pton(AF_INET, host, &v4) == 1)
        return ntohl(v4.s_addr) >> 24 == 127;
    if (inet_pton(AF_INET6, host, &v6) == 1)
        return IN6_IS_ADDR_LOOPBACK(&v6);
    return strcasecmp(host, "localhost") == 0;
}

bool url_is_private(const char *url)
{
    auto_free char *host = host_of(url);
    return is_https(url) || is_loopback(host);
}
