/* A pull token from the registry: what is asked, and what each answer means. */
#include "fixture.h"

#include "base/base64.h"
#include "deepgram/registry.h"

#define REPOSITORY "deepgram/self-hosted-api"

static void test_the_request(void **state)
{
    (void)state;
    struct deepgram_request request;
    registry_token(REPOSITORY, &request);
    assert_string_equal(request.method, "GET");
    assert_string_equal(
        request.path,
        "/v2/auth?service=quay.io&scope=repository%3Adeepgram%2Fself-hosted-api%3Apull");
    assert_null(request.body);
    deepgram_request_done(&request);
}

/* A token with these claims, as base64url without padding. */
static char *token_with(const char *claims)
{
    auto_free char *middle = base64_encode(claims, strlen(claims));
    for (char *at = middle; *at; at++)
        *at = (char)(*at == '+' ? '-' : *at == '/' ? '_' : *at == '=' ? '\0' : *at);
    return mem_printf("{\"token\":\"eyJhIjoxfQ.%s.c2ln\"}", middle);
}

static enum err_kind meaning(long status, const char *body)
{
    const struct deepgram_answer answer = {
        .transport = DEEPGRAM_ANSWERED, .status = status, .body = body, .body_length = strlen(body)
    };
    struct err err = ERR_INIT;
    bool ok = registry_token_answered(REPOSITORY, &answer, &err);
    assert_int_equal(ok, err.kind == ERR_NONE);
    assert_int_equal(ok, err.message[0] == '\0');
    return err.kind;
}

struct row {
    const char *name;
    long status;
    const char *body;
    enum err_kind kind;
};

static const struct row ROWS[] = {
    { "a token that tells nothing", 200, "{\"token\":\"opaque\"}", ERR_NONE },
    { "under its other name", 200, "{\"access_token\":\"opaque\"}", ERR_NONE },
    { "dots that are no claims", 200, "{\"token\":\"a.b.c\"}", ERR_NONE },
    { "no token", 200, "{\"expires_in\":60}", ERR_MALFORMED },
    { "an empty token", 200, "{\"token\":\"\"}", ERR_MALFORMED },
    { "a web page", 200, "<html>", ERR_MALFORMED },
    { "unknown", 401, "{}", ERR_UNAUTHORIZED },
    { "not allowed", 403, "", ERR_FORBIDDEN },
    { "too many", 429, "", ERR_THROTTLED },
    { "failing", 503, "", ERR_TRANSIENT },
    { "a redirect", 302, "", ERR_MALFORMED },
    { "not there", 404, "", ERR_MALFORMED },
};

static void test_answers(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(ROWS); i++)
        if (meaning(ROWS[i].status, ROWS[i].body) != ROWS[i].kind)
            fail_msg("%s", ROWS[i].name);
}

struct claims_row {
    const char *name;
    const char *claims;
    enum err_kind kind;
};

static const struct claims_row CLAIMS[] = {
    { "pull",
      "{\"access\":[{\"type\":\"repository\",\"name\":\"" REPOSITORY "\",\"actions\":[\"pull\"]}]}",
      ERR_NONE },
    { "everything", "{\"access\":[{\"name\":\"" REPOSITORY "\",\"actions\":[\"push\",\"*\"]}]}",
      ERR_NONE },
    { "no actions", "{\"access\":[{\"name\":\"" REPOSITORY "\",\"actions\":[]}]}", ERR_FORBIDDEN },
    { "another repository", "{\"access\":[{\"name\":\"deepgram/other\",\"actions\":[\"pull\"]}]}",
      ERR_FORBIDDEN },
    { "no repository", "{\"access\":[]}", ERR_FORBIDDEN },
    { "wrong types", "{\"access\":[1,{\"name\":2,\"actions\":3},null]}", ERR_FORBIDDEN },
    { "silence about it", "{\"sub\":\"someone\"}", ERR_NONE },
};

static void test_tokens_that_tell_what_they_allow(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(CLAIMS); i++) {
        auto_free char *body = token_with(CLAIMS[i].claims);
        if (meaning(200, body) != CLAIMS[i].kind)
            fail_msg("%s", CLAIMS[i].name);
    }
}

static void test_a_registry_that_cannot_be_reached_is_no_refusal(void **state)
{
    (void)state;
    const struct deepgram_answer answer = { .transport = DEEPGRAM_NOT_SENT,
                                            .failure = "connection refused" };
    struct err err = ERR_INIT;
    assert_false(registry_token_answered(REPOSITORY, &answer, &err));
    assert_int_equal(err.kind, ERR_TRANSIENT);
    assert_string_equal(err.message, "the registry can't be reached (connection refused)");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_request),
        cmocka_unit_test(test_answers),
        cmocka_unit_test(test_tokens_that_tell_what_they_allow),
        cmocka_unit_test(test_a_registry_that_cannot_be_reached_is_no_refusal),
    };
    return fixture_run(tests);
}
