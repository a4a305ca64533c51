#include "fixture.h"

#include "api/canonical.h"

static void test_sets_are_sorted_without_doubles(void **state)
{
    (void)state;
    static const struct {
        const char *name, *words, *set;
    } rows[] = {
        { "nothing", "[]", "[]" },
        { "one", "[\"a\"]", "[\"a\"]" },
        { "sorted", "[\"a\",\"b\",\"c\"]", "[\"a\",\"b\",\"c\"]" },
        { "reversed", "[\"c\",\"b\",\"a\"]", "[\"a\",\"b\",\"c\"]" },
        { "into the middle", "[\"a\",\"d\",\"c\",\"b\"]", "[\"a\",\"b\",\"c\",\"d\"]" },
        { "doubles", "[\"b\",\"a\",\"b\",\"a\"]", "[\"a\",\"b\"]" },
        { "bytes, not letters", "[\"b\",\"B\",\"\xC3\xA4\"]", "[\"B\",\"b\",\"\xC3\xA4\"]" },
    };
    for (size_t i = 0; i < ARRAY_LENGTH(rows); i++) {
        auto_json cJSON *words = fixture_json(rows[i].words);
        auto_json cJSON *set = cJSON_CreateArray();
        const cJSON *word = NULL;
        cJSON_ArrayForEach(word, words)
            canonical_add(set, word->valuestring);
        fixture_expect_json(rows[i].name, set, rows[i].set);
    }
}

static void test_contains_looks_at_strings_alone(void **state)
{
    (void)state;
    auto_json cJSON *array = fixture_json("[1,null,\"a\",[\"b\"]]");
    assert_true(canonical_contains(array, "a"));
    assert_false(canonical_contains(array, "b"));
    auto_json cJSON *object = fixture_json("{\"a\":\"a\"}");
    assert_false(canonical_contains(object, "a"));
    assert_false(canonical_contains(NULL, "a"));
}

static void test_digest_is_the_start_of_sha256(void **state)
{
    (void)state;
    auto_json cJSON *json = fixture_json("{ }");
    char hex[CANONICAL_DIGEST_BYTES];
    canonical_digest(json, hex);
    assert_string_equal(hex, "44136fa355b3678a");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sets_are_sorted_without_doubles),
        cmocka_unit_test(test_contains_looks_at_strings_alone),
        cmocka_unit_test(test_digest_is_the_start_of_sha256),
    };
    return fixture_run(tests);
}
