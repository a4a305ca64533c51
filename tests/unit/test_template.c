#include "fixture.h"

#include "api/template.h"

static void test_placeholders(void **state)
{
    (void)state;
    static const struct {
        const char *name, *text;
        const char *out;   /* NULL: refused */
        const char *error; /* part of the message */
    } rows[] = {
        { "key", "${apiKey}", "KEY", NULL },
        { "all of them", "a${keyId}b${projectId}c${apiKey}", "aIDbPROJECTcKEY", NULL },
        { "side by side", "${apiKey}${apiKey}", "KEYKEY", NULL },
        { "none", "plain", "plain", NULL },
        { "empty", "", "", NULL },
        { "lone dollar", "a $ b $HOME $", "a $ b $HOME $", NULL },
        { "dollars", "$$ $$$", "$$ $$$", NULL },
        { "literal", "$${apiKey}", "${apiKey}", NULL },
        { "dollar before a literal", "$$${apiKey}", "$${apiKey}", NULL },
        { "literal before a placeholder", "$${${apiKey}", "${KEY", NULL },
        { "braces", "{apiKey} }{", "{apiKey} }{", NULL },
        { "TOML", "[license]\nkey = \"${apiKey}\"\n", "[license]\nkey = \"KEY\"\n", NULL },
        { "unknown", "x${key}", NULL, "unknown placeholder ${key}:" },
        { "other case", "${APIKEY}", NULL, "unknown placeholder ${APIKEY}:" },
        { "blank in it", "${ apiKey }", NULL, "unknown placeholder ${ apiKey }:" },
        { "empty name", "${}", NULL, "unknown placeholder ${}:" },
        { "nested", "${key${apiKey}Id}", NULL, "unknown placeholder ${key${apiKey}:" },
        { "unclosed", "${apiKey", NULL, "isn't closed" },
        { "unclosed at the end", "x${", NULL, "isn't closed" },
    };
    struct secret key = { 0 };
    secret_set(&key, "KEY", 3);
    for (size_t i = 0; i < ARRAY_LENGTH(rows); i++) {
        auto_buf struct buf out;
        buf_init(&out, 1000);
        struct err err = ERR_INIT;
        bool ok = template_expand(rows[i].text, &key, "ID", "PROJECT", &out, &err);
        assert_int_equal(ok, rows[i].out != NULL);
        if (ok)
            fixture_expect(rows[i].name, buf_text(&out), rows[i].out);
        else if (err.kind != ERR_INVALID || !strstr(err.message, rows[i].error))
            fail_msg("%s: %s", rows[i].name, err.message);
        assert_int_equal(template_check(rows[i].text, &err), ok);
    }
    secret_done(&key);
}

static void test_the_result_is_bounded(void **state)
{
    (void)state;
    auto_secret struct secret key = { 0 };
    secret_set(&key, FIXTURE_KEY, 40);
    auto_buf struct buf out;
    buf_init(&out, 100);
    struct err err = ERR_INIT;
    assert_true(template_expand("${apiKey}${apiKey}", &key, "", "", &out, &err));
    assert_false(template_expand("${apiKey}", &key, "", "", &out, &err));
    assert_int_equal(err.kind, ERR_INVALID);
    assert_string_equal(err.message, "the value would have more than 100 bytes");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_placeholders),
        cmocka_unit_test(test_the_result_is_bounded),
    };
    return fixture_run(tests);
}
