#include "fixture.h"

#include <stdlib.h>

#include "base/fingerprint.h"
#include "deepgram/answer.h"

#define REFUSED                                                                                    \
    "{\"err_code\":\"INVALID_AUTH\",\"err_msg\":\"Invalid credentials.\",\"request_id\":\"r-1\"}"
#define DENIED                                                                                     \
    "{\"category\":\"INSUFFICIENT_PERMISSIONS\",\"message\":\"No.\",\"details\":\"Ask.\","         \
    "\"request_id\":\"r-2\"}"

static struct deepgram_answer answered(long status, const char *body)
{
    return (struct deepgram_answer){
        .transport = DEEPGRAM_ANSWERED,
        .status = status,
        .body = body,
        .body_length = body ? strlen(body) : 0,
    };
}

static void test_statuses(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        enum deepgram_operation operation;
        long status;
        const char *body;
        enum err_kind kind;
        const char *message; /* how it begins */
    } rows[] = {
        { "success", DEEPGRAM_LIST, 200, "", ERR_NONE, "" },
        { "no content", DEEPGRAM_REVOKE, 204, "", ERR_NONE, "" },
        { "wrong request", DEEPGRAM_CREATE, 400, "{\"err_code\":\"INVALID_JSON\"}", ERR_INVALID,
          "Deepgram refused the request (400 INVALID_JSON): change the spec" },
        { "too large a request", DEEPGRAM_CREATE, 413, NULL, ERR_INVALID,
          "Deepgram refused the request (413):" },
        { "unprocessable", DEEPGRAM_CREATE, 422, "", ERR_INVALID,
          "Deepgram refused the request (422):" },
        { "another refusal", DEEPGRAM_CREATE, 405, "", ERR_INVALID,
          "Deepgram refused the request (405):" },
        { "wrong key", DEEPGRAM_CREATE, 401, REFUSED, ERR_UNAUTHORIZED,
          "Deepgram refused the admin key (401 INVALID_AUTH: Invalid credentials., request r-1): "
          "it is wrong, expired or revoked; put a valid key with keys:write into its Secret" },
        { "dead new key", DEEPGRAM_CHECK, 401, REFUSED, ERR_UNAUTHORIZED,
          "Deepgram refused the new key (401 INVALID_AUTH: Invalid credentials., request r-1)" },
        { "not allowed", DEEPGRAM_LIST, 403, DENIED, ERR_FORBIDDEN,
          "Deepgram doesn't allow this to the admin key (403 INSUFFICIENT_PERMISSIONS: No. Ask., "
          "request r-2)" },
        { "not allowed, as 401", DEEPGRAM_CREATE, 401, DENIED, ERR_FORBIDDEN,
          "Deepgram doesn't allow this to the admin key (401 INSUFFICIENT_PERMISSIONS:" },
        { "account", DEEPGRAM_CREATE, 402, "", ERR_FORBIDDEN,
          "Deepgram doesn't allow this to the admin key (402):" },
        { "unknown project", DEEPGRAM_LIST, 404, "{\"err_code\":\"PROJECT_NOT_FOUND\"}",
          ERR_NOT_FOUND, "Deepgram doesn't know the project (404 PROJECT_NOT_FOUND): check" },
        { "malformed project", DEEPGRAM_GET, 404, "UUID parsing failed: invalid length",
          ERR_NOT_FOUND,
          "Deepgram doesn't know the project or the credential (404: UUID parsing failed: invalid "
          "length): check spec.projectId" },
        { "throttled", DEEPGRAM_CREATE, 429, "{\"category\":\"TOO_MANY_REQUESTS\"}", ERR_THROTTLED,
          "Deepgram asks for fewer requests (429 TOO_MANY_REQUESTS); it is tried again later" },
        { "redirect", DEEPGRAM_CREATE, 302, "<html>", ERR_MALFORMED,
          "Deepgram answered with a redirect (302), which is never followed" },
        { "broken create", DEEPGRAM_CREATE, 503, "<!DOCTYPE html><h1>x</h1>", ERR_UNKNOWN_OUTCOME,
          "Deepgram failed (503: an HTML page); the credential may have been created all the "
          "same" },
        { "broken list", DEEPGRAM_LIST, 500, "oops", ERR_TRANSIENT,
          "Deepgram failed (500: oops); it is tried again" },
        { "broken revoke", DEEPGRAM_REVOKE, 502, "", ERR_TRANSIENT,
          "Deepgram failed (502); it is tried again" },
        { "time-out of a create", DEEPGRAM_CREATE, 408, "", ERR_UNKNOWN_OUTCOME,
          "Deepgram failed (408);" },
        { "conflict", DEEPGRAM_GET, 409, "", ERR_TRANSIENT, "Deepgram failed (409);" },
        { "no HTTP status", DEEPGRAM_CREATE, 0, "", ERR_UNKNOWN_OUTCOME, "Deepgram failed (0);" },
    };
    for (size_t i = 0; i < ARRAY_LENGTH(rows); i++) {
        struct deepgram_answer answer = answered(rows[i].status, rows[i].body);
        struct err err = ERR_INIT;
        bool ok = deepgram_answer_ok(rows[i].operation, &answer, &err);
        if (ok != (rows[i].kind == ERR_NONE) || err.kind != rows[i].kind ||
            strncmp(err.message, rows[i].message, strlen(rows[i].message)) != 0)
            fail_msg("%s: %s: %s", rows[i].name, err_kind_name(err.kind), err.message);
        assert_int_equal(err.http_status, ok ? 0 : rows[i].status);
        assert_int_equal(err.retry_after_ms, -1);
    }
}

