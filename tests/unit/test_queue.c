#include "test.h"

#include <stdio.h>
#include <string.h>

#include "fake_clock.h"
#include "operator/queue.h"

static struct loop *loop;
static struct queue *queue;
static unsigned ready_calls;

static void on_ready(void *context)
{
    assert_ptr_equal(context, &ready_calls);
    ready_calls++;
}

static int setup(void **state)
{
    (void)state;
    loop = test_loop_new();
    queue = queue_new(loop, on_ready, &ready_calls);
    ready_calls = 0;
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    queue_free(queue);
    loop_free(loop);
    return 0;
}

static void add(const char *name)
{
    queue_add(queue, QUEUE_API_KEY, "ns", name);
}

static void add_after(const char *name, int64_t delay_ms)
{
    queue_add_after(queue, QUEUE_API_KEY, "ns", name, delay_ms);
}

/* Takes the next key, which must be of that name; NULL: there must be none. */
static void expect_take(const char *name)
{
    struct queue_key key = { 0 };
    assert_int_equal(queue_take(queue, &key), name != NULL);
    if (name) {
        assert_string_equal(key.name, name);
        assert_string_equal(key.namespace, "ns");
    }
    queue_key_done(&key);
    queue_key_done(&key);
}

static void finish(const char *name)
{
    struct queue_key key = { 0 };
    queue_key_set(&key, QUEUE_API_KEY, "ns", name);
    queue_finish(queue, &key);
    queue_key_done(&key);
}

static struct queue_stats stats(void)
{
    struct queue_stats result;
    queue_stats(queue, &result);
    return result;
}

static void test_keys_come_in_order_and_once(void **state)
{
    (void)state;
    add("a");
    add("b");
    add("a");
    assert_int_equal(stats().depth, 2);
    assert_int_equal(stats().adds_total, 2);
    expect_take("a");
    expect_take("b");
    expect_take(NULL);
}

static void test_a_key_is_kind_and_namespace_and_name(void **state)
{
    (void)state;
    queue_add(queue, QUEUE_API_KEY, "a", "bc");
    queue_add(queue, QUEUE_PULL_SECRET, "a", "bc");
    queue_add(queue, QUEUE_API_KEY, "ab", "c");
    queue_add(queue, QUEUE_ADMIN_SECRET, "a", "");
    assert_int_equal(stats().depth, 4);
    static const enum queue_kind kinds[] = {
        QUEUE_API_KEY,
        QUEUE_PULL_SECRET,
        QUEUE_API_KEY,
        QUEUE_ADMIN_SECRET,
    };
    for (size_t i = 0; i < ARRAY_LENGTH(kinds); i++) {
        struct queue_key key = { 0 };
        assert_true(queue_take(queue, &key));
        assert_int_equal(key.kind, kinds[i]);
        queue_key_done(&key);
    }
}

static void test_ready_is_told_from_the_loop_once_for_many(void **state)
{
    (void)state;
    for (int i = 0; i < 3; i++) {
        add("a");
        add("b");
    }
    assert_int_equal(ready_calls, 0);
    fake_clock_run(loop, 100);
    assert_int_equal(ready_calls, 1);
}

static void test_ready_is_told_again_when_a_finish_leaves_keys(void **state)
{
    (void)state;
    add("a");
    add("b");
    fake_clock_run(loop, 100);
    expect_take("a");
    finish("a");
    fake_clock_run(loop, 100);
    assert_int_equal(ready_calls, 2);
    expect_take("b");
    finish("b");
    fake_clock_run(loop, 100);
    assert_int_equal(ready_calls, 2);
}

static void test_a_key_in_work_is_not_handed_out_twice(void **state)
{
    (void)state;
    add("a");
    expect_take("a");
    add("a");
    add("a");
    expect_take(NULL);
    assert_int_equal(stats().depth, 0);
    finish("a");
    expect_take("a");
    finish("a");
    expect_take(NULL);
    assert_int_equal(stats().adds_total, 2);
}

static void test_what_was_added_before_a_look_is_no_reason_for_another_pass(void **state)
{
    (void)state;
    const struct queue_key key = { .kind = QUEUE_API_KEY, .namespace = "ns", .name = "a" };
    add("a");
    expect_take("a");
    add("a");
    queue_look(queue, &key);
    finish("a");
    expect_take(NULL);
    add("a");
    expect_take("a");
    queue_look(queue, &key);
    add("a");
    finish("a");
    expect_take("a");
    finish("a");
}

static void test_a_delayed_key_waits(void **state)
{
    (void)state;
    add_after("a", 1000);
    assert_int_equal(stats().delayed, 1);
    fake_clock_run(loop, 990);
    expect_take(NULL);
    assert_int_equal(ready_calls, 0);
    fake_clock_run(loop, 30);
    assert_int_equal(ready_calls, 1);
    assert_int_equal(stats().delayed, 0);
    expect_take("a");
}

