#include "test.h"

#include <stdint.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/mem.h"

static void test_blocks_are_zeroed(void **state)
{
    (void)state;
    for (size_t size = 0; size < 100; size++) {
        auto_free unsigned char *block = mem_alloc(size);
        for (size_t i = 0; i < size; i++)
            assert_int_equal(block[i], 0);
        memset(block, 0xFF, size);
    }
}

static void test_raw_blocks_are_as_large_as_asked_for(void **state)
{
    (void)state;
    for (size_t size = 1; size < 100; size++) {
        auto_free unsigned char *block = mem_alloc_raw(size);
        memset(block, 0xFF, size);
    }
    auto_free void *smallest = mem_alloc_raw(0);
    assert_non_null(smallest);
}

static void test_realloc_keeps_the_data(void **state)
{
    (void)state;
    char *block = mem_realloc(NULL, 4);
    memcpy(block, "abc", 4);
    block = mem_realloc(block, 1000);
    assert_memory_equal(block, "abc", 4);
    memset(block, 'x', 1000);
    block = mem_realloc(block, 2);
    assert_memory_equal(block, "xx", 2);
    mem_free(block);
}

static void test_free_takes_null(void **state)
{
    (void)state;
    mem_free(NULL);
}

static void test_strings_are_copied(void **state)
{
    (void)state;
    auto_free char *copy = mem_strdup("hello");
    assert_string_equal(copy, "hello");
    auto_free char *part = mem_strndup("hello", 2);
    assert_string_equal(part, "he");
    auto_free char *printed = mem_printf("%s-%d", "a", 7);
    assert_string_equal(printed, "a-7");
    assert_null(mem_strdup(NULL));
}

static void test_replace_survives_its_own_field(void **state)
{
    (void)state;
    char *field = NULL;
    mem_replace(&field, "one");
    mem_replace(&field, field + 1);
    assert_string_equal(field, "ne");
    mem_replace(&field, NULL);
    assert_null(field);
}

static void test_streq_knows_null(void **state)
{
    (void)state;
    assert_true(mem_streq(NULL, NULL));
    assert_false(mem_streq(NULL, ""));
    assert_false(mem_streq("", NULL));
    assert_true(mem_streq("a", "a"));
    assert_false(mem_streq("a", "b"));
}

static void test_take_empties_the_variable(void **state)
{
    (void)state;
    char *from = mem_strdup("x");
    auto_free char *to = take(from);
    assert_null(from);
    assert_string_equal(to, "x");
}

static void test_wipe_overwrites(void **state)
{
    (void)state;
    char bytes[] = "secret";
    mem_wipe(bytes, sizeof bytes);
    assert_memory_equal(bytes, "\0\0\0\0\0\0", sizeof bytes);
}

/* Runs mem_calloc(count, size) in a child; returns the signal that ended it. */
static int signal_of_calloc(size_t count, size_t size)
{
    pid_t child = fork();
    if (child == 0) {
        close(STDERR_FILENO);
        mem_free(mem_calloc(count, size));
        _exit(0);
    }
    int status = 0;
    assert_int_equal(waitpid(child, &status, 0), child);
    return WIFSIGNALED(status) ? WTERMSIG(status) : 0;
}

static void test_impossible_sizes_abort(void **state)
{
    (void)state;
    assert_int_equal(signal_of_calloc(3, 5), 0);
    assert_int_equal(signal_of_calloc(SIZE_MAX / 2, 3), SIGABRT);
    assert_int_equal(signal_of_calloc(1, SIZE_MAX), SIGABRT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_blocks_are_zeroed),
        cmocka_unit_test(test_raw_blocks_are_as_large_as_asked_for),
        cmocka_unit_test(test_realloc_keeps_the_data),
        cmocka_unit_test(test_free_takes_null),
        cmocka_unit_test(test_strings_are_copied),
        cmocka_unit_test(test_replace_survives_its_own_field),
        cmocka_unit_test(test_streq_knows_null),
        cmocka_unit_test(test_take_empties_the_variable),
        cmocka_unit_test(test_wipe_overwrites),
        cmocka_unit_test(test_impossible_sizes_abort),
    };
    return test_run(tests);
}
