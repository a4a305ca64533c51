/* A proxy's error page may quote the request, and with it a key: long words aren't shown. */
#include "deepgram/quote.h"

#include <stdbool.h>
#include <string.h>

#include "base/utf8.h"

enum { SECRET_MIN_BYTES = 32 };

static size_t word_length(const char *text)
{
    return strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789");
}

static void append(char *to, size_t size, const char *text, size_t length)
{
    size_t used = strlen(to);
    if (used + length < size) {
        memcpy(to + used, text, length);
        to[used + length] = '\0';
    }
}

void quote(char *to, size_t size, const char *text)
{
    to[0] = '\0';
    bool blank = false;
    while (*text && strlen(to) + 1 < size) {
        size_t word = word_length(text);
        size_t length = word > 0 ? word : utf8_character_length(text);
        if ((unsigned char)*text <= ' ' || length == 0) {
            blank = to[0] != '\0';
            text++;
            continue;
        }
        if (blank)
            append(to, size, " ", 1);
        blank = false;
        size_t room = size - 1 - strlen(to);
        if (word >= SECRET_MIN_BYTES)
            append(to, size, "***", 3);
        else if (length <= room || word > 0)
            append(to, size, text, length < room ? length : room);
        else
            return;
        text += length;
    }
}