static void test_no_answer(void **state)
{
    (void)state;
    static const struct {
        enum deepgram_transport transport;
        enum deepgram_operation operation;
        enum err_kind kind;
        const char *message;
    } rows[] = {
        { DEEPGRAM_NOT_SENT, DEEPGRAM_CREATE, ERR_TRANSIENT,
          "Deepgram can't be reached (could not resolve); it is tried again" },
        { DEEPGRAM_BROKEN, DEEPGRAM_CREATE, ERR_UNKNOWN_OUTCOME,
          "No complete answer came from Deepgram (could not resolve); the credential may have" },
        { DEEPGRAM_BROKEN, DEEPGRAM_REVOKE, ERR_TRANSIENT,
          "No complete answer came from Deepgram (could not resolve); it is tried again" },
        { DEEPGRAM_TOO_LARGE, DEEPGRAM_CREATE, ERR_UNKNOWN_OUTCOME, "Deepgram's answer is too" },
        { DEEPGRAM_TOO_LARGE, DEEPGRAM_LIST, ERR_TRANSIENT, "Deepgram's answer is too" },
    };
    for (size_t i = 0; i < ARRAY_LENGTH(rows); i++) {
        struct deepgram_answer answer = { .transport = rows[i].transport,
                                          .failure = "could not resolve" };
        struct err err = ERR_INIT;
        assert_false(deepgram_answer_ok(rows[i].operation, &answer, &err));
        assert_int_equal(err.kind, rows[i].kind);
        assert_int_equal(err.http_status, 0);
        if (strncmp(err.message, rows[i].message, strlen(rows[i].message)) != 0)
            fail_msg("row %zu: %s", i, err.message);
        answer.failure = NULL;
        assert_false(deepgram_answer_ok(rows[i].operation, &answer, &err));
    }
}

static void test_retry_after_is_handed_on(void **state)
{
    (void)state;
    struct deepgram_answer answer = answered(429, "");
    answer.retry_after = "90";
    struct err err = ERR_INIT;
    assert_false(deepgram_answer_ok(DEEPGRAM_CREATE, &answer, &err));
    assert_int_equal(err.retry_after_ms, 90000);
    assert_string_equal(err.message,
                        "Deepgram asks for fewer requests (429); it is tried again in 1m30s");
}

