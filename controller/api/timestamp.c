/* The calendar is computed here: the C library's functions depend on a time zone, accept 32 January
 * and have no RFC 3339. */
#include "api/timestamp.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum {
    MS_PER_SECOND = 1000,
    SECONDS_PER_DAY = 24 * 60 * 60,
    DAYS_BEFORE_1970 = 719528, /* since 0000-01-01 */
    DAYS_PER_400_YEARS = 146097,
};

static const int64_t FIRST_SECOND = -62167219200; /* 0000-01-01T00:00:00Z */
static const int64_t LAST_SECOND = 253402300799;  /* 9999-12-31T23:59:59Z */

static bool is_leap(int64_t year)
{
    return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

static int days_in_month(int64_t year, int month)
{
    static const int days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
    return month == 2 && is_leap(year) ? 29 : days[month - 1];
}

/* Days from 0000-01-01 to the first of January of that year. */
static int64_t days_before_year(int64_t year)
{
    int64_t past = year - 1;
    return year == 0 ? 0 : 366 + past * 365 + past / 4 - past / 100 + past / 400;
}

bool timestamp_from_civil(const struct civil_time *civil, int64_t *ret_ms)
{
    if (civil->year < 0 || civil->year > 9999 || civil->month < 1 || civil->month > 12 ||
        civil->day < 1 || civil->day > days_in_month(civil->year, civil->month) ||
        civil->hour < 0 || civil->hour > 23 || civil->minute < 0 || civil->minute > 59 ||
        civil->second < 0 || civil->second > 60)
        return false;
    int64_t days = days_before_year(civil->year) - DAYS_BEFORE_1970 + civil->day - 1;
    for (int month = 1; month < civil->month; month++)
        days += days_in_month(civil->year, month);
    int64_t seconds = civil->hour * 3600 + civil->minute * 60 + civil->second;
    *ret_ms = (days * SECONDS_PER_DAY + seconds) * MS_PER_SECOND;
    return true;
}

static struct civil_time civil_from_seconds(int64_t seconds)
{
    int64_t since_year_0 = seconds - FIRST_SECOND;
    int64_t days = since_year_0 / SECONDS_PER_DAY;
    int second_of_day = (int)(since_year_0 % SECONDS_PER_DAY);
    int64_t year = days * 400 / DAYS_PER_400_YEARS; /* right, or one off */
    while (days_before_year(year) > days)
        year--;
    while (days_before_year(year + 1) <= days)
        year++;
    int day = (int)(days - days_before_year(year));
    int month = 1;
    for (; day >= days_in_month(year, month); month++)
        day -= days_in_month(year, month);
    return (struct civil_time){
        .year = (int)year,
        .month = month,
        .day = day + 1,
        .hour = second_of_day / 3600,
        .minute = second_of_day / 60 % 60,
        .second = second_of_day % 60,
    };
}

void timestamp_format(int64_t ms, char ret_text[TIMESTAMP_BYTES])
{
    int64_t seconds = ms / MS_PER_SECOND - (ms % MS_PER_SECOND < 0 ? 1 : 0);
    if (seconds < FIRST_SECOND)
        seconds = FIRST_SECOND;
    if (seconds > LAST_SECOND)
        seconds = LAST_SECOND;
    struct civil_time civil = civil_from_seconds(seconds);
    snprintf(ret_text, TIMESTAMP_BYTES, "%04u-%02u-%02uT%02u:%02u:%02uZ",
             (unsigned)civil.year % 10000, (unsigned)civil.month % 100, (unsigned)civil.day % 100,
             (unsigned)civil.hour % 100, (unsigned)civil.minute % 100,
             (unsigned)civil.second % 100);
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* Each of these reads one piece of the text and moves on behind it. */
static bool read_number(const char **at, int digits, int *ret)
{
    int number = 0;
    for (; digits > 0; digits--, (*at)++) {
        if (!is_digit(**at))
            return false;
        number = number * 10 + (**at - '0');
    }
    *ret = number;
    return true;
}

static bool read_one_of(const char **at, const char *characters)
{
    if (**at == '\0' || !strchr(characters, **at))
        return false;
    (*at)++;
    return true;
}

static bool read_fraction(const char **at, int *ret_ms)
{
    *ret_ms = 0;
    if (**at != '.')
        return true;
    (*at)++;
    if (!is_digit(**at))
        return false;
    for (int weight = 100; is_digit(**at); (*at)++, weight /= 10)
        *ret_ms += (**at - '0') * weight;
    return true;
}

static bool read_offset(const char **at, int *ret_minutes)
{
    *ret_minutes = 0;
    if (read_one_of(at, "Zz"))
        return true;
    int sign = **at == '-' ? -1 : 1;
    int hours = 0, minutes = 0;
    if (!read_one_of(at, "+-") || !read_number(at, 2, &hours) || !read_one_of(at, ":") ||
        !read_number(at, 2, &minutes) || hours > 23 || minutes > 59)
        return false;
    *ret_minutes = sign * (hours * 60 + minutes);
    return true;
}

bool timestamp_parse(const char *text, int64_t *ret_ms)
{
    if (!text)
        return false;
    struct civil_time civil = { 0 };
    int fraction_ms = 0, offset_minutes = 0;
    int64_t ms = 0;
    if (!read_number(&text, 4, &civil.year) || !read_one_of(&text, "-") ||
        !read_number(&text, 2, &civil.month) || !read_one_of(&text, "-") ||
        !read_number(&text, 2, &civil.day) || !read_one_of(&text, "Tt ") ||
        !read_number(&text, 2, &civil.hour) || !read_one_of(&text, ":") ||
        !read_number(&text, 2, &civil.minute) || !read_one_of(&text, ":") ||
        !read_number(&text, 2, &civil.second) || !read_fraction(&text, &fraction_ms) ||
        !read_offset(&text, &offset_minutes) || *text != '\0' || !timestamp_from_civil(&civil, &ms))
        return false;
    *ret_ms = ms + fraction_ms - (int64_t)offset_minutes * 60 * MS_PER_SECOND;
    return true;
}

int64_t timestamp_or(const char *text, int64_t fallback_ms)
{
    int64_t ms = fallback_ms;
    return timestamp_parse(text, &ms) ? ms : fallback_ms;
}

/* "90m" for the unit 'm': adds 90 units to *seconds. Nothing there is fine, too. */
static bool read_unit(const char **at, char unit, int64_t unit_seconds, int64_t *seconds)
{
    static const int64_t max_seconds = INT64_C(100) * 365 * SECONDS_PER_DAY;
    const char *end = *at;
    int64_t count = 0;
    for (; is_digit(*end); end++) {
        count = count * 10 + (*end - '0');
        if (count > max_seconds)
            return false;
    }
    if (end == *at || *end != unit)
        return true;
    *seconds += count * unit_seconds;
    *at = end + 1;
    return *seconds <= max_seconds;
}

bool duration_parse(const char *text, int64_t *ret_ms)
{
    int64_t seconds = 0;
    if (!text || *text == '\0' || !read_unit(&text, 'h', 3600, &seconds) ||
        !read_unit(&text, 'm', 60, &seconds) || !read_unit(&text, 's', 1, &seconds) ||
        *text != '\0')
        return false;
    *ret_ms = seconds * MS_PER_SECOND;
    return true;
}

void duration_format(int64_t ms, char ret_text[TIMESTAMP_BYTES])
{
    uint64_t magnitude = ms < 0 ? -(uint64_t)ms : (uint64_t)ms;
    uint64_t seconds = magnitude / MS_PER_SECOND + (magnitude % MS_PER_SECOND >= 500 ? 1 : 0);
    uint64_t hours = seconds / 3600, minutes = seconds / 60 % 60;
    seconds %= 60;
    int length = snprintf(ret_text, TIMESTAMP_BYTES, "%s", ms < 0 ? "-" : "");
    const struct {
        uint64_t count;
        char unit;
    } parts[] = { { hours, 'h' }, { minutes, 'm' }, { seconds, 's' } };
    bool empty = hours == 0 && minutes == 0;
    for (size_t i = 0; i < ARRAY_LENGTH(parts); i++)
        if (parts[i].count > 0 || (parts[i].unit == 's' && empty))
            length += snprintf(ret_text + length, TIMESTAMP_BYTES - (size_t)length, "%" PRIu64 "%c",
                               parts[i].count, parts[i].unit);
}
