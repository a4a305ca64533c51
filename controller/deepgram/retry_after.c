/* A server may ask for any wait: more than an hour is taken for a mistake. */
#include "deepgram/retry_after.h"

#include <string.h>

#include "api/http_date.h"

enum { SECOND_MS = 1000, WAIT_MAX_SECONDS = 3600, WAIT_MAX_MS = WAIT_MAX_SECONDS * SECOND_MS };

static bool is_space(char c)
{
    return c == ' ' || c == '\t';
}

static int64_t parse_seconds(const char *text, size_t length)
{
    int64_t seconds = 0;
    for (size_t i = 0; i < length; i++) {
        if (text[i] < '0' || text[i] > '9')
            return -1;
        seconds = seconds * 10 + (text[i] - '0');
        if (seconds > WAIT_MAX_SECONDS)
            seconds = WAIT_MAX_SECONDS;
    }
    return length > 0 ? seconds : -1;
}

int64_t retry_after_parse(const char *text, int64_t now_ms)
{
    if (!text)
        return -1;
    while (is_space(*text))
        text++;
    size_t length = strlen(text);
    while (length > 0 && is_space(text[length - 1]))
        length--;
    int64_t date_ms = 0;
    if (!http_date_parse(text, length, &date_ms)) {
        int64_t seconds = parse_seconds(text, length);
        return seconds < 0 ? -1 : seconds * SECOND_MS;
    }
    if (date_ms <= now_ms)
        return 0;
    return now_ms > date_ms - WAIT_MAX_MS ? date_ms - now_ms : WAIT_MAX_MS;
}
