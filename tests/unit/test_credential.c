#include "fixture.h"

#include "api/credential.h"
#include "base/base64.h"

static void test_revision_secret_names(void **state)
{
    (void)state;
    auto_free char *key = revision_secret_name(RESOURCE_API_KEY, "voice", 12);
    auto_free char *pull = revision_secret_name(RESOURCE_PULL_SECRET, "voice", 1);
    assert_string_equal(key, "voice-dgkey-r12");
    assert_string_equal(pull, "voice-dgpull-r1");
}

static void test_long_names_are_shortened_and_stay_different(void **state)
{
    (void)state;
    char name[254] = "";
    memset(name, 'a', 253);
    auto_free char *one = revision_secret_name(RESOURCE_API_KEY, name, 1);
    name[252] = 'b';
    auto_free char *other = revision_secret_name(RESOURCE_API_KEY, name, 1);
    auto_free char *later = revision_secret_name(RESOURCE_API_KEY, name, 1000000000);
    assert_int_equal(strlen(one), 253);
    assert_string_not_equal(one, other);
    assert_int_equal(strlen(later), 253);
    assert_string_equal(one + 253 - 9, "-dgkey-r1");
    name[244] = '\0'; /* with "-dgkey-r1" just short enough */
    auto_free char *fits = revision_secret_name(RESOURCE_API_KEY, name, 1);
    assert_int_equal(strncmp(fits, name, 244), 0);
    assert_int_equal(strlen(fits), 253);
}

static void test_shortening_leaves_a_valid_name(void **state)
{
    (void)state;
    for (size_t dot = 200; dot < 252; dot++) {
        char name[254] = "";
        memset(name, 'a', 253);
        name[dot] = '.';
        auto_free char *text = revision_secret_name(RESOURCE_PULL_SECRET, name, 7);
        assert_true(strlen(text) <= 253);
        assert_null(strstr(text, ".-"));
        assert_true(revision_secret_name_matches(text));
    }
}

static void test_names_of_that_form(void **state)
{
    (void)state;
    assert_true(revision_secret_name_matches("voice-dgkey-r1"));
    assert_true(revision_secret_name_matches("a-dgkey-r1-dgpull-r12"));
    assert_true(revision_secret_name_matches("a-dgkey-rx-dgkey-r1"));
    assert_false(revision_secret_name_matches("voice"));
    assert_false(revision_secret_name_matches("voice-dgkey-r"));
    assert_false(revision_secret_name_matches("voice-dgkey-r1-x"));
    assert_false(revision_secret_name_matches("voice-dgkey-r0"));
    assert_false(revision_secret_name_matches(""));
}

static const struct attempt attempt = {
    .revision = 3, .nonce = FIXTURE_NONCE, .spec_hash = "0123456789abcdef", .rotate = "now"
};

static struct credential make_credential(const char *username)
{
    struct credential credential = {
        .id = mem_strdup("id-3"),
        .username = mem_strdup(username),
        .scopes = fixture_json("[\"self-hosted:products\",7,\"with blank\",\"member\"]"),
        .expires_at_ms = 86400000,
    };
    secret_set(&credential.secret, FIXTURE_KEY, 40);
    return credential;
}

static void test_a_revision_secret_is_complete(void **state)
{
    (void)state;
    auto_resource struct resource *resource = fixture_resource(RESOURCE_API_KEY, "");
    struct credential credential = make_credential(NULL);
    auto_json cJSON *secret = revision_secret(resource, &attempt, &credential, 1000);
    fixture_expect_json(
        "revision Secret", secret,
        "{\"apiVersion\":\"v1\",\"kind\":\"Secret\",\"metadata\":{\"name\":\"voice-dgkey-r3\","
        "\"namespace\":\"team\",\"labels\":{\"app.kubernetes.io/managed-by\":"
        "\"deepgram-operator\"},\"annotations\":{\"deepgram.com/resource\":"
        "\"DeepgramApiKey/voice\",\"deepgram.com/revision\":\"3\",\"deepgram.com/id\":\"id-3\","
        "\"deepgram.com/nonce\":\"" FIXTURE_NONCE "\",\"deepgram.com/spec-hash\":"
        "\"0123456789abcdef\",\"deepgram.com/scopes\":\"self-hosted:products member\","
        "\"deepgram.com/project\":\"" FIXTURE_PROJECT "\","
        "\"deepgram.com/issued-at\":\"1970-01-01T00:00:01Z\",\"deepgram.com/expires-at\":"
        "\"1970-01-02T00:00:00Z\",\"deepgram.com/rotate\":\"now\"},\"ownerReferences\":[{"
        "\"apiVersion\":\"deepgram.com/v1alpha1\",\"kind\":\"DeepgramApiKey\",\"name\":\"voice\","
        "\"uid\":\"" FIXTURE_UID "\",\"controller\":true,\"blockOwnerDeletion\":true}]},"
        "\"type\":\"deepgram.com/credential\",\"immutable\":true,\"data\":{\"secret\":"
        "\"YWJjZGVmZ2hpamtsbW5vcHFyc3R1dnd4eXowMTIzNDU2Nzg5MEFCQw==\",\"id\":\"aWQtMw==\"}}");
    credential_done(&credential);
    credential_done(&credential);
}

