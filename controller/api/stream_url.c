/* A short grammar of our own: general URL parsers accept much that must not be connected to. */
#include "api/stream_url.h"

#include <stdio.h>
#include <string.h>

#define LETTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define DIGITS "0123456789"

static bool copy(char *to, size_t size, const char *text, size_t length)
{
    if (length == 0 || length >= size)
        return false;
    snprintf(to, size, "%.*s", (int)length, text);
    return true;
}

static bool read_host(const char **text, struct stream_url *url)
{
    const char *at = *text;
    if (*at == '[') {
        size_t length = strspn(at + 1, DIGITS "abcdefABCDEF:.");
        *text = at + length + 2;
        return at[length + 1] == ']' && strcspn(at + 1, ":") < length &&
               copy(url->host, sizeof url->host, at + 1, length);
    }
    size_t length = strspn(at, LETTERS DIGITS "-.");
    *text = at + length;
    return length > 0 && !strchr("-.", at[0]) && at[length - 1] != '-' &&
           copy(url->host, sizeof url->host, at, length);
}

static bool read_port(const char **text, struct stream_url *url)
{
    url->port = url->tls ? 443 : 80;
    if (**text != ':')
        return true;
    size_t length = strspn(*text + 1, DIGITS);
    if (length == 0 || length > 5)
        return false;
    url->port = 0;
    for (size_t i = 1; i <= length; i++)
        url->port = url->port * 10 + ((*text)[i] - '0');
    *text += length + 1;
    return url->port > 0 && url->port <= 65535;
}

static bool read_path(const char *text, struct stream_url *url)
{
    if (text[0] == '\0' || strcmp(text, "/") == 0)
        text = "/v1/listen";
    size_t length = strspn(text, LETTERS DIGITS "-._~/");
    return text[0] == '/' && text[length] == '\0' &&
           copy(url->path, sizeof url->path, text, length);
}

bool stream_url_parse(const char *text, struct stream_url *ret_url)
{
    struct stream_url url = { 0 };
    if (!text || strncmp(text, "ws", 2) != 0)
        return false;
    text += 2;
    url.tls = *text == 's';
    text += url.tls;
    if (strncmp(text, "://", 3) != 0)
        return false;
    text += 3;
    if (!read_host(&text, &url) || !read_port(&text, &url) || !read_path(text, &url))
        return false;
    *ret_url = url;
    return true;
}