static void test_foreign_words_are_cut_and_cleaned(void **state)
{
    (void)state;
    static const struct {
        const char *name, *body, *quoted;
    } rows[] = {
        { "white space", " a\n\t b\r\n", "500: a b" },
        { "HTML after white space", " \n<html>x</html>", "500: an HTML page" },
        { "a key in a page of a proxy", "Authorization: Token " FIXTURE_KEY " end",
          "500: Authorization: Token *** end" },
        { "a key in JSON", "{\"message\":\"key " FIXTURE_KEY "\"}", "500: key ***" },
        { "a key where the code belongs", "{\"err_code\":\"" FIXTURE_KEY "\"}", "500 ***" },
        { "UUIDs stay", "{\"err_msg\":\"x\",\"request_id\":\"" FIXTURE_UID "\"}",
          "500: x, request " FIXTURE_UID },
        { "bytes that aren't UTF-8", "a\xFF\x80z", "500: a z" },
        { "UTF-8", "\xE2\x82\xAC", "500: \xE2\x82\xAC" },
        { "JSON of another form", "{\"secret\":\"abc\"}", "500" },
        { "other types", "{\"err_code\":7,\"message\":[],\"details\":{},\"request_id\":null}",
          "500" },
        { "text of a JSON string", "\"abc\"", "500" },
        { "120 characters at most",
          "aaaaaaaaa aaaaaaaaa aaaaaaaaa aaaaaaaaa aaaaaaaaa aaaaaaaaa aaaaaaaaa aaaaaaaaa "
          "aaaaaaaaa aaaaaaaaa aaaaaaaaa aaaaaaaaa aaaaaaaaa",
          "500: aaaaaaaaa aaaaaaaaa aaaaaaaaa aaaaaaaaa aaaaaaaaa aaaaaaaaa aaaaaaaaa aaaaaaaaa "
          "aaaaaaaaa aaaaaaaaa aaaaaaaaa aaaaaaaaa " },
        { "nothing", "", "500" },
    };
    for (size_t i = 0; i < ARRAY_LENGTH(rows); i++) {
        struct deepgram_answer answer = answered(500, rows[i].body);
        struct err err = ERR_INIT;
        assert_false(deepgram_answer_ok(DEEPGRAM_LIST, &answer, &err));
        auto_free char *wanted =
            mem_printf("Deepgram failed (%s); it is tried again", rows[i].quoted);
        fixture_expect(rows[i].name, err.message, wanted);
    }
}

#define KEY                                                                                        \
    "\"api_key_id\":\"id-1\",\"key\":\"" FIXTURE_KEY                                               \
    "\",\"comment\":\"c\",\"scopes\":[\"a\",\"member\"],"                                          \
    "\"created\":\"2021-10-27T15:09:37.024682Z\""
#define PULL "\"distribution_credentials_id\":\"id-1\",\"provider\":\"quay\",\"scopes\":[\"a\"]"

static void test_created_in_all_shapes(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        enum resource_kind kind;
        const char *body, *username;
        int64_t expires_at_ms;
    } rows[] = {
        { "key", RESOURCE_API_KEY, "{" KEY "}", NULL, 0 },
        { "key that expires", RESOURCE_API_KEY,
          "{" KEY ",\"expiration_date\":\"1970-01-02T00:00:00.000001Z\"}", NULL, 86400000 },
        { "expiry null", RESOURCE_API_KEY, "{" KEY ",\"expiration_date\":null}", NULL, 0 },
        { "wrapped key", RESOURCE_API_KEY, "{\"member\":{},\"api_key\":{" KEY "}}", NULL, 0 },
        { "username and secret beside", RESOURCE_PULL_SECRET,
          "{\"member\":{},\"distribution_credentials\":{" PULL "},\"username\":\"robot\","
          "\"secret\":\"" FIXTURE_KEY "\"}",
          "robot", 0 },
        { "username and secret inside", RESOURCE_PULL_SECRET,
          "{\"distribution_credentials\":{" PULL ",\"username\":\"robot\","
          "\"secret\":\"" FIXTURE_KEY "\"}}",
          "robot", 0 },
        { "flat", RESOURCE_PULL_SECRET,
          "{" PULL ",\"username\":\"robot\",\"secret\":\"" FIXTURE_KEY "\"}", "robot", 0 },
        { "no username", RESOURCE_PULL_SECRET, "{" PULL ",\"secret\":\"" FIXTURE_KEY "\"}",
          "deepgram+id-1", 0 },
        { "empty username", RESOURCE_PULL_SECRET,
          "{" PULL ",\"username\":\"\",\"secret\":\"" FIXTURE_KEY "\"}", "deepgram+id-1", 0 },
    };
    for (size_t i = 0; i < ARRAY_LENGTH(rows); i++) {
        struct deepgram_answer answer = answered(200, rows[i].body);
        struct credential credential;
        struct err err = ERR_INIT;
        if (!deepgram_created(rows[i].kind, &answer, &credential, &err))
            fail_msg("%s: %s", rows[i].name, err.message);
        fixture_expect(rows[i].name, credential.id, "id-1");
        fixture_expect(rows[i].name, secret_reveal(&credential.secret), FIXTURE_KEY);
        fixture_expect(rows[i].name, credential.username, rows[i].username);
        assert_int_equal(credential.expires_at_ms, rows[i].expires_at_ms);
        assert_int_equal(credential.created_at_ms,
                         rows[i].kind == RESOURCE_API_KEY ? 1635347377024 : 0);
        assert_true(cJSON_IsArray(credential.scopes));
        credential_done(&credential);
    }
}

