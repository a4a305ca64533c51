#include "fixture.h"

#include "api/name.h"
#include "api/revision_number.h"

static void test_names(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        bool subdomain, qualified, label_value, data_key, credential_id;
    } rows[] = {
        { "a", true, true, true, true, true },
        { "a-b.c9", true, true, true, true, false },
        { "a_b", false, true, true, true, true },
        { "A", false, true, true, true, true },
        { "9", true, true, true, true, true },
        { "", false, false, true, false, false },
        { ".", false, false, false, false, false },
        { "..", false, false, false, false, false },
        { "..a", false, false, false, false, false },
        { ".a", false, false, false, true, false },
        { "a.", false, false, false, true, false },
        { "-a", false, false, false, true, true },
        { "a-", false, false, false, true, true },
        { "a..b", false, true, true, true, false },
        { "a.-b", false, true, true, true, false },
        { "a/b", false, true, false, false, false },
        { "a.b/c", false, true, false, false, false },
        { "A.b/c", false, false, false, false, false },
        { "a/b/c", false, false, false, false, false },
        { "/a", false, false, false, false, false },
        { "a/", false, false, false, false, false },
        { "a b", false, false, false, false, false },
        { "a\n", false, false, false, false, false },
        { "\xC3\xA4", false, false, false, false, false },
        { "a?b=c", false, false, false, false, false },
        { "%2e%2e", false, false, false, false, false },
        { NULL, false, false, false, false, false },
    };
    for (size_t i = 0; i < ARRAY_LENGTH(rows); i++) {
        const char *text = rows[i].text;
        if (name_is_subdomain(text) != rows[i].subdomain ||
            name_is_qualified(text) != rows[i].qualified ||
            name_is_label_value(text) != rows[i].label_value ||
            name_is_data_key(text) != rows[i].data_key ||
            name_is_credential_id(text) != rows[i].credential_id)
            fail_msg("%s", text ? text : "NULL");
    }
}

static void test_lengths(void **state)
{
    (void)state;
    static const struct {
        bool (*is)(const char *text);
        size_t max;
    } rows[] = {
        { name_is_subdomain, 253 }, { name_is_qualified, 63 },      { name_is_label_value, 63 },
        { name_is_data_key, 253 },  { name_is_credential_id, 128 },
    };
    for (size_t i = 0; i < ARRAY_LENGTH(rows); i++) {
        char text[300] = "";
        memset(text, 'a', rows[i].max);
        assert_true(rows[i].is(text));
        text[rows[i].max] = 'a';
        assert_false(rows[i].is(text));
    }
}

static void test_uuids(void **state)
{
    (void)state;
    assert_true(name_is_uuid("11111111-2222-3333-4444-555555555555"));
    assert_true(name_is_uuid("abcdefAB-CDEF-0123-4567-89abcdefABCD"));
    assert_false(name_is_uuid("11111111-2222-3333-4444-55555555555"));
    assert_false(name_is_uuid("11111111-2222-3333-4444-5555555555555"));
    assert_false(name_is_uuid("g1111111-2222-3333-4444-555555555555"));
    assert_false(name_is_uuid("111111112222-3333-4444-5555555555555"));
    assert_false(name_is_uuid(""));
    assert_false(name_is_uuid(NULL));
}

static void test_revision_numbers(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int64_t number;
    } rows[] = {
        { "1", 1 },
        { "007", 7 },
        { "1000000000", 1000000000 },
        { "1000000001", 0 },
        { "99999999999999999999999999", 0 },
        { "0", 0 },
        { "-1", 0 },
        { "+1", 0 },
        { " 1", 0 },
        { "1x", 0 },
        { "", 0 },
        { NULL, 0 },
    };
    for (size_t i = 0; i < ARRAY_LENGTH(rows); i++)
        assert_int_equal(revision_number_parse(rows[i].text), rows[i].number);
    auto_json cJSON *json =
        fixture_json("{\"a\":3,\"b\":0,\"c\":-1,\"d\":1e10,\"e\":1.5,\"f\":\"1\",\"g\":null}");
    assert_int_equal(revision_number_at(json, "a"), 3);
    static const char *const others[] = { "b", "c", "d", "e", "f", "g", "absent" };
    for (size_t i = 0; i < ARRAY_LENGTH(others); i++)
        assert_int_equal(revision_number_at(json, others[i]), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_names),
        cmocka_unit_test(test_lengths),
        cmocka_unit_test(test_uuids),
        cmocka_unit_test(test_revision_numbers),
    };
    return fixture_run(tests);
}
