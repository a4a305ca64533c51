/* One list for all resources of a project. */
#include "test.h"

#include <string.h>

#include "operator/inventories.h"

enum { INTERVAL_MS = 600 * 1000 };

#define PROJECT "project-1"

static const struct admin_view admin = { .namespace = "ns", .name = "admin", .key = "token" };
static struct inventories *inventories;

static int setup(void **state)
{
    (void)state;
    inventories = inventories_new(INTERVAL_MS);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    inventories_free(inventories);
    inventories_free(NULL);
    return 0;
}

static struct inventory *get(void)
{
    return inventories_get(inventories, RESOURCE_API_KEY, PROJECT, &admin);
}

static struct inventory_view view(const struct inventory *inventory, const char *uid)
{
    struct inventory_view result;
    inventory_view(inventory, uid, &result);
    return result;
}

/* Three credentials: two of the resource "a", one of "b". */
static void set_list(struct inventory *inventory, int64_t sent_ms)
{
    static const struct {
        const char *id, *uid, *nonce;
        int64_t revision;
    } rows[] = { { "key-1", "a", "n1", 1 }, { "key-2", "b", "n2", 1 }, { "key-3", "a", "n3", 2 } };
    struct deepgram_list list = { .count = ARRAY_LENGTH(rows) };
    list.entries = mem_calloc(list.count, sizeof list.entries[0]);
    for (size_t i = 0; i < list.count; i++) {
        list.entries[i] = (struct inventory_entry){ .id = mem_strdup(rows[i].id),
                                                    .uid = rows[i].uid,
                                                    .nonce = rows[i].nonce,
                                                    .revision = rows[i].revision };
    }
    inventory_set(inventory, &list, sent_ms);
    assert_null(list.entries); /* taken over */
}

static void test_what_shares_an_inventory(void **state)
{
    (void)state;
    struct inventory *inventory = get();
    assert_ptr_equal(get(), inventory);
    const struct admin_view others[] = {
        { .namespace = "other", .name = "admin", .key = "token" },
        { .namespace = "ns", .name = "other", .key = "token" },
        { .namespace = "ns", .name = "admin", .key = "other" },
    };
    for (size_t i = 0; i < ARRAY_LENGTH(others); i++)
        assert_ptr_not_equal(inventories_get(inventories, RESOURCE_API_KEY, PROJECT, &others[i]),
                             inventory);
    assert_ptr_not_equal(inventories_get(inventories, RESOURCE_PULL_SECRET, PROJECT, &admin),
                         inventory);
    assert_ptr_not_equal(inventories_get(inventories, RESOURCE_API_KEY, "project-2", &admin),
                         inventory);
}

static void test_each_resource_sees_its_own_entries(void **state)
{
    (void)state;
    struct inventory *inventory = get();
    assert_int_equal(view(inventory, "a").listed_at_ms, NEVER);
    assert_int_equal(view(inventory, "a").due_ms, 0);
    assert_int_equal(view(inventory, "a").count, 0);
    set_list(inventory, 5000);
    struct inventory_view a = view(inventory, "a");
    assert_int_equal(a.listed_at_ms, 5000);
    assert_int_equal(a.due_ms, 5000 + INTERVAL_MS);
    assert_int_equal(a.blocked_until_ms, 0);
    assert_int_equal(a.count, 2);
    assert_string_equal(a.entries[0].id, "key-1");
    assert_string_equal(a.entries[1].id, "key-3");
    assert_string_equal(a.entries[1].nonce, "n3");
    assert_int_equal(a.entries[1].revision, 2);
    assert_int_equal(view(inventory, "b").count, 1);
    assert_int_equal(view(inventory, "c").count, 0);
    assert_int_equal(view(inventory, "c").listed_at_ms, 5000);
    assert_true(inventory_lists(inventory, "key-2"));
    assert_false(inventory_lists(inventory, "key-4"));
}

static void test_a_list_replaces_the_last_one(void **state)
{
    (void)state;
    struct inventory *inventory = get();
    set_list(inventory, 5000);
    set_list(inventory, 6000);
    assert_int_equal(view(inventory, "a").count, 2);
    struct deepgram_list nothing = { 0 };
    inventory_set(inventory, &nothing, 7000);
    assert_int_equal(view(inventory, "a").count, 0);
    assert_int_equal(view(inventory, "a").listed_at_ms, 7000);
    assert_false(inventory_lists(inventory, "key-1"));
}

