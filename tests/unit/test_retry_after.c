#include "fixture.h"

#include "deepgram/retry_after.h"

static void test_waits(void **state)
{
    (void)state;
    const int64_t now_ms = 784111777000; /* Sun, 06 Nov 1994 08:49:37 GMT */
    static const struct {
        const char *name, *text;
        int64_t wait_ms;
    } rows[] = {
        { "seconds", "120", 120000 },
        { "zero", "0", 0 },
        { "leading zeros", "007", 7000 },
        { "blanks around", " 5\t", 5000 },
        { "an hour", "3600", 3600000 },
        { "more than an hour", "3601", 3600000 },
        { "more than fits", "99999999999999999999999999", 3600000 },
        { "date", "Sun, 06 Nov 1994 08:50:37 GMT", 60000 },
        { "date now", "Sun, 06 Nov 1994 08:49:37 GMT", 0 },
        { "date passed", "Sun, 06 Nov 1993 08:49:37 GMT", 0 },
        { "date far away", "Sun, 06 Nov 9999 08:49:37 GMT", 3600000 },
        { "blanks around a date", "  Sun, 06 Nov 1994 08:50:37 GMT ", 60000 },
        { "no such day", "Sun, 31 Nov 1994 08:49:37 GMT", -1 },
        { "no such month", "Sun, 06 Nox 1994 08:49:37 GMT", -1 },
        { "month between two", "Sun, 06 anF 1994 08:49:37 GMT", -1 },
        { "other zone", "Sun, 06 Nov 1994 08:49:37 CET", -1 },
        { "cut date", "Sun, 06 Nov 1994 08:49:37", -1 },
        { "letters in a date", "Sun, 06 Nov 1994 08:xx:37 GMT", -1 },
        { "negative", "-1", -1 },
        { "plus", "+1", -1 },
        { "fraction", "1.5", -1 },
        { "unit", "5s", -1 },
        { "two numbers", "1 2", -1 },
        { "words", "soon", -1 },
        { "blanks", "  ", -1 },
        { "empty", "", -1 },
        { "absent", NULL, -1 },
    };
    for (size_t i = 0; i < ARRAY_LENGTH(rows); i++) {
        int64_t wait_ms = retry_after_parse(rows[i].text, now_ms);
        if (wait_ms != rows[i].wait_ms)
            fail_msg("%s: %lld", rows[i].name, (long long)wait_ms);
    }
    assert_int_equal(retry_after_parse("Sun, 06 Nov 1994 08:49:37 GMT", INT64_MIN), 3600000);
    assert_int_equal(retry_after_parse("Sun, 06 Nov 1994 08:49:37 GMT", INT64_MAX), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_waits),
    };
    return fixture_run(tests);
}