static void test_a_success_that_cannot_be_read_is_unknown(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        enum resource_kind kind;
        const char *body, *problem;
    } rows[] = {
        { "empty", RESOURCE_API_KEY, "", "the body isn't JSON, or is cut short" },
        { "cut", RESOURCE_API_KEY, "{" KEY, "the body isn't JSON, or is cut short" },
        { "HTML", RESOURCE_API_KEY, "<html>", "the body isn't JSON, or is cut short" },
        { "a list", RESOURCE_API_KEY, "[]", "the body isn't JSON, or is cut short" },
        { "empty object", RESOURCE_API_KEY, "{}", "it names no id" },
        { "no key", RESOURCE_API_KEY, "{\"api_key_id\":\"x\"}", "it holds no secret" },
        { "empty key", RESOURCE_API_KEY, "{\"api_key_id\":\"x\",\"key\":\"\"}",
          "it holds no secret" },
        { "number for a key", RESOURCE_API_KEY, "{\"api_key_id\":\"x\",\"key\":7}",
          "it holds no secret" },
        { "key with a line end", RESOURCE_API_KEY, "{\"api_key_id\":\"x\",\"key\":\"a\\nb\"}",
          "it holds no secret" },
        { "path for an id", RESOURCE_API_KEY, "{\"api_key_id\":\"../x\",\"key\":\"k\"}",
          "it names no id" },
        { "number for an id", RESOURCE_API_KEY, "{\"api_key_id\":1,\"key\":\"k\"}",
          "it names no id" },
        { "unreadable expiry", RESOURCE_API_KEY, "{" KEY ",\"expiration_date\":\"soon\"}",
          "its expiration_date can't be read" },
        { "number for an expiry", RESOURCE_API_KEY, "{" KEY ",\"expiration_date\":1}",
          "its expiration_date can't be read" },
        { "pull credentials without a secret", RESOURCE_PULL_SECRET,
          "{\"distribution_credentials\":{" PULL "}}", "it holds no secret" },
        { "the other kind's answer", RESOURCE_PULL_SECRET, "{" KEY "}", "it names no id" },
    };
    for (size_t i = 0; i < ARRAY_LENGTH(rows); i++) {
        struct deepgram_answer answer = answered(200, rows[i].body);
        struct credential credential;
        struct err err = ERR_INIT;
        assert_false(deepgram_created(rows[i].kind, &answer, &credential, &err));
        assert_int_equal(err.kind, ERR_UNKNOWN_OUTCOME);
        assert_int_equal(err.http_status, 200);
        assert_true(secret_is_empty(&credential.secret));
        if (!strstr(err.message, rows[i].problem) || strstr(err.message, FIXTURE_KEY))
            fail_msg("%s: %s", rows[i].name, err.message);
        credential_done(&credential);
    }
}

