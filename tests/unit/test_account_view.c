/* What `kubectl deepgram status` shows of ServiceAccounts. */
#include "fixture.h"

#include "plugin/account_view.h"

#define ACCOUNT(name, entries)                                                                     \
    "{\"metadata\":{\"name\":\"" name "\",\"uid\":\"uid-" name "\"},\"imagePullSecrets\":" entries \
    "}"
#define REGCRED "[{\"name\":\"theirs\"},{\"name\":\"regcred\"}]"

static const char ACCOUNTS[] = "[" ACCOUNT("engine", REGCRED) "," ACCOUNT(
    "api", REGCRED) "," ACCOUNT("proxy", "[]") "," ACCOUNT("former", REGCRED) "]";

static struct resource *naming(const char *names, const char *notes)
{
    auto_free char *text = mem_printf(
        "{\"metadata\":{\"namespace\":\"team\",\"name\":\"regcred\",\"uid\":\"" FIXTURE_UID "\"},"
        "\"spec\":{\"projectId\":\"" FIXTURE_PROJECT "\",\"serviceAccounts\":%s},"
        "\"status\":{\"serviceAccounts\":%s,\"conditions\":[{\"type\":\"ServiceAccountsUpdated\","
        "\"status\":\"False\",\"reason\":\"ServiceAccountNotFound\",\"message\":\"none\"}]}}",
        names, notes);
    return resource_new(RESOURCE_PULL_SECRET, fixture_json(text));
}

static const char NAMES[] = "[\"engine\",\"api\",\"proxy\",\"missing\"]";
static const char NOTES[] =
    "[{\"name\":\"engine\",\"uid\":\"uid-engine\",\"secretName\":\"regcred\"},"
    "{\"name\":\"former\",\"uid\":\"uid-former\",\"secretName\":\"regcred\"},"
    "{\"name\":\"proxy\",\"uid\":\"uid-proxy\",\"secretName\":\"earlier\"}]";

static void expect_rows(const cJSON *view, const char *wanted)
{
    auto_layout struct layout layout = { 0 };
    auto_buf struct buf text;
    buf_init(&text, 4096);
    account_view_rows(view, 0, &layout);
    layout_render(&layout, &text);
    assert_string_equal(buf_text(&text), wanted);
}

static void test_who_names_the_secret(void **state)
{
    (void)state;
    auto_resource struct resource *resource = naming(NAMES, NOTES);
    auto_json cJSON *accounts = fixture_json(ACCOUNTS);
    auto_json cJSON *view = account_view(resource, accounts);
    fixture_expect_json("the first", cJSON_GetArrayItem(json_member(view, "accounts"), 0),
                        "{\"name\":\"engine\",\"secret\":\"regcred\",\"wanted\":true,"
                        "\"exists\":true,\"listed\":true,\"byOperator\":true}");
    expect_rows(view,
                "ServiceAccounts              Not updated  ServiceAccountNotFound: none\n"
                "├─ ServiceAccount engine     Listed       its pods pull with Secret regcred\n"
                "├─ ServiceAccount api        Listed       its pods pull with Secret regcred, "
                "which somebody else named there\n"
                "├─ ServiceAccount proxy      Not listed   its pods don't pull with Secret "
                "regcred\n"
                "├─ ServiceAccount missing    Missing      its pods will pull with Secret regcred "
                "once it exists\n"
                "└─ ServiceAccount former     Leaving      Secret regcred is still to be taken "
                "out\n");
}

static void test_accounts_that_are_not_shown(void **state)
{
    (void)state;
    auto_resource struct resource *resource = naming("[\"engine\"]", NOTES);
    auto_json cJSON *view = account_view(resource, NULL);
    expect_rows(view, "ServiceAccounts             Not updated  ServiceAccountNotFound: none\n"
                      "└─ ServiceAccount engine    Unknown      whether it names Secret regcred "
                      "can't be looked at\n");
}

static void test_who_needs_them(void **state)
{
    (void)state;
    static const struct {
        const char *names, *notes;
        bool needed;
    } rows[] = {
        { "[\"engine\"]", "[]", true },
        { "[]", NOTES, true },
        { "[]", "[]", false },
    };
    for (size_t i = 0; i < ARRAY_LENGTH(rows); i++) {
        auto_resource struct resource *resource = naming(rows[i].names, rows[i].notes);
        assert_int_equal(account_view_needed(resource), rows[i].needed);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_who_names_the_secret),
        cmocka_unit_test(test_accounts_that_are_not_shown),
        cmocka_unit_test(test_who_needs_them),
    };
    return fixture_run(tests);
}
