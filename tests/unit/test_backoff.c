#include "test.h"

#include "base/backoff.h"
#include "base/mem.h"

static void test_bounds(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        struct backoff_policy policy;
        unsigned failures;
        int64_t low, high;
    } rows[] = {
        { "first failure", { 1000, 60000 }, 1, 1000, 2000 },
        { "third failure", { 1000, 60000 }, 3, 1000, 8000 },
        { "at the cap", { 1000, 60000 }, 6, 1000, 60000 },
        { "count beyond any shift", { 1000, 60000 }, 4000000000U, 1000, 60000 },
        { "cap of all time", { 1000, INT64_MAX }, 200, 1000, INT64_MAX },
        { "floor is the cap", { 5000, 5000 }, 4, 5000, 5000 },
    };
    for (size_t i = 0; i < ARRAY_LENGTH(rows); i++) {
        uint64_t choices = (uint64_t)(rows[i].high - rows[i].low) + 1;
        assert_int_equal(backoff_delay_ms(rows[i].policy, rows[i].failures, 0), rows[i].low);
        assert_int_equal(backoff_delay_ms(rows[i].policy, rows[i].failures, choices - 1),
                         rows[i].high);
        for (uint64_t random = UINT64_MAX - 200000; random != 0; random++) { /* wraps */
            int64_t drawn = backoff_delay_ms(rows[i].policy, rows[i].failures, random);
            if (drawn < rows[i].low || drawn > rows[i].high)
                fail_msg("%s: %lld", rows[i].name, (long long)drawn);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_bounds),
    };
    return test_run(tests);
}
