/* spec.serviceAccounts: whose entry belongs where, when it is written, and what is told of it. */
#include "world_changes.h"

#include "api/condition.h"
#include "reconcile/accounts.h"
#include "reconcile/limiter.h"
#include "reconcile/report.h"

#define expect(rows) world_expect_steps(rows, ARRAY_LENGTH(rows))

/* ---- changes ---- */

static struct account_view items[3];

static struct account_view *add(struct world_fixture *fixture, const char *name)
{
    struct accounts_view *accounts = &fixture->world.accounts;
    accounts->state = ACCOUNTS_KNOWN;
    accounts->items = items;
    struct account_view *account = &items[accounts->count++];
    *account = (struct account_view){ .name = name };
    return account;
}

/* The spec names an account that doesn't exist. */
static void engine_missing(struct world_fixture *fixture)
{
    add(fixture, "engine");
}

static void engine(struct world_fixture *fixture)
{
    add(fixture, "engine")->uid = "engine-1";
}

static void api(struct world_fixture *fixture)
{
    add(fixture, "api")->uid = "api-1";
}

/* The last one that was named has the entry. */
static void listed(struct world_fixture *fixture)
{
    items[fixture->world.accounts.count - 1].listed = true;
}

/* An entry that the status tells to be ours; held: it is there. */
static void add_note(struct world_fixture *fixture, const char *name, const char *uid,
                     const char *secret, bool held)
{
    cJSON *status = cJSON_GetObjectItemCaseSensitive(fixture->json, "status");
    cJSON *notes = cJSON_GetObjectItemCaseSensitive(status, "serviceAccounts");
    if (!notes)
        notes = json_add_array(status, "serviceAccounts");
    fixture->world.accounts.held[cJSON_GetArraySize(notes)] = held;
    auto_free char *text =
        mem_printf("{\"name\":\"%s\",\"uid\":\"%s\",\"secretName\":\"%s\"}", name, uid, secret);
    cJSON_AddItemToArray(notes, fixture_json(text));
    fixture->world.accounts.state = ACCOUNTS_KNOWN;
}

static void engine_noted(struct world_fixture *fixture)
{
    add_note(fixture, "engine", "engine-1", "voice", false);
}

static void engine_holds(struct world_fixture *fixture)
{
    add_note(fixture, "engine", "engine-1", "voice", true);
}

/* Of the account that was deleted before another of that name was made. */
static void former_engine_noted(struct world_fixture *fixture)
{
    add_note(fixture, "engine", "engine-0", "voice", false);
}

static void engine_holds_earlier_name(struct world_fixture *fixture)
{
    add_note(fixture, "engine", "engine-1", "earlier", true);
}

/* The name of the target that is to go. */
static void engine_held_old_target(struct world_fixture *fixture)
{
    add_note(fixture, "engine", "engine-1", "before", false);
}

static void engine_holds_old_target(struct world_fixture *fixture)
{
    add_note(fixture, "engine", "engine-1", "before", true);
}

static void many_notes(struct world_fixture *fixture)
{
    for (int i = 0; i < STATUS_ACCOUNTS_MAX; i++)
        add_note(fixture, "other", "other-1", "earlier", i == 30);
}

/* Nothing was issued yet. */
static void seen(struct world_fixture *fixture)
{
    world_put(fixture->json, "status", "{\"conditions\":[]}");
}

/* Told by a former process. */
static void updated(struct world_fixture *fixture)
{
    cJSON *status = cJSON_GetObjectItemCaseSensitive(fixture->json, "status");
    cJSON_AddItemToArray(
        cJSON_GetObjectItemCaseSensitive(status, "conditions"),
        fixture_json("{\"type\":\"ServiceAccountsUpdated\",\"status\":\"True\","
                     "\"observedGeneration\":3,\"lastTransitionTime\":\"2026-05-01T00:00:10Z\","
                     "\"reason\":\"Updated\",\"message\":\"Secret voice is among the "
                     "imagePullSecrets of every ServiceAccount "
                     "that spec.serviceAccounts names\"}"));
}

