#include "fixture.h"

#include "api/condition.h"

enum { DAY_MS = 86400000 };

static const struct condition ready = {
    .type = "Ready", .status = "True", .reason = "Issued", .message = "the key works"
};

static void test_a_new_condition_is_complete(void **state)
{
    (void)state;
    auto_json cJSON *conditions = cJSON_CreateArray();
    condition_set(conditions, &ready, 3, DAY_MS);
    fixture_expect_json("added", conditions,
                        "[{\"type\":\"Ready\",\"status\":\"True\",\"observedGeneration\":3,"
                        "\"lastTransitionTime\":\"1970-01-02T00:00:00Z\",\"reason\":\"Issued\","
                        "\"message\":\"the key works\"}]");
    assert_true(condition_is_true(conditions, "Ready"));
    assert_false(condition_is_true(conditions, "Stalled"));
}

static const char *since(const cJSON *conditions)
{
    return json_string_at(condition_find(conditions, "Ready"), "lastTransitionTime");
}

static void test_transition_time_follows_status_alone(void **state)
{
    (void)state;
    auto_json cJSON *conditions = cJSON_CreateArray();
    condition_set(conditions, &ready, 3, DAY_MS);
    struct condition changed = ready;
    changed.reason = "Rotated";
    changed.message = "a new key works";
    condition_set(conditions, &changed, 4, 2 * (int64_t)DAY_MS);
    const cJSON *found = condition_find(conditions, "Ready");
    assert_string_equal(since(conditions), "1970-01-02T00:00:00Z");
    assert_string_equal(json_string_at(found, "reason"), "Rotated");
    assert_int_equal(json_int_at(found, "observedGeneration", 0), 4);
    changed.status = "False";
    condition_set(conditions, &changed, 4, 3 * (int64_t)DAY_MS);
    assert_string_equal(since(conditions), "1970-01-04T00:00:00Z");
    assert_false(condition_is_true(conditions, "Ready"));
}

static void test_others_stay_where_they_are(void **state)
{
    (void)state;
    auto_json cJSON *conditions =
        fixture_json("[7,{\"type\":\"Other\",\"status\":\"True\"},{\"type\":\"Ready\"},"
                     "{\"type\":\"Last\"}]");
    condition_set(conditions, &ready, 1, 0);
    assert_int_equal(cJSON_GetArraySize(conditions), 4);
    assert_true(condition_is_true(conditions, "Other"));
    assert_string_equal(since(conditions), "1970-01-01T00:00:00Z");
    condition_remove(conditions, "Ready");
    condition_remove(conditions, "Ready");
    fixture_expect_json("removed", conditions,
                        "[7,{\"type\":\"Other\",\"status\":\"True\"},{\"type\":\"Last\"}]");
}

static void test_a_long_message_is_cut_between_characters(void **state)
{
    (void)state;
    for (size_t shift = 0; shift < 3; shift++) {
        auto_free char *message = mem_alloc(40000);
        memset(message, 'a', shift);
        while (strlen(message) < 39990)
            strcat(message + strlen(message), "\xE2\x82\xAC");
        auto_json cJSON *conditions = cJSON_CreateArray();
        struct condition long_one = ready;
        long_one.message = message;
        condition_set(conditions, &long_one, 1, 0);
        const char *stored = json_string_at(condition_find(conditions, "Ready"), "message");
        size_t length = strlen(stored);
        assert_true(length <= 32768 && length > 32768 - 4);
        assert_int_equal((length - shift) % 3, 0);
    }
}

static void test_anything_else_is_no_condition(void **state)
{
    (void)state;
    static const char *const texts[] = { "null",
                                         "{}",
                                         "\"Ready\"",
                                         "[]",
                                         "[null,[],\"Ready\"]",
                                         "[{\"type\":7}]",
                                         "{\"a\":{\"type\":\"Ready\"}}" };
    for (size_t i = 0; i < ARRAY_LENGTH(texts); i++) {
        auto_json cJSON *json = fixture_json(texts[i]);
        assert_null(condition_find(json, "Ready"));
        assert_false(condition_is_true(json, "Ready"));
        condition_remove(json, "Ready");
    }
    assert_null(condition_find(NULL, "Ready"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_new_condition_is_complete),
        cmocka_unit_test(test_transition_time_follows_status_alone),
        cmocka_unit_test(test_others_stay_where_they_are),
        cmocka_unit_test(test_a_long_message_is_cut_between_characters),
        cmocka_unit_test(test_anything_else_is_no_condition),
    };
    return fixture_run(tests);
}
