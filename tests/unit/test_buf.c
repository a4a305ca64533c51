#include "test.h"

#include <string.h>

#include "base/buf.h"

static void test_appends_follow_each_other(void **state)
{
    (void)state;
    auto_buf struct buf buf;
    buf_init(&buf, 1000);
    assert_string_equal(buf_text(&buf), "");
    assert_true(buf_puts(&buf, "one"));
    assert_true(buf_putc(&buf, ' '));
    assert_true(buf_printf(&buf, "%d", 2));
    assert_true(buf_append(&buf, "\0x", 2));
    assert_int_equal(buf.length, 7);
    assert_memory_equal(buf.data, "one 2\0x", 8);
}

static void test_the_maximum_is_exact(void **state)
{
    (void)state;
    auto_buf struct buf buf;
    buf_init(&buf, 4);
    assert_true(buf_puts(&buf, "abcd"));
    assert_false(buf.failed);
    assert_false(buf_putc(&buf, 'e'));
    assert_true(buf.failed);
    assert_string_equal(buf_text(&buf), "abcd");
    assert_false(buf_printf(&buf, "%s", "more"));
    assert_false(buf_append(&buf, "x", SIZE_MAX));
    assert_string_equal(buf_text(&buf), "abcd");
}

static void test_a_maximum_of_zero_holds_nothing(void **state)
{
    (void)state;
    auto_buf struct buf buf;
    buf_init(&buf, 0);
    assert_true(buf_puts(&buf, ""));
    assert_false(buf_putc(&buf, 'a'));
}

static void test_growth_keeps_the_bytes(void **state)
{
    (void)state;
    auto_buf struct buf buf;
    buf_init(&buf, 100000);
    for (int i = 0; i < 10000; i++)
        assert_true(buf_printf(&buf, "%04d", i));
    assert_int_equal(buf.length, 40000);
    assert_memory_equal(buf.data + 4 * 1234, "1234", 4);
}

static void test_consume_drops_the_front(void **state)
{
    (void)state;
    auto_buf struct buf buf;
    buf_init(&buf, 100);
    buf_consume(&buf, 0);
    buf_puts(&buf, "abcdef");
    buf_consume(&buf, 2);
    assert_string_equal(buf_text(&buf), "cdef");
    buf_consume(&buf, 4);
    assert_string_equal(buf_text(&buf), "");
    buf_puts(&buf, "g");
    assert_string_equal(buf_text(&buf), "g");
}

static void test_take_hands_over(void **state)
{
    (void)state;
    auto_buf struct buf buf;
    buf_init(&buf, 100);
    auto_free char *empty = buf_take(&buf);
    assert_string_equal(empty, "");
    buf_puts(&buf, "text");
    auto_free char *text = buf_take(&buf);
    assert_string_equal(text, "text");
    assert_int_equal(buf.length, 0);
    assert_true(buf_puts(&buf, "again"));
}

static void test_reset_and_done_make_it_usable_again(void **state)
{
    (void)state;
    struct buf buf;
    buf_init(&buf, 3);
    buf_puts(&buf, "abc");
    buf_puts(&buf, "d");
    buf_reset(&buf);
    assert_false(buf.failed);
    assert_true(buf_puts(&buf, "xy"));
    assert_string_equal(buf_text(&buf), "xy");
    buf_done(&buf);
    buf_done(&buf);
    assert_false(buf_puts(&buf, "abcd"));
    assert_true(buf_puts(&buf, "abc"));
    buf_done(&buf);
    buf_done(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_appends_follow_each_other),
        cmocka_unit_test(test_the_maximum_is_exact),
        cmocka_unit_test(test_a_maximum_of_zero_holds_nothing),
        cmocka_unit_test(test_growth_keeps_the_bytes),
        cmocka_unit_test(test_consume_drops_the_front),
        cmocka_unit_test(test_take_hands_over),
        cmocka_unit_test(test_reset_and_done_make_it_usable_again),
    };
    return test_run(tests);
}
