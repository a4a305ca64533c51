#include "test.h"

#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/json_blocks.h"

enum { MOST_BYTES = 300, MANY = 1000 };

static void test_blocks_are_as_large_as_asked_for_also_the_second_time(void **state)
{
    (void)state;
    for (int round = 0; round < 2; round++) {
        for (size_t size = 0; size < MOST_BYTES; size++) {
            char *block = json_block_alloc(size);
            memset(block, 'x', size);
            json_block_free(block);
        }
    }
}

static void test_a_freed_block_is_wiped_and_given_again(void **state)
{
    (void)state;
    static const char nothing[64];
    char *block = json_block_alloc(sizeof nothing);
    memset(block, 'x', sizeof nothing);
    json_block_free(block);
    char *again = json_block_alloc(sizeof nothing);
    assert_ptr_equal(again, block);
    assert_memory_equal(again, nothing, sizeof nothing);
    json_block_free(again);
}

static void test_blocks_in_use_are_different_ones(void **state)
{
    (void)state;
    static char *blocks[MANY];
    for (int round = 0; round < 2; round++) {
        for (size_t i = 0; i < MANY; i++) {
            blocks[i] = json_block_alloc(sizeof i);
            memcpy(blocks[i], &i, sizeof i);
        }
        for (size_t i = 0; i < MANY; i++) {
            assert_memory_equal(blocks[i], &i, sizeof i);
            json_block_free(blocks[i]);
        }
    }
}

static void test_blocks_of_base_mem_may_come_and_go(void **state)
{
    (void)state;
    for (size_t size = 0; size < MOST_BYTES; size++) {
        json_block_free(mem_alloc(size));
        char *same = json_block_alloc(size);
        memset(same, 'x', size);
        mem_free(same);
        json_block_free(mem_alloc(size));
        mem_free(json_block_alloc(1)); /* it may be one that is larger */
    }
    json_block_free(NULL);
}

static void free_twice(void)
{
    char *block = json_block_alloc(1);
    json_block_free(block);
    json_block_free(block);
}

static void test_a_block_freed_twice_is_seen(void **state)
{
    (void)state;
    pid_t child = fork();
    if (child == 0) {
        close(STDERR_FILENO);
        free_twice();
        _exit(0);
    }
    int status = 0;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) != 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_blocks_are_as_large_as_asked_for_also_the_second_time),
        cmocka_unit_test(test_a_freed_block_is_wiped_and_given_again),
        cmocka_unit_test(test_blocks_in_use_are_different_ones),
        cmocka_unit_test(test_blocks_of_base_mem_may_come_and_go),
        cmocka_unit_test(test_a_block_freed_twice_is_seen),
    };
    return test_run(tests);
}
