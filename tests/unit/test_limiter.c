/* A burst is allowed, then one at a time. */
#include "test.h"

#include "reconcile/limiter.h"

static int64_t take_all(struct limit limit, int64_t stamp, int64_t now, int64_t *ret_count)
{
    for (*ret_count = 0; limiter_allowed_ms(limit, stamp) <= now; ++*ret_count)
        stamp = limiter_taken(limit, stamp, now);
    return stamp;
}

static void test_a_burst_then_one_each_interval(void **state)
{
    (void)state;
    const struct limit limit = { .burst = 3, .interval_ms = 100 };
    int64_t count = 0;
    int64_t stamp = take_all(limit, 0, 1000, &count);
    assert_int_equal(count, 3);
    assert_int_equal(limiter_allowed_ms(limit, stamp), 1100);
    stamp = take_all(limit, stamp, 1099, &count);
    assert_int_equal(count, 0);
    stamp = take_all(limit, stamp, 1100, &count);
    assert_int_equal(count, 1);
    take_all(limit, stamp, 10000, &count);
    assert_int_equal(count, 3); /* what was saved up is never more than a burst */
}

static void test_a_project_may_rotate_all_its_resources(void **state)
{
    (void)state;
    int64_t count = 0;
    take_all(mint_limit_project(10000), 0, 1000, &count);
    assert_in_range(count, 20000, 20100);
    take_all(mint_limit_project(0), 0, 1000, &count);
    assert_int_equal(count, 20);
}

static void test_what_was_taken_counts_the_same_under_another_limit(void **state)
{
    (void)state;
    const struct limit small = mint_limit_project(0);
    const struct limit large = mint_limit_project(300);
    int64_t count = 0;
    int64_t stamp = take_all(small, 0, 1000, &count);
    assert_int_equal(count, small.burst);
    stamp = limiter_moved(small, large, stamp, 1000);
    take_all(large, stamp, 1000, &count);
    assert_int_equal(count, large.burst - small.burst);
    assert_int_equal(limiter_moved(small, large, 700, 1000), 700); /* an idle bucket */
}

static void test_the_tighter_of_both_buckets_counts(void **state)
{
    (void)state;
    struct memory memory = { .mint_at_ms = 1000000 };
    struct world world = { .memory = &memory, .project_mint_at_ms = 5 };
    assert_int_equal(mint_earliest_ms(&world), limiter_allowed_ms(MINT_LIMIT_RESOURCE, 1000000));
    world.project_mint_at_ms = 2000000;
    assert_int_equal(mint_earliest_ms(&world), 2000000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_burst_then_one_each_interval),
        cmocka_unit_test(test_a_project_may_rotate_all_its_resources),
        cmocka_unit_test(test_what_was_taken_counts_the_same_under_another_limit),
        cmocka_unit_test(test_the_tighter_of_both_buckets_counts),
    };
    return test_run(tests);
}