static void test_a_refused_create_is_no_credential(void **state)
{
    (void)state;
    struct deepgram_answer answer = answered(401, REFUSED);
    struct credential credential;
    struct err err = ERR_INIT;
    assert_false(deepgram_created(RESOURCE_API_KEY, &answer, &credential, &err));
    assert_int_equal(err.kind, ERR_UNAUTHORIZED);
    credential_done(&credential);
}

/* As the gateway does: the answer brings what was read of its body. */
static bool read_list(enum resource_kind kind, const char *body, size_t length,
                      struct deepgram_list *ret_list, struct err *err)
{
    struct deepgram_listing *listing = deepgram_listing_new(kind);
    assert_true(deepgram_listing_feed(listing, body, length));
    struct deepgram_answer answer = answered(200, "");
    answer.listing = listing;
    bool ok = deepgram_listed(kind, &answer, ret_list, err);
    deepgram_listing_free(listing);
    return ok;
}

#define MARKED "\"x [deepgram-operator uid=u rev=1 nonce=n]\""

static void test_lists(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        enum resource_kind kind;
        const char *body;
        size_t count, foreign;
        int64_t expires_at_ms;
    } rows[] = {
        { "empty", RESOURCE_API_KEY, "{\"api_keys\":[]}", 0, 0, 0 },
        { "wrapped", RESOURCE_API_KEY,
          "{\"api_keys\":[{\"member\":{},\"api_key\":{\"api_key_id\":\"a\",\"comment\":" MARKED
          ",\"expiration_date\":\"1970-01-02T00:00:00Z\"}},"
          "{\"member\":{},\"api_key\":{\"api_key_id\":\"b\",\"comment\":\"theirs\"}}]}",
          1, 1, 86400000 },
        { "flat", RESOURCE_API_KEY,
          "{\"api_keys\":[{\"api_key_id\":\"a\",\"comment\":" MARKED "}]}", 1, 0, 0 },
        { "by tags", RESOURCE_API_KEY,
          "{\"api_keys\":[{\"api_key\":{\"api_key_id\":\"a\",\"comment\":\"cut\",\"tags\":["
          "\"deepgram-operator\",\"uid:u\",\"rev:1\",\"nonce:n\"]}}]}",
          1, 0, 0 },
        { "foreign ones of any form", RESOURCE_API_KEY,
          "{\"api_keys\":[{},{\"api_key\":{\"api_key_id\":7,\"comment\":null}},"
          "{\"api_key\":null}]}",
          0, 3, 0 },
        { "pull credentials", RESOURCE_PULL_SECRET,
          "{\"distribution_credentials\":[{\"member\":{},\"distribution_credentials\":{"
          "\"distribution_credentials_id\":\"a\",\"comment\":" MARKED "}},"
          "{\"distribution_credentials_id\":\"b\"}]}",
          1, 1, 0 },
    };
    for (size_t i = 0; i < ARRAY_LENGTH(rows); i++) {
        struct deepgram_list list;
        struct err err = ERR_INIT;
        if (!read_list(rows[i].kind, rows[i].body, strlen(rows[i].body), &list, &err))
            fail_msg("%s: %s", rows[i].name, err.message);
        if (list.count != rows[i].count || list.foreign != rows[i].foreign)
            fail_msg("%s: %zu, %zu foreign", rows[i].name, list.count, list.foreign);
        for (size_t k = 0; k < list.count; k++) {
            assert_string_equal(list.entries[k].id, "a");
            assert_string_equal(list.entries[k].uid, "u");
            assert_string_equal(list.entries[k].nonce, "n");
            assert_int_equal(list.entries[k].revision, 1);
            assert_int_equal(list.entries[k].expires_at_ms, rows[i].expires_at_ms);
        }
        deepgram_list_done(&list);
        deepgram_list_done(&list);
    }
}

