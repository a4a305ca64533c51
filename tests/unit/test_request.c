#include "fixture.h"

#include "deepgram/request.h"

static const struct attempt attempt = { .revision = 7, .nonce = FIXTURE_NONCE };

#define MARKER "[deepgram-operator uid=" FIXTURE_UID " rev=7 nonce=" FIXTURE_NONCE "]"
#define TAGS "\"deepgram-operator\",\"uid:" FIXTURE_UID "\",\"rev:7\",\"nonce:" FIXTURE_NONCE "\""

static void test_create(void **state)
{
    (void)state;
    static const struct {
        const char *name, *members, *path, *body;
        enum resource_kind kind;
    } rows[] = {
        { "API key", "", "/v1/projects/" FIXTURE_PROJECT "/keys",
          "{\"comment\":\"team/voice " MARKER "\",\"scopes\":[\"self-hosted:products\","
          "\"member\"],\"tags\":[" TAGS "]}",
          RESOURCE_API_KEY },
        { "API key with a lifetime", "\"validFor\":\"90s\",\"role\":\"none\"",
          "/v1/projects/" FIXTURE_PROJECT "/keys",
          "{\"comment\":\"team/voice " MARKER "\",\"scopes\":[\"self-hosted:products\"],"
          "\"tags\":[" TAGS "],\"time_to_live_in_seconds\":90}",
          RESOURCE_API_KEY },
        { "API key with an expiry", "\"expiresAt\":\"2030-01-01T01:00:00.5+01:00\"",
          "/v1/projects/" FIXTURE_PROJECT "/keys",
          "{\"comment\":\"team/voice " MARKER "\",\"scopes\":[\"self-hosted:products\","
          "\"member\"],\"tags\":[" TAGS "],\"expiration_date\":\"2030-01-01T00:00:00Z\"}",
          RESOURCE_API_KEY },
        { "quotes, line ends and emoji",
          "\"comment\":\"\\\"x\\\"\\n\xF0\x9F\x8E\x99\","
          "\"tags\":[\"t\\\"\"]",
          "/v1/projects/" FIXTURE_PROJECT "/keys",
          "{\"comment\":\"\\\"x\\\"\\n\xF0\x9F\x8E\x99 " MARKER "\",\"scopes\":["
          "\"self-hosted:products\",\"member\"],\"tags\":[\"t\\\"\"," TAGS "]}",
          RESOURCE_API_KEY },
        { "pull credentials", "",
          "/v1/projects/" FIXTURE_PROJECT "/self-hosted/distribution/credentials"
          "?scopes=self-hosted%3Aproducts&provider=quay",
          "{\"comment\":\"team/voice " MARKER "\",\"scopes\":[\"self-hosted:products\"],"
          "\"provider\":\"quay\"}",
          RESOURCE_PULL_SECRET },
        { "pull credentials with several scopes",
          "\"scopes\":[\"self-hosted:product:api\",\"self-hosted:product:engine\"]",
          "/v1/projects/" FIXTURE_PROJECT "/self-hosted/distribution/credentials"
          "?scopes=self-hosted%3Aproduct%3Aapi&scopes=self-hosted%3Aproduct%3Aengine"
          "&provider=quay",
          "{\"comment\":\"team/voice " MARKER "\",\"scopes\":[\"self-hosted:product:api\","
          "\"self-hosted:product:engine\"],\"provider\":\"quay\"}",
          RESOURCE_PULL_SECRET },
    };
    for (size_t i = 0; i < ARRAY_LENGTH(rows); i++) {
        auto_resource struct resource *resource = fixture_resource(rows[i].kind, rows[i].members);
        fixture_expect(rows[i].name, resource->spec_error, "");
        struct deepgram_request request;
        deepgram_create(resource, &attempt, &request);
        assert_int_equal(request.operation, DEEPGRAM_CREATE);
        assert_string_equal(request.method, "POST");
        fixture_expect(rows[i].name, request.path, rows[i].path);
        fixture_expect(rows[i].name, request.body, rows[i].body);
        deepgram_request_done(&request);
    }
}

static void expect_request(struct deepgram_request *request, enum deepgram_operation operation,
                           const char *method, const char *path)
{
    assert_int_equal(request->operation, operation);
    assert_string_equal(request->method, method);
    assert_string_equal(request->path, path);
    assert_null(request->body);
    deepgram_request_done(request);
    assert_null(request->path);
    deepgram_request_done(request);
}

static void test_the_other_operations(void **state)
{
    (void)state;
    struct deepgram_request request;
    deepgram_list(RESOURCE_API_KEY, "p", &request);
    expect_request(&request, DEEPGRAM_LIST, "GET", "/v1/projects/p/keys?status=active");
    deepgram_list(RESOURCE_PULL_SECRET, "p", &request);
    expect_request(&request, DEEPGRAM_LIST, "GET",
                   "/v1/projects/p/self-hosted/distribution/credentials");
    deepgram_get(RESOURCE_API_KEY, "p", "id-1", &request);
    expect_request(&request, DEEPGRAM_GET, "GET", "/v1/projects/p/keys/id-1");
    deepgram_revoke(RESOURCE_API_KEY, "p", "id-1", &request);
    expect_request(&request, DEEPGRAM_REVOKE, "DELETE", "/v1/projects/p/keys/id-1");
    deepgram_revoke(RESOURCE_PULL_SECRET, "p", "id-1", &request);
    expect_request(&request, DEEPGRAM_REVOKE, "DELETE",
                   "/v1/projects/p/self-hosted/distribution/credentials/id-1");
    deepgram_check(&request);
    expect_request(&request, DEEPGRAM_CHECK, "GET", "/v1/auth/token");
}

static void test_foreign_ids_cannot_leave_their_place(void **state)
{
    (void)state;
    static const struct {
        const char *id, *escaped;
    } rows[] = {
        { "..", "%2E%2E" }, { "a/b", "a%2Fb" },      { "a?b=c&d", "a%3Fb%3Dc%26d" },
        { "a#b", "a%23b" }, { "a b\n", "a%20b%0A" }, { "\xC3\xA4", "%C3%A4" },
        { "%2e", "%252e" }, { "A-z_0~", "A-z_0~" },
    };
    for (size_t i = 0; i < ARRAY_LENGTH(rows); i++) {
        struct deepgram_request request;
        auto_free char *path =
            mem_printf("/v1/projects/%s/keys/%s", rows[i].escaped, rows[i].escaped);
        deepgram_get(RESOURCE_API_KEY, rows[i].id, rows[i].id, &request);
        fixture_expect(rows[i].id, request.path, path);
        deepgram_request_done(&request);
    }
}

static void test_names_for_metrics(void **state)
{
    (void)state;
    static const char *const names[] = {
        "create", "list", "get", "revoke", "check", "pull_token",
    };
    for (int i = 0; i < DEEPGRAM_OPERATIONS; i++)
        assert_string_equal(deepgram_operation_name((enum deepgram_operation)i), names[i]);
    for (int i = 0; i < RESOURCE_KINDS; i++)
        assert_int_equal(credential_kind((enum resource_kind)i)->kind, i);
    assert_true(credential_kind(RESOURCE_API_KEY)->checkable);
    assert_false(credential_kind(RESOURCE_PULL_SECRET)->checkable);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_create),
        cmocka_unit_test(test_the_other_operations),
        cmocka_unit_test(test_foreign_ids_cannot_leave_their_place),
        cmocka_unit_test(test_names_for_metrics),
    };
    return fixture_run(tests);
}
