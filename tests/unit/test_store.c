#include "test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/fingerprint.h"
#include "base/json.h"
#include "base/shared_json.h"
#include "kube/store.h"

/* Changes as "before>after" by data, "-" for none. */
struct heard {
    char text[1024];
};

static const char *data_of(const cJSON *object)
{
    const char *data = json_string_member(object, "data");
    return data ? data : "-";
}

static void on_change(void *context, const cJSON *before, const cJSON *after)
{
    struct heard *heard = context;
    auto_free char *line = mem_printf("%s>%s ", data_of(before), data_of(after));
    strncat(heard->text, line, sizeof heard->text - strlen(heard->text) - 1);
}

static void expect(struct heard *heard, const char *text)
{
    assert_string_equal(heard->text, text);
    heard->text[0] = '\0';
}

static void trim(cJSON *object)
{
    cJSON_DeleteItemFromObjectCaseSensitive(object, "bulk");
}

/* Each word of "keys" is an index key. */
static size_t index_words(const cJSON *object, char *ret_keys[STORE_INDEX_KEYS_MAX])
{
    const char *keys = json_string_member(object, "keys");
    size_t count = 0;
    for (const char *p = keys; p && *p && count < STORE_INDEX_KEYS_MAX; p += strspn(p, " ")) {
        size_t length = strcspn(p, " ");
        ret_keys[count++] = mem_strndup(p, length);
        p += length;
    }
    return count;
}

static cJSON *object(const char *namespace, const char *name, const char *uid, const char *version,
                     const char *data)
{
    cJSON *json = cJSON_CreateObject();
    cJSON *metadata = json_add_object(json, "metadata");
    json_add_string(metadata, "namespace", namespace);
    json_add_string(metadata, "name", name);
    json_add_string(metadata, "uid", uid);
    json_add_string(metadata, "resourceVersion", version);
    json_add_string(json, "data", data);
    json_add_string(json, "bulk", "much");
    return json;
}

static cJSON *indexed(const char *name, const char *version, const char *keys)
{
    cJSON *json = object("ns", name, name, version, name);
    json_add_string(json, "keys", keys);
    return json;
}

static void remove_seen(struct store *store, const char *uid, const char *version)
{
    auto_json cJSON *json = object("ns", "a", uid, version, NULL);
    store_remove(store, json);
}

static void expect_data(const struct store *store, const char *name, const char *data)
{
    auto_shared_json const cJSON *json = store_get(store, "ns", name);
    assert_string_equal(data_of(json), data);
    assert_null(json_member(json, "bulk"));
}

static void test_changes_are_told_once(void **state)
{
    (void)state;
    struct heard heard = { 0 };
    struct store *store = store_new(trim, NULL, on_change, &heard);
    store_put(store, object("ns", "a", "u", "9", "one"));
    expect(&heard, "->one ");
    store_put(store, object("ns", "a", "u", "9", "one"));
    expect(&heard, "");
    store_put(store, object("ns", "a", "u", "10", "two"));
    expect(&heard, "one>two ");
    expect_data(store, "a", "two");
    store_put(store, object("ns", "a", "u", "9", "one"));
    expect(&heard, "");
    remove_seen(store, "u", "11");
    expect(&heard, "two>- ");
    remove_seen(store, "u", "11");
    expect(&heard, "");
    expect_data(store, "a", "-");
    assert_int_equal(store_count(store), 0);
    store_free(store);
}

static void test_versions_that_are_no_numbers_are_only_equal_or_not(void **state)
{
    (void)state;
    struct heard heard = { 0 };
    struct store *store = store_new(NULL, NULL, on_change, &heard);
    store_put(store, object("ns", "a", "u", "b", "one"));
    store_put(store, object("ns", "a", "u", "b", "same"));
    store_put(store, object("ns", "a", "u", "a", "two"));
    store_put(store, object("ns", "a", "u", NULL, "three"));
    store_put(store, object("ns", "a", "u", NULL, "four"));
    expect(&heard, "->one one>two two>three three>four ");
    store_free(store);
}

static void test_scope_of_keys(void **state)
{
    (void)state;
    struct store *store = store_new(NULL, NULL, NULL, NULL);
    store_put(store, object("ns", "a", "u", "1", "namespaced"));
    store_put(store, object(NULL, "a", "v", "2", "cluster"));
    store_put(store, object("ns", NULL, "w", "3", "nameless"));
    store_put(store, cJSON_CreateNull());
    assert_int_equal(store_count(store), 2);
    auto_shared_json const cJSON *json = store_get(store, NULL, "a");
    assert_string_equal(data_of(json), "cluster");
    store_free(store);
}

