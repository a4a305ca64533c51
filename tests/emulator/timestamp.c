/* Parsing is strict about what RFC 3339 says, because the tests use it to catch clients that send
 * something merely similar. */

#include "timestamp.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

int64_t timestamp_now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

const char *timestamp_format(int64_t time_ms, char ret_text[static TIMESTAMP_SIZE])
{
    time_t seconds = (time_t)(time_ms / 1000);
    struct tm parts;
    gmtime_r(&seconds, &parts);
    size_t length = strftime(ret_text, TIMESTAMP_SIZE, "%Y-%m-%dT%H:%M:%S", &parts);
    snprintf(ret_text + length, TIMESTAMP_SIZE - length, ".%03d000Z", (int)(time_ms % 1000));
    return ret_text;
}

/* Takes exactly `count` digits. */
static bool take_number(const char **text, unsigned count, int *ret_number)
{
    int number = 0;
    for (unsigned i = 0; i < count; i++) {
        char c = (*text)[i];
        if (c < '0' || c > '9')
            return false;
        number = number * 10 + (c - '0');
    }
    *text += count;
    *ret_number = number;
    return true;
}

static bool take_char(const char **text, const char *allowed)
{
    if (!**text || !strchr(allowed, **text))
        return false;
    ++*text;
    return true;
}

static bool take_decimals(const char **text, int *ret_ms)
{
    int ms = 0;
    *ret_ms = 0;
    if (**text != '.')
        return true;
    ++*text;
    unsigned digits = 0;
    for (; **text >= '0' && **text <= '9'; ++*text, digits++)
        if (digits < 3)
            ms = ms * 10 + (**text - '0');
    for (unsigned i = digits; i < 3; i++)
        ms *= 10;
    *ret_ms = ms;
    return digits > 0;
}

static bool take_offset(const char **text, int *ret_minutes)
{
    *ret_minutes = 0;
    if (take_char(text, "Zz"))
        return true;
    int sign = **text == '-' ? -1 : 1;
    int hours, minutes;
    if (!take_char(text, "+-") || !take_number(text, 2, &hours) || !take_char(text, ":") ||
        !take_number(text, 2, &minutes) || hours > 23 || minutes > 59)
        return false;
    *ret_minutes = sign * (hours * 60 + minutes);
    return true;
}

static bool take_date(const char **text, struct tm *parts)
{
    if (!take_number(text, 4, &parts->tm_year) || !take_char(text, "-") ||
        !take_number(text, 2, &parts->tm_mon) || !take_char(text, "-") ||
        !take_number(text, 2, &parts->tm_mday))
        return false;
    parts->tm_year -= 1900;
    parts->tm_mon -= 1;
    return true;
}

static bool take_time(const char **text, struct tm *parts)
{
    return take_number(text, 2, &parts->tm_hour) && take_char(text, ":") &&
           take_number(text, 2, &parts->tm_min) && take_char(text, ":") &&
           take_number(text, 2, &parts->tm_sec);
}

/* timegm() carries a 31st of February over into March; that is not the same date any more. */
static bool is_real_date(const struct tm *parts, time_t seconds)
{
    struct tm again;
    gmtime_r(&seconds, &again);
    return again.tm_mday == parts->tm_mday && again.tm_mon == parts->tm_mon &&
           again.tm_hour == parts->tm_hour && again.tm_min == parts->tm_min;
}

bool timestamp_parse(const char *text, int64_t *ret_time_ms)
{
    struct tm parts = { 0 };
    int ms, offset_minutes;
    if (!take_date(&text, &parts) || !take_char(&text, "Tt") || !take_time(&text, &parts) ||
        !take_decimals(&text, &ms) || !take_offset(&text, &offset_minutes) || *text)
        return false;
    struct tm normalised = parts;
    time_t seconds = timegm(&normalised);
    if (!is_real_date(&parts, seconds))
        return false;
    *ret_time_ms = ((int64_t)seconds - (int64_t)offset_minutes * 60) * 1000 + ms;
    return true;
}
