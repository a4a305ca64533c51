/* Messages come from foreign bodies too: control characters and bytes that aren't UTF-8 are
 * replaced, and a cut never leaves half a character. */
#include "base/err.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/utf8.h"

static void tidy(char *text, size_t size)
{
    size_t length = strnlen(text, size - 1);
    if (length == size - 1) { /* perhaps cut: drop an incomplete last character */
        while (length > 0 && ((unsigned char)text[length - 1] & 0xC0) == 0x80)
            length--;
        if (length > 0 && (unsigned char)text[length - 1] >= 0xC0)
            length--;
    }
    text[length] = '\0';
    while (*text) {
        size_t character = utf8_character_length(text);
        if (character == 0)
            *text = '?';
        else if ((unsigned char)*text < 0x20 || *text == 0x7F)
            *text = ' ';
        text += character > 0 ? character : 1;
    }
}

bool err_set(struct err *err, enum err_kind kind, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    err->kind = kind;
    vsnprintf(err->message, sizeof err->message, format, args);
    va_end(args);
    tidy(err->message, sizeof err->message);
    return false;
}

bool err_prefix(struct err *err, const char *format, ...)
{
    char old[sizeof err->message];
    memcpy(old, err->message, sizeof old);
    va_list args;
    va_start(args, format);
    vsnprintf(err->message, sizeof err->message, format, args);
    va_end(args);
    size_t length = strlen(err->message);
    int room = (int)(sizeof err->message - length) - (int)sizeof ": ";
    if (room > 0)
        snprintf(err->message + length, sizeof err->message - length, ": %.*s", room, old);
    tidy(err->message, sizeof err->message);
    return false;
}

const char *err_kind_name(enum err_kind kind)
{
    switch (kind) {
    case ERR_NONE:
        return "None";
    case ERR_TRANSIENT:
        return "Transient";
    case ERR_THROTTLED:
        return "Throttled";
    case ERR_UNKNOWN_OUTCOME:
        return "UnknownOutcome";
    case ERR_CONFLICT:
        return "Conflict";
    case ERR_NOT_FOUND:
        return "NotFound";
    case ERR_GONE:
        return "Gone";
    case ERR_UNAUTHORIZED:
        return "Unauthorized";
    case ERR_FORBIDDEN:
        return "Forbidden";
    case ERR_INVALID:
        return "Invalid";
    case ERR_MALFORMED:
        return "Malformed";
    }
    return "Unknown";
}
