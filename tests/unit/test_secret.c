#include "test.h"

#include <string.h>

#include "base/secret.h"

static void test_holds_a_copy(void **state)
{
    (void)state;
    auto_secret struct secret secret = { 0 };
    char text[] = "key-123";
    assert_true(secret_is_empty(&secret));
    assert_string_equal(secret_reveal(&secret), "");
    secret_set(&secret, text, strlen(text));
    mem_wipe(text, sizeof text);
    assert_string_equal(secret_reveal(&secret), "key-123");
    assert_int_equal(secret_length(&secret), 7);
    assert_false(secret_is_empty(&secret));
}

static void test_set_replaces_even_with_its_own_bytes(void **state)
{
    (void)state;
    auto_secret struct secret secret = { 0 };
    secret_set(&secret, "prefix-key", 10);
    secret_set(&secret, secret_reveal(&secret) + 7, 3);
    assert_string_equal(secret_reveal(&secret), "key");
}

static void test_move_empties_the_source(void **state)
{
    (void)state;
    auto_secret struct secret from = { 0 };
    auto_secret struct secret to = { 0 };
    secret_set(&to, "old", 3);
    secret_set(&from, "new", 3);
    secret_move(&to, &from);
    assert_true(secret_is_empty(&from));
    assert_string_equal(secret_reveal(&to), "new");
    secret_move(&to, &to);
    assert_string_equal(secret_reveal(&to), "new");
}

static void test_copy_is_independent(void **state)
{
    (void)state;
    auto_secret struct secret from = { 0 };
    auto_secret struct secret to = { 0 };
    secret_set(&from, "value", 5);
    secret_copy(&to, &from);
    secret_done(&from);
    assert_string_equal(secret_reveal(&to), "value");
    secret_copy(&to, &to);
    assert_string_equal(secret_reveal(&to), "value");
    secret_copy(&to, &from);
    assert_true(secret_is_empty(&to));
}

static void test_done_is_callable_twice(void **state)
{
    (void)state;
    struct secret secret = { 0 };
    secret_set(&secret, "x", 1);
    secret_done(&secret);
    secret_done(&secret);
    secret_done(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_holds_a_copy),
        cmocka_unit_test(test_set_replaces_even_with_its_own_bytes),
        cmocka_unit_test(test_move_empties_the_source),
        cmocka_unit_test(test_copy_is_independent),
        cmocka_unit_test(test_done_is_callable_twice),
    };
    return test_run(tests);
}
