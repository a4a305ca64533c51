/* A server may ask for any wait: more than an hour is taken for a mistake. */
#include "deepgram/retry_after.h"

#include <string.h>

#include "api/timestamp.h"

enum { SECOND_MS = 1000, WAIT_MAX_SECONDS = 3600, WAIT_MAX_MS = WAIT_MAX_SECONDS * SECOND_MS };

static bool is_space(char c)
{
    return c == ' ' || c == '\t';
}

/* That many digits; -1 when there is anything else among them. */
static int read_digits(const char *text, int count)
{
    int number = 0;
    for (; count > 0; count--, text++) {
        if (*text < '0' || *text > '9')
            return -1;
        number = number * 10 + (*text - '0');
    }
    return number;
}

static int read_month(const char *text)
{
    static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
    for (int i = 0; i < 12; i++)
        if (strncmp(text, months + i * 3, 3) == 0)
            return i + 1;
    return -1;
}

/* The day of the week is redundant, and not looked at. */
static bool parse_date(const char *text, size_t length, int64_t *ret_ms)
{
    static const char form[] = "___, __ ___ ____ __:__:__ GMT";
    if (length != sizeof form - 1)
        return false;
    for (size_t i = 0; i < length; i++)
        if (form[i] != '_' && form[i] != text[i])
            return false;
    struct civil_time civil = {
        .year = read_digits(text + 12, 4),
        .month = read_month(text + 8),
        .day = read_digits(text + 5, 2),
        .hour = read_digits(text + 17, 2),
        .minute = read_digits(text + 20, 2),
        .second = read_digits(text + 23, 2),
    };
    return timestamp_from_civil(&civil, ret_ms);
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
    if (!parse_date(text, length, &date_ms)) {
        int64_t seconds = parse_seconds(text, length);
        return seconds < 0 ? -1 : seconds * SECOND_MS;
    }
    if (date_ms <= now_ms)
        return 0;
    return now_ms > date_ms - WAIT_MAX_MS ? date_ms - now_ms : WAIT_MAX_MS;
}
