#include "fixture.h"

#include "api/target.h"
#include "base/base64.h"

static const struct revision revision = { .number = 3, .id = "id-3" };

static struct credential make_credential(const char *username)
{
    struct credential credential = {
        .id = mem_strdup("id-3"),
        .username = mem_strdup(username),
    };
    secret_set(&credential.secret, FIXTURE_KEY, 40);
    return credential;
}

static cJSON *render(const struct resource *resource, const cJSON *existing, int64_t now_ms)
{
    struct credential credential = make_credential("deepgram+id-3");
    struct err err = ERR_INIT;
    cJSON *secret = target_render(resource, &revision, &credential, existing, now_ms, &err);
    if (!secret)
        fail_msg("%s", err.message);
    credential_done(&credential);
    return secret;
}

/* The decoded entry; the caller frees it. */
static char *entry(const cJSON *secret, const char *name)
{
    const char *text = json_string_member(json_at(secret, "data"), name);
    size_t length = 0;
    return text ? base64_decode(text, &length) : NULL;
}

static const char *annotation(const cJSON *secret, const char *name)
{
    return json_string_member(json_at(secret, "metadata.annotations"), name);
}

static const char *label(const cJSON *secret, const char *name)
{
    return json_string_member(json_at(secret, "metadata.labels"), name);
}

static void test_a_new_target_is_complete(void **state)
{
    (void)state;
    auto_resource struct resource *resource = fixture_resource(RESOURCE_API_KEY, "");
    auto_json cJSON *secret = render(resource, NULL, 1000);
    auto_free char *digest = mem_strdup(annotation(secret, "deepgram.com/template"));
    assert_int_equal(strspn(digest, "0123456789abcdef"), 16);
    char data_digest[CANONICAL_DIGEST_BYTES];
    target_digest(secret, data_digest);
    auto_free char *wanted = mem_printf(
        "{\"apiVersion\":\"v1\",\"kind\":\"Secret\",\"metadata\":{\"name\":\"voice\","
        "\"namespace\":\"team\",\"labels\":{\"app.kubernetes.io/managed-by\":"
        "\"deepgram-operator\"},\"annotations\":{\"deepgram.com/published-at\":"
        "\"1970-01-01T00:00:01Z\",\"deepgram.com/resource\":\"DeepgramApiKey/voice\","
        "\"deepgram.com/revision\":\"3\",\"deepgram.com/id\":\"id-3\",\"deepgram.com/template\":"
        "\"%s\",\"deepgram.com/"
        "digest\":\"%s\"},\"ownerReferences\":[{\"apiVersion\":\"deepgram.com/v1alpha1\",\"kind\":"
        "\"DeepgramApiKey\",\"name\":\"voice\",\"uid\":\"" FIXTURE_UID "\",\"controller\":true,"
        "\"blockOwnerDeletion\":true}]},\"type\":\"Opaque\",\"data\":{\"DEEPGRAM_API_KEY\":"
        "\"YWJjZGVmZ2hpamtsbW5vcHFyc3R1dnd4eXowMTIzNDU2Nzg5MEFCQw==\"}}",
        digest, data_digest);
    fixture_expect_json("target", secret, wanted);
    assert_true(target_metadata_current(resource, 3, secret));
}

static void test_templates_make_the_entries(void **state)
{
    (void)state;
    auto_resource struct resource *resource = fixture_resource(
        RESOURCE_API_KEY, "\"secret\":{\"name\":\"toml\",\"data\":{\"api.toml\":"
                          "\"[license]\\nkey = \\\"${apiKey}\\\"\\n\",\"license-key\":"
                          "\"${apiKey}\",\"ids\":\"${keyId} ${projectId} $${x}\"}}");
    auto_json cJSON *secret = render(resource, NULL, 1000);
    auto_free char *toml = entry(secret, "api.toml");
    auto_free char *key = entry(secret, "license-key");
    auto_free char *ids = entry(secret, "ids");
    assert_string_equal(toml, "[license]\nkey = \"" FIXTURE_KEY "\"\n");
    assert_string_equal(key, FIXTURE_KEY);
    assert_string_equal(ids, "id-3 " FIXTURE_PROJECT " ${x}");
    assert_null(json_string_at(secret, "data.DEEPGRAM_API_KEY"));
    assert_string_equal(json_string_at(secret, "metadata.name"), "toml");
}