static void unwatched(struct world_fixture *fixture)
{
    fixture->world.accounts.state = ACCOUNTS_UNWATCHED;
}

static void loading(struct world_fixture *fixture)
{
    fixture->world.accounts.state = ACCOUNTS_LOADING;
}

static void not_shown(struct world_fixture *fixture)
{
    loading(fixture);
    fixture->world.accounts.refusal = "Forbidden: cannot list resource \"serviceaccounts\"";
}

static void change_refused(struct world_fixture *fixture)
{
    add_failure(fixture, FAILURE_ACCOUNTS, "KubernetesForbidden")->stalled = true;
}

static void change_refused_often(struct world_fixture *fixture)
{
    change_refused(fixture);
    fixture->memory->failures[FAILURE_ACCOUNTS]->count = 5;
}

/* So often that the next one may come in 10 s, where there is one account with a note. */
static void changed_often(struct world_fixture *fixture)
{
    struct limit limit = account_limit(2);
    fixture->memory->accounts_at_ms =
        MONOTONIC_MS + 10 * SECOND_MS + (limit.burst - 1) * limit.interval_ms;
}

/* ---- living ---- */

static void test_what_is_published_is_put_into_the_accounts(void **state)
{
    (void)state;
    static const struct world_row rows[] = {
        { "nobody needs accounts: they aren't watched", { published }, "wait Ready for 500 s" },
        { "somebody does", { published, engine, unwatched }, "watch-accounts" },
        { "until they are known the rest goes on",
          { published, engine, loading },
          "wait Ready for 500 s" },
        { "an entry is noted before it is written",
          { published, engine },
          "note-account voice engine" },
        { "and then written", { published, engine, engine_noted }, "add-to-account voice engine" },
        { "not before there is something to be pulled with", { engine }, "announce r1 (Created)" },
        { "nor before it is known to be published",
          { in_target, compared_same, seen, engine, engine_noted },
          "report Ready for an event" },
        { "one that is there already is left alone",
          { published, engine, listed, updated },
          "wait Ready for 500 s" },
        { "an account that doesn't exist holds up no other",
          { published, engine_missing, api },
          "note-account voice api" },
        { "one that was made anew has nothing of ours",
          { published, engine, former_engine_noted },
          "note-account voice engine" },
        { "a suspended resource changes nothing",
          { published, engine, engine_noted, suspended },
          "report Suspended Suspended for an event" },
        { "no Deepgram is needed",
          { published, engine, engine_noted, deepgram_refuses, admin_missing },
          "add-to-account voice engine" },
        { "a refusal holds up nothing else, and is tried again",
          { published, engine, engine_noted, change_refused },
          "report Ready for 20 s" },
        { "one that somebody takes out each time is put back now and then",
          { published, engine, engine_noted, changed_often },
          "report Ready for 10 s" },
        { "no more notes than a status takes",
          { published, engine, many_notes },
          "take-from-account earlier other" },
    };
    expect(rows);
}

static void test_what_we_put_there_is_taken_out_where_it_does_not_belong(void **state)
{
    (void)state;
    static const struct world_row rows[] = {
        { "an account that is no longer named",
          { published, engine_holds },
          "take-from-account voice engine" },
        { "also while nothing is published",
          { seen, engine_holds },
          "take-from-account voice engine" },
        { "what isn't there any more is not asked for",
          { published, engine_noted },
          "report Ready for 500 s" },
        { "what belongs there stays",
          { published, engine, listed, engine_holds, updated },
          "wait Ready for 500 s" },
        { "a new name is put in first",
          { published, engine, engine_noted, engine_holds_earlier_name },
          "add-to-account voice engine" },
        { "then the earlier one goes",
          { published, engine, listed, engine_holds, engine_holds_earlier_name },
          "take-from-account earlier engine" },
        { "and stays while there is nothing to replace it",
          { published, key_1_gone, engine, engine_holds_earlier_name, deepgram_fails },
          "report Progressing DeepgramUnavailable for 20 s" },
        { "and not before the new one is there",
          { published, target_gone, engine, engine_holds_earlier_name },
          "publish r1 heals" },
    };
    expect(rows);
}