static void test_own_write_outlives_older_events(void **state)
{
    (void)state;
    struct heard heard = { 0 };
    struct store *store = store_new(trim, NULL, on_change, &heard);
    store_put(store, object("ns", "a", "u", "98", "old"));
    store_put_written(store, object("ns", "a", "u", "100", "mine"));
    store_put(store, object("ns", "a", "u", "99", "between"));
    expect(&heard, "->old old>mine ");
    store_put(store, object("ns", "a", "u", "100", "mine"));
    expect(&heard, "");
    store_put(store, object("ns", "a", "u", "101", "later"));
    expect(&heard, "mine>later ");
    store_free(store);
}

static void test_a_late_answer_does_not_go_back(void **state)
{
    (void)state;
    struct heard heard = { 0 };
    struct store *store = store_new(trim, NULL, on_change, &heard);
    store_put(store, object("ns", "a", "u", "101", "later"));
    store_put_written(store, object("ns", "a", "u", "100", "mine"));
    expect(&heard, "->later ");
    store_put(store, object("ns", "a", "u", "102", "latest"));
    expect(&heard, "later>latest ");
    store_free(store);
}

static void test_an_answer_after_the_deletion_was_told_is_dropped(void **state)
{
    (void)state;
    struct heard heard = { 0 };
    struct store *store = store_new(trim, NULL, on_change, &heard);
    remove_seen(store, "u", "6"); /* created at 5 by us, deleted at 6 by somebody */
    store_put_written(store, object("ns", "a", "u", "5", "late answer"));
    store_put(store, object("ns", "b", "w", "7", "one"));
    auto_json cJSON *json = object("ns", "b", "w", "9", NULL);
    store_remove(store, json);
    store_put_written(store, object("ns", "b", "w", "8", "late answer"));
    expect(&heard, "->one one>- ");
    store_put_written(store, object("other", "a", "x", "8", "another watch's"));
    store_put_written(store, object("ns", "a", "v", "10", "born again"));
    expect(&heard, "->another watch's ->born again ");
    store_free(store);
}

static void test_an_answer_older_than_a_list_without_it_is_dropped(void **state)
{
    (void)state;
    struct heard heard = { 0 };
    struct store *store = store_new(trim, NULL, on_change, &heard);
    store_replace_begin(store, NULL);
    store_replace_end(store, NULL, "20");
    store_put_written(store, object("ns", "a", "u", "19", "late answer"));
    expect(&heard, "");
    store_replace_begin(store, NULL);
    store_replace_end(store, NULL, "10"); /* restored from a backup */
    store_put_written(store, object("ns", "a", "u", "19", "again"));
    store_replace_begin(store, "ns");
    store_put(store, object("ns", "a", "u", "19", "again"));
    store_replace_end(store, "ns", "30");
    store_put_written(store, object("ns", "b", "w", "29", "late answer"));
    expect(&heard, "->again ");
    store_free(store);
}

static void test_what_we_deleted_stays_away(void **state)
{
    (void)state;
    struct heard heard = { 0 };
    struct store *store = store_new(trim, NULL, on_change, &heard);
    store_put(store, object("ns", "a", "u", "5", "one"));
    store_remove_written(store, "ns", "a", "other uid");
    expect(&heard, "->one ");
    store_remove_written(store, "ns", "a", "u");
    expect(&heard, "one>- ");
    store_remove_written(store, "ns", "a", "u");
    store_put(store, object("ns", "a", "u", "6", "in flight"));
    store_put_written(store, object("ns", "a", "u", "6", "late answer"));
    expect(&heard, "");
    assert_int_equal(store_count(store), 0);
    expect_data(store, "a", "-");
    store_put(store, object("ns", "a", "v", "8", "born again"));
    expect(&heard, "->born again ");
    remove_seen(store, "u", "7");
    expect(&heard, "");
    expect_data(store, "a", "born again");
    store_free(store);
}

static void test_a_deleted_event_ends_the_tombstone(void **state)
{
    (void)state;
    struct heard heard = { 0 };
    struct store *store = store_new(trim, NULL, on_change, &heard);
    store_put(store, object("ns", "a", "u", "5", "one"));
    store_remove_written(store, "ns", "a", "u");
    remove_seen(store, "u", "7");
    expect(&heard, "->one one>- ");
    store_put(store, object("ns", "a", "u", "8", "no tombstone left"));
    expect(&heard, "->no tombstone left ");
    store_free(store);
}