static void test_a_list_that_cannot_be_read_says_nothing(void **state)
{
    (void)state;
    static const char *const bodies[] = {
        "",
        "{}",
        "[]",
        "null",
        "{\"api_keys\":{}}",
        "{\"api_keys\":null}",
        "{\"api_keys\":[",
        "{\"api_keys\":[7]}",
        "<html>",
        "{\"message\":\"x\"}",
        "{\"api_keys\":[{\"api_key\":{\"api_key_id\":\"a\",\"comment\":" MARKED "}},null]}",
        "{\"api_keys\":[{\"api_key\":{\"renamed\":\"a\",\"comment\":" MARKED "}}]}",
        "{\"api_keys\":[{\"api_key\":{\"api_key_id\":\"../a\",\"comment\":" MARKED "}}]}",
    };
    for (size_t i = 0; i < ARRAY_LENGTH(bodies); i++) {
        struct deepgram_list list;
        struct err err = ERR_INIT;
        if (read_list(RESOURCE_API_KEY, bodies[i], strlen(bodies[i]), &list, &err) ||
            err.kind != ERR_MALFORMED)
            fail_msg("%s", bodies[i]);
        assert_null(list.entries);
        assert_int_equal(list.count, 0);
    }
    struct deepgram_answer answer = answered(503, "");
    struct deepgram_list list;
    struct err err = ERR_INIT;
    assert_false(deepgram_listed(RESOURCE_API_KEY, &answer, &list, &err));
    assert_int_equal(err.kind, ERR_TRANSIENT);
}

static void test_a_list_that_is_cut_anywhere_says_nothing(void **state)
{
    (void)state;
    static const struct {
        enum resource_kind kind;
        const char *body;
    } rows[] = {
        { RESOURCE_API_KEY,
          "{\"request_id\":\"r\",\"api_keys\":[{\"member\":{\"email\":\"a@b\"},\"api_key\":{"
          "\"api_key_id\":\"a\",\"comment\":" MARKED "}},{\"api_key\":{\"api_key_id\":\"b\","
          "\"comment\":\"theirs\"}}],\"more\":false}" },
        { RESOURCE_PULL_SECRET, "{\"distribution_credentials\":[{\"distribution_credentials\":{"
                                "\"distribution_credentials_id\":\"a\",\"comment\":" MARKED "}},"
                                "{\"distribution_credentials_id\":\"b\"}]}" },
    };
    for (size_t i = 0; i < ARRAY_LENGTH(rows); i++) {
        size_t whole = strlen(rows[i].body);
        for (size_t length = 0; length <= whole; length++) {
            struct deepgram_list list;
            struct err err = ERR_INIT;
            bool ok = read_list(rows[i].kind, rows[i].body, length, &list, &err);
            if (ok != (length == whole) || (!ok && err.kind != ERR_MALFORMED) ||
                list.count != (ok ? 1 : 0) || list.foreign != (ok ? 1 : 0))
                fail_msg("%zu of %zu bytes: %d, %zu, %zu foreign", length, whole, ok, list.count,
                         list.foreign);
            deepgram_list_done(&list);
        }
    }
}

/* A whole list was read, and then something went wrong. */
static void test_what_came_of_a_broken_answer_does_not_count(void **state)
{
    (void)state;
    static const char body[] = "{\"api_keys\":[]}";
    static const struct {
        enum deepgram_transport transport;
        long status;
    } rows[] = {
        { DEEPGRAM_BROKEN, 200 },   { DEEPGRAM_NOT_SENT, 0 },   { DEEPGRAM_TOO_LARGE, 200 },
        { DEEPGRAM_ANSWERED, 503 }, { DEEPGRAM_ANSWERED, 302 },
    };
    for (size_t i = 0; i < ARRAY_LENGTH(rows); i++) {
        struct deepgram_answer answer = answered(rows[i].status, "");
        answer.transport = rows[i].transport;
        answer.listing = deepgram_listing_new(RESOURCE_API_KEY);
        assert_true(deepgram_listing_feed(answer.listing, body, sizeof body - 1));
        struct deepgram_list list;
        struct err err = ERR_INIT;
        assert_false(deepgram_listed(RESOURCE_API_KEY, &answer, &list, &err));
        assert_int_not_equal(err.kind, ERR_NONE);
        deepgram_listing_free(answer.listing);
    }
}