static void test_an_earlier_target_stays_while_accounts_name_it(void **state)
{
    (void)state;
    static const struct world_row rows[] = {
        { "they don't", { published, old_target, engine_held_old_target }, "delete-target before" },
        { "while they aren't known",
          { published, old_target, engine_held_old_target, loading },
          "wait Ready for 500 s" },
        { "when they aren't shown they hold up nothing",
          { published, old_target, engine_holds_old_target, not_shown },
          "delete-target before" },
        { "until the next change is allowed",
          { published, old_target, engine, listed, updated, engine_holds_old_target,
            changed_often },
          "wait Ready for 10 s" },
        { "one that is refused holds up nothing",
          { published, old_target, engine_holds_old_target, change_refused },
          "delete-target before" },
    };
    expect(rows);
}

/* ---- terminating ---- */

static void test_a_deletion_takes_its_entries_along(void **state)
{
    (void)state;
    static const struct world_row rows[] = {
        { "first of all",
          { published, engine, listed, engine_holds, deleting, old_pod, to_discard },
          "take-from-account voice engine" },
        { "after a look at what is there",
          { published, engine, engine_holds, deleting, unwatched },
          "watch-accounts" },
        { "which takes a moment",
          { published, engine, engine_holds, deleting, loading },
          "wait for an event" },
        { "but isn't waited for when it is refused",
          { published, engine, engine_holds, deleting, not_shown },
          "delete-target voice" },
        { "an entry that isn't ours stays",
          { published, engine, listed, deleting },
          "delete-target voice" },
        { "one that is gone is gone",
          { published, engine, engine_noted, deleting },
          "delete-target voice" },
        { "a right that is missing holds it up for a while",
          { published, engine, listed, engine_holds, deleting, change_refused },
          "report Terminating KubernetesForbidden for 20 s" },
        { "and not for ever",
          { published, engine, listed, engine_holds, deleting, change_refused_often },
          "delete-target voice" },
        { "however often they were changed",
          { published, engine, listed, engine_holds, deleting, changed_often },
          "take-from-account voice engine" },
        { "Retain leaves them",
          { published, engine, listed, engine_holds, deleting, retain },
          "release voice" },
        { "in a namespace that goes they go by themselves",
          { published, engine, listed, engine_holds, deleting, namespace_terminating },
          "delete-target voice" },
    };
    expect(rows);
}

/* ---- what is told ---- */

static const struct {
    const char *name;
    world_change_fn *with[FIXTURE_CHANGES_MAX];
    const char *notes;     /* "account/uid/Secret …" */
    const char *condition; /* "status reason" */
    const char *says;
} told[] = {
    { "nothing where nobody needs accounts", { published }, "", NULL, NULL },
    { "all have it",
      { published, engine, listed, engine_holds },
      "engine/engine-1/voice",
      "True Updated",
      "Secret voice is among the imagePullSecrets of every" },
    { "one that had it before isn't noted",
      { published, engine, listed },
      "",
      "True Updated",
      "every ServiceAccount" },
    { "what is about to be written is noted by its own step only",
      { published, engine },
      "",
      NULL,
      NULL },
    { "nothing is noted before there is a Secret", { engine, api }, "", NULL, NULL },
    { "what is missing",
      { published, engine_missing, api, listed },
      "",
      "False ServiceAccountNotFound",
      "ServiceAccount engine doesn't exist: create it" },
    { "a note of an account that was made anew goes",
      { published, engine, former_engine_noted },
      "",
      NULL,
      NULL },
    { "as does one of an entry that was taken out",
      { published, api, listed, engine_noted },
      "",
      "True Updated",
      "every" },
    { "an earlier name stays noted as long as it is there",
      { published, engine, listed, engine_holds, engine_holds_earlier_name },
      "engine/engine-1/voice engine/engine-1/earlier",
      "True Updated",
      "Secret voice" },
    { "a fight",
      { published, engine, engine_noted, changed_often },
      "engine/engine-1/voice",
      "False ServiceAccountConflict",
      "kubectl get serviceaccount engine" },
    { "a refusal",
      { published, engine, engine_noted, change_refused },
      "engine/engine-1/voice",
      "False KubernetesForbidden",
      "it failed" },
    { "accounts that aren't shown",
      { published, engine, engine_noted, not_shown },
      "engine/engine-1/voice",
      "False KubernetesForbidden",
      "cannot list resource" },
    { "until they are known it stays as it was",
      { published, engine_missing, former_engine_noted, loading, updated },
      "engine/engine-0/voice",
      "True Updated",
      "Secret voice is among" },
    { "nothing once none is named", { published, engine_noted, updated }, "", NULL, NULL },
    { "a note of what is still to be taken out",
      { published, engine_holds },
      "engine/engine-1/voice",
      NULL,
      NULL },
    { "in a deletion only what is left",
      { published, engine, engine_holds, engine_noted, updated, deleting },
      "engine/engine-1/voice",
      NULL,
      NULL },
};