static void test_the_earliest_wish_counts(void **state)
{
    (void)state;
    add_after("later ignored", 1000);
    add_after("later ignored", 5000);
    add_after("earlier wins", 5000);
    add_after("earlier wins", 2000);
    add_after("now wins", 5000);
    add("now wins");
    add("now stays");
    add_after("now stays", 5000);
    assert_int_equal(stats().delayed, 2);
    expect_take("now wins");
    expect_take("now stays");
    expect_take(NULL);
    fake_clock_run(loop, 1010);
    expect_take("later ignored");
    fake_clock_run(loop, 1000);
    expect_take("earlier wins");
    finish("now wins");
    finish("now stays");
    finish("later ignored");
    finish("earlier wins");
    fake_clock_run(loop, 10000);
    expect_take(NULL);
}

static void test_a_delay_wished_during_the_work_outlasts_it(void **state)
{
    (void)state;
    add("a");
    expect_take("a");
    add_after("a", 1000);
    finish("a");
    expect_take(NULL);
    fake_clock_run(loop, 1010);
    expect_take("a");
}

static void test_a_delay_that_ends_during_the_work_waits_for_its_end(void **state)
{
    (void)state;
    add("a");
    expect_take("a");
    add_after("a", 1000);
    fake_clock_run(loop, 2000);
    expect_take(NULL);
    finish("a");
    expect_take("a");
}

static void test_a_delay_beyond_all_time(void **state)
{
    (void)state;
    add_after("a", INT64_MAX);
    fake_clock_run(loop, 1000);
    expect_take(NULL);
    add_after("a", 0);
    fake_clock_run(loop, 20);
    expect_take("a");
}

static void test_durations_in_the_statistics(void **state)
{
    (void)state;
    add("a");
    add("b");
    fake_clock_run(loop, 300);
    expect_take("a");
    assert_int_equal(stats().last_queue_duration_ms, 300);
    fake_clock_run(loop, 200);
    expect_take("b");
    assert_int_equal(stats().last_queue_duration_ms, 500);
    fake_clock_run(loop, 100);
    assert_int_equal(stats().processing, 2);
    assert_int_equal(stats().longest_running_ms, 300);
    finish("a");
    assert_int_equal(stats().longest_running_ms, 100);
    finish("b");
    assert_int_equal(stats().longest_running_ms, 0);
}

static void test_ten_thousand_delays(void **state)
{
    (void)state;
    enum { KEYS = 10000 };
    char name[16];
    for (int i = 0; i < KEYS; i++) {
        snprintf(name, sizeof name, "k%d", i);
        add_after(name, 100 + i * 7919 % KEYS);
    }
    assert_int_equal(stats().delayed, KEYS);
    fake_clock_run(loop, 100 + KEYS / 2);
    assert_in_range(stats().depth, KEYS / 2 - 20, KEYS / 2 + 20);
    fake_clock_run(loop, KEYS);
    assert_int_equal(stats().depth, KEYS);
    struct queue_key key = { 0 };
    for (int i = 0; i < KEYS; i++) {
        assert_true(queue_take(queue, &key));
        queue_finish(queue, &key);
        queue_key_done(&key);
    }
    assert_int_equal(stats().depth + stats().delayed + stats().processing, 0);
}

static void test_freed_with_keys_in_every_state(void **state)
{
    (void)state;
    add("running");
    expect_take("running");
    add("waiting");
    add_after("delayed", 1000);
    queue_free(queue);
    queue = NULL;
    fake_clock_run(loop, 2000);
    assert_int_equal(ready_calls, 0);
    queue_free(NULL);
}

#define queue_test(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        queue_test(test_keys_come_in_order_and_once),
        queue_test(test_a_key_is_kind_and_namespace_and_name),
        queue_test(test_ready_is_told_from_the_loop_once_for_many),
        queue_test(test_ready_is_told_again_when_a_finish_leaves_keys),
        queue_test(test_a_key_in_work_is_not_handed_out_twice),
        queue_test(test_what_was_added_before_a_look_is_no_reason_for_another_pass),
        queue_test(test_a_delayed_key_waits),
        queue_test(test_the_earliest_wish_counts),
        queue_test(test_a_delay_wished_during_the_work_outlasts_it),
        queue_test(test_a_delay_that_ends_during_the_work_waits_for_its_end),
        queue_test(test_a_delay_beyond_all_time),
        queue_test(test_durations_in_the_statistics),
        queue_test(test_ten_thousand_delays),
        queue_test(test_freed_with_keys_in_every_state),
    };
    return test_run(tests);
}
