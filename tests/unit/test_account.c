/* One entry of a list that can only be written whole. */
#include "fixture.h"

#include "api/account.h"

#define METADATA(list) "{\"metadata\":{\"uid\":\"u\",\"resourceVersion\":\"7\"}" list "}"
#define LIST(entries) METADATA(",\"imagePullSecrets\":[" entries "]")
#define NAMED(name) "{\"name\":\"" name "\"}"

static const struct {
    const char *name, *account, *added, *taken;
} rows[] = {
    { "no list", METADATA(""), LIST(NAMED("it")), NULL },
    { "an empty list", LIST(""), LIST(NAMED("it")), NULL },
    { "others stay in front, in their order", LIST(NAMED("b") "," NAMED("a")),
      LIST(NAMED("b") "," NAMED("a") "," NAMED("it")), NULL },
    { "no second one", LIST(NAMED("it")), NULL, LIST("") },
    { "from between others", LIST(NAMED("b") "," NAMED("it") "," NAMED("a")), NULL,
      LIST(NAMED("b") "," NAMED("a")) },
    { "what was doubled goes whole", LIST(NAMED("it") "," NAMED("a") "," NAMED("it")), NULL,
      LIST(NAMED("a")) },
    { "a name that only begins so", LIST(NAMED("its")), LIST(NAMED("its") "," NAMED("it")), NULL },
    { "what is no entry", LIST("7,{},null"), LIST("7,{},null," NAMED("it")), NULL },
    { "no list but a text", METADATA(",\"imagePullSecrets\":\"it\""), LIST(NAMED("it")), NULL },
};

static void test_an_entry_is_put_behind_the_others_and_taken_out_from_among_them(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(rows); i++) {
        auto_json cJSON *account = fixture_json(rows[i].account);
        auto_json cJSON *added = account_patch_add(account, "it");
        auto_json cJSON *taken = account_patch_take(account, "it");
        fixture_expect_json(rows[i].name, added, rows[i].added);
        fixture_expect_json(rows[i].name, taken, rows[i].taken);
        assert_int_equal(account_lists(account, "it"), rows[i].added == NULL);
    }
    assert_false(account_lists(NULL, "it"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_an_entry_is_put_behind_the_others_and_taken_out_from_among_them),
    };
    return fixture_run(tests);
}
