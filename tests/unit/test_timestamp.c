#include "test.h"

#include <string.h>

#include "api/timestamp.h"

static void test_parse(void **state)
{
    (void)state;
    static const struct {
        const char *name, *text;
        bool ok;
        int64_t ms;
    } rows[] = {
        { "epoch", "1970-01-01T00:00:00Z", true, 0 },
        { "as formatted", "2026-07-31T08:15:00Z", true, 1785485700000 },
        { "Deepgram's microseconds", "2021-10-27T15:09:37.024682Z", true, 1635347377024 },
        { "nanoseconds", "2021-10-27T15:09:37.999999999Z", true, 1635347377999 },
        { "one digit of fraction", "1970-01-01T00:00:00.5Z", true, 500 },
        { "offset east", "1970-01-01T02:00:00+02:00", true, 0 },
        { "offset west", "1969-12-31T19:30:00-04:30", true, 0 },
        { "lower case", "1970-01-01t00:00:01z", true, 1000 },
        { "blank for T", "1970-01-01 00:00:01Z", true, 1000 },
        { "before the epoch", "1969-12-31T23:59:59Z", true, -1000 },
        { "leap day", "2024-02-29T00:00:00Z", true, 1709164800000 },
        { "leap day of a leap century", "2000-02-29T00:00:00Z", true, 951782400000 },
        { "leap second", "2016-12-31T23:59:60Z", true, 1483228800000 },
        { "year 0", "0000-01-01T00:00:00Z", true, -62167219200000 },
        { "year 9999", "9999-12-31T23:59:59Z", true, 253402300799000 },
        { "no leap day", "2023-02-29T00:00:00Z", false, 0 },
        { "no leap day in 1900", "1900-02-29T00:00:00Z", false, 0 },
        { "32nd of January", "2026-01-32T00:00:00Z", false, 0 },
        { "day 0", "2026-01-00T00:00:00Z", false, 0 },
        { "month 0", "2026-00-01T00:00:00Z", false, 0 },
        { "month 13", "2026-13-01T00:00:00Z", false, 0 },
        { "hour 24", "2026-01-01T24:00:00Z", false, 0 },
        { "minute 60", "2026-01-01T00:60:00Z", false, 0 },
        { "second 61", "2026-01-01T00:00:61Z", false, 0 },
        { "no zone", "2026-01-01T00:00:00", false, 0 },
        { "no digit in the fraction", "2026-01-01T00:00:00.Z", false, 0 },
        { "text behind it", "2026-01-01T00:00:00Zx", false, 0 },
        { "text before it", " 2026-01-01T00:00:00Z", false, 0 },
        { "offset without minutes", "2026-01-01T00:00:00+02", false, 0 },
        { "offset too large", "2026-01-01T00:00:00+24:00", false, 0 },
        { "sign in a number", "2026-01-01T-1:00:00Z", false, 0 },
        { "date alone", "2026-01-01", false, 0 },
        { "empty", "", false, 0 },
        { "NULL", NULL, false, 0 },
    };
    for (size_t i = 0; i < ARRAY_LENGTH(rows); i++) {
        int64_t ms = -7;
        bool ok = timestamp_parse(rows[i].text, &ms);
        if (ok != rows[i].ok || ms != (ok ? rows[i].ms : -7))
            fail_msg("%s: %d, %lld", rows[i].name, ok, (long long)ms);
        if (timestamp_or(rows[i].text, 12) != (rows[i].ok ? rows[i].ms : 12))
            fail_msg("%s with a fallback", rows[i].name);
    }
}