static void test_pull_credentials_log_in_at_quay(void **state)
{
    (void)state;
    auto_resource struct resource *resource = fixture_resource(RESOURCE_PULL_SECRET, "");
    auto_json cJSON *secret = render(resource, NULL, 1000);
    assert_string_equal(json_string_at(secret, "type"), "kubernetes.io/dockerconfigjson");
    auto_free char *config = entry(secret, ".dockerconfigjson");
    auto_free char *auth = base64_encode("deepgram+id-3:" FIXTURE_KEY, 14 + 40);
    auto_free char *wanted =
        mem_printf("{\"auths\":{\"quay.io\":{\"username\":\"deepgram+id-3\",\"password\":"
                   "\"" FIXTURE_KEY "\",\"auth\":\"%s\"}}}",
                   auth);
    assert_string_equal(config, wanted);
    assert_int_equal(cJSON_GetArraySize(json_at(secret, "data")), 1);
}

static void test_logins_of_other_registries_stay(void **state)
{
    (void)state;
    static const struct {
        const char *before;
        const char *after; /* beside ours */
    } rows[] = {
        { "{\"auths\":{\"ghcr.io\":{\"auth\":\"eDp5\"},\"quay.io\":{\"auth\":\"b2xk\"}}}",
          "{\"ghcr.io\":{\"auth\":\"eDp5\"}}" },
        { "{\"auths\":[1]}", "{}" },
        { "{\"auths\":7}", "{}" },
        { "[", "{}" },
    };
    auto_resource struct resource *resource = fixture_resource(RESOURCE_PULL_SECRET, "");
    for (size_t i = 0; i < ARRAY_LENGTH(rows); i++) {
        auto_json cJSON *existing = cJSON_CreateObject();
        auto_free char *encoded = base64_encode(rows[i].before, strlen(rows[i].before));
        json_add_string(json_add_object(existing, "data"), ".dockerconfigjson", encoded);
        auto_json cJSON *secret = render(resource, existing, 1000);
        auto_free char *text = entry(secret, ".dockerconfigjson");
        auto_json cJSON *config = fixture_json(text);
        cJSON *auths = cJSON_GetObjectItemCaseSensitive(config, "auths");
        assert_string_equal(json_string_member(json_member(auths, "quay.io"), "username"),
                            "deepgram+id-3");
        cJSON_DeleteItemFromObjectCaseSensitive(auths, "quay.io");
        auto_free char *others = json_print(auths);
        assert_string_equal(others, rows[i].after);
        auto_json cJSON *again = render(resource, secret, 1000);
        assert_true(target_same_content(secret, again));
    }
}

static const char foreign[] =
    "{\"metadata\":{\"name\":\"voice\",\"namespace\":\"team\",\"uid\":\"s\",\"resourceVersion\":"
    "\"9\",\"managedFields\":[{}],\"finalizers\":[\"a/b\"],\"labels\":{\"team\":\"x\","
    "\"app.kubernetes.io/managed-by\":\"helm\"},\"annotations\":{\"note\":\"y\","
    "\"deepgram.com/revision\":\"99\"},\"ownerReferences\":[{\"uid\":\"other\"},"
    "{\"uid\":\"boss\",\"controller\":true}]},\"type\":\"Opaque\",\"immutable\":false,"
    "\"data\":{\"LEFT_OVER\":\"eA==\"}}";

