#include "fixture.h"

#include "api/resource.h"

static void expect_no_null(const struct resource *resource)
{
    assert_non_null(resource->namespace);
    assert_non_null(resource->name);
    assert_non_null(resource->uid);
    assert_non_null(resource->resource_version);
    assert_non_null(resource->rotate);
    assert_non_null(resource->spec.project_id);
    assert_non_null(resource->spec.secret_name);
    assert_non_null(resource->status.id);
    assert_non_null(resource->status.secret_name);
    assert_non_null(resource->status.secret_resource_version);
    assert_non_null(resource->status.last_handled_rotate);
    assert_non_null(resource->status.ready_reason);
}

static void test_any_json_is_harmless(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "null",
        "7",
        "\"text\"",
        "[]",
        "{}",
        "{\"metadata\":7,\"spec\":7,\"status\":7}",
        "{\"metadata\":{\"name\":1,\"namespace\":[],\"uid\":{},\"annotations\":[],"
        "\"finalizers\":\"deepgram.com/revoke\",\"deletionTimestamp\":1,\"generation\":\"x\"}}",
        "{\"metadata\":{\"annotations\":{\"deepgram.com/issuing\":7,\"deepgram.com/rotate\":{},"
        "\"deepgram.com/abandon\":true},\"finalizers\":[1,null,{}]}}",
        "{\"status\":{\"conditions\":{},\"revisions\":{},\"revision\":\"1\",\"failures\":-3,"
        "\"issuedAt\":1,\"id\":[]}}",
        "{\"status\":{\"conditions\":[1,{}],\"revisions\":[1,{},{\"revision\":1}]}}",
        "{\"status\":{\"revision\":1000000000,\"revisions\":[{\"revision\":1000000000,"
        "\"id\":\"id-3\",\"state\":\"Current\"}]}}",
    };
    for (int kind = 0; kind < RESOURCE_KINDS; kind++) {
        for (size_t i = 0; i < ARRAY_LENGTH(texts); i++) {
            auto_resource struct resource *resource =
                resource_new((enum resource_kind)kind, fixture_json(texts[i]));
            expect_no_null(resource);
            assert_string_not_equal(resource->spec_error, "");
            assert_int_equal(resource->attempt_count, 0);
            assert_int_equal(resource->status.revision_count, 0);
            assert_int_equal(resource->status.failures, 0);
            assert_false(resource->deleting);
            assert_false(resource->has_finalizer);
            assert_false(resource->abandon);
        }
        auto_resource struct resource *resource = resource_new((enum resource_kind)kind, NULL);
        expect_no_null(resource);
    }
}

static void test_deep_json_is_harmless(void **state)
{
    (void)state;
    char text[2000] = "{\"spec\":";
    for (int i = 0; i < 300; i++)
        strcat(text, "[");
    for (int i = 0; i < 300; i++)
        strcat(text, "]");
    strcat(text, "}");
    auto_resource struct resource *resource = resource_new(RESOURCE_API_KEY, fixture_json(text));
    assert_string_equal(resource->spec_error, "spec.projectId is missing");
}

static void test_metadata(void **state)
{
    (void)state;
    auto_resource struct resource *resource = resource_new(
        RESOURCE_API_KEY,
        fixture_json("{\"metadata\":{\"namespace\":\"team\",\"name\":\"voice\",\"uid\":\"u\","
                     "\"resourceVersion\":\"42\",\"generation\":3,"
                     "\"deletionTimestamp\":\"1970-01-01T00:00:09Z\","
                     "\"finalizers\":[\"a/b\",\"deepgram.com/revoke\"],"
                     "\"annotations\":{\"deepgram.com/rotate\":\"now\","
                     "\"deepgram.com/abandon\":\"true\"}}}"));
    assert_string_equal(resource->namespace, "team");
    assert_string_equal(resource->name, "voice");
    assert_string_equal(resource->uid, "u");
    assert_string_equal(resource->resource_version, "42");
    assert_int_equal(resource->generation, 3);
    assert_true(resource->deleting);
    assert_int_equal(resource->deleted_at_ms, 9000);
    assert_true(resource->has_finalizer);
    assert_true(resource->abandon);
    assert_string_equal(resource->rotate, "now");
}