static void test_what_was_kept_is_read_back(void **state)
{
    (void)state;
    auto_resource struct resource *resource = fixture_resource(RESOURCE_PULL_SECRET, "");
    struct credential credential = make_credential("deepgram+id-3");
    auto_json cJSON *secret = revision_secret(resource, &attempt, &credential, 1000);
    struct revision revision;
    assert_true(revision_parse(secret, &revision));
    assert_string_equal(revision.secret_name, "voice-dgpull-r3");
    assert_string_equal(revision.resource, "DeepgramPullSecret/voice");
    assert_string_equal(revision.owner_uid, FIXTURE_UID);
    assert_int_equal(revision.number, 3);
    assert_string_equal(revision.id, "id-3");
    assert_string_equal(revision.nonce, FIXTURE_NONCE);
    assert_string_equal(revision.spec_hash, "0123456789abcdef");
    assert_string_equal(revision.rotate, "now");
    assert_string_equal(revision.scopes, "self-hosted:products member");
    assert_string_equal(revision.username, "deepgram+id-3");
    assert_int_equal(revision.issued_at_ms, 1000);
    assert_int_equal(revision.expires_at_ms, 86400000);
    assert_false(revision.deleting);

    struct credential read;
    struct err err = ERR_INIT;
    assert_true(revision_read(secret, &read, &err));
    assert_string_equal(read.id, "id-3");
    assert_string_equal(read.username, "deepgram+id-3");
    assert_string_equal(secret_reveal(&read.secret), FIXTURE_KEY);
    assert_int_equal(read.expires_at_ms, 86400000);
    fixture_expect_json("scopes", read.scopes, "[\"self-hosted:products\",\"member\"]");
    credential_done(&read);
    credential_done(&credential);
}

static void test_the_name_of_the_target_is_told(void **state)
{
    (void)state;
    static const struct {
        const char *members;
        const char *name;
    } rows[] = { { "", "voice" }, { "\"secret\":{\"name\":\"other\"}", "other" } };
    for (size_t i = 0; i < ARRAY_LENGTH(rows); i++) {
        auto_resource struct resource *resource =
            fixture_resource(RESOURCE_API_KEY, rows[i].members);
        struct credential credential = make_credential(NULL);
        auto_json cJSON *secret = revision_secret(resource, &attempt, &credential, 1000);
        struct revision revision;
        assert_true(revision_parse(secret, &revision));
        assert_string_equal(revision.issued_for, rows[i].name);
        credential_done(&credential);
    }
}

static void test_metadata_alone_is_enough(void **state)
{
    (void)state;
    auto_resource struct resource *resource = fixture_resource(RESOURCE_API_KEY, "");
    struct credential credential = make_credential(NULL);
    auto_json cJSON *secret = revision_secret(resource, &attempt, &credential, 1000);
    cJSON_DeleteItemFromObjectCaseSensitive(secret, "type");
    cJSON_DeleteItemFromObjectCaseSensitive(secret, "data");
    struct revision revision;
    assert_true(revision_parse(secret, &revision));
    assert_null(revision.username);
    struct credential read;
    struct err err = ERR_INIT;
    assert_false(revision_read(secret, &read, &err));
    assert_int_equal(err.kind, ERR_MALFORMED);
    assert_string_equal(err.message,
                        "revision Secret voice-dgkey-r3: the entry secret is missing or empty");
    credential_done(&read);
    credential_done(&credential);
}