static void test_others_metadata_survives_and_their_data_does_not(void **state)
{
    (void)state;
    auto_resource struct resource *resource =
        fixture_resource(RESOURCE_API_KEY,
                         "\"secret\":{\"labels\":{\"own\":\"z\"},\"annotations\":{\"n/a\":\"q\"}}");
    auto_json cJSON *existing = fixture_json(foreign);
    assert_false(target_metadata_current(resource, 3, existing));
    auto_json cJSON *secret = render(resource, existing, 1000);
    assert_string_equal(json_string_at(secret, "metadata.uid"), "s");
    assert_string_equal(json_string_at(secret, "metadata.resourceVersion"), "9");
    assert_null(json_at(secret, "metadata.managedFields"));
    fixture_expect_json("finalizers", json_at(secret, "metadata.finalizers"), "[\"a/b\"]");
    assert_string_equal(label(secret, "team"), "x");
    assert_string_equal(label(secret, "own"), "z");
    assert_string_equal(label(secret, LABEL_MANAGED_BY), MANAGED_BY);
    assert_string_equal(annotation(secret, "note"), "y");
    assert_string_equal(annotation(secret, "n/a"), "q");
    assert_string_equal(annotation(secret, ANNOTATION_REVISION), "3");
    assert_int_equal(cJSON_GetArraySize(json_at(secret, "metadata.ownerReferences")), 2);
    assert_true(owned_by(secret, FIXTURE_UID));
    assert_int_equal(cJSON_GetArraySize(json_at(secret, "data")), 1);
    assert_true(target_metadata_current(resource, 3, secret));
    auto_json cJSON *again = render(resource, secret, 5000);
    assert_true(cJSON_Compare(secret, again, true));
}

static void test_what_left_the_spec_leaves_the_target(void **state)
{
    (void)state;
    auto_resource struct resource *before = fixture_resource(
        RESOURCE_API_KEY,
        "\"secret\":{\"labels\":{\"a\":\"1\",\"b\":\"2\"},\"annotations\":{\"c\":\"3\"}}");
    auto_resource struct resource *after =
        fixture_resource(RESOURCE_API_KEY, "\"secret\":{\"labels\":{\"a\":\"1\"}}");
    auto_resource struct resource *bare = fixture_resource(RESOURCE_API_KEY, "");
    auto_json cJSON *existing = fixture_json(foreign);
    auto_json cJSON *first = render(before, existing, 1000);
    assert_false(target_metadata_current(after, 3, first));
    auto_json cJSON *second = render(after, first, 2000);
    assert_string_equal(label(second, "a"), "1");
    assert_null(label(second, "b"));
    assert_null(annotation(second, "c"));
    assert_true(target_metadata_current(after, 3, second));
    auto_json cJSON *third = render(bare, second, 3000);
    assert_null(label(third, "a"));
    assert_null(annotation(third, ANNOTATION_APPLIED));
    assert_string_equal(label(third, "team"), "x");
    assert_string_equal(annotation(third, "note"), "y");
}

static void test_a_damaged_note_of_what_was_applied_is_harmless(void **state)
{
    (void)state;
    static const char *const notes[] = { "", "[", "7", "{\"labels\":7,\"annotations\":[7,{}]}",
                                         "{\"annotations\":[\"deepgram.com/revision\"]}" };
    auto_resource struct resource *resource = fixture_resource(RESOURCE_API_KEY, "");
    for (size_t i = 0; i < ARRAY_LENGTH(notes); i++) {
        auto_json cJSON *existing = fixture_json("{\"metadata\":{\"annotations\":{}}}");
        json_add_string(
            cJSON_GetObjectItem(cJSON_GetObjectItem(existing, "metadata"), "annotations"),
            ANNOTATION_APPLIED, notes[i]);
        auto_json cJSON *secret = render(resource, existing, 1000);
        assert_true(target_metadata_current(resource, 3, secret));
        assert_null(annotation(secret, ANNOTATION_APPLIED));
    }
}

