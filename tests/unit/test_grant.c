/* Granted against asked for. */
#include "fixture.h"

#include "api/grant.h"
#include "api/timestamp.h"

struct scopes_row {
    const char *name;
    const char *spec;
    const char *granted;
    bool fits;
};

static const struct scopes_row SCOPES[] = {
    { "as asked", "", "[\"self-hosted:products\",\"member\"]", true },
    { "in another order", "", "[\"member\",\"self-hosted:products\"]", true },
    { "every product by name", "",
      "[\"self-hosted:product:api\",\"self-hosted:product:engine\",\"member\"]", true },
    { "the licensed product alone", "", "[\"self-hosted:product:api\",\"member\"]", true },
    { "twice, under the older name", "",
      "[\"self-hosted:products\",\"onprem:products\",\"member\"]", true },
    { "under the older name only", "", "[\"onprem:product:engine\",\"member\"]", true },
    { "all products for one", "\"scopes\":[\"self-hosted:product:api\"]",
      "[\"self-hosted:products\",\"member\"]", true },
    { "one product under the older name", "\"scopes\":[\"self-hosted:product:api\"]",
      "[\"onprem:product:api\",\"member\"]", true },
    { "more than was asked for", "", "[\"self-hosted:products\",\"member\",\"usage:read\"]", true },
    { "a member where no role was asked for", "\"role\":\"none\"",
      "[\"self-hosted:products\",\"member\"]", true },
    { "not the product", "\"scopes\":[\"self-hosted:product:api\"]",
      "[\"self-hosted:product:engine\",\"member\"]", false },
    { "no product at all", "", "[\"member\"]", false },
    { "nothing", "", "[]", false },
    { "not the role", "\"role\":\"admin\"", "[\"self-hosted:products\",\"member\"]", false },
    { "a higher role", "", "[\"self-hosted:products\",\"member\",\"owner\"]", false },
    { "a higher role where none was asked for", "\"role\":\"none\"",
      "[\"self-hosted:products\",\"admin\"]", false },
    { "not the fine-grained one", "\"scopes\":[\"usage:read\",\"usage:write\"]",
      "[\"usage:read\",\"member\"]", false },
    { "a name that only begins alike", "\"scopes\":[\"self-hosted:product:api\"]",
      "[\"self-hosted:product:api2\",\"member\"]", false },
    { "wrong types", "", "[1,null,{}]", false },
};

static void test_scopes(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(SCOPES); i++) {
        auto_resource struct resource *resource =
            fixture_resource(RESOURCE_API_KEY, SCOPES[i].spec);
        auto_json cJSON *granted = fixture_json(SCOPES[i].granted);
        if (grant_has_scopes(resource, granted) != SCOPES[i].fits)
            fail_msg("%s", SCOPES[i].name);
    }
}

struct expiry_row {
    const char *name;
    const char *spec;
    const char *created; /* NULL: not told */
    const char *expires;
    bool fits;
};

#define FOR_60_DAYS "\"validFor\":\"1440h\""
#define UNTIL_JULY "\"expiresAt\":\"2026-07-01T00:00:00Z\""
#define MAY "2026-05-02T00:00:00Z"

static const struct expiry_row EXPIRIES[] = {
    { "no end asked for and none given", "", MAY, NULL, true },
    { "not told", FOR_60_DAYS, MAY, NULL, true },
    { "as long as asked for", FOR_60_DAYS, MAY, "2026-07-01T00:00:00Z", true },
    { "by a clock that differs a little", FOR_60_DAYS, MAY, "2026-07-01T00:04:59Z", true },
    { "and the other way", FOR_60_DAYS, MAY, "2026-06-30T23:55:01Z", true },
    { "since when isn't told", FOR_60_DAYS, NULL, "2036-07-01T00:00:00Z", true },
    { "at the time asked for", UNTIL_JULY, NULL, "2026-07-01T00:00:00.4Z", true },
    { "shorter", FOR_60_DAYS, MAY, "2026-06-30T23:54:00Z", false },
    { "longer", FOR_60_DAYS, MAY, "2026-07-01T00:06:00Z", false },
    { "another time", UNTIL_JULY, MAY, "2026-06-01T00:00:00Z", false },
    { "an end that nobody asked for", "", MAY, "2036-07-01T00:00:00Z", false },
};

static void test_expiry(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(EXPIRIES); i++) {
        const struct expiry_row *row = &EXPIRIES[i];
        auto_resource struct resource *resource = fixture_resource(RESOURCE_API_KEY, row->spec);
        struct credential credential = { .id = mem_strdup("key-1"),
                                         .created_at_ms = timestamp_or(row->created, 0),
                                         .expires_at_ms = timestamp_or(row->expires, 0) };
        struct err err = ERR_INIT;
        if (grant_check(resource, &credential, &err) != row->fits)
            fail_msg("%s: %s", row->name, err.message);
        assert_int_equal(err.kind, row->fits ? ERR_NONE : ERR_INVALID);
        credential_done(&credential);
    }
}

static void expect_message(const char *spec, const char *scopes, const char *expires,
                           const char *message)
{
    auto_resource struct resource *resource = fixture_resource(RESOURCE_API_KEY, spec);
    struct credential credential = { .id = mem_strdup("key-1"),
                                     .scopes = fixture_json(scopes),
                                     .created_at_ms = timestamp_or(MAY, 0),
                                     .expires_at_ms = timestamp_or(expires, 0) };
    struct err err = ERR_INIT;
    assert_false(grant_check(resource, &credential, &err));
    fixture_expect(message, err.message, message);
    credential_done(&credential);
}

static void test_messages_say_what_was_asked_for_and_what_was_granted(void **state)
{
    (void)state;
    expect_message("", "[\"member\"]", NULL,
                   "Credential key-1 isn't what was asked for, so it is revoked and not published: "
                   "asked for the scopes self-hosted:products, member, granted member. Change "
                   "spec.scopes or spec.role, or ask Deepgram for the product");
    expect_message("", "[\"self-hosted:products\",\"member\"]", "2026-06-01T00:00:00Z",
                   "Credential key-1 isn't what was asked for, so it is revoked and not published: "
                   "asked for the expiry none, granted 2026-06-01T00:00:00Z. Change spec.validFor "
                   "or spec.expiresAt, or ask Deepgram for the reason");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_scopes),
        cmocka_unit_test(test_expiry),
        cmocka_unit_test(test_messages_say_what_was_asked_for_and_what_was_granted),
    };
    return fixture_run(tests);
}
