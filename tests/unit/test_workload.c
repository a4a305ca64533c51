/* The names of workloads' kinds and of our markers. */
#include "fixture.h"

#include "api/name.h"
#include "api/workload.h"

static void test_kinds(void **state)
{
    (void)state;
    for (int kind = 0; kind < WORKLOAD_KINDS; kind++) {
        enum workload_kind found = WORKLOAD_KINDS;
        assert_true(workload_kind_parse(workload_kind_name((enum workload_kind)kind), &found));
        assert_int_equal(found, kind);
    }
    enum workload_kind found = WORKLOAD_KINDS;
    assert_false(workload_kind_parse("ReplicaSet", &found));
    assert_false(workload_kind_parse(NULL, &found));
    assert_int_equal(found, WORKLOAD_KINDS);
}

static void test_a_marker_is_named_after_its_resource(void **state)
{
    (void)state;
    static const char LONG[] = "a23456789a23456789a23456789a23456789a23456789a23456789a23456789abc";
    char name[MARKER_NAME_BYTES];
    char other[MARKER_NAME_BYTES];
    marker_name("voice", name);
    assert_string_equal(name, "voice");
    auto_free char *longest = mem_strndup(LONG, 63);
    marker_name(longest, name);
    assert_string_equal(name, longest);
    marker_name(LONG, name);
    assert_int_equal(strlen(name), 63);
    auto_free char *longer = mem_printf("%sd", LONG);
    marker_name(longer, other);
    assert_string_not_equal(name, other);
    assert_memory_equal(name, other, 52);
    auto_free char *annotation = mem_printf("%s%s", MARKER_PREFIX, name);
    assert_true(name_is_qualified(annotation));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_kinds),
        cmocka_unit_test(test_a_marker_is_named_after_its_resource),
    };
    return fixture_run(tests);
}