static void test_status(void **state)
{
    (void)state;
    auto_resource struct resource *resource = resource_new(
        RESOURCE_API_KEY,
        fixture_json(
            "{\"status\":{\"observedGeneration\":2,\"revision\":3,\"id\":\"id-3\","
            "\"secretName\":\"voice\",\"secretResourceVersion\":\"77\","
            "\"lastHandledRotateRequest\":\"now\",\"issuedAt\":\"1970-01-01T00:00:01Z\","
            "\"expiresAt\":\"1970-01-01T00:00:02Z\",\"failures\":4,"
            "\"nextAttemptAt\":\"1970-01-01T00:00:03Z\",\"conditions\":["
            "{\"type\":\"Ready\",\"status\":\"False\",\"reason\":\"Refused\"},"
            "{\"type\":\"Stalled\",\"status\":\"True\"}],\"revisions\":["
            "{\"revision\":2,\"id\":\"id-2\",\"state\":\"Retiring\",\"reason\":\"Expiry\","
            "\"issuedAt\":\"1970-01-01T00:00:04Z\",\"revokeAfter\":\"1970-01-01T00:00:05Z\"},"
            "{\"revision\":3,\"id\":\"id-3\",\"state\":\"Current\"},"
            "{\"revision\":4,\"id\":\"../x\",\"state\":\"Issued\"},"
            "{\"revision\":5,\"id\":\"id-5\",\"state\":\"Lost\"},"
            "{\"revision\":0,\"id\":\"id-0\",\"state\":\"Issued\"}]}}"));
    const struct status *status = &resource->status;
    assert_int_equal(status->observed_generation, 2);
    assert_int_equal(status->revision, 3);
    assert_string_equal(status->id, "id-3");
    assert_string_equal(status->secret_name, "voice");
    assert_string_equal(status->secret_resource_version, "77");
    assert_string_equal(status->last_handled_rotate, "now");
    assert_int_equal(status->issued_at_ms, 1000);
    assert_int_equal(status->expires_at_ms, 2000);
    assert_int_equal(status->failures, 4);
    assert_int_equal(status->next_attempt_at_ms, 3000);
    assert_true(status->stalled);
    assert_string_equal(status->ready_reason, "Refused");
    assert_int_equal(status->revision_count, 2);
    assert_int_equal(status->revisions[0].number, 2);
    assert_string_equal(status->revisions[0].id, "id-2");
    assert_int_equal(status->revisions[0].state, REVISION_RETIRING);
    assert_int_equal(status->revisions[0].issued_at_ms, 4000);
    assert_int_equal(status->revisions[0].revoke_after_ms, 5000);
    assert_string_equal(status->revisions[0].reason, "Expiry");
    assert_string_equal(revision_state_name(status->revisions[1].state), "Current");
    assert_null(status->revisions[1].reason);
}

static void test_stored_paths_are_not_believed(void **state)
{
    (void)state;
    auto_resource struct resource *resource =
        resource_new(RESOURCE_API_KEY, fixture_json("{\"status\":{\"id\":\"..\","
                                                    "\"secretName\":\"../../secrets\"}}"));
    assert_string_equal(resource->status.id, "");
    assert_string_equal(resource->status.secret_name, "");
}

static void test_revisions_are_bounded(void **state)
{
    (void)state;
    cJSON *json = cJSON_CreateObject();
    cJSON *revisions = json_add_array(json_add_object(json, "status"), "revisions");
    for (int i = 1; i <= 100; i++) {
        cJSON *revision = cJSON_CreateObject();
        json_add_int(revision, "revision", i);
        json_add_string(revision, "id", "x");
        json_add_string(revision, "state", "Issued");
        cJSON_AddItemToArray(revisions, revision);
    }
    auto_resource struct resource *resource = resource_new(RESOURCE_API_KEY, json);
    assert_int_equal(resource->status.revision_count, STATUS_REVISIONS_MAX);
}