static void test_list_replaces(void **state)
{
    (void)state;
    struct heard heard = { 0 };
    struct store *store = store_new(trim, NULL, on_change, &heard);
    store_put(store, object("ns", "a", "a", "1", "a1"));
    store_put(store, object("ns", "b", "b", "2", "b2"));
    store_put(store, object("ns2", "c", "c", "3", "c3"));
    heard.text[0] = '\0';

    store_replace_begin(store, NULL); /* without an end: nothing happens */
    store_replace_begin(store, "ns");
    store_put(store, object("ns", "a", "a", "1", "a1"));
    store_put(store, object("ns", "d", "d", "4", "d4"));
    store_replace_end(store, "ns", "4");
    expect(&heard, "->d4 b2>- ");
    assert_int_equal(store_count(store), 3);
    store_free(store);
}

static void test_list_is_believed_even_where_older(void **state)
{
    (void)state;
    struct heard heard = { 0 };
    struct store *store = store_new(trim, NULL, on_change, &heard);
    store_put(store, object("ns", "a", "a", "500", "future"));
    store_remove_written(store, "ns", "a", "a"); /* undone by the restored backup */
    store_put(store, object("ns", "b", "b", "501", "future"));
    heard.text[0] = '\0';
    store_replace_begin(store, NULL);
    store_put(store, object("ns", "a", "a", "20", "restored"));
    store_put(store, object("ns", "b", "b", "21", "restored"));
    store_replace_end(store, NULL, "30");
    expect(&heard, "->restored future>restored ");
    store_free(store);
}

static void test_writes_during_a_list(void **state)
{
    (void)state;
    struct heard heard = { 0 };
    struct store *store = store_new(trim, NULL, on_change, &heard);
    store_put(store, object("ns", "a", "a", "1", "a1"));
    store_put(store, object("ns", "gone", "g", "2", "g2"));
    store_replace_begin(store, NULL);
    store_put_written(store, object("ns", "a", "a", "12", "a12"));
    store_put_written(store, object("ns", "new", "n", "13", "n13"));
    store_put_written(store, object("ns", "short", "s", "9", "s9"));
    store_remove_written(store, "ns", "gone", "g");
    heard.text[0] = '\0';
    store_put(store, object("ns", "a", "a", "1", "a1"));
    store_put(store, object("ns", "gone", "g", "2", "g2"));
    store_replace_end(store, NULL, "10");
    expect(&heard, "s9>- "); /* written before the list was made, and not in it */
    expect_data(store, "a", "a12");
    expect_data(store, "new", "n13");
    expect_data(store, "gone", "-");
    store_free(store);
}

static void collect(void *context, const cJSON *json)
{
    strcat(context, data_of(json));
}

static bool is_named(const void *context, const cJSON *json)
{
    return strcmp(data_of(json), context) == 0;
}

static void expect_visit(const struct store *store, const char *key, const char *names)
{
    char text[64] = "";
    store_visit(store, key, collect, text);
    assert_string_equal(text, names);
}

static void test_indexes_follow_changes(void **state)
{
    (void)state;
    struct store *store = store_new(NULL, index_words, NULL, NULL);
    store_put(store, indexed("a", "1", "red round"));
    store_put(store, indexed("b", "2", "red"));
    store_put(store, indexed("c", "3", NULL));
    expect_visit(store, "red", "ab");
    expect_visit(store, "round", "a");
    expect_visit(store, "none", "");
    assert_true(store_any(store, "red", is_named, "b"));
    assert_false(store_any(store, "round", is_named, "b"));
    assert_false(store_any(store, "none", is_named, "b"));
    store_put(store, indexed("a", "4", "round"));
    expect_visit(store, "red", "b");
    store_remove_written(store, "ns", "b", "b");
    expect_visit(store, "red", "");
    store_free(store);
}

static void count(void *context, const char *namespace, const char *name)
{
    (void)namespace, (void)name;
    ++*(size_t *)context;
}

static size_t count_key(const struct store *store, const char *key)
{
    size_t found = 0;
    store_visit_names(store, key, count, &found);
    return found;
}

static void test_many_objects(void **state)
{
    (void)state;
    struct store *store = store_new(NULL, index_words, NULL, NULL);
    for (int i = 0; i < 5000; i++) {
        char name[32];
        char version[32];
        snprintf(name, sizeof name, "object-%d", i % 2000);
        snprintf(version, sizeof version, "%d", i + 1);
        store_put(store, indexed(name, version, i % 2 ? "odd" : "even"));
    }
    assert_int_equal(store_count(store), 2000);
    assert_int_equal(count_key(store, "odd"), 1000);
    store_replace_begin(store, NULL);
    store_replace_end(store, NULL, "6000");
    assert_int_equal(store_count(store), 0);
    assert_int_equal(count_key(store, "odd"), 0);
    store_free(store);
    store_free(NULL);
}