static void test_an_expiry_left_out_is_computed(void **state)
{
    (void)state;
    static const struct {
        const char *name, *members;
        int64_t answered_ms, kept_ms;
    } rows[] = {
        { "never", "", 0, 0 },
        { "answered", "\"validFor\":\"1h\"", 7000, 7000 },
        { "from validFor", "\"validFor\":\"1h\"", 0, 3601000 },
        { "from expiresAt", "\"expiresAt\":\"1970-01-02T00:00:00Z\"", 0, 86400000 },
    };
    for (size_t i = 0; i < ARRAY_LENGTH(rows); i++) {
        auto_resource struct resource *resource =
            fixture_resource(RESOURCE_API_KEY, rows[i].members);
        struct credential credential = make_credential(NULL);
        credential.expires_at_ms = rows[i].answered_ms;
        auto_json cJSON *secret = revision_secret(resource, &attempt, &credential, 1000);
        struct revision revision;
        assert_true(revision_parse(secret, &revision));
        if (revision.expires_at_ms != rows[i].kept_ms)
            fail_msg("%s: %lld", rows[i].name, (long long)revision.expires_at_ms);
        credential_done(&credential);
    }
}

#define LABELS "\"labels\":{\"app.kubernetes.io/managed-by\":\"deepgram-operator\"}"
#define ANNOTATIONS(revision, id)                                                                  \
    "\"annotations\":{\"deepgram.com/resource\":\"DeepgramApiKey/v\",\"deepgram.com/"              \
    "revision\":" revision ",\"deepgram.com/id\":" id ",\"deepgram.com/nonce\":\"\"}"

static void test_other_secrets_are_no_revisions(void **state)
{
    (void)state;
    static const struct {
        const char *name, *text;
        bool is;
    } rows[] = {
        { "adopted, without a nonce",
          "{\"metadata\":{\"name\":\"x\"," LABELS "," ANNOTATIONS("\"1\"", "\"i\"") "}}", true },
        { "other type",
          "{\"type\":\"Opaque\",\"metadata\":{\"name\":\"x\"," LABELS
          "," ANNOTATIONS("\"1\"", "\"i\"") "}}",
          false },
        { "no label", "{\"metadata\":{\"name\":\"x\"," ANNOTATIONS("\"1\"", "\"i\"") "}}", false },
        { "no annotations", "{\"metadata\":{\"name\":\"x\"," LABELS "}}", false },
        { "no name", "{\"metadata\":{" LABELS "," ANNOTATIONS("\"1\"", "\"i\"") "}}", false },
        { "revision 0",
          "{\"metadata\":{\"name\":\"x\"," LABELS "," ANNOTATIONS("\"0\"", "\"i\"") "}}", false },
        { "number for a revision",
          "{\"metadata\":{\"name\":\"x\"," LABELS "," ANNOTATIONS("1", "\"i\"") "}}", false },
        { "path for an id",
          "{\"metadata\":{\"name\":\"x\"," LABELS "," ANNOTATIONS("\"1\"", "\"../x\"") "}}",
          false },
        { "empty id", "{\"metadata\":{\"name\":\"x\"," LABELS "," ANNOTATIONS("\"1\"", "\"\"") "}}",
          false },
        { "a target Secret",
          "{\"metadata\":{\"name\":\"x\"," LABELS ",\"annotations\":{\"deepgram.com/resource\":"
          "\"DeepgramApiKey/v\",\"deepgram.com/revision\":\"1\",\"deepgram.com/id\":\"i\","
          "\"deepgram.com/template\":\"t\"}}}",
          false },
        { "nothing", "null", false },
    };
    for (size_t i = 0; i < ARRAY_LENGTH(rows); i++) {
        auto_json cJSON *json = fixture_json(rows[i].text);
        struct revision revision;
        if (revision_parse(json, &revision) != rows[i].is)
            fail_msg("%s", rows[i].name);
    }
}

