#include "test.h"

#include <string.h>

#include "base/base64.h"

static void test_both_ways(void **state)
{
    (void)state;
    static const struct {
        const char *plain, *encoded;
    } rows[] = {
        { "", "" },
        { "f", "Zg==" },
        { "fo", "Zm8=" },
        { "foo", "Zm9v" },
        { "foob", "Zm9vYg==" },
        { "fooba", "Zm9vYmE=" },
        { "foobar", "Zm9vYmFy" },
        { "\xFB\xFF\xBF", "+/+/" },
    };
    for (size_t i = 0; i < ARRAY_LENGTH(rows); i++) {
        auto_free char *encoded = base64_encode(rows[i].plain, strlen(rows[i].plain));
        assert_string_equal(encoded, rows[i].encoded);
        size_t length = 99;
        auto_free char *plain = base64_decode(rows[i].encoded, &length);
        assert_string_equal(plain, rows[i].plain);
        assert_int_equal(length, strlen(rows[i].plain));
    }
}

static void test_zero_bytes_survive(void **state)
{
    (void)state;
    auto_free char *encoded = base64_encode("a\0b\0", 4);
    size_t length = 0;
    auto_free char *plain = base64_decode(encoded, &length);
    assert_int_equal(length, 4);
    assert_memory_equal(plain, "a\0b\0", 5);
}

static void test_pasted_white_space_is_fine(void **state)
{
    (void)state;
    size_t length = 0;
    auto_free char *plain = base64_decode(" Zm9v\r\nYm\tFy \n", &length);
    assert_string_equal(plain, "foobar");
    assert_int_equal(length, 6);
}

static void test_anything_else_is_refused(void **state)
{
    (void)state;
    static const char *const rows[] = {
        "Z",     "Zg",   "Zg=",  "Zg===", "=",        "====",     "Z===",
        "Zm9v=", "Z=g=", "Zm-_", "Zm9*",  "Zg==Zm9v", "Zg==\x80", "=Zg=",
    };
    for (size_t i = 0; i < ARRAY_LENGTH(rows); i++) {
        size_t length = 7;
        auto_free char *plain = base64_decode(rows[i], &length);
        if (plain)
            fail_msg("accepted %s", rows[i]);
        assert_int_equal(length, 7);
    }
}

static void test_sha256(void **state)
{
    (void)state;
    char hex[BASE64_SHA256_HEX_BYTES];
    base64_sha256_hex("abc", 3, hex);
    assert_string_equal(hex, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    base64_sha256_hex("", 0, hex);
    assert_string_equal(hex, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_both_ways),
        cmocka_unit_test(test_zero_bytes_survive),
        cmocka_unit_test(test_pasted_white_space_is_fine),
        cmocka_unit_test(test_anything_else_is_refused),
        cmocka_unit_test(test_sha256),
    };
    return test_run(tests);
}