static void test_looking_again_costs_nothing_and_stays_as_it_was(void **state)
{
    (void)state;
    struct store *store = store_new(trim, NULL, NULL, NULL);
    store_put(store, object("ns", "a", "u", "1", "one"));
    const cJSON *first = store_get(store, "ns", "a");
    const cJSON *second = store_get(store, "ns", "a");
    assert_ptr_equal(first, second);
    shared_json_drop(second);

    store_put(store, object("ns", "a", "u", "2", "two"));
    expect_data(store, "a", "two");
    assert_string_equal(data_of(first), "one");
    store_free(store);
    assert_string_equal(data_of(first), "one");
    shared_json_drop(first);
}

static void test_only_the_latest_looks_are_kept_parsed(void **state)
{
    (void)state;
    struct store *store = store_new(trim, NULL, NULL, NULL);
    store_put(store, object("ns", "a", "u", "1", "one"));
    auto_shared_json const cJSON *early = store_get(store, "ns", "a");
    for (int i = 0; i < 1000; i++) {
        auto_free char *name = mem_printf("n%d", i);
        store_put(store, object("ns", name, name, "1", name));
    }
    auto_shared_json const cJSON *late = store_get(store, "ns", "a");
    assert_ptr_not_equal(early, late);
    assert_string_equal(data_of(late), "one");
    expect_data(store, "n0", "n0");
    expect_data(store, "n999", "n999");
    store_free(store);
}

static void note_name(void *context, const char *namespace, const char *name)
{
    char *text = context;
    sprintf(text + strlen(text), "%s/%s ", namespace, name);
}

static void test_names_without_a_look_at_the_objects(void **state)
{
    (void)state;
    struct store *store = store_new(NULL, index_words, NULL, NULL);
    store_put(store, indexed("a", "1", "red"));
    store_put(store, indexed("b", "2", "blue"));
    store_put(store, object(NULL, "c", "u", "3", "c"));
    store_remove_written(store, "ns", "b", "b");
    char red[64] = "";
    store_visit_names(store, "red", note_name, red);
    assert_string_equal(red, "ns/a ");
    char all[64] = "";
    store_visit_all_names(store, note_name, all);
    assert_int_equal(strlen(all), strlen("ns/a /c "));
    assert_true(strstr(all, "ns/a ") && strstr(all, "/c "));
    store_free(store);
}

static void test_uids_of_other_namespaces(void **state)
{
    (void)state;
    struct store *store = store_new(NULL, NULL, NULL, NULL);
    size_t count = 0;
    mem_free(store_uids_outside(store, "ns", &count));
    assert_int_equal(count, 0);
    store_put(store, object("ns", "a", "ours", "1", "a"));
    store_put(store, object("ns-2", "a", "theirs", "2", "a"));
    store_put(store, object("n", "b", "more", "3", "b"));
    store_put(store, object("other", "c", "gone", "4", "c"));
    store_remove_written(store, "other", "c", "gone");
    auto_free uint64_t *uids = store_uids_outside(store, "ns", &count);
    uint64_t expected[] = { fingerprint("theirs"), fingerprint("more") };
    qsort(expected, 2, sizeof expected[0], fingerprint_order);
    assert_int_equal(count, 2);
    assert_memory_equal(uids, expected, sizeof expected);
    store_free(store);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_changes_are_told_once),
        cmocka_unit_test(test_versions_that_are_no_numbers_are_only_equal_or_not),
        cmocka_unit_test(test_scope_of_keys),
        cmocka_unit_test(test_own_write_outlives_older_events),
        cmocka_unit_test(test_a_late_answer_does_not_go_back),
        cmocka_unit_test(test_an_answer_after_the_deletion_was_told_is_dropped),
        cmocka_unit_test(test_an_answer_older_than_a_list_without_it_is_dropped),
        cmocka_unit_test(test_what_we_deleted_stays_away),
        cmocka_unit_test(test_a_deleted_event_ends_the_tombstone),
        cmocka_unit_test(test_list_replaces),
        cmocka_unit_test(test_list_is_believed_even_where_older),
        cmocka_unit_test(test_writes_during_a_list),
        cmocka_unit_test(test_indexes_follow_changes),
        cmocka_unit_test(test_many_objects),
        cmocka_unit_test(test_looking_again_costs_nothing_and_stays_as_it_was),
        cmocka_unit_test(test_only_the_latest_looks_are_kept_parsed),
        cmocka_unit_test(test_names_without_a_look_at_the_objects),
        cmocka_unit_test(test_uids_of_other_namespaces),
    };
    json_setup();
    return test_run(tests);
}
