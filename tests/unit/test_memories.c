/* Whose memory is whose. */
#include "test.h"

#include "operator/memories.h"

static void test_a_resource_keeps_its_memory(void **state)
{
    (void)state;
    struct memories *memories = memories_new();
    struct memory *memory = memories_get(memories, RESOURCE_API_KEY, "ns", "a", "uid-a", 100);
    assert_string_equal(memory->uid, "uid-a");
    assert_int_equal(memory->known_since_ms, 100);
    assert_ptr_equal(memories_get(memories, RESOURCE_API_KEY, "ns", "a", "uid-a", 200), memory);
    assert_int_equal(memory->known_since_ms, 100);
    memories_free(memories);
    memories_free(NULL);
}

static void test_others_have_their_own(void **state)
{
    (void)state;
    struct memories *memories = memories_new();
    struct memory *first = memories_get(memories, RESOURCE_API_KEY, "ns", "a", "uid-1", 0);
    assert_ptr_not_equal(memories_get(memories, RESOURCE_PULL_SECRET, "ns", "a", "uid-2", 0),
                         first);
    assert_ptr_not_equal(memories_get(memories, RESOURCE_API_KEY, "other", "a", "uid-3", 0), first);
    assert_ptr_not_equal(memories_get(memories, RESOURCE_API_KEY, "ns", "b", "uid-4", 0), first);
    assert_ptr_equal(memories_get(memories, RESOURCE_API_KEY, "ns", "a", "uid-1", 0), first);
    assert_non_null(memories_find(memories, "uid-1"));
    assert_non_null(memories_find(memories, "uid-4"));
    assert_null(memories_find(memories, "uid-5"));
    memories_free(memories);
}

static void test_a_namesake_begins_anew(void **state)
{
    (void)state;
    struct memories *memories = memories_new();
    struct memory *memory = memories_get(memories, RESOURCE_API_KEY, "ns", "a", "uid-1", 100);
    memory->checked_revision = 7;
    memory = memories_get(memories, RESOURCE_API_KEY, "ns", "a", "uid-2", 200);
    assert_int_equal(memory->checked_revision, 0);
    assert_int_equal(memory->known_since_ms, 200);
    assert_null(memories_find(memories, "uid-1"));
    memories_free(memories);
}

static void test_what_is_gone_is_forgotten(void **state)
{
    (void)state;
    struct memories *memories = memories_new();
    struct memory *memory = memories_get(memories, RESOURCE_API_KEY, "ns", "a", "uid-1", 100);
    memory->checked_revision = 7;
    memories_forget(memories, RESOURCE_PULL_SECRET, "ns", "a");
    memories_forget(memories, RESOURCE_API_KEY, "ns", "b");
    assert_non_null(memories_find(memories, "uid-1"));
    memories_forget(memories, RESOURCE_API_KEY, "ns", "a");
    assert_null(memories_find(memories, "uid-1"));
    memory = memories_get(memories, RESOURCE_API_KEY, "ns", "a", "uid-1", 200);
    assert_int_equal(memory->checked_revision, 0);
    memories_free(memories);
}

static void test_answers_that_no_secret_keeps_are_counted(void **state)
{
    (void)state;
    struct memories *memories = memories_new();
    assert_int_equal(memories_unkept(memories), 0);
    struct memory *first = memories_get(memories, RESOURCE_API_KEY, "ns", "a", "uid-1", 0);
    struct memory *second = memories_get(memories, RESOURCE_API_KEY, "ns", "b", "uid-2", 0);
    assert_int_equal(memories_unkept(memories), 0);
    const struct attempt attempt = { .revision = 1, .nonce = "n", .rotate = "" };
    memory_announce(first, &attempt, 0);
    memory_announce(second, &attempt, 0);
    assert_int_equal(memories_unkept(memories), 0);
    memory_issue(first, &(struct credential){ .id = mem_strdup("a") });
    memory_issue(second, &(struct credential){ .id = mem_strdup("b") });
    assert_int_equal(memories_unkept(memories), 2);
    memory_end_mint(first);
    assert_int_equal(memories_unkept(memories), 1);
    memories_free(memories);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_resource_keeps_its_memory),
        cmocka_unit_test(test_others_have_their_own),
        cmocka_unit_test(test_a_namesake_begins_anew),
        cmocka_unit_test(test_what_is_gone_is_forgotten),
        cmocka_unit_test(test_answers_that_no_secret_keeps_are_counted),
    };
    return test_run(tests);
}
