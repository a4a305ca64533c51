#include "test.h"

#include <string.h>

#include "base/json.h"
#include "kube/status.h"

static struct err error_of(long code, const char *text)
{
    struct err err = ERR_INIT;
    auto_json cJSON *status = text ? json_parse(text, strlen(text)) : NULL;
    assert_false(kube_status_error(code, status, &err));
    return err;
}

static void test_codes(void **state)
{
    (void)state;
    static const struct {
        long code;
        enum err_kind kind;
    } rows[] = {
        { 400, ERR_INVALID },   { 401, ERR_UNAUTHORIZED }, { 403, ERR_FORBIDDEN },
        { 404, ERR_NOT_FOUND }, { 405, ERR_INVALID },      { 409, ERR_CONFLICT },
        { 410, ERR_GONE },      { 413, ERR_INVALID },      { 415, ERR_INVALID },
        { 422, ERR_INVALID },   { 429, ERR_THROTTLED },    { 500, ERR_TRANSIENT },
        { 503, ERR_TRANSIENT }, { 301, ERR_TRANSIENT },    { 0, ERR_TRANSIENT },
    };
    for (size_t i = 0; i < ARRAY_LENGTH(rows); i++) {
        struct err err = error_of(rows[i].code, NULL);
        assert_int_equal(err.kind, rows[i].kind);
        assert_int_equal(err.http_status, rows[i].code);
        assert_int_equal(err.retry_after_ms, -1);
        assert_non_null(strstr(err.message, "HTTP"));
    }
}

static void test_the_servers_words_are_kept(void **state)
{
    (void)state;
    struct err err = error_of(403, "{\"kind\":\"Status\",\"reason\":\"Forbidden\",\"message\":"
                                   "\"secrets is forbidden: User \\\"u\\\" cannot list\"}");
    assert_string_equal(err.message, "Forbidden: secrets is forbidden: User \"u\" cannot list");
    err = error_of(500, "{\"message\":\"etcd is away\"}");
    assert_string_equal(err.message, "etcd is away");
}

static void test_retry_after(void **state)
{
    (void)state;
    static const struct {
        const char *seconds;
        long retry_after_ms;
    } rows[] = {
        { "1", 1000 }, { "0", -1 }, { "-5", -1 }, { "\"1\"", -1 }, { "86401", -1 }, { "1e300", -1 },
    };
    for (size_t i = 0; i < ARRAY_LENGTH(rows); i++) {
        auto_free char *text =
            mem_printf("{\"reason\":\"TooManyRequests\",\"message\":\"storage is "
                       "(re)initializing\",\"details\":{\"retryAfterSeconds\":%s}}",
                       rows[i].seconds);
        struct err err = error_of(429, text);
        assert_int_equal(err.kind, ERR_THROTTLED);
        assert_int_equal(err.retry_after_ms, rows[i].retry_after_ms);
    }
}

static void test_versions_that_cannot_be_followed_are_gone(void **state)
{
    (void)state;
    assert_int_equal(error_of(410, "{\"reason\":\"Expired\",\"message\":\"too old\"}").kind,
                     ERR_GONE);
    assert_int_equal(error_of(500, "{\"reason\":\"Expired\",\"message\":\"too old\"}").kind,
                     ERR_GONE);
    assert_int_equal(error_of(504, "{\"reason\":\"Timeout\",\"message\":\"Too large\",\"details\":{"
                                   "\"causes\":[{\"reason\":\"x\"},"
                                   "{\"reason\":\"ResourceVersionTooLarge\"}]}}")
                         .kind,
                     ERR_GONE);
    assert_int_equal(error_of(504, "{\"reason\":\"Timeout\",\"message\":\"slow\"}").kind,
                     ERR_TRANSIENT);
}

static void test_already_exists_is_told_from_a_conflict(void **state)
{
    (void)state;
    struct err exists =
        error_of(409, "{\"reason\":\"AlreadyExists\",\"message\":\"secrets \\\"a\\\" "
                      "already exists\"}");
    assert_true(kube_status_already_exists(&exists));
    err_prefix(&exists, "revision Secret");
    assert_true(kube_status_already_exists(&exists));
    struct err conflict = error_of(409, "{\"reason\":\"Conflict\",\"message\":\"modified\"}");
    assert_false(kube_status_already_exists(&conflict));
    struct err other = error_of(500, "{\"reason\":\"AlreadyExists\",\"message\":\"x\"}");
    assert_false(kube_status_already_exists(&other));
}

static void test_a_terminating_namespace_is_told_from_a_missing_right(void **state)
{
    (void)state;
    struct err going = error_of(
        403,
        "{\"reason\":\"Forbidden\",\"message\":\"events \\\"a\\\" is forbidden: unable to create "
        "new content in namespace team because it is being terminated\"}");
    assert_true(kube_status_namespace_terminating(&going));
    struct err right =
        error_of(403, "{\"reason\":\"Forbidden\",\"message\":\"User cannot create\"}");
    assert_false(kube_status_namespace_terminating(&right));
}

static void test_nonsense_is_no_crash(void **state)
{
    (void)state;
    static const char *const rows[] = {
        "[]",
        "null",
        "\"text\"",
        "{\"message\":7,\"reason\":[],\"details\":\"x\"}",
        "{\"details\":{\"causes\":{\"reason\":\"ResourceVersionTooLarge\"}}}",
    };
    for (size_t i = 0; i < ARRAY_LENGTH(rows); i++)
        assert_int_equal(error_of(500, rows[i]).kind, ERR_TRANSIENT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_codes),
        cmocka_unit_test(test_the_servers_words_are_kept),
        cmocka_unit_test(test_retry_after),
        cmocka_unit_test(test_versions_that_cannot_be_followed_are_gone),
        cmocka_unit_test(test_already_exists_is_told_from_a_conflict),
        cmocka_unit_test(test_a_terminating_namespace_is_told_from_a_missing_right),
        cmocka_unit_test(test_nonsense_is_no_crash),
    };
    json_setup();
    return test_run(tests);
}
