/* Ids come from foreign objects: encoded, none of them can add a segment or a parameter. */
#include "deepgram/url.h"

#include <string.h>

void url_escape(struct buf *url, const char *text)
{
    static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_~";
    for (; *text; text++) {
        if (strchr(plain, *text))
            buf_putc(url, *text);
        else
            buf_printf(url, "%%%02X", (unsigned char)*text);
    }
}
