#include "test.h"

#include <string.h>

#include "base/err.h"

static void test_set_fills_and_returns_false(void **state)
{
    (void)state;
    struct err err = ERR_INIT;
    assert_int_equal(err.kind, ERR_NONE);
    assert_int_equal(err.retry_after_ms, -1);
    assert_false(err_set(&err, ERR_CONFLICT, "secret %s was changed", "a/b"));
    assert_int_equal(err.kind, ERR_CONFLICT);
    assert_string_equal(err.message, "secret a/b was changed");
}

static void test_prefix_goes_in_front(void **state)
{
    (void)state;
    struct err err = ERR_INIT;
    err_set(&err, ERR_TRANSIENT, "refused");
    assert_false(err_prefix(&err, "GET %s", "/x"));
    assert_string_equal(err.message, "GET /x: refused");
    assert_int_equal(err.kind, ERR_TRANSIENT);
}

static void test_foreign_bytes_are_made_harmless(void **state)
{
    (void)state;
    static const struct {
        const char *name, *in, *out;
    } rows[] = {
        { "plain", "ok", "ok" },
        { "control characters",
          "a\nb\tc\x7f"
          "d",
          "a b c d" },
        { "well-formed UTF-8", "gr\xC3\xBC\xC3\x9F \xF0\x9F\x91\x8B",
          "gr\xC3\xBC\xC3\x9F \xF0\x9F\x91\x8B" },
        { "stray continuation", "a\x80z", "a?z" },
        { "cut character", "a\xE2\x82", "a??" },
        { "overlong slash", "\xC0\xAF", "??" },
        { "surrogate", "\xED\xA0\x80", "???" },
        { "above U+10FFFF", "\xF4\x90\x80\x80", "????" },
    };
    for (size_t i = 0; i < ARRAY_LENGTH(rows); i++) {
        struct err err = ERR_INIT;
        err_set(&err, ERR_INVALID, "%s", rows[i].in);
        if (strcmp(err.message, rows[i].out) != 0)
            fail_msg("%s: %s", rows[i].name, err.message);
    }
}

static void test_a_cut_leaves_whole_characters(void **state)
{
    (void)state;
    for (size_t shift = 0; shift < 4; shift++) {
        char text[1024] = "";
        memset(text, 'a', shift);
        while (strlen(text) + 4 < sizeof text)
            strcat(text, "\xE2\x82\xAC");
        struct err err = ERR_INIT;
        err_set(&err, ERR_INVALID, "%s", text);
        assert_int_equal((strlen(err.message) - shift) % 3, 0);
        assert_true(strlen(err.message) >= sizeof err.message - 4);
        err_prefix(&err, "somewhere");
        assert_null(strchr(err.message, '?'));
    }
}

static void test_every_kind_has_a_name(void **state)
{
    (void)state;
    for (int kind = ERR_NONE; kind <= ERR_MALFORMED; kind++)
        assert_string_not_equal(err_kind_name((enum err_kind)kind), "Unknown");
    assert_string_equal(err_kind_name(ERR_UNKNOWN_OUTCOME), "UnknownOutcome");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_set_fills_and_returns_false),
        cmocka_unit_test(test_prefix_goes_in_front),
        cmocka_unit_test(test_foreign_bytes_are_made_harmless),
        cmocka_unit_test(test_a_cut_leaves_whole_characters),
        cmocka_unit_test(test_every_kind_has_a_name),
    };
    return test_run(tests);
}