static void test_a_list_without_end_is_not_read_to_its_end(void **state)
{
    (void)state;
    enum { PIECE = 1 << 20 };
    auto_free char *blanks = mem_alloc(PIECE);
    memset(blanks, ' ', PIECE);
    struct deepgram_listing *listing = deepgram_listing_new(RESOURCE_API_KEY);
    for (int i = 0; i < 64; i++)
        assert_true(deepgram_listing_feed(listing, blanks, PIECE));
    assert_false(deepgram_listing_feed(listing, blanks, 1));
    deepgram_listing_free(listing);
    deepgram_listing_free(NULL);
}

static void test_what_belongs_to_others_is_left_out(void **state)
{
    (void)state;
    static const char BODY[] =
        "{\"api_keys\":["
        "{\"api_key_id\":\"a\",\"comment\":\"[deepgram-operator uid=u rev=1 nonce=n]\"},"
        "{\"api_key_id\":\"b\",\"comment\":\"[deepgram-operator uid=v rev=1 nonce=n]\"},"
        "{\"api_key_id\":\"c\",\"comment\":\"[deepgram-operator uid=w rev=1 nonce=n]\"},"
        "{\"api_key_id\":\"d\",\"comment\":\"[deepgram-operator uid=u rev=2 nonce=n]\"}]}";
    static const struct {
        const char *others[2];
        const char *kept;
    } rows[] = {
        { { NULL, NULL }, "abcd" },
        { { "v", "x" }, "acd" },
        { { "u", "w" }, "b" },
    };
    for (size_t i = 0; i < ARRAY_LENGTH(rows); i++) {
        struct deepgram_listing *listing = deepgram_listing_new(RESOURCE_API_KEY);
        uint64_t *uids = mem_calloc(2, sizeof uids[0]);
        size_t count = 0;
        while (count < 2 && rows[i].others[count]) {
            uids[count] = fingerprint(rows[i].others[count]);
            count++;
        }
        qsort(uids, count, sizeof uids[0], fingerprint_order);
        deepgram_listing_leave_out(listing, uids, count);
        assert_true(deepgram_listing_feed(listing, BODY, strlen(BODY)));
        struct deepgram_list list;
        assert_true(deepgram_listing_take(listing, &list));
        char kept[8] = "";
        for (size_t j = 0; j < list.count; j++)
            strcat(kept, list.entries[j].id);
        assert_string_equal(kept, rows[i].kept);
        deepgram_list_done(&list);
        deepgram_listing_free(listing);
    }
}

static void test_deep_bodies_are_harmless(void **state)
{
    (void)state;
    char body[2000] = "{\"api_keys\":[{\"api_key\":";
    for (int i = 0; i < 300; i++)
        strcat(body, "[");
    for (int i = 0; i < 300; i++)
        strcat(body, "]");
    strcat(body, "}]}");
    struct deepgram_list list;
    struct err err = ERR_INIT;
    assert_true(read_list(RESOURCE_API_KEY, body, strlen(body), &list, &err));
    assert_int_equal(list.foreign, 1);
    deepgram_list_done(&list);
}

