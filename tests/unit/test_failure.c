/* From an error to a reason and a time, and what ends the wait early. */
#include "world_changes.h"

#include "reconcile/failure.h"

static const uint64_t SHORTEST = 0;

static const struct failure *set_failure(struct world_fixture *fixture, enum failure_side side,
                                         enum err_kind kind)
{
    struct err err = ERR_INIT;
    err_set(&err, kind, "it failed");
    failure_set(&fixture->world, fixture->memory, side, NULL, false, &err, SHORTEST);
    return fixture->memory->failures[side];
}

static int64_t delay_ms(const struct failure *failure)
{
    return failure->retry_at_ms - MONOTONIC_MS;
}

static void test_what_an_error_means(void **state)
{
    (void)state;
    enum { ON_CHANGE = -1 };
    static const struct {
        enum failure_side side;
        enum err_kind kind;
        const char *reason;
        bool stalled;
        int64_t floor_ms;
    } rows[] = {
        { FAILURE_DEEPGRAM, ERR_UNAUTHORIZED, "Unauthorized", true, 5000 },
        { FAILURE_DEEPGRAM, ERR_FORBIDDEN, "Forbidden", true, 5000 },
        { FAILURE_DEEPGRAM, ERR_NOT_FOUND, "ProjectNotFound", true, 5000 },
        { FAILURE_DEEPGRAM, ERR_INVALID, "InvalidRequest", true, ON_CHANGE },
        { FAILURE_DEEPGRAM, ERR_THROTTLED, "Throttled", false, 1000 },
        { FAILURE_DEEPGRAM, ERR_UNKNOWN_OUTCOME, "UnknownOutcome", false, 0 },
        { FAILURE_DEEPGRAM, ERR_MALFORMED, "MalformedAnswer", false, 1000 },
        { FAILURE_DEEPGRAM, ERR_TRANSIENT, "DeepgramUnavailable", false, 1000 },
        { FAILURE_DEEPGRAM, ERR_CONFLICT, "DeepgramUnavailable", false, 1000 },
        { FAILURE_CHECK, ERR_INVALID, "NotGranted", true, 60000 },
        { FAILURE_CHECK, ERR_FORBIDDEN, "RegistryRefused", true, 60000 },
        { FAILURE_CHECK, ERR_NOT_FOUND, "NotAccepted", false, 1000 },
        { FAILURE_CHECK, ERR_UNAUTHORIZED, "NotAccepted", false, 3000 },
        { FAILURE_CHECK, ERR_THROTTLED, "RegistryUnavailable", false, 1000 },
        { FAILURE_CHECK, ERR_TRANSIENT, "RegistryUnavailable", false, 1000 },
        { FAILURE_CHECK, ERR_MALFORMED, "RegistryUnavailable", false, 1000 },
        { FAILURE_VERIFY, ERR_TRANSIENT, "VerifyFailed", false, 5000 },
        { FAILURE_KUBERNETES, ERR_FORBIDDEN, "KubernetesForbidden", true, 1000 },
        { FAILURE_KUBERNETES, ERR_INVALID, "KubernetesRefused", true, 5000 },
        { FAILURE_KUBERNETES, ERR_THROTTLED, "KubernetesUnavailable", false, 1000 },
        { FAILURE_KUBERNETES, ERR_UNAUTHORIZED, "KubernetesUnavailable", false, 1000 },
        { FAILURE_KUBERNETES, ERR_TRANSIENT, "KubernetesUnavailable", false, 1000 },
        { FAILURE_KUBERNETES, ERR_MALFORMED, "KubernetesUnavailable", false, 1000 },
    };
    for (size_t i = 0; i < ARRAY_LENGTH(rows); i++) {
        auto_world struct world_fixture *fixture = WORLD(NULL);
        const struct failure *failure = set_failure(fixture, rows[i].side, rows[i].kind);
        auto_free char *row =
            mem_printf("side %d, %s", (int)rows[i].side, err_kind_name(rows[i].kind));
        fixture_expect(row, failure->reason, rows[i].reason);
        assert_non_null(failure);
        assert_int_equal(failure->kind, rows[i].kind);
        if (failure->stalled != rows[i].stalled)
            fail_msg("%s: stalled %d", row, failure->stalled);
        bool on_change = failure->retry_at_ms == INT64_MAX;
        int64_t delay = on_change ? ON_CHANGE : delay_ms(failure);
        if (delay != rows[i].floor_ms)
            fail_msg("%s: after %lld ms", row, (long long)delay);
        assert_int_equal(failure->retry_at_wall_ms, on_change ? 0 : NOW_MS + delay);
    }
}