static char *notes_of(const cJSON *status)
{
    char *text = mem_strdup("");
    const cJSON *note = NULL;
    cJSON_ArrayForEach(note, json_member(status, "serviceAccounts")) {
        auto_free char *word =
            mem_printf("%s/%s/%s", json_string_member(note, "name"),
                       json_string_member(note, "uid"), json_string_member(note, "secretName"));
        char *longer = mem_printf("%s%s%s", text, *text ? " " : "", word);
        mem_free(text);
        text = longer;
    }
    return text;
}

static void test_what_is_told_of_them(void **state)
{
    (void)state;
    const struct verdict ready = { .kind = VERDICT_READY };
    for (size_t i = 0; i < ARRAY_LENGTH(told); i++) {
        auto_world struct world_fixture *fixture = world_fixture_new(told[i].with);
        auto_json cJSON *status = report_status(&fixture->world, &ready);
        auto_free char *notes = notes_of(status);
        fixture_expect(told[i].name, notes, told[i].notes);
        const cJSON *condition =
            condition_find(json_member(status, "conditions"), "ServiceAccountsUpdated");
        auto_free char *is = condition
                                 ? mem_printf("%s %s", json_string_member(condition, "status"),
                                              json_string_member(condition, "reason"))
                                 : NULL;
        fixture_expect(told[i].name, is, told[i].condition);
        const char *message = json_string_member(condition, "message");
        if (told[i].says && !strstr(message, told[i].says))
            fail_msg("%s: %s", told[i].name, message);
    }
}

static void test_the_account_that_was_looked_at_is_noted_and_no_other(void **state)
{
    (void)state;
    auto_world struct world_fixture *fixture = WORLD(published, engine, api);
    const struct verdict noting_api = { .kind = VERDICT_READY, .noting = "api-1" };
    auto_json cJSON *status = report_status(&fixture->world, &noting_api);
    auto_free char *notes = notes_of(status);
    assert_string_equal(notes, "api/api-1/voice");
}

static void test_a_status_takes_no_more_notes_than_it_has_room_for(void **state)
{
    (void)state;
    auto_world struct world_fixture *fixture = WORLD(published, engine, many_notes);
    for (size_t i = 0; i < STATUS_ACCOUNTS_MAX; i++)
        fixture->world.accounts.held[i] = true;
    const struct verdict ready = { .kind = VERDICT_READY, .noting = "engine-1" };
    auto_json cJSON *status = report_status(&fixture->world, &ready);
    assert_int_equal(cJSON_GetArraySize(json_member(status, "serviceAccounts")),
                     STATUS_ACCOUNTS_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_is_published_is_put_into_the_accounts),
        cmocka_unit_test(test_what_we_put_there_is_taken_out_where_it_does_not_belong),
        cmocka_unit_test(test_an_earlier_target_stays_while_accounts_name_it),
        cmocka_unit_test(test_a_deletion_takes_its_entries_along),
        cmocka_unit_test(test_what_is_told_of_them),
        cmocka_unit_test(test_the_account_that_was_looked_at_is_noted_and_no_other),
        cmocka_unit_test(test_a_status_takes_no_more_notes_than_it_has_room_for),
    };
    return fixture_run(tests);
}