static void test_is_it_gone(void **state)
{
    (void)state;
    enum outcome { EXISTS, GONE, FAILED };
    static const struct {
        const char *name;
        long status;
        const char *body;
        enum outcome outcome;
    } rows[] = {
        { "there", 200, "{\"item\":{\"member\":{\"api_key\":{}}}}", EXISTS },
        { "no such credential, modern", 404,
          "{\"category\":\"NOT_FOUND\",\"message\":\"Resource not found.\",\"details\":"
          "\"The project has no such credential.\"}",
          GONE },
        { "no such credential, legacy", 404, "{\"err_code\":\"KEY_NOT_FOUND\",\"err_msg\":\"x\"}",
          GONE },
        { "without a code", 404, "{\"message\":\"not found\"}", GONE },
        { "no such project", 404, "{\"err_code\":\"PROJECT_NOT_FOUND\",\"err_msg\":\"x\"}",
          FAILED },
        { "no such project, modern", 404, "{\"category\":\"PROJECT_NOT_FOUND\"}", FAILED },
        { "malformed id", 404, "UUID parsing failed: invalid character", FAILED },
        { "a proxy's page", 404, "<html>not found</html>", FAILED },
        { "empty", 404, "", FAILED },
        { "no body", 404, NULL, FAILED },
        { "other JSON", 404, "{\"error\":\"x\"}", FAILED },
        { "cut", 404, "{\"category\":\"NOT_FOUND\"", FAILED },
        { "gone for good, in another's words", 410, "{\"message\":\"gone\"}", FAILED },
        { "not allowed", 403, "{\"message\":\"no\"}", FAILED },
        { "broken", 500, "{\"message\":\"not found\"}", FAILED },
    };
    static const enum deepgram_operation operations[] = { DEEPGRAM_GET, DEEPGRAM_REVOKE };
    for (size_t i = 0; i < 2 * ARRAY_LENGTH(rows); i++) {
        size_t row = i / 2;
        struct deepgram_answer answer = answered(rows[row].status, rows[row].body);
        struct err err = ERR_INIT;
        bool gone = rows[row].outcome == EXISTS;
        bool ok = deepgram_credential_answer(operations[i % 2], &answer, &gone, &err);
        if (ok != (rows[row].outcome != FAILED) || (ok && gone != (rows[row].outcome == GONE)) ||
            ok != (err.kind == ERR_NONE))
            fail_msg("%s: %d, %d, %s", rows[row].name, ok, gone, err.message);
    }
    struct deepgram_answer lost = answered(404, "{\"message\":\"not found\"}");
    lost.transport = DEEPGRAM_BROKEN;
    bool gone = false;
    struct err err = ERR_INIT;
    assert_false(deepgram_credential_answer(DEEPGRAM_GET, &lost, &gone, &err));
    assert_false(gone);
}

static void test_a_marker_is_there_or_not_or_cannot_be_read(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        const char *body;
        bool understood;
        const char *uid;
    } rows[] = {
        { "wrapped", "{\"api_key\":{\"api_key_id\":\"a\",\"comment\":" MARKED "}}", true, "u" },
        { "flat", "{\"api_key_id\":\"a\",\"comment\":" MARKED "}", true, "u" },
        { "theirs", "{\"api_key\":{\"api_key_id\":\"a\",\"comment\":\"theirs\"}}", true, "" },
        { "no comment", "{\"api_key_id\":\"a\"}", true, "" },
        { "cut", "{\"api_key\":{\"api_key_id\":\"a\",\"comm", false, "" },
        { "no description", "{\"message\":\"x\"}", false, "" },
        { "nothing", "", false, "" },
        { "a page", "<html>", false, "" },
    };
    for (size_t i = 0; i < ARRAY_LENGTH(rows); i++) {
        struct deepgram_answer answer = answered(200, rows[i].body);
        struct marker marker = { .uid = "before" };
        struct err err = ERR_INIT;
        bool understood = deepgram_marker(RESOURCE_API_KEY, &answer, &marker, &err);
        if (understood != rows[i].understood)
            fail_msg("%s", rows[i].name);
        if (understood)
            assert_string_equal(marker.uid, rows[i].uid);
        else
            assert_int_equal(err.kind, ERR_MALFORMED);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_statuses),
        cmocka_unit_test(test_no_answer),
        cmocka_unit_test(test_retry_after_is_handed_on),
        cmocka_unit_test(test_foreign_words_are_cut_and_cleaned),
        cmocka_unit_test(test_created_in_all_shapes),
        cmocka_unit_test(test_a_success_that_cannot_be_read_is_unknown),
        cmocka_unit_test(test_a_refused_create_is_no_credential),
        cmocka_unit_test(test_lists),
        cmocka_unit_test(test_a_list_that_cannot_be_read_says_nothing),
        cmocka_unit_test(test_a_marker_is_there_or_not_or_cannot_be_read),
        cmocka_unit_test(test_a_list_that_is_cut_anywhere_says_nothing),
        cmocka_unit_test(test_what_came_of_a_broken_answer_does_not_count),
        cmocka_unit_test(test_a_list_without_end_is_not_read_to_its_end),
        cmocka_unit_test(test_what_belongs_to_others_is_left_out),
        cmocka_unit_test(test_deep_bodies_are_harmless),
        cmocka_unit_test(test_is_it_gone),
    };
    return fixture_run(tests);
}