/* Whatever the dice say: never sooner than the floor, never later than five minutes. */
static void test_the_wait_grows_up_to_five_minutes(void **state)
{
    (void)state;
    static const struct {
        enum err_kind kind;
        int64_t floor_ms;
        int failures;
        int64_t most_ms;
    } rows[] = {
        { ERR_TRANSIENT, 1000, 1, 2000 },          { ERR_TRANSIENT, 1000, 2, 4000 },
        { ERR_TRANSIENT, 1000, 8, 256000 },        { ERR_TRANSIENT, 1000, 9, 300000 },
        { ERR_TRANSIENT, 1000, 1000, 300000 },     { ERR_FORBIDDEN, 5000, 1, 10000 },
        { ERR_FORBIDDEN, 5000, 100, 300000 },      { ERR_UNKNOWN_OUTCOME, 1000, 2, 4000 },
        { ERR_UNKNOWN_OUTCOME, 1000, 50, 300000 },
    };
    for (size_t i = 0; i < ARRAY_LENGTH(rows); i++) {
        int64_t longest = 0;
        for (uint64_t dice = 0; dice < 400; dice++) {
            auto_world struct world_fixture *fixture = WORLD(NULL);
            struct err err = ERR_INIT;
            err_set(&err, rows[i].kind, "it failed");
            for (int n = 0; n < rows[i].failures; n++)
                failure_set(&fixture->world, fixture->memory, FAILURE_DEEPGRAM, NULL, false, &err,
                            dice * 7919);
            const struct failure *failure = fixture->memory->failures[FAILURE_DEEPGRAM];
            assert_int_equal(failure->count, rows[i].failures);
            assert_in_range(delay_ms(failure), rows[i].floor_ms, rows[i].most_ms);
            longest = delay_ms(failure) > longest ? delay_ms(failure) : longest;
            if (rows[i].failures > 100 && dice > 10)
                break;
        }
        assert_true(rows[i].failures > 100 || longest > rows[i].most_ms * 9 / 10);
    }
}

static void test_deepgram_says_how_long(void **state)
{
    (void)state;
    for (enum failure_side side = 0; side < FAILURE_VERIFY; side++) {
        auto_world struct world_fixture *fixture = WORLD(NULL);
        struct err err = ERR_INIT;
        err_set(&err, ERR_THROTTLED, "slow down");
        err.retry_after_ms = 17000;
        failure_set(&fixture->world, fixture->memory, side, NULL, false, &err, UINT64_MAX);
        assert_int_equal(delay_ms(fixture->memory->failures[side]), 17000);
        err.retry_after_ms = 0;
        failure_set(&fixture->world, fixture->memory, side, NULL, false, &err, UINT64_MAX);
        assert_int_equal(delay_ms(fixture->memory->failures[side]), 0);
    }
}

static void test_failures_are_counted_in_a_row(void **state)
{
    (void)state;
    auto_world struct world_fixture *fixture = WORLD(NULL);
    assert_int_equal(set_failure(fixture, FAILURE_DEEPGRAM, ERR_TRANSIENT)->count, 1);
    assert_int_equal(set_failure(fixture, FAILURE_DEEPGRAM, ERR_INVALID)->count, 2);
    assert_int_equal(set_failure(fixture, FAILURE_DEEPGRAM, ERR_TRANSIENT)->count, 3);
    assert_int_equal(set_failure(fixture, FAILURE_KUBERNETES, ERR_TRANSIENT)->count, 1);
    fixture->world.monotonic_ms += 5 * MINUTE_MS; /* and a second, after its time had come */
    assert_int_equal(set_failure(fixture, FAILURE_DEEPGRAM, ERR_TRANSIENT)->count, 4);
    fixture->world.monotonic_ms += 5 * MINUTE_MS + SECOND_MS;
    assert_int_equal(set_failure(fixture, FAILURE_DEEPGRAM, ERR_TRANSIENT)->count, 1);
    failure_clear(fixture->memory, FAILURE_DEEPGRAM);
    assert_int_equal(set_failure(fixture, FAILURE_DEEPGRAM, ERR_TRANSIENT)->count, 1);
}

