/* What was rendered is read back, and nothing else is taken for a key. */
#include "fixture.h"

#include "api/recover.h"
#include "api/target.h"
#include "base/base64.h"

static cJSON *secret_with(const char *entry, const char *text)
{
    cJSON *secret = cJSON_CreateObject();
    auto_free char *encoded = base64_encode(text, strlen(text));
    json_add_string(json_add_object(secret, "data"), entry, encoded);
    return secret;
}

struct row {
    const char *name;
    const char *spec; /* members of spec.secret.data, "" for none */
    const char *entry;
    const char *text;
    const char *key; /* NULL: refused */
};

static const struct row KEYS[] = {
    { "the default entry", "", "DEEPGRAM_API_KEY", FIXTURE_KEY, FIXTURE_KEY },
    { "another entry", "", "OTHER", FIXTURE_KEY, NULL },
    { "an empty entry", "", "DEEPGRAM_API_KEY", "", NULL },
    { "a key with a line break", "", "DEEPGRAM_API_KEY", "abc\ndef", NULL },
    { "inside a file", "\"api.toml\":\"key = \\\"${apiKey}\\\"\\n\"", "api.toml",
      "key = \"" FIXTURE_KEY "\"\n", FIXTURE_KEY },
    { "inside a file that somebody edited", "\"api.toml\":\"key = \\\"${apiKey}\\\"\\n\"",
      "api.toml", "# mine\nkey = \"" FIXTURE_KEY "\"\n", NULL },
    { "twice in one entry", "\"both\":\"${apiKey}:${apiKey}\"", "both", FIXTURE_KEY ":" FIXTURE_KEY,
      NULL },
    { "no placeholder at all", "\"plain\":\"text\"", "plain", "text", NULL },
    { "a text shorter than what stands around it", "\"x\":\"aaaa${apiKey}aaaa\"", "x", "aaaaa",
      NULL },
};

static void test_api_keys(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(KEYS); i++) {
        const struct row *row = &KEYS[i];
        auto_free char *spec =
            row->spec[0] ? mem_printf("\"secret\":{\"data\":{%s}}", row->spec) : mem_strdup("");
        auto_resource struct resource *resource = fixture_resource(RESOURCE_API_KEY, spec);
        auto_json cJSON *secret = secret_with(row->entry, row->text);
        struct credential credential = { 0 };
        struct err err = ERR_INIT;
        bool found = recover_credential(resource, secret, &credential, &err);
        fixture_expect(row->name, found ? secret_reveal(&credential.secret) : NULL, row->key);
        assert_int_equal(err.kind, row->key ? ERR_NONE : ERR_INVALID);
        credential_done(&credential);
    }
}

static const struct row PULLS[] = {
    { "a login for the registry", "", ".dockerconfigjson",
      "{\"auths\":{\"quay.io\":{\"username\":\"deepgram+an-id\",\"password\":\"SECRET\"}}}",
      "SECRET" },
    { "another registry", "", ".dockerconfigjson",
      "{\"auths\":{\"example.com\":{\"username\":\"deepgram+an-id\",\"password\":\"SECRET\"}}}",
      NULL },
    { "a user without an id", "", ".dockerconfigjson",
      "{\"auths\":{\"quay.io\":{\"username\":\"deepgram\",\"password\":\"SECRET\"}}}", NULL },
    { "no password", "", ".dockerconfigjson",
      "{\"auths\":{\"quay.io\":{\"username\":\"deepgram+an-id\"}}}", NULL },
    { "not JSON", "", ".dockerconfigjson", "{", NULL },
};

static void test_pull_credentials(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(PULLS); i++) {
        const struct row *row = &PULLS[i];
        auto_resource struct resource *resource = fixture_resource(RESOURCE_PULL_SECRET, "");
        auto_json cJSON *secret = secret_with(row->entry, row->text);
        struct credential credential = { 0 };
        struct err err = ERR_INIT;
        bool found = recover_credential(resource, secret, &credential, &err);
        fixture_expect(row->name, found ? secret_reveal(&credential.secret) : NULL, row->key);
        fixture_expect(row->name, credential.id, row->key ? "an-id" : NULL);
        credential_done(&credential);
    }
}

static void test_an_edited_entry_shows_in_the_digest(void **state)
{
    (void)state;
    auto_json cJSON *secret = secret_with("DEEPGRAM_API_KEY", FIXTURE_KEY);
    char digest[CANONICAL_DIGEST_BYTES];
    target_digest(secret, digest);
    assert_false(recover_is_unedited(secret));
    json_add_string(json_add_object(json_add_object(secret, "metadata"), "annotations"),
                    ANNOTATION_DIGEST, digest);
    assert_true(recover_is_unedited(secret));
    json_add_string(cJSON_GetObjectItemCaseSensitive(secret, "data"), "MORE", "eA==");
    assert_false(recover_is_unedited(secret));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_api_keys),
        cmocka_unit_test(test_pull_credentials),
        cmocka_unit_test(test_an_edited_entry_shows_in_the_digest),
    };
    return fixture_run(tests);
}