static struct resource *with_issuing(const char *issuing)
{
    cJSON *json = cJSON_CreateObject();
    json_add_string(json_add_object(json_add_object(json, "metadata"), "annotations"),
                    ANNOTATION_ISSUING, issuing);
    return resource_new(RESOURCE_API_KEY, json);
}

static void test_attempts_survive_the_annotation(void **state)
{
    (void)state;
    const struct attempt attempts[] = {
        { .revision = 1,
          .nonce = FIXTURE_NONCE,
          .since_ms = 5000,
          .spec_hash = "0123456789abcdef",
          .rotate = "to\"ken\n\xF0\x9F\x8E\x99" },
        { .revision = 2, .nonce = "n2", .since_ms = 6000, .spec_hash = "", .rotate = "" },
    };
    auto_free char *text = attempts_print(attempts, ARRAY_LENGTH(attempts));
    auto_resource struct resource *resource = with_issuing(text);
    assert_int_equal(resource->attempt_count, 2);
    for (size_t i = 0; i < ARRAY_LENGTH(attempts); i++) {
        const struct attempt *read = &resource->attempts[i];
        assert_int_equal(read->revision, attempts[i].revision);
        assert_string_equal(read->nonce, attempts[i].nonce);
        assert_int_equal(read->since_ms, attempts[i].since_ms);
        assert_string_equal(read->spec_hash, attempts[i].spec_hash);
        assert_string_equal(read->rotate, attempts[i].rotate);
    }
    auto_free char *none = attempts_print(NULL, 0);
    assert_string_equal(none, "");
}

static void test_malformed_attempts_are_none(void **state)
{
    (void)state;
#define GOOD "{\"revision\":1,\"nonce\":\"n\",\"since\":\"1970-01-01T00:00:05Z\"}"
    static const struct {
        const char *name, *issuing;
        size_t count;
    } rows[] = {
        { "minimal", "[" GOOD "]", 1 },
        { "good ones among others", "[1," GOOD ",{},null]", 1 },
        { "more than there can be",
          "[" GOOD "," GOOD "," GOOD "," GOOD "," GOOD "," GOOD "," GOOD "," GOOD "," GOOD "]",
          ATTEMPTS_MAX },
        { "empty", "", 0 },
        { "not JSON", "[{", 0 },
        { "an object", GOOD, 0 },
        { "text behind", "[" GOOD "]x", 0 },
        { "no revision", "[{\"nonce\":\"n\",\"since\":\"1970-01-01T00:00:05Z\"}]", 0 },
        { "revision as text",
          "[{\"revision\":\"1\",\"nonce\":\"n\",\"since\":\"1970-01-01T00:00:05Z\"}]", 0 },
        { "no nonce", "[{\"revision\":1,\"since\":\"1970-01-01T00:00:05Z\"}]", 0 },
        { "nonce with other characters",
          "[{\"revision\":1,\"nonce\":\"a]b\",\"since\":\"1970-01-01T00:00:05Z\"}]", 0 },
        { "nonce too long",
          "[{\"revision\":1,\"nonce\":\"" FIXTURE_NONCE "0\",\"since\":\"1970-01-01T00:00:05Z\"}]",
          0 },
        { "no time", "[{\"revision\":1,\"nonce\":\"n\"}]", 0 },
    };
    for (size_t i = 0; i < ARRAY_LENGTH(rows); i++) {
        auto_resource struct resource *resource = with_issuing(rows[i].issuing);
        if (resource->attempt_count != rows[i].count)
            fail_msg("%s: %zu", rows[i].name, resource->attempt_count);
        for (size_t k = 0; k < resource->attempt_count; k++)
            assert_string_equal(resource->attempts[k].rotate, "");
    }
}

