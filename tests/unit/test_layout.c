#include "test.h"

#include <string.h>

#include "plugin/layout.h"

static void expect(const struct layout *layout, const char *wanted)
{
    auto_buf struct buf text;
    buf_init(&text, 4096);
    layout_render(layout, &text);
    assert_string_equal(buf_text(&text), wanted);
}

static void test_columns_are_as_wide_as_their_widest_cell(void **state)
{
    (void)state;
    auto_layout struct layout layout = { 0 };
    layout_add(&layout, 0, "NAME", "STATE", NULL);
    layout_add(&layout, 0, "a", "Ready", "more", NULL);
    layout_add(&layout, 0, "longer", "-", NULL);
    expect(&layout, "NAME    STATE\n"
                    "a       Ready  more\n"
                    "longer  -\n");
}

static void test_characters_count_and_not_bytes(void **state)
{
    (void)state;
    auto_layout struct layout layout = { 0 };
    layout_add(&layout, 0, "äöü", "1", NULL);
    layout_add(&layout, 0, "abcd", "2", NULL);
    expect(&layout, "äöü   1\n"
                    "abcd  2\n");
}

static void test_branches(void **state)
{
    (void)state;
    auto_layout struct layout layout = { 0 };
    layout_add(&layout, 0, "root", "r", NULL);
    layout_add(&layout, 1, "a", "", NULL);
    layout_add(&layout, 2, "a1", "x", NULL);
    layout_add(&layout, 2, "a2", "x", NULL);
    layout_add(&layout, 1, "b", "x", NULL);
    layout_add(&layout, 2, "b1", "x", NULL);
    layout_add(&layout, 0, "next", "r", NULL);
    layout_add(&layout, 1, "c", "x", NULL);
    expect(&layout, "root      r\n"
                    "├─ a      \n"
                    "│  ├─ a1  x\n"
                    "│  └─ a2  x\n"
                    "└─ b      x\n"
                    "   └─ b1  x\n"
                    "next      r\n"
                    "└─ c      x\n");
}

static void test_nothing(void **state)
{
    (void)state;
    auto_layout struct layout layout = { 0 };
    expect(&layout, "");
}

static void test_no_control_character_reaches_the_terminal(void **state)
{
    (void)state;
    auto_layout struct layout layout = { 0 };
    layout_add(&layout, 0, "a\033[2Jb\nc\x7f", NULL);
    expect(&layout, "a?[2Jb?c?\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_columns_are_as_wide_as_their_widest_cell),
        cmocka_unit_test(test_characters_count_and_not_bytes),
        cmocka_unit_test(test_branches),
        cmocka_unit_test(test_nothing),
        cmocka_unit_test(test_no_control_character_reaches_the_terminal),
    };
    return test_run(tests);
}