static void test_published_at_changes_with_the_credential(void **state)
{
    (void)state;
    auto_resource struct resource *resource = fixture_resource(RESOURCE_API_KEY, "");
    auto_resource struct resource *other =
        fixture_resource(RESOURCE_API_KEY, "\"secret\":{\"data\":{\"a\":\"${apiKey}\"}}");
    auto_json cJSON *first = render(resource, NULL, 1000);
    auto_json cJSON *same = render(other, first, 2000);
    assert_string_equal(annotation(same, ANNOTATION_PUBLISHED_AT), "1970-01-01T00:00:01Z");
    struct credential credential = make_credential(NULL);
    struct err err = ERR_INIT;
    static const struct {
        struct revision revision;
        const char *published_at;
    } rows[] = {
        { { .number = 4, .id = "id-3" }, "1970-01-01T00:00:01Z" }, /* adopted twice, renumbered */
        { { .number = 3, .id = "id-4" }, "1970-01-01T00:00:02Z" },
    };
    for (size_t i = 0; i < ARRAY_LENGTH(rows); i++) {
        auto_json cJSON *next =
            target_render(resource, &rows[i].revision, &credential, first, 2000, &err);
        assert_string_equal(annotation(next, ANNOTATION_PUBLISHED_AT), rows[i].published_at);
    }
    credential_done(&credential);
}

static void test_published_at_of_a_lost_target_is_known_from_status(void **state)
{
    (void)state;
    static const struct {
        const char *status;
        const char *published_at;
    } rows[] = {
        { "{\"revision\":3,\"id\":\"id-3\",\"publishedAt\":\"1970-01-01T00:00:01Z\"}",
          "1970-01-01T00:00:01Z" },
        { "{\"revision\":2,\"id\":\"id-3\",\"publishedAt\":\"1970-01-01T00:00:01Z\"}",
          "1970-01-01T00:00:02Z" },
        { "{\"revision\":3,\"id\":\"id-2\",\"publishedAt\":\"1970-01-01T00:00:01Z\"}",
          "1970-01-01T00:00:02Z" },
        { "{\"revision\":3,\"id\":\"id-3\"}", "1970-01-01T00:00:02Z" },
        { "{}", "1970-01-01T00:00:02Z" },
    };
    for (size_t i = 0; i < ARRAY_LENGTH(rows); i++) {
        auto_resource struct resource *resource = fixture_resource(RESOURCE_API_KEY, "");
        auto_json cJSON *status = fixture_json(rows[i].status);
        status_parse(status, &resource->status);
        auto_json cJSON *secret = render(resource, NULL, 2000);
        assert_string_equal(annotation(secret, ANNOTATION_PUBLISHED_AT), rows[i].published_at);
    }
}

static void test_a_write_that_was_carried_out_late_published_then(void **state)
{
    (void)state;
    static const struct {
        const char *metadata;
        int64_t published_ms;
    } rows[] = {
        { "\"managedFields\":[{\"manager\":\"deepgram-operator-publication\","
          "\"time\":\"1970-01-01T00:00:31Z\"}],\"annotations\":{"
          "\"deepgram.com/published-at\":\"1970-01-01T00:00:01Z\"}",
          31000 },
        { "\"managedFields\":[{\"manager\":\"kubectl-edit\",\"time\":\"1970-01-01T00:00:31Z\"},"
          "{\"manager\":\"deepgram-operator\",\"time\":\"1970-01-01T00:00:31Z\"},"
          "{\"manager\":\"deepgram-operator-publication\",\"time\":\"1970-01-01T00:00:02Z\"}],"
          "\"annotations\":{\"deepgram.com/published-at\":\"1970-01-01T00:00:01Z\"}",
          2000 },
        { "\"managedFields\":[{\"manager\":\"deepgram-operator-publication\","
          "\"time\":\"1970-01-01T00:00:01Z\"}],\"annotations\":{"
          "\"deepgram.com/published-at\":\"1970-01-01T00:00:31Z\"}",
          31000 },
        { "\"managedFields\":[{\"manager\":\"deepgram-operator-publication\"},7],\"annotations\":{"
          "\"deepgram.com/published-at\":\"1970-01-01T00:00:01Z\"}",
          1000 },
        { "\"managedFields\":[{\"manager\":\"deepgram-operator-publication\","
          "\"time\":\"1970-01-01T00:00:31Z\"}],\"annotations\":{}",
          0 },
    };
    for (size_t i = 0; i < ARRAY_LENGTH(rows); i++) {
        auto_free char *text = mem_printf("{\"metadata\":{%s}}", rows[i].metadata);
        auto_json cJSON *secret = fixture_json(text);
        assert_int_equal(target_published_ms(secret), rows[i].published_ms);
        target_note_published(secret);
        cJSON_DeleteItemFromObject(cJSON_GetObjectItem(secret, "metadata"), "managedFields");
        assert_int_equal(target_published_ms(secret), rows[i].published_ms);
    }
}

