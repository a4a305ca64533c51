#include "test.h"

#include <string.h>

#include "base/json.h"

static void test_parses_exactly_one_value(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        bool ok;
    } rows[] = {
        { "{}", true },        { " [1] \r\n\t", true }, { "null", true }, { "", false },
        { "  ", false },       { "{} {}", false },      { "{}x", false }, { "{\"a\":}", false },
        { "{\"a\":1", false }, { "nul", false },        { "\"a", false },
    };
    for (size_t i = 0; i < ARRAY_LENGTH(rows); i++) {
        auto_json cJSON *json = json_parse(rows[i].text, strlen(rows[i].text));
        if ((json != NULL) != rows[i].ok)
            fail_msg("row %zu: %s", i, rows[i].text);
    }
}

static void test_reads_no_further_than_the_length(void **state)
{
    (void)state;
    char bytes[] = { '{', '}', ' ', 'x' };
    auto_json cJSON *json = json_parse(bytes, 3);
    assert_non_null(json);
    assert_null(json_parse(bytes, 4));
    assert_null(json_parse("{}\0", 3));
    assert_null(json_parse("12", 0));
}

static void test_deep_nesting_is_refused_not_fatal(void **state)
{
    (void)state;
    char deep[100000];
    memset(deep, '[', sizeof deep);
    assert_null(json_parse(deep, sizeof deep));
}

static const char sample[] =
    "{\"metadata\":{\"name\":\"n\",\"labels\":{\"a.b/c\":\"dotted\"}},\"yes\":true,\"no\":false,"
    "\"number\":42,\"half\":0.5,\"huge\":9007199254740993e3,\"minus\":-7,\"nothing\":null,"
    "\"list\":[1],\"Name\":\"case\",\"time\":1764000000123}";

static void test_paths_lead_to_members(void **state)
{
    (void)state;
    auto_json cJSON *json = json_parse(sample, strlen(sample));
    assert_string_equal(json_string_at(json, "metadata.name"), "n");
    assert_string_equal(json_string_at(json, "Name"), "case");
    assert_null(json_string_at(json, "name"));
    assert_null(json_string_at(json, "metadata.nam"));
    assert_null(json_string_at(json, "metadata.name.further"));
    assert_null(json_string_at(json, "metadata"));
    assert_null(json_string_at(json, "list.0"));
    assert_null(json_at(json, "metadata."));
    assert_null(json_string_at(NULL, "metadata.name"));
    assert_string_equal(json_string_member(json_at(json, "metadata.labels"), "a.b/c"), "dotted");
    assert_null(json_member(NULL, "a"));
}

static void test_getters_fall_back_on_wrong_types(void **state)
{
    (void)state;
    auto_json cJSON *json = json_parse(sample, strlen(sample));
    assert_true(json_bool_at(json, "yes", false));
    assert_false(json_bool_at(json, "no", true));
    assert_true(json_bool_at(json, "nothing", true));
    assert_true(json_bool_at(json, "number", true));
    assert_int_equal(json_int_at(json, "number", -1), 42);
    assert_int_equal(json_int_at(json, "minus", 0), -7);
    assert_int_equal(json_int_at(json, "time", 0), 1764000000123);
    assert_int_equal(json_int_at(json, "half", -1), -1);
    assert_int_equal(json_int_at(json, "huge", -1), -1);
    assert_int_equal(json_int_at(json, "yes", -1), -1);
    assert_int_equal(json_int_at(json, "absent", -1), -1);
}

static void test_a_string_is_looked_for_in_an_array(void **state)
{
    (void)state;
    const char *text = "[1,\"a\",null,\"bc\"]";
    auto_json cJSON *json = json_parse(text, strlen(text));
    assert_true(json_has_string(json, "a"));
    assert_true(json_has_string(json, "bc"));
    assert_false(json_has_string(json, "b"));
    assert_false(json_has_string(json, NULL));
    assert_false(json_has_string(NULL, "a"));
}

static void test_builds_what_it_prints(void **state)
{
    (void)state;
    auto_json cJSON *json = cJSON_CreateObject();
    json_add_string(json, "name", "a \"quoted\" \n");
    json_add_string(json, "absent", NULL);
    json_add_int(json_add_object(json, "spec"), "time", 1764000000123);
    cJSON_AddItemToArray(json_add_array(json, "list"), cJSON_CreateTrue());
    auto_free char *text = json_print(json);
    assert_string_equal(text,
                        "{\"name\":\"a \\\"quoted\\\" \\n\",\"spec\":{\"time\":1764000000123},"
                        "\"list\":[true]}");
}

int main(void)
{
    json_setup();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_parses_exactly_one_value),
        cmocka_unit_test(test_reads_no_further_than_the_length),
        cmocka_unit_test(test_deep_nesting_is_refused_not_fatal),
        cmocka_unit_test(test_paths_lead_to_members),
        cmocka_unit_test(test_getters_fall_back_on_wrong_types),
        cmocka_unit_test(test_a_string_is_looked_for_in_an_array),
        cmocka_unit_test(test_builds_what_it_prints),
    };
    return test_run(tests);
}