static void test_damaged_data_is_an_error(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "null",
        "{\"data\":[]}",
        "{\"data\":{\"secret\":\"eA==\"}}",
        "{\"data\":{\"secret\":7,\"id\":\"eA==\"}}",
        "{\"data\":{\"secret\":\"?\",\"id\":\"eA==\"}}",
        "{\"data\":{\"secret\":\"\",\"id\":\"eA==\"}}",
        "{\"data\":{\"secret\":\"eA==\",\"id\":\"Li4=\"}}",
        "{\"stringData\":{\"secret\":\"x\",\"id\":\"x\"}}",
    };
    for (size_t i = 0; i < ARRAY_LENGTH(texts); i++) {
        auto_json cJSON *json = fixture_json(texts[i]);
        struct credential read;
        struct err err = ERR_INIT;
        if (revision_read(json, &read, &err) || err.kind != ERR_MALFORMED)
            fail_msg("%s", texts[i]);
        assert_null(read.id);
        credential_done(&read);
    }
}

static void test_owners(void **state)
{
    (void)state;
    static const struct {
        const char *name, *references, *uid;
        bool owned;
    } rows[] = {
        { "controller", "[{\"uid\":\"u\",\"controller\":true}]", "u", true },
        { "second in the list", "[{\"uid\":\"a\"},{\"uid\":\"u\",\"controller\":true}]", "u",
          true },
        { "owner that doesn't control", "[{\"uid\":\"u\"}]", "u", false },
        { "another controller", "[{\"uid\":\"a\",\"controller\":true},{\"uid\":\"u\"}]", "u",
          false },
        { "none", "[]", "u", false },
        { "other types", "{\"uid\":\"u\"}", "u", false },
        { "nobody's uid", "[{\"controller\":true}]", NULL, false },
        { "empty uid", "[{\"uid\":\"\",\"controller\":true}]", "", false },
    };
    for (size_t i = 0; i < ARRAY_LENGTH(rows); i++) {
        auto_free char *text =
            mem_printf("{\"metadata\":{\"ownerReferences\":%s}}", rows[i].references);
        auto_json cJSON *json = fixture_json(text);
        if (owned_by(json, rows[i].uid) != rows[i].owned)
            fail_msg("%s", rows[i].name);
    }
    assert_false(owned_by(NULL, "u"));
}

#define NAMESPACE_OWNER                                                                            \
    "{\"apiVersion\":\"v1\",\"kind\":\"Namespace\",\"name\":\"team\",\"uid\":\"u-team\"}"

static void test_a_namespace_is_an_owner_beside_the_others(void **state)
{
    (void)state;
    static const struct {
        const char *before, *after;
    } rows[] = {
        { "{}", "[" NAMESPACE_OWNER "]" },
        { "{\"ownerReferences\":[{\"uid\":\"a\",\"controller\":true}]}",
          "[{\"uid\":\"a\",\"controller\":true}," NAMESPACE_OWNER "]" },
    };
    for (size_t i = 0; i < ARRAY_LENGTH(rows); i++) {
        auto_json cJSON *secret = cJSON_CreateObject();
        cJSON *metadata = fixture_json(rows[i].before);
        cJSON_AddItemToObject(secret, "metadata", metadata);
        assert_false(owner_is_anchored(secret));
        owner_anchor(metadata, "team", "u-team");
        auto_free char *after = json_print(json_at(secret, "metadata.ownerReferences"));
        assert_string_equal(after, rows[i].after);
        assert_true(owner_is_anchored(secret));
    }
    assert_false(owner_is_anchored(NULL));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_revision_secret_names),
        cmocka_unit_test(test_long_names_are_shortened_and_stay_different),
        cmocka_unit_test(test_shortening_leaves_a_valid_name),
        cmocka_unit_test(test_names_of_that_form),
        cmocka_unit_test(test_a_revision_secret_is_complete),
        cmocka_unit_test(test_what_was_kept_is_read_back),
        cmocka_unit_test(test_the_name_of_the_target_is_told),
        cmocka_unit_test(test_metadata_alone_is_enough),
        cmocka_unit_test(test_an_expiry_left_out_is_computed),
        cmocka_unit_test(test_other_secrets_are_no_revisions),
        cmocka_unit_test(test_damaged_data_is_an_error),
        cmocka_unit_test(test_owners),
        cmocka_unit_test(test_a_namespace_is_an_owner_beside_the_others),
    };
    return fixture_run(tests);
}