static void test_format(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        int64_t ms;
        const char *text;
    } rows[] = {
        { "epoch", 0, "1970-01-01T00:00:00Z" },
        { "fractions are dropped", 1785485700999, "2026-07-31T08:15:00Z" },
        { "also before the epoch", -1, "1969-12-31T23:59:59Z" },
        { "leap day", 1709164800000, "2024-02-29T00:00:00Z" },
        { "last day of a leap year", 1735689599000, "2024-12-31T23:59:59Z" },
        { "far in the past", INT64_MIN, "0000-01-01T00:00:00Z" },
        { "far in the future", INT64_MAX, "9999-12-31T23:59:59Z" },
    };
    for (size_t i = 0; i < ARRAY_LENGTH(rows); i++) {
        char text[TIMESTAMP_BYTES];
        timestamp_format(rows[i].ms, text);
        if (strcmp(text, rows[i].text) != 0)
            fail_msg("%s: %s", rows[i].name, text);
    }
}

static void test_what_is_formatted_is_parsed(void **state)
{
    (void)state;
    for (int64_t ms = -62167219200000; ms < 253402300800000; ms += 86400000 * 13 + 3723000) {
        char text[TIMESTAMP_BYTES];
        timestamp_format(ms, text);
        if (timestamp_or(text, -1) != ms)
            fail_msg("%lld became %s", (long long)ms, text);
    }
}

static void test_durations(void **state)
{
    (void)state;
    static const struct {
        const char *name, *text;
        int64_t ms; /* -1: not a duration */
        const char *formatted;
    } rows[] = {
        { "hours", "720h", 2592000000, "720h" },
        { "hours and minutes", "1h30m", 5400000, "1h30m" },
        { "all units", "1h2m3s", 3723000, "1h2m3s" },
        { "minutes over an hour", "90m", 5400000, "1h30m" },
        { "seconds over a minute", "90s", 90000, "1m30s" },
        { "zero", "0s", 0, "0s" },
        { "a hundred years", "876000h", 3153600000000, "876000h" },
        { "over a hundred years", "876000h1s", -1, NULL },
        { "overflowing", "99999999999999999999999h", -1, NULL },
        { "wrong order", "30m1h", -1, NULL },
        { "unit twice", "1h1h", -1, NULL },
        { "no unit", "30", -1, NULL },
        { "number missing", "h", -1, NULL },
        { "rest without a unit", "1h30", -1, NULL },
        { "fraction", "1.5h", -1, NULL },
        { "milliseconds", "5ms", -1, NULL },
        { "days", "1d", -1, NULL },
        { "blank", "1 h", -1, NULL },
        { "negative", "-5m", -1, NULL },
        { "plus", "+5m", -1, NULL },
        { "empty", "", -1, NULL },
        { "NULL", NULL, -1, NULL },
    };
    for (size_t i = 0; i < ARRAY_LENGTH(rows); i++) {
        int64_t ms = -1;
        bool ok = duration_parse(rows[i].text, &ms);
        if (ok != (rows[i].ms >= 0) || ms != rows[i].ms)
            fail_msg("%s: %d, %lld", rows[i].name, ok, (long long)ms);
        char text[TIMESTAMP_BYTES] = "";
        duration_format(ms, text);
        if (ok && strcmp(text, rows[i].formatted) != 0)
            fail_msg("%s: %s", rows[i].name, text);
    }
}

static void test_durations_are_rounded_for_people(void **state)
{
    (void)state;
    static const struct {
        int64_t ms;
        const char *text;
    } rows[] = {
        { 1499, "1s" },
        { 1500, "2s" },
        { 59999, "1m" },
        { -90000, "-1m30s" },
        { 3600000, "1h" },
        { INT64_MAX, "2562047788015h12m56s" },
        { INT64_MIN, "-2562047788015h12m56s" },
    };
    for (size_t i = 0; i < ARRAY_LENGTH(rows); i++) {
        char text[TIMESTAMP_BYTES];
        duration_format(rows[i].ms, text);
        assert_string_equal(text, rows[i].text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_parse),
        cmocka_unit_test(test_format),
        cmocka_unit_test(test_what_is_formatted_is_parsed),
        cmocka_unit_test(test_durations),
        cmocka_unit_test(test_durations_are_rounded_for_people),
    };
    return test_run(tests);
}