/* Or the API server would note when it was mended. */
static void test_a_target_that_is_mended_is_not_published_anew(void **state)
{
    (void)state;
    auto_resource struct resource *resource = fixture_resource(RESOURCE_API_KEY, "");
    auto_json cJSON *first = render(resource, NULL, 1999);
    assert_true(target_is_publication(first, 1999));
    auto_json cJSON *mended = render(resource, first, 61000);
    assert_false(target_is_publication(mended, 61000));
}

static void test_what_makes_metadata_outdated(void **state)
{
    (void)state;
    static const struct {
        const char *name, *members;
        bool current;
    } rows[] = {
        { "nothing changed",
          "\"secret\":{\"labels\":{\"a\":\"b\"},\"data\":{\"k\":\"${apiKey}\",\"i\":\"${keyId}\"}}",
          true },
        { "order of entries",
          "\"secret\":{\"labels\":{\"a\":\"b\"},\"data\":{\"i\":\"${keyId}\",\"k\":\"${apiKey}\"}}",
          true },
        { "what isn't published",
          "\"suspend\":true,\"comment\":\"x\",\"secret\":{\"labels\":{\"a\":\"b\"},"
          "\"data\":{\"k\":\"${apiKey}\",\"i\":\"${keyId}\"}}",
          true },
        { "template",
          "\"secret\":{\"labels\":{\"a\":\"b\"},\"data\":{\"k\":\"${apiKey}\",\"i\":\"\"}}",
          false },
        { "label",
          "\"secret\":{\"labels\":{\"a\":\"c\"},\"data\":{\"k\":\"${apiKey}\","
          "\"i\":\"${keyId}\"}}",
          false },
        { "label gone", "\"secret\":{\"data\":{\"k\":\"${apiKey}\",\"i\":\"${keyId}\"}}", false },
        { "annotation",
          "\"secret\":{\"labels\":{\"a\":\"b\"},\"annotations\":{\"c\":\"d\"},"
          "\"data\":{\"k\":\"${apiKey}\",\"i\":\"${keyId}\"}}",
          false },
    };
    auto_resource struct resource *first = fixture_resource(RESOURCE_API_KEY, rows[0].members);
    auto_json cJSON *secret = render(first, NULL, 1000);
    for (size_t i = 0; i < ARRAY_LENGTH(rows); i++) {
        auto_resource struct resource *resource =
            fixture_resource(RESOURCE_API_KEY, rows[i].members);
        if (target_metadata_current(resource, 3, secret) != rows[i].current)
            fail_msg("%s", rows[i].name);
    }
    assert_false(target_metadata_current(first, 4, secret));
    assert_false(target_metadata_current(first, 3, NULL));
    cJSON *labels = cJSON_GetObjectItem(cJSON_GetObjectItem(secret, "metadata"), "labels");
    cJSON_DeleteItemFromObject(labels, "a");
    assert_false(target_metadata_current(first, 3, secret));
}

static void test_own_names_win_over_the_spec(void **state)
{
    (void)state;
    auto_resource struct resource *resource = fixture_resource(
        RESOURCE_API_KEY, "\"secret\":{\"labels\":{\"app.kubernetes.io/managed-by\":\"me\"}}");
    assert_string_equal(resource->spec_error, "");
    auto_json cJSON *secret = render(resource, NULL, 1000);
    assert_string_equal(label(secret, LABEL_MANAGED_BY), MANAGED_BY);
    assert_true(target_metadata_current(resource, 3, secret));
}

