#include "test.h"

#include <stdio.h>
#include <string.h>

#include "base/table.h"

enum { MANY = 3000, KEY_BYTES = 16 };

struct item {
    char key[KEY_BYTES];
    unsigned seen;
};

static const char *key_of(const void *item)
{
    return ((const struct item *)item)->key;
}

static struct item items[MANY];
static struct table table;

static int setup(void **state)
{
    (void)state;
    table = (struct table){ .key = key_of };
    for (size_t i = 0; i < MANY; i++) {
        items[i].seen = 0;
        snprintf(items[i].key, KEY_BYTES, "item-%zu", i);
    }
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    table_done(&table);
    table_done(&table);
    return 0;
}

static void add_all(void)
{
    for (size_t i = 0; i < MANY; i++)
        table_add(&table, &items[i]);
}

static void expect_found(size_t i, bool found)
{
    char key[KEY_BYTES]; /* another text than the item's own */
    snprintf(key, sizeof key, "item-%zu", i);
    if (table_find(&table, key) != (found ? &items[i] : NULL))
        fail_msg("%s", key);
}

static void test_an_empty_table_finds_nothing(void **state)
{
    (void)state;
    struct table_walk walk = { 0 };
    assert_null(table_find(&table, "item-1"));
    assert_null(table_next(&table, &walk));
}

static void test_each_item_is_found_by_its_key(void **state)
{
    (void)state;
    add_all();
    assert_int_equal(table.count, MANY);
    for (size_t i = 0; i < MANY; i++)
        expect_found(i, true);
    expect_found(MANY, false);
    assert_null(table_find(&table, ""));
}

/* Those behind a removed one are still found: every third goes, then comes again, then goes. */
static void test_removing_hides_no_other(void **state)
{
    (void)state;
    add_all();
    for (int round = 0; round < 3; round++) {
        for (size_t i = 0; i < MANY; i += 3)
            table_remove(&table, &items[i]);
        for (size_t i = 0; i < MANY; i++)
            expect_found(i, i % 3 != 0);
        for (size_t i = 0; i < MANY && round < 2; i += 3)
            table_add(&table, &items[i]);
    }
    assert_int_equal(table.count, MANY - MANY / 3);
}

static void test_all_are_handed_out_once(void **state)
{
    (void)state;
    add_all();
    struct table_walk walk = { 0 };
    for (struct item *item; (item = table_next(&table, &walk)) != NULL;)
        item->seen++;
    for (size_t i = 0; i < MANY; i++)
        assert_int_equal(items[i].seen, 1);
}

static void test_none_is_left_out_while_others_are_removed(void **state)
{
    (void)state;
    add_all();
    struct table_walk walk = { 0 };
    for (struct item *item; (item = table_next(&table, &walk)) != NULL;) {
        item->seen++;
        if ((item - items) % 2 == 0)
            table_remove(&table, item);
    }
    for (size_t i = 0; i < MANY; i++) {
        assert_int_equal(items[i].seen, 1);
        expect_found(i, i % 2 != 0);
    }
}

static void test_it_begins_anew_when_done(void **state)
{
    (void)state;
    add_all();
    table_done(&table);
    expect_found(1, false);
    table_add(&table, &items[1]);
    expect_found(1, true);
    assert_int_equal(table.count, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_an_empty_table_finds_nothing, setup, teardown),
        cmocka_unit_test_setup_teardown(test_each_item_is_found_by_its_key, setup, teardown),
        cmocka_unit_test_setup_teardown(test_removing_hides_no_other, setup, teardown),
        cmocka_unit_test_setup_teardown(test_all_are_handed_out_once, setup, teardown),
        cmocka_unit_test_setup_teardown(test_none_is_left_out_while_others_are_removed, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(test_it_begins_anew_when_done, setup, teardown),
    };
    return test_run(tests);
}