/* Each of them is a create that was thrown away: rarer and rarer, up to an hour. */
static void test_refused_credentials_become_rare(void **state)
{
    (void)state;
    auto_world struct world_fixture *fixture = WORLD(NULL);
    int64_t least_ms = 0;
    for (int n = 1; n <= 20; n++) {
        const struct failure *failure = set_failure(fixture, FAILURE_CHECK, ERR_INVALID);
        assert_int_equal(failure->count, n);
        assert_true(delay_ms(failure) >= least_ms && delay_ms(failure) <= HOUR_MS);
        least_ms = delay_ms(failure);
    }
    assert_true(failure_holds(&fixture->world, FAILURE_CHECK));
    assert_false(failure_holds(&fixture->world, FAILURE_DEEPGRAM));
}

static void test_waiting_for_a_credential_to_be_known_counts_for_nothing(void **state)
{
    (void)state;
    auto_world struct world_fixture *fixture = WORLD(NULL);
    assert_int_equal(set_failure(fixture, FAILURE_CHECK, ERR_UNAUTHORIZED)->count, 0);
    assert_int_equal(set_failure(fixture, FAILURE_CHECK, ERR_UNAUTHORIZED)->count, 0);
    assert_int_equal(set_failure(fixture, FAILURE_CHECK, ERR_FORBIDDEN)->count, 1);
    assert_int_equal(set_failure(fixture, FAILURE_CHECK, ERR_UNAUTHORIZED)->count, 1);
}

static void four_failures_in_status(struct world_fixture *fixture)
{
    world_put(fixture->json, "status.failures", "4");
}

static void test_the_count_of_a_former_process_goes_on(void **state)
{
    (void)state;
    auto_world struct world_fixture *fixture = WORLD(four_failures_in_status);
    assert_int_equal(set_failure(fixture, FAILURE_KUBERNETES, ERR_TRANSIENT)->count, 1);
    assert_false(fixture->memory->asked_deepgram);
    assert_int_equal(set_failure(fixture, FAILURE_DEEPGRAM, ERR_UNKNOWN_OUTCOME)->count, 5);
    assert_true(fixture->memory->asked_deepgram);
    assert_int_equal(set_failure(fixture, FAILURE_DEEPGRAM, ERR_TRANSIENT)->count, 6);

    auto_world struct world_fixture *worked = WORLD(four_failures_in_status);
    failure_clear(worked->memory, FAILURE_KUBERNETES);
    assert_false(worked->memory->asked_deepgram);
    failure_clear(worked->memory, FAILURE_DEEPGRAM);
    assert_true(worked->memory->asked_deepgram);
    assert_int_equal(set_failure(worked, FAILURE_DEEPGRAM, ERR_TRANSIENT)->count, 1);
}

static void stalled_by_the_admin_key(struct world_fixture *fixture)
{
    world_put(fixture->json, "status.conditions",
              "[{\"type\":\"Stalled\",\"status\":\"True\",\"reason\":\"Unauthorized\"}]");
}

static void still_issuing(struct world_fixture *fixture)
{
    world_put(
        fixture->json, "status.conditions",
        "[{\"type\":\"Reconciling\",\"status\":\"True\",\"reason\":\"DeepgramUnavailable\"}]");
}