static void test_too_much_data_is_refused(void **state)
{
    (void)state;
    auto_free char *big = mem_alloc(700 * 1024);
    memset(big, 'x', 700 * 1024 - 1);
    auto_free char *members =
        mem_printf("\"secret\":{\"data\":{\"a\":\"%s\",\"b\":\"%s\"}}", big, big);
    auto_resource struct resource *resource = fixture_resource(RESOURCE_API_KEY, members);
    struct credential credential = make_credential(NULL);
    struct err err = ERR_INIT;
    assert_null(target_render(resource, &revision, &credential, NULL, 0, &err));
    assert_int_equal(err.kind, ERR_INVALID);
    assert_non_null(strstr(err.message, "spec.secret.data: entry \"b\": the value would have"));
    credential_done(&credential);
}

static void test_content_is_type_and_data(void **state)
{
    (void)state;
    static const struct {
        const char *name, *one, *other;
        bool same;
    } rows[] = {
        { "equal but for metadata", "{\"type\":\"a\",\"data\":{\"x\":\"1\",\"y\":\"2\"}}",
          "{\"metadata\":{},\"type\":\"a\",\"data\":{\"y\":\"2\",\"x\":\"1\"}}", true },
        { "value", "{\"type\":\"a\",\"data\":{\"x\":\"1\"}}",
          "{\"type\":\"a\",\"data\":{\"x\":\"2\"}}", false },
        { "entry more", "{\"type\":\"a\",\"data\":{\"x\":\"1\"}}",
          "{\"type\":\"a\",\"data\":{\"x\":\"1\",\"y\":\"2\"}}", false },
        { "entry less", "{\"type\":\"a\",\"data\":{\"x\":\"1\",\"y\":\"2\"}}",
          "{\"type\":\"a\",\"data\":{\"x\":\"1\"}}", false },
        { "case of a name", "{\"type\":\"a\",\"data\":{\"x\":\"1\"}}",
          "{\"type\":\"a\",\"data\":{\"X\":\"1\"}}", false },
        { "type", "{\"type\":\"a\",\"data\":{}}", "{\"type\":\"b\",\"data\":{}}", false },
        { "no data", "{\"type\":\"a\",\"data\":{\"x\":\"1\"}}", "{\"type\":\"a\"}", false },
    };
    for (size_t i = 0; i < ARRAY_LENGTH(rows); i++) {
        auto_json cJSON *one = fixture_json(rows[i].one);
        auto_json cJSON *other = fixture_json(rows[i].other);
        if (target_same_content(one, other) != rows[i].same)
            fail_msg("%s", rows[i].name);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_new_target_is_complete),
        cmocka_unit_test(test_templates_make_the_entries),
        cmocka_unit_test(test_pull_credentials_log_in_at_quay),
        cmocka_unit_test(test_logins_of_other_registries_stay),
        cmocka_unit_test(test_others_metadata_survives_and_their_data_does_not),
        cmocka_unit_test(test_what_left_the_spec_leaves_the_target),
        cmocka_unit_test(test_a_damaged_note_of_what_was_applied_is_harmless),
        cmocka_unit_test(test_published_at_changes_with_the_credential),
        cmocka_unit_test(test_published_at_of_a_lost_target_is_known_from_status),
        cmocka_unit_test(test_a_write_that_was_carried_out_late_published_then),
        cmocka_unit_test(test_a_target_that_is_mended_is_not_published_anew),
        cmocka_unit_test(test_what_makes_metadata_outdated),
        cmocka_unit_test(test_own_names_win_over_the_spec),
        cmocka_unit_test(test_too_much_data_is_refused),
        cmocka_unit_test(test_content_is_type_and_data),
    };
    return fixture_run(tests);
}
