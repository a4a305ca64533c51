/* What is shortened comes back as it was, and our own objects become much shorter. */
#include "test.h"

#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "kube/phrases.h"

static struct phrases *phrases;

static void expect_back(const char *text)
{
    auto_free char *shortened = phrases_shorten(phrases, text);
    auto_free char *restored = phrases_restore(shortened);
    assert_string_equal(restored, text);
    assert_true(strlen(shortened) <= strlen(text));
}

static void test_texts_come_back_as_they_were(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "",
        "{}",
        "\"",
        "{\"metadata\":{\"name\":\"a\"}}",
        "{\"metadata\":{\"annotations\":{\"deepgram.com/",
        "\"\"deepgram.com/\"deepgram.com/\"",
        "{\"data\":\"\\u0001\\n\\t \\\"deepgram.com/resource\\\"\"}",
        "{\"a\":\"0123f567-89ab-cdef-0123-456789abcdef\",\"b\":\"fedcba98-0000-ffff-8001-"
        "7ffffffffffe\",\"a\":\"0123f567-89ab-cdef-0123-456789abcdef\"}",
        "{\"none\":\"0123f567-89ab-cdef-0123-456789abcde\",\"x\":\"0123F567-89ab-cdef-0123-"
        "456789abcdef\",\"cut\":\"0123f567-89ab-cdef-0123",
        "{\"m\":\"\xc3\xa4\xf0\x9f\x94\x91\xff\x80\"}",
    };
    for (size_t i = 0; i < ARRAY_LENGTH(texts); i++)
        expect_back(texts[i]);
}

static void test_bytes_below_a_blank_survive_in_an_object(void **state)
{
    (void)state;
    auto_json cJSON *json = cJSON_CreateObject();
    char all[' '] = "";
    for (char byte = 1; byte < ' '; byte++)
        all[byte - 1] = byte;
    json_add_string(json, "all", all);
    auto_free char *text = json_print(json);
    expect_back(text);
}

/* Of every length, and further apart than a reference reaches. */
static void test_what_stands_there_twice_comes_back(void **state)
{
    (void)state;
    for (size_t length = 1; length < 700; length++) {
        auto_free char *part = mem_alloc(length + 1);
        for (size_t i = 0; i < length; i++)
            part[i] = "\"abc: {}0123456789"[(i * i + i / 7) % 17];
        auto_free char *text = mem_printf("{\"%s\":\"%s\",\"%s%s\"}", part, part, part, part);
        expect_back(text);
    }
    auto_free char *large = mem_alloc(200 * 1000);
    for (size_t end = 0; end < 199 * 1000;)
        end += (size_t)snprintf(large + end, 100, "\"key-%zu\":\"%zu\" ", end / 3000, end % 1009);
    expect_back(large);
}

static void test_a_secret_of_ours_is_less_than_half_as_long(void **state)
{
    (void)state;
    static const char text[] =
        "{\"metadata\":{\"name\":\"a\",\"namespace\":\"b\",\"uid\":\"u\",\"resourceVersion\":"
        "\"240\","
        "\"labels\":{\"app.kubernetes.io/managed-by\":\"deepgram-operator\"},\"annotations\":{"
        "\"deepgram.com/digest\":\"718ffaa5b6591224\",\"deepgram.com/id\":\"c227c667\","
        "\"deepgram.com/published-at\":\"2026-11-25T04:40:01Z\","
        "\"deepgram.com/resource\":\"DeepgramApiKey/a\",\"deepgram.com/revision\":\"1\","
        "\"deepgram.com/template\":\"d34a2b58ddd74927\"},\"ownerReferences\":[{"
        "\"apiVersion\":\"deepgram.com/v1alpha1\",\"kind\":\"DeepgramApiKey\",\"name\":\"a\","
        "\"uid\":\"u\",\"controller\":true,\"blockOwnerDeletion\":true}]}}";
    auto_free char *shortened = phrases_shorten(phrases, text);
    assert_in_range(strlen(shortened), 1, (sizeof text - 1) * 2 / 5);
    expect_back(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_texts_come_back_as_they_were),
        cmocka_unit_test(test_bytes_below_a_blank_survive_in_an_object),
        cmocka_unit_test(test_what_stands_there_twice_comes_back),
        cmocka_unit_test(test_a_secret_of_ours_is_less_than_half_as_long),
    };
    json_setup();
    phrases = phrases_new();
    int failed = test_run(tests);
    phrases_free(phrases);
    return failed;
}
