#include "test.h"

#include "base/fingerprint.h"

static void test_another_text_has_another_one(void **state)
{
    (void)state;
    static const char *const texts[] = { "9", "10", "01", "1", "a", "aa", "ab", "ba", "\xFF" };
    for (size_t i = 0; i < ARRAY_LENGTH(texts); i++)
        for (size_t k = 0; k < ARRAY_LENGTH(texts); k++)
            if ((fingerprint(texts[i]) == fingerprint(texts[k])) != (i == k))
                fail_msg("%s and %s", texts[i], texts[k]);
}

static void test_nothing_is_0(void **state)
{
    (void)state;
    assert_true(fingerprint(NULL) == 0);
    assert_true(fingerprint("") == 0);
    assert_true(fingerprint("0") != 0);
}

static void test_texts_do_not_run_into_each_other(void **state)
{
    (void)state;
    assert_true(fingerprint_add(fingerprint("ab"), "c") != fingerprint_add(fingerprint("a"), "bc"));
    assert_true(fingerprint_add(fingerprint("a"), "") != fingerprint("a"));
    assert_true(fingerprint_add(fingerprint("a"), "b") == fingerprint_add(fingerprint("a"), "b"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_another_text_has_another_one),
        cmocka_unit_test(test_nothing_is_0),
        cmocka_unit_test(test_texts_do_not_run_into_each_other),
    };
    return test_run(tests);
}