static void test_trim_keeps_what_is_read(void **state)
{
    (void)state;
    auto_json cJSON *json = fixture_json(
        "{\"apiVersion\":\"v\",\"kind\":\"k\",\"metadata\":{\"name\":\"n\",\"managedFields\":[{}],"
        "\"annotations\":{\"kubectl.kubernetes.io/last-applied-configuration\":\"x\","
        "\"deepgram.com/rotate\":\"r\",\"a\":\"b\"},\"finalizers\":[\"f\"]},"
        "\"spec\":{\"a\":1},\"status\":{\"b\":2}}");
    resource_trim(json);
    fixture_expect_json("trimmed", json,
                        "{\"metadata\":{\"name\":\"n\",\"annotations\":{\"deepgram.com/rotate\":"
                        "\"r\"},\"finalizers\":[\"f\"]},\"spec\":{\"a\":1},\"status\":{\"b\":2}}");
    static const char *const others[] = { "null", "[]", "{}", "{\"metadata\":7}",
                                          "{\"metadata\":{\"annotations\":[1]}}" };
    for (size_t i = 0; i < ARRAY_LENGTH(others); i++) {
        auto_json cJSON *other = fixture_json(others[i]);
        resource_trim(other);
        fixture_expect_json("left alone", other, others[i]);
    }
    resource_trim(NULL);
}

static void test_metadata_patch(void **state)
{
    (void)state;
    static const struct {
        const char *name, *finalizers;
        bool finalizer;
        const char *issuing, *patch;
    } rows[] = {
        { "on, and others stay", "[\"a/b\",7]", true, "[]",
          "{\"metadata\":{\"resourceVersion\":\"42\",\"finalizers\":[\"a/b\","
          "\"deepgram.com/revoke\"],\"annotations\":{\"deepgram.com/issuing\":\"[]\"}}}" },
        { "on when it is on", "[\"deepgram.com/revoke\"]", true, NULL,
          "{\"metadata\":{\"resourceVersion\":\"42\",\"finalizers\":[\"deepgram.com/revoke\"]}}" },
        { "on when there is none", "null", true, NULL,
          "{\"metadata\":{\"resourceVersion\":\"42\",\"finalizers\":[\"deepgram.com/revoke\"]}}" },
        { "off, and the announcement removed", "[\"deepgram.com/revoke\",\"a/b\"]", false, "",
          "{\"metadata\":{\"resourceVersion\":\"42\",\"finalizers\":[\"a/b\"],"
          "\"annotations\":{\"deepgram.com/issuing\":null}}}" },
    };
    for (size_t i = 0; i < ARRAY_LENGTH(rows); i++) {
        auto_free char *text = mem_printf(
            "{\"metadata\":{\"resourceVersion\":\"42\",\"finalizers\":%s}}", rows[i].finalizers);
        auto_resource struct resource *resource =
            resource_new(RESOURCE_API_KEY, fixture_json(text));
        auto_json cJSON *patch =
            resource_metadata_patch(resource, rows[i].finalizer, rows[i].issuing);
        fixture_expect_json(rows[i].name, patch, rows[i].patch);
    }
}

static void test_kinds_have_names(void **state)
{
    (void)state;
    assert_string_equal(resource_kind_name(RESOURCE_API_KEY), "DeepgramApiKey");
    assert_string_equal(resource_kind_name(RESOURCE_PULL_SECRET), "DeepgramPullSecret");
    resource_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_any_json_is_harmless),
        cmocka_unit_test(test_deep_json_is_harmless),
        cmocka_unit_test(test_metadata),
        cmocka_unit_test(test_status),
        cmocka_unit_test(test_stored_paths_are_not_believed),
        cmocka_unit_test(test_revisions_are_bounded),
        cmocka_unit_test(test_attempts_survive_the_annotation),
        cmocka_unit_test(test_malformed_attempts_are_none),
        cmocka_unit_test(test_trim_keeps_what_is_read),
        cmocka_unit_test(test_metadata_patch),
        cmocka_unit_test(test_kinds_have_names),
    };
    return fixture_run(tests);
}