static void test_a_failure_says_nothing_and_waits_longer_each_time(void **state)
{
    (void)state;
    struct inventory *inventory = get();
    set_list(inventory, 5000);
    struct err err = ERR_INIT;
    int64_t longest = 0;
    for (int i = 0; i < 20; i++) {
        inventory_fail(inventory, &err, 10000, 299000); /* the longest of a capped back-off */
        int64_t wait_ms = view(inventory, "a").blocked_until_ms - 10000;
        assert_in_range(wait_ms, 1000, 300000);
        longest = wait_ms > longest ? wait_ms : longest;
    }
    assert_int_equal(longest, 300000);
    assert_int_equal(view(inventory, "a").count, 2);
    assert_int_equal(view(inventory, "a").listed_at_ms, 5000);
    set_list(inventory, 20000);
    assert_int_equal(view(inventory, "a").blocked_until_ms, 0);
    inventory_fail(inventory, &err, 30000, 299000);
    assert_in_range(view(inventory, "a").blocked_until_ms, 31000, 32000); /* begins anew */
    err.retry_after_ms = 600000;
    inventory_fail(inventory, &err, 30000, 299000);
    assert_int_equal(view(inventory, "a").blocked_until_ms, 630000); /* as it was told */
}

static void ignore_ready(void *context)
{
    (void)context;
}

static void test_others_wait_for_a_list_that_is_under_way(void **state)
{
    (void)state;
    struct loop *loop = test_loop_new();
    struct queue *queue = queue_new(loop, ignore_ready, NULL);
    struct inventory *inventory = get();
    assert_true(inventory_begin(inventory, QUEUE_API_KEY, "ns", "first"));
    assert_false(inventory_begin(inventory, QUEUE_API_KEY, "ns", "second"));
    assert_false(inventory_begin(inventory, QUEUE_PULL_SECRET, "ns", "third"));
    struct queue_stats stats;
    queue_stats(queue, &stats);
    assert_int_equal(stats.depth, 0);
    inventory_end(inventory, queue);
    queue_stats(queue, &stats);
    assert_int_equal(stats.depth, 2);
    assert_true(inventory_begin(inventory, QUEUE_API_KEY, "ns", "second"));
    inventory_end(inventory, queue);
    queue_stats(queue, &stats);
    assert_int_equal(stats.depth, 2); /* nobody is told twice */
    assert_true(inventory_begin(inventory, QUEUE_API_KEY, "ns", "first"));
    assert_false(inventory_begin(inventory, QUEUE_API_KEY, "ns", "second"));
    queue_free(queue);
    loop_free(loop);
}

static void test_a_pause_holds_for_both_kinds(void **state)
{
    (void)state;
    struct inventory *keys = get();
    struct inventory *pulls = inventories_get(inventories, RESOURCE_PULL_SECRET, PROJECT, &admin);
    struct inventory *others = inventories_get(inventories, RESOURCE_API_KEY, "project-2", &admin);
    assert_int_equal(inventory_paused_until_ms(keys), 0);
    inventory_pause(keys, 9000);
    inventory_pause(pulls, 8000); /* never shortened */
    assert_int_equal(inventory_paused_until_ms(pulls), 9000);
    inventory_pause(pulls, 9500);
    assert_int_equal(inventory_paused_until_ms(keys), 9500);
    assert_int_equal(inventory_paused_until_ms(others), 0);
}

static size_t mint_all(struct inventory *inventory, size_t resources, int64_t now_ms)
{
    size_t count = 0;
    while (inventory_mint_allowed_ms(inventory, resources, now_ms) <= now_ms) {
        inventory_note_mint(inventory, now_ms);
        count++;
    }
    return count;
}

static void test_creates_of_a_project_are_limited(void **state)
{
    (void)state;
    struct inventory *keys = get();
    struct inventory *pulls = inventories_get(inventories, RESOURCE_PULL_SECRET, PROJECT, &admin);
    struct inventory *others = inventories_get(inventories, RESOURCE_API_KEY, "project-2", &admin);
    const int64_t now_ms = 1000 * 1000;
    assert_int_equal(mint_all(keys, 5, now_ms), 30);
    assert_int_equal(mint_all(pulls, 5, now_ms), 0);
    assert_int_equal(mint_all(others, 5, now_ms), 30);
    /* new resources bring what they need, and take none of it with them */
    assert_int_equal(mint_all(keys, 10, now_ms), 10);
    assert_int_equal(mint_all(keys, 0, now_ms), 0);
    assert_int_equal(mint_all(keys, 10, now_ms + 3600 * 1000), 40);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_what_shares_an_inventory, setup, teardown),
        cmocka_unit_test_setup_teardown(test_each_resource_sees_its_own_entries, setup, teardown),
        cmocka_unit_test_setup_teardown(test_a_list_replaces_the_last_one, setup, teardown),
        cmocka_unit_test_setup_teardown(test_a_failure_says_nothing_and_waits_longer_each_time,
                                        setup, teardown),
        cmocka_unit_test_setup_teardown(test_others_wait_for_a_list_that_is_under_way, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(test_a_pause_holds_for_both_kinds, setup, teardown),
        cmocka_unit_test_setup_teardown(test_creates_of_a_project_are_limited, setup, teardown),
    };
    return test_run(tests);
}