static void test_what_another_trouble_counted_is_over(void **state)
{
    (void)state;
    static const struct {
        enum failure_side side;
        enum err_kind kind;
        int64_t count;
    } rows[] = {
        { FAILURE_DEEPGRAM, ERR_UNAUTHORIZED, 5 }, { FAILURE_DEEPGRAM, ERR_FORBIDDEN, 1 },
        { FAILURE_DEEPGRAM, ERR_TRANSIENT, 1 },    { FAILURE_CHECK, ERR_INVALID, 1 },
        { FAILURE_CHECK, ERR_NOT_FOUND, 1 },
    };
    for (size_t i = 0; i < ARRAY_LENGTH(rows); i++) {
        auto_world struct world_fixture *fixture =
            WORLD(four_failures_in_status, stalled_by_the_admin_key);
        const struct failure *failure = set_failure(fixture, rows[i].side, rows[i].kind);
        if (failure->count != rows[i].count)
            fail_msg("row %zu: %d", i, (int)failure->count);
    }
    auto_world struct world_fixture *issuing = WORLD(four_failures_in_status, still_issuing);
    assert_int_equal(set_failure(issuing, FAILURE_CHECK, ERR_INVALID)->count, 1);
    assert_int_equal(set_failure(issuing, FAILURE_DEEPGRAM, ERR_TRANSIENT)->count, 5);
    auto_world struct world_fixture *published = WORLD(four_failures_in_status);
    assert_int_equal(set_failure(published, FAILURE_CHECK, ERR_INVALID)->count, 5);
}

static void test_an_unusable_admin_secret_has_its_own_reason(void **state)
{
    (void)state;
    auto_world struct world_fixture *fixture = WORLD(NULL);
    struct err err = ERR_INIT;
    err_set(&err, ERR_NOT_FOUND, "no entry token");
    failure_set(&fixture->world, fixture->memory, FAILURE_DEEPGRAM, "CredentialsUnusable", true,
                &err, SHORTEST);
    const struct failure *failure = fixture->memory->failures[FAILURE_DEEPGRAM];
    assert_string_equal(failure->reason, "CredentialsUnusable");
    assert_string_equal(failure->message, "no entry token");
    assert_true(failure->stalled);
    assert_true(failure->reporting);
    assert_int_equal(delay_ms(failure), 5000);
}

static void test_the_admin_key_is_named_where_it_matters(void **state)
{
    (void)state;
    static const struct {
        enum failure_side side;
        enum err_kind kind;
        const char *message;
    } rows[] = {
        { FAILURE_DEEPGRAM, ERR_UNAUTHORIZED,
          "it failed (the admin key is entry token of Secret team/admin)" },
        { FAILURE_DEEPGRAM, ERR_FORBIDDEN,
          "it failed (the admin key is entry token of Secret team/admin)" },
        { FAILURE_DEEPGRAM, ERR_NOT_FOUND,
          "it failed (the admin key is entry token of Secret team/admin)" },
        { FAILURE_DEEPGRAM, ERR_TRANSIENT, "it failed" },
        { FAILURE_KUBERNETES, ERR_FORBIDDEN, "it failed" },
    };
    for (size_t i = 0; i < ARRAY_LENGTH(rows); i++) {
        auto_world struct world_fixture *fixture = WORLD(NULL);
        fixture_expect(err_kind_name(rows[i].kind),
                       set_failure(fixture, rows[i].side, rows[i].kind)->message, rows[i].message);
    }
}

/* ---- how long it holds ---- */

static void its_time_has_come(struct world_fixture *fixture)
{
    fixture->world.monotonic_ms = MONOTONIC_MS + 20 * SECOND_MS;
}

static void nearly(struct world_fixture *fixture)
{
    fixture->world.monotonic_ms = MONOTONIC_MS + 20 * SECOND_MS - 1;
}

static void clock_set_forward(struct world_fixture *fixture)
{
    fixture->world.now_ms += DAY_MS;
}

static void labelled(struct world_fixture *fixture)
{
    world_put(fixture->json, "metadata.labels", "{\"team\":\"voice\"}");
    world_put(fixture->json, "metadata.resourceVersion", "\"43\"");
}

static void same_token(struct world_fixture *fixture)
{
    world_annotate(fixture->json, ANNOTATION_ROTATE, "a token");
    fixture->memory->failures[FAILURE_DEEPGRAM]->mends =
        fingerprint_add(fingerprint(FIXTURE_ADMIN_VERSION), "a token");
}

