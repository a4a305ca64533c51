/* metadata.managedFields is left out, and nothing else, wherever the name stands. */
#include "test.h"

#include <string.h>

#include "base/json.h"
#include "kube/managed_fields.h"

struct row {
    const char *name;
    const char *text;
    const char *expected; /* NULL: not JSON */
};

static const struct row ROWS[] = {
    { "without it", "{\"metadata\":{\"name\":\"a\"}}", "{\"metadata\":{\"name\":\"a\"}}" },
    { "in the middle",
      "{\"metadata\":{\"name\":\"a\",\"managedFields\":[{\"f:a\":{}}],\"uid\":\"u\"}}",
      "{\"metadata\":{\"name\":\"a\",\"uid\":\"u\"}}" },
    { "first", "{\"metadata\":{\"managedFields\":[],\"uid\":\"u\"},\"spec\":{}}",
      "{\"metadata\":{\"uid\":\"u\"},\"spec\":{}}" },
    { "last", "{\"metadata\":{\"uid\":\"u\",\"managedFields\":[1,[2],{\"a\":[]}]},\"spec\":{}}",
      "{\"metadata\":{\"uid\":\"u\"},\"spec\":{}}" },
    { "alone", "{\"metadata\":{\"managedFields\":[]}}", "{\"metadata\":{}}" },
    { "blanks everywhere",
      "{ \"metadata\" : { \"uid\" : \"u\" , \"managedFields\" :\n[ ] , \"name\" : \"a\" } }",
      "{\"metadata\":{\"uid\":\"u\",\"name\":\"a\"}}" },
    { "brackets and quotes in its strings",
      "{\"metadata\":{\"managedFields\":[\"]}\\\"]\",\"\\\\\"],\"uid\":\"u\"}}",
      "{\"metadata\":{\"uid\":\"u\"}}" },
    { "of each item of a list",
      "{\"metadata\":{},\"items\":[{\"metadata\":{\"managedFields\":[1],\"uid\":\"a\"}},"
      "{\"metadata\":{\"uid\":\"b\",\"managedFields\":[2]}}]}",
      "{\"metadata\":{},\"items\":[{\"metadata\":{\"uid\":\"a\"}},{\"metadata\":{\"uid\":\"b\"}}]"
      "}" },
    { "an entry of that name elsewhere",
      "{\"metadata\":{\"labels\":{\"managedFields\":[1]}},\"data\":{\"managedFields\":[2]}}",
      "{\"metadata\":{\"labels\":{\"managedFields\":[1]}},\"data\":{\"managedFields\":[2]}}" },
    { "behind a metadata that has ended", "{\"metadata\":{\"a\":{}},\"managedFields\":[1]}",
      "{\"metadata\":{\"a\":{}},\"managedFields\":[1]}" },
    { "the name as a value", "{\"metadata\":{\"name\":\"managedFields\",\"a\":[1]}}",
      "{\"metadata\":{\"name\":\"managedFields\",\"a\":[1]}}" },
    { "the name inside of a string",
      "{\"metadata\":{\"a\":\"{\\\"metadata\\\":{\\\"managedFields\\\":[1]}}\"}}",
      "{\"metadata\":{\"a\":\"{\\\"metadata\\\":{\\\"managedFields\\\":[1]}}\"}}" },
    { "metadata that is a list", "{\"metadata\":[\"managedFields\",[1]]}",
      "{\"metadata\":[\"managedFields\",[1]]}" },
    { "a value that is no list", "{\"metadata\":{\"managedFields\":null,\"uid\":\"u\"}}",
      "{\"metadata\":{\"managedFields\":null,\"uid\":\"u\"}}" },
    { "not one that tells when a target was published",
      "{\"items\":[{\"metadata\":{\"managedFields\":"
      "[{\"manager\":\"x\"},{\"manager\":\"deepgram-operator-publication\"}],\"uid\":\"a\"}},"
      "{\"metadata\":{\"managedFields\":[{\"manager\":\"deepgram-operator\"}],\"uid\":\"b\"}}]}",
      "{\"items\":[{\"metadata\":{\"managedFields\":"
      "[{\"manager\":\"x\"},{\"manager\":\"deepgram-operator-publication\"}],\"uid\":\"a\"}},"
      "{\"metadata\":{\"uid\":\"b\"}}]}" },
    { "cut off inside", "{\"metadata\":{\"managedFields\":[{\"a\":\"", NULL },
    { "cut off behind the name", "{\"metadata\":{\"managedFields\"", NULL },
    { "cut off behind the colon", "{\"metadata\":{\"managedFields\":", NULL },
    { "an escape at the end", "{\"metadata\":{\"managedFields\":[\"\\", NULL },
    { "closing brackets only", "]}]}\"managedFields\":[", NULL },
    { "nothing", "", NULL },
};

static void test_only_managed_fields_are_left_out(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(ROWS); i++) {
        size_t length = strlen(ROWS[i].text);
        auto_free char *exact = mem_alloc(length); /* without NUL: nothing behind it may be read */
        memcpy(exact, ROWS[i].text, length);
        auto_json cJSON *json = managed_fields_parse_without(exact, length);
        auto_free char *text = json ? json_print(json) : NULL;
        if (!mem_streq(text, ROWS[i].expected))
            fail_msg("%s: %s", ROWS[i].name, text ? text : "not JSON");
    }
}

static void test_deep_nesting_is_left_alone(void **state)
{
    (void)state;
    static const char INNER[] = "{\"metadata\":{\"managedFields\":[1]}}";
    for (size_t depth = 55; depth < 80; depth++) {
        auto_free char *text = mem_alloc(2 * depth + sizeof INNER);
        memset(text, '[', depth);
        memcpy(text + depth, INNER, sizeof INNER - 1);
        memset(text + depth + sizeof INNER - 1, ']', depth);
        auto_json cJSON *json = managed_fields_parse_without(text, strlen(text));
        assert_non_null(json);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_only_managed_fields_are_left_out),
        cmocka_unit_test(test_deep_nesting_is_left_alone),
    };
    json_setup();
    return test_run(tests);
}