static void test_what_ends_the_wait(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        world_change_fn *with[FIXTURE_CHANGES_MAX];
        bool deepgram, kubernetes; /* still hold */
    } rows[] = {
        { "nothing failed", { NULL }, false, false },
        { "one side doesn't hold up the other", { deepgram_fails }, true, false },
        { "nor the other the one", { kubernetes_fails }, false, true },
        { "nearly its time", { deepgram_fails, kubernetes_fails, nearly }, true, true },
        { "its time", { deepgram_fails, kubernetes_fails, its_time_has_come }, false, false },
        { "not the wall clock",
          { deepgram_fails, kubernetes_fails, clock_set_forward },
          true,
          true },
        { "the spec changed", { deepgram_fails, kubernetes_fails, generation_4 }, false, true },
        { "the admin Secret changed",
          { deepgram_fails, kubernetes_fails, admin_changed },
          false,
          true },
        { "a new rotate token",
          { deepgram_fails, kubernetes_fails, rotation_requested },
          false,
          true },
        { "the same token", { deepgram_fails, same_token }, true, false },
        { "a label changes nothing", { deepgram_fails, labelled }, true, false },
        { "a refusal has no time", { deepgram_refuses, its_time_has_come }, true, false },
        { "but ends too", { deepgram_refuses, admin_changed }, false, false },
    };
    for (size_t i = 0; i < ARRAY_LENGTH(rows); i++) {
        auto_world struct world_fixture *fixture = world_fixture_new(rows[i].with);
        if (failure_holds(&fixture->world, FAILURE_DEEPGRAM) != rows[i].deepgram)
            fail_msg("%s: Deepgram", rows[i].name);
        if (failure_holds(&fixture->world, FAILURE_KUBERNETES) != rows[i].kubernetes)
            fail_msg("%s: Kubernetes", rows[i].name);
    }
}

static void test_it_remembers_what_it_was_made_from(void **state)
{
    (void)state;
    auto_world struct world_fixture *fixture =
        WORLD(generation_4, admin_changed, rotation_requested);
    set_failure(fixture, FAILURE_DEEPGRAM, ERR_INVALID);
    assert_true(failure_holds(&fixture->world, FAILURE_DEEPGRAM));
    failure_clear(fixture->memory, FAILURE_DEEPGRAM);
    assert_false(failure_holds(&fixture->world, FAILURE_DEEPGRAM));
}

/* A list that works says nothing about creates. */
static void test_lost_answers_go_on_being_counted(void **state)
{
    (void)state;
    auto_world struct world_fixture *fixture = WORLD(NULL);
    set_failure(fixture, FAILURE_DEEPGRAM, ERR_UNKNOWN_OUTCOME);
    failure_clear_but_unknown(fixture->memory);
    assert_int_equal(set_failure(fixture, FAILURE_DEEPGRAM, ERR_UNKNOWN_OUTCOME)->count, 2);
    set_failure(fixture, FAILURE_DEEPGRAM, ERR_TRANSIENT);
    failure_clear_but_unknown(fixture->memory);
    assert_int_equal(set_failure(fixture, FAILURE_DEEPGRAM, ERR_TRANSIENT)->count, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_an_error_means),
        cmocka_unit_test(test_the_wait_grows_up_to_five_minutes),
        cmocka_unit_test(test_deepgram_says_how_long),
        cmocka_unit_test(test_failures_are_counted_in_a_row),
        cmocka_unit_test(test_refused_credentials_become_rare),
        cmocka_unit_test(test_waiting_for_a_credential_to_be_known_counts_for_nothing),
        cmocka_unit_test(test_the_count_of_a_former_process_goes_on),
        cmocka_unit_test(test_what_another_trouble_counted_is_over),
        cmocka_unit_test(test_an_unusable_admin_secret_has_its_own_reason),
        cmocka_unit_test(test_the_admin_key_is_named_where_it_matters),
        cmocka_unit_test(test_what_ends_the_wait),
        cmocka_unit_test(test_it_remembers_what_it_was_made_from),
        cmocka_unit_test(test_lost_answers_go_on_being_counted),
    };
    return fixture_run(tests);
}
