/* What a resource shows of its world. */
#include "world_changes.h"

#include "api/condition.h"
#include "reconcile/limiter.h"
#include "reconcile/report.h"

static const struct verdict ready = { .kind = VERDICT_READY };

static cJSON *report(const struct world_fixture *fixture)
{
    struct step step = decide(&fixture->world);
    return report_status(&fixture->world,
                         step.verdict.kind == VERDICT_NONE ? &ready : &step.verdict);
}

/* ---- changes ---- */

static void first_commit(struct world_fixture *fixture)
{
    published(fixture);
    world_add_secret(fixture, 2, ISSUED_AT_2);
    world_hold(fixture, 2, "key-2");
}

static void two_hours_overlap(struct world_fixture *fixture)
{
    world_put(fixture->json, "spec.rotation", "{\"overlap\":\"2h\"}");
}

static void until_next_week(struct world_fixture *fixture)
{
    world_put(noted_revision(fixture, 0), "revokeAfter", "\"2026-06-08T12:00:00Z\"");
}

static void first_secret_lost(struct world_fixture *fixture)
{
    cJSON_Delete(fixture->secrets[0]);
    fixture->secrets[0] = fixture->secrets[--fixture->secret_count];
}

static void target_updated(struct world_fixture *fixture)
{
    fixture->world.target.updated = true;
}

static void first_from_another_spec(struct world_fixture *fixture)
{
    world_annotate(fixture->secrets[0], ANNOTATION_SPEC_HASH, "0000000000000000");
}

static void second_answered_a_token(struct world_fixture *fixture)
{
    world_annotate(fixture->secrets[1], ANNOTATION_ROTATE, "now");
}

static void with_scopes(struct world_fixture *fixture)
{
    world_annotate(fixture->secrets[0], ANNOTATION_SCOPES, "member self-hosted:products");
}

static void with_username(struct world_fixture *fixture)
{
    world_annotate(fixture->secrets[0], ANNOTATION_USERNAME, "deepgram+key-1");
}

static void token_handled_before(struct world_fixture *fixture)
{
    world_put(fixture->json, "status.lastHandledRotateRequest", "\"before\"");
}

static void condition_of_others(struct world_fixture *fixture)
{
    cJSON *status = cJSON_GetObjectItemCaseSensitive(fixture->json, "status");
    cJSON_AddItemToArray(cJSON_GetObjectItemCaseSensitive(status, "conditions"),
                         fixture_json("{\"type\":\"Audited\",\"status\":\"True\"}"));
}

static void conditions_broken(struct world_fixture *fixture)
{
    world_put(fixture->json, "status.conditions", "7");
}

static void member_of_others(struct world_fixture *fixture)
{
    world_put(fixture->json, "status.fromANewerVersion", "true");
}

static void member_too_many(struct world_fixture *fixture)
{
    world_put(fixture->json, "status.failures", "2");
}

static void member_missing(struct world_fixture *fixture)
{
    cJSON *status = cJSON_GetObjectItemCaseSensitive(fixture->json, "status");
    cJSON_DeleteItemFromObjectCaseSensitive(status, "secretName");
}

static void member_changed(struct world_fixture *fixture)
{
    world_put(fixture->json, "status.id", "\"key-9\"");
}

static void was_stalled(struct world_fixture *fixture)
{
    cJSON *status = cJSON_GetObjectItemCaseSensitive(fixture->json, "status");
    cJSON_AddItemToArray(
        cJSON_GetObjectItemCaseSensitive(status, "conditions"),
        fixture_json("{\"type\":\"Stalled\",\"status\":\"True\",\"reason\":\"Forbidden\"}"));
}

static void in_its_last_days(struct world_fixture *fixture)
{
    world_annotate(fixture->secrets[0], ANNOTATION_EXPIRES_AT, "2026-06-02T00:00:00Z");
}

static void door_closed(struct world_fixture *fixture)
{
    target_gone(fixture);
    fixture->memory->door_closed_ms = MONOTONIC_MS - MINUTE_MS;
}

static void revoked(struct world_fixture *fixture, int first, int count)
{
    cJSON *status = cJSON_GetObjectItemCaseSensitive(fixture->json, "status");
    cJSON *revisions = cJSON_GetObjectItemCaseSensitive(status, "revisions");
    for (int i = 0; i < count; i++) {
        auto_free char *text = mem_printf(
            "{\"revision\":%d,\"id\":\"key-%d\",\"state\":\"Revoked\",\"reason\":\"Created\"}",
            first + i, first + i);
        cJSON_AddItemToArray(revisions, fixture_json(text));
    }
}

static void ten_revoked(struct world_fixture *fixture)
{
    revoked(fixture, 11, 10);
}

static void seven_live(struct world_fixture *fixture)
{
    for (int i = 2; i <= 7; i++)
        world_add_secret(fixture, i, ISSUED_AT_2);
}

static void failed_one_gone(struct world_fixture *fixture)
{
    memory_add_gone(fixture->memory, "key-2", MONOTONIC_MS);
}

/* The one that pods failed on was made from the spec as it is. */
static void published_before_the_change(struct world_fixture *fixture)
{
    world_annotate(fixture->secrets[0], ANNOTATION_SPEC_HASH, "0000000000000000");
}

static void an_hour_later(struct world_fixture *fixture)
{
    fixture->world.now_ms += HOUR_MS;
}

/* ---- conditions ---- */

/* Such as "Ready=True Published Stalled=True Forbidden". */
/* All but ConsumersUpdated, which has a test of its own. */
static char *describe_conditions(const cJSON *status)
{
    char *text = NULL;
    const cJSON *condition = NULL;
    cJSON_ArrayForEach(condition, json_member(status, "conditions")) {
        if (mem_streq(json_string_at(condition, "type"), "ConsumersUpdated"))
            continue;
        const char *reason = json_string_at(condition, "reason");
        auto_free char *word =
            mem_printf("%s=%s %s", json_string_at(condition, "type"),
                       json_string_at(condition, "status"), reason ? reason : "WITHOUT REASON");
        world_append(&text, word);
    }
    return text;
}

static void test_conditions(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        world_change_fn *with[FIXTURE_CHANGES_MAX];
        const char *conditions;
    } rows[] = {
        { "all is well", { published }, "Ready=True Published" },
        { "a person has to do something",
          { admin_missing },
          "Ready=False CredentialsNotFound Stalled=True CredentialsNotFound" },
        { "it comes by itself",
          { deepgram_fails },
          "Ready=False DeepgramUnavailable Reconciling=True DeepgramUnavailable" },
        { "what is published works, whatever the next one lacks",
          { published, lasts_60_days, in_its_last_days, deepgram_fails },
          "Ready=True Published" },
        { "nor is it stalled by that",
          { published, rotation_requested, admin_missing },
          "Ready=True Published" },
        { "until it has expired",
          { published, lasts_60_days, expired, deepgram_fails },
          "Ready=False Expired" },
        { "a spec change that waits for a person",
          { published, spec_changed, admin_missing },
          "Ready=True Published Stalled=True CredentialsNotFound" },
        { "a spec change under way",
          { published, spec_changed, project_paused },
          "Ready=True Published Reconciling=True Throttled" },
        { "a spec that can't be used",
          { published, bad_spec },
          "Ready=True Published Stalled=True InvalidSpec" },
        { "a target that can't be brought up to date",
          { published, target_outdated, kubernetes_refuses },
          "Ready=True Published Stalled=True KubernetesForbidden" },
        { "a spec change that was taken back",
          { taken_back, failed_one_gone, published_before_the_change },
          "Ready=True Published Reconciling=True RolledBack" },
        { "a rotation that was taken back",
          { taken_back, failed_one_gone },
          "Ready=True Published" },
        { "a change that was taken back and can't be tried again",
          { taken_back, failed_one_gone, published_before_the_change, an_hour_later,
            admin_missing },
          "Ready=True Published Stalled=True CredentialsNotFound" },
        { "suspended", { published, suspended }, "Ready=True Suspended" },
        { "suspended without a credential", { suspended }, "Ready=False Suspended" },
        { "a target that somebody else changes again and again",
          { published, target_touched, compared_different, healed_too_often },
          "Ready=False SecretConflict Stalled=True SecretConflict" },
        { "a target of somebody else",
          { published, target_of_another },
          "Ready=False SecretConflict Stalled=True SecretConflict" },
        { "a lost revision Secret while the API server refuses",
          { published, secret_lost, kubernetes_refuses },
          "Ready=True Published Stalled=True KubernetesForbidden" },
        { "waiting for pods to end",
          { published, deleting, pod },
          "Ready=False InUse Reconciling=True InUse" },
        { "a deletion that a person has to help",
          { published, deleting, door_closed, admin_missing },
          "Ready=False CredentialsNotFound Stalled=True CredentialsNotFound" },
        { "what was stalled and isn't any more",
          { published, was_stalled },
          "Ready=True Published" },
        { "others' conditions stay",
          { published, condition_of_others, spec_changed, admin_missing },
          "Ready=True Published Audited=True WITHOUT REASON Stalled=True CredentialsNotFound" },
        { "a trial that waits for pods",
          { published, trial },
          "Ready=True Published Verified=Unknown AwaitingConsumers" },
        { "a trial that failed: the published key counts all the same",
          { published, trial, pod, trial_failed },
          "Ready=True Published Verified=False VerifyFailed" },
        { "a trial that worked",
          { published, trial, pod, trial_worked },
          "Ready=True Published Verified=True Answered" },
        { "which stays on record",
          { published, trial_noted },
          "Ready=True Published Verified=True Answered" },
        { "until another key is tried out",
          { rotated, trial_noted, pod, trial_failed },
          "Ready=True Published Verified=False VerifyFailed" },
        { "and goes when nobody asks for it any more",
          { published, trial_noted, no_trial },
          "Ready=True Published" },
        { "what isn't a list of conditions",
          { published, conditions_broken },
          "Ready=True Published" },
    };
    for (size_t i = 0; i < ARRAY_LENGTH(rows); i++) {
        auto_world struct world_fixture *fixture = world_fixture_new(rows[i].with);
        auto_json cJSON *status = report(fixture);
        auto_free char *text = describe_conditions(status);
        fixture_expect(rows[i].name, text, rows[i].conditions);
    }
}

static const char *ready_member(const cJSON *status, const char *name)
{
    return json_string_at(condition_find(json_member(status, "conditions"), "Ready"), name);
}

static void test_messages_tell_both_what_is_there_and_what_is_wrong(void **state)
{
    (void)state;
    auto_world struct world_fixture *waiting = WORLD(published, spec_changed, project_paused);
    auto_json cJSON *status = report(waiting);
    fixture_expect("a problem with the next one", ready_member(status, "message"),
                   "Credential key-1 (revision 1) is in Secret voice. Deepgram asked for a pause "
                   "for project " FIXTURE_PROJECT " (429): waiting until it is over");
    auto_world struct world_fixture *over =
        WORLD(published, lasts_60_days, expired, project_paused);
    auto_json cJSON *expired_status = report(over);
    fixture_expect("expired", ready_member(expired_status, "message"),
                   "The credential key-1 in Secret voice expired at 2026-06-01T11:00:00Z. Deepgram "
                   "asked for a pause for project " FIXTURE_PROJECT " (429): waiting until it is "
                   "over");
}

static void test_a_transition_is_a_change_of_status(void **state)
{
    (void)state;
    auto_world struct world_fixture *same = WORLD(published, suspended);
    auto_json cJSON *suspended_status = report(same);
    fixture_expect("another reason", ready_member(suspended_status, "lastTransitionTime"),
                   "2026-05-01T00:00:10Z");
    auto_world struct world_fixture *other = WORLD(published, target_of_another);
    auto_json cJSON *conflict_status = report(other);
    fixture_expect("another status", ready_member(conflict_status, "lastTransitionTime"),
                   "2026-06-01T12:00:00Z");
}

/* ---- the rest ---- */

static void test_an_unchanged_world_reports_what_stands_there(void **state)
{
    (void)state;
    static world_change_fn *const worlds[] = { published, rotating };
    for (size_t i = 0; i < ARRAY_LENGTH(worlds); i++) {
        auto_world struct world_fixture *fixture = WORLD(worlds[i]);
        auto_json cJSON *status = report_status(&fixture->world, &ready);
        auto_free char *was = json_print(fixture->resource->status.json);
        auto_free char *is = json_print(status);
        if (!cJSON_Compare(status, fixture->resource->status.json, true))
            fixture_expect("status", is, was);
        assert_int_equal(report_news(&fixture->world, &ready), REPORT_NOTHING);
    }
}

static void test_what_makes_a_report_due(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        world_change_fn *with[FIXTURE_CHANGES_MAX];
        bool current;
    } rows[] = {
        { "a member of others can't be removed", { published, member_of_others }, true },
        { "a member that should be gone", { published, member_too_many }, false },
        { "a member that is missing", { published, member_missing }, false },
        { "a member that is different", { published, member_changed }, false },
        { "another generation", { published, generation_4 }, false },
        { "no status at all", { kept }, false },
    };
    for (size_t i = 0; i < ARRAY_LENGTH(rows); i++) {
        auto_world struct world_fixture *fixture = world_fixture_new(rows[i].with);
        if ((report_news(&fixture->world, &ready) == REPORT_NOTHING) != rows[i].current)
            fail_msg("%s", rows[i].name);
    }
}

static void test_members(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        world_change_fn *with[FIXTURE_CHANGES_MAX];
        const char *member, *value;
    } rows[] = {
        { "generation", { published, generation_4 }, "observedGeneration", "4" },
        { "what is published: its number", { first_commit }, "revision", "2" },
        { "its id", { first_commit }, "id", "\"key-2\"" },
        { "its time", { first_commit }, "issuedAt", "\"" ISSUED_AT_2 "\"" },
        { "its place", { in_target }, "secretName", "\"voice\"" },
        { "its end", { in_target, lasts_60_days }, "expiresAt", "\"2026-06-30T00:00:00Z\"" },
        { "no end", { in_target }, "expiresAt", NULL },
        { "what was granted",
          { in_target, with_scopes },
          "scopes",
          "[\"member\",\"self-hosted:products\"]" },
        { "nothing told of that", { in_target }, "scopes", NULL },
        { "a user name",
          { in_target, with_username, pull_secret },
          "username",
          "\"deepgram+key-1\"" },
        { "API keys have none", { in_target, with_username }, "username", NULL },
        { "what can't be seen any more is kept: number",
          { published, target_gone, secret_lost },
          "revision",
          "1" },
        { "id", { published, secret_lost }, "id", "\"key-1\"" },
        { "when it was published",
          { published, secret_lost },
          "publishedAt",
          "\"2026-05-31T12:00:00Z\"" },
        { "time", { published, secret_lost }, "issuedAt", "\"" ISSUED_AT_1 "\"" },
        { "place", { published, target_gone }, "secretName", "\"voice\"" },
        { "nothing to be kept", { NULL }, "revision", NULL },
        { "the version that was compared",
          { published, target_touched, compared_same },
          "secretResourceVersion",
          "\"71\"" },
        { "the version that was known",
          { published, target_touched },
          "secretResourceVersion",
          "\"70\"" },
        { "the token that the revision answered",
          { first_commit, second_answered_a_token, token_handled_before },
          "lastHandledRotateRequest",
          "\"now\"" },
        { "the token of the one before stays",
          { first_commit, token_handled_before },
          "lastHandledRotateRequest",
          "\"before\"" },
        { "no token", { published }, "lastHandledRotateRequest", NULL },
        { "the next rotation",
          { published, lasts_60_days },
          "nextRotationAt",
          "\"2026-06-08T09:50:24Z\"" },
        { "none", { published }, "nextRotationAt", NULL },
        { "failures", { deepgram_fails }, "failures", "2" },
        { "and when it is tried again",
          { deepgram_fails },
          "nextAttemptAt",
          "\"2026-06-01T12:00:20Z\"" },
        { "that waits for a change", { deepgram_refuses }, "nextAttemptAt", NULL },
        { "only while it holds something up", { published, deepgram_fails }, "failures", NULL },
        { "and only where that is what is told",
          { deepgram_fails, target_of_another },
          "failures",
          NULL },
        { "Kubernetes' failures aren't noted", { kubernetes_refuses }, "failures", NULL },
    };
    for (size_t i = 0; i < ARRAY_LENGTH(rows); i++) {
        auto_world struct world_fixture *fixture = world_fixture_new(rows[i].with);
        auto_json cJSON *status = report(fixture);
        fixture_expect_json(rows[i].name, json_member(status, rows[i].member), rows[i].value);
    }
}

static void a_millisecond_later(struct world_fixture *fixture)
{
    fixture->world.now_ms += 1;
}

/* Such as "1:Retiring SpecChanged until 2026-…". */
static char *describe_revisions(const cJSON *status)
{
    char *text = NULL;
    const cJSON *revision = NULL;
    cJSON_ArrayForEach(revision, json_member(status, "revisions")) {
        const char *until = json_string_at(revision, "revokeAfter");
        auto_free char *word =
            mem_printf("%lld:%s %s%s%s", (long long)json_int_at(revision, "revision", 0),
                       json_string_at(revision, "state"), json_string_at(revision, "reason"),
                       until ? " until " : "", until ? until : "");
        world_append(&text, word);
    }
    return text;
}

static void test_revisions(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        world_change_fn *with[FIXTURE_CHANGES_MAX];
        const char *revisions;
    } rows[] = {
        { "none", { NULL }, NULL },
        { "issued", { kept }, "1:Issued Created" },
        { "published", { in_target }, "1:Current Created" },
        { "the one before retires with the publication",
          { first_commit },
          "1:Retiring Created until 2026-06-01T13:00:00Z 2:Current RotationScheduled" },
        { "as long as the spec says",
          { two_hours_overlap, first_commit },
          "1:Retiring Created until 2026-06-01T14:00:00Z 2:Current RotationScheduled" },
        { "and not a part of a second less",
          { first_commit, a_millisecond_later },
          "1:Retiring Created until 2026-06-01T13:00:01Z 2:Current RotationScheduled" },
        { "no overlap is owed to what nobody can have got since",
          { first_commit, first_secret_lost },
          "1:Retiring Created until 2026-06-01T12:00:00Z 2:Current Replaced" },
        { "it is to what an older target may have held until then",
          { first_commit, first_secret_lost, target_updated },
          "1:Retiring Created until 2026-06-01T13:00:00Z 2:Current Replaced" },
        { "what was said stays",
          { two_hours_overlap, rotated },
          "1:Retiring Created until 2026-06-01T12:00:00Z 2:Current SpecChanged" },
        { "unless a wrong clock said it, or a spec with a longer overlap",
          { rotated, until_next_week },
          "1:Retiring Created until 2026-06-01T13:00:00Z 2:Current SpecChanged" },
        { "it is revoked", { rotated, key_1_gone }, "1:Revoked Created 2:Current SpecChanged" },
        { "made from another spec than the one before",
          { first_commit, first_from_another_spec, second_answered_a_token },
          "1:Retiring Created until 2026-06-01T13:00:00Z 2:Current SpecChanged" },
        { "asked for",
          { first_commit, second_answered_a_token },
          "1:Retiring Created until 2026-06-01T13:00:00Z 2:Current RotationRequested" },
        { "a new one isn't published yet",
          { first_commit, target_gone },
          "1:Current Created 2:Issued RotationScheduled" },
        { "revoked ones go, the oldest first",
          { published, ten_revoked },
          "1:Current Created 17:Revoked Created 18:Revoked Created 19:Revoked Created "
          "20:Revoked Created" },
        { "live ones never",
          { in_target, seven_live },
          "1:Current Created 2:Issued RotationScheduled 3:Issued RotationScheduled "
          "4:Issued RotationScheduled 5:Issued RotationScheduled 6:Issued RotationScheduled "
          "7:Issued RotationScheduled" },
    };
    for (size_t i = 0; i < ARRAY_LENGTH(rows); i++) {
        auto_world struct world_fixture *fixture = world_fixture_new(rows[i].with);
        auto_json cJSON *status = report_status(&fixture->world, &ready);
        auto_free char *text = describe_revisions(status);
        fixture_expect(rows[i].name, text, rows[i].revisions);
    }
}

static void test_a_patch_removes_what_went(void **state)
{
    (void)state;
    auto_world struct world_fixture *fixture = WORLD(member_too_many, admin_missing);
    struct step step = decide(&fixture->world);
    auto_json cJSON *patch = report_patch(&fixture->world, &step.verdict);
    fixture_expect_json("precondition", json_member(patch, "metadata"),
                        "{\"resourceVersion\":\"42\",\"uid\":\"" FIXTURE_UID "\"}");
    static const char *const nulls[] = {
        "revision",
        "id",
        "username",
        "scopes",
        "secretName",
        "issuedAt",
        "publishedAt",
        "expiresAt",
        "revisions",
        "failures",
        "secretResourceVersion",
        "nextRotationAt",
        "nextAttemptAt",
        "lastHandledRotateRequest",
        "consumers",
        "serviceAccounts",
    };
    const cJSON *status = json_member(patch, "status");
    for (size_t i = 0; i < ARRAY_LENGTH(nulls); i++)
        fixture_expect_json(nulls[i], json_member(status, nulls[i]), "null");
    assert_int_equal(cJSON_GetArraySize(status), ARRAY_LENGTH(nulls) + 2);
    fixture_expect_json("generation", json_member(status, "observedGeneration"), "3");
    assert_true(cJSON_IsArray(json_member(status, "conditions")));
}

/* ---- consumers ---- */

static void engine_rolling(struct world_fixture *fixture)
{
    rolling(fixture);
    struct workload_view *engine = world_add_workload(fixture, "engine");
    engine->old_pods = 1;
    engine->marker = "2";
    fixture->world.consumers.old_pods = 1;
}

static void engine_done(struct world_fixture *fixture)
{
    rolling(fixture);
    (void)world_add_workload(fixture, "engine");
}

static void without_a_node(struct world_fixture *fixture)
{
    fixture->workloads[0].unschedulable =
        (struct pod_note){ .name = "engine-x", .reason = "Unschedulable", .message = "no node" };
}

static void engine_starting(struct world_fixture *fixture)
{
    engine_rolling(fixture);
    fixture->workloads[0].failing = (struct pod_note){ .name = "engine-x",
                                                       .reason = POD_NOT_READY,
                                                       .since_ms = NOW_MS - SECOND_MS };
}

static void engine_failing_for_long(struct world_fixture *fixture)
{
    engine_starting(fixture);
    fixture->workloads[0].failing.since_ms = NOW_MS - 90 * MINUTE_MS;
}

static void another_is_missing(struct world_fixture *fixture)
{
    struct workload_view *missing = world_add_workload(fixture, "gone");
    *missing = (struct workload_view){ .name = "gone", .marker = "" };
}

static void engine_is_next(struct world_fixture *fixture)
{
    engine_rolling(fixture);
    fixture->workloads[0].marker = "1";
    fixture->workloads[0].settled = false;
}

static void engine_from_before(struct world_fixture *fixture)
{
    world_add_workload(fixture, "engine")->old_pods = 3;
}

static void engine_on_failed(struct world_fixture *fixture)
{
    taken_back(fixture);
    world_add_workload(fixture, "engine")->marker = "1";
}

static void a_bare_pod(struct world_fixture *fixture)
{
    old_pod(fixture);
}

static void test_consumers(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        world_change_fn *with[FIXTURE_CHANGES_MAX];
        const char *condition;
        const char *consumers;
    } rows[] = {
        { "none", { rolling }, "True Updated", NULL },
        { "pull credentials", { pull_secret, rolling }, NULL, NULL },
        { "not published", { kept }, NULL, NULL },
        { "rolling out",
          { engine_rolling },
          "False RollingOut",
          "[{\"kind\":\"Deployment\",\"name\":\"engine\",\"revision\":2,\"pods\":3,"
          "\"updatedPods\":2,\"state\":\"Updating\"}]" },
        { "blocked",
          { engine_rolling, without_a_node },
          "False RolloutBlocked",
          "[{\"kind\":\"Deployment\",\"name\":\"engine\",\"revision\":2,\"pods\":3,"
          "\"updatedPods\":2,\"state\":\"Blocked\",\"message\":\"no node\"}]" },
        { "starting",
          { engine_starting },
          "False RollingOut",
          "[{\"kind\":\"Deployment\",\"name\":\"engine\",\"revision\":2,\"pods\":3,"
          "\"updatedPods\":2,\"state\":\"Updating\"}]" },
        { "failing for long",
          { engine_failing_for_long },
          "False RollingOut",
          "[{\"kind\":\"Deployment\",\"name\":\"engine\",\"revision\":2,\"pods\":3,"
          "\"updatedPods\":2,\"state\":\"Updating\",\"message\":\"NotReady\"}]" },
        { "not begun",
          { engine_is_next },
          "False RollingOut",
          "[{\"kind\":\"Deployment\",\"name\":\"engine\",\"revision\":1,\"pods\":3,"
          "\"updatedPods\":2,\"state\":\"Waiting\"}]" },
        { "done, one is missing",
          { engine_done, another_is_missing },
          "True Updated",
          "[{\"kind\":\"Deployment\",\"name\":\"engine\",\"revision\":2,\"pods\":3,"
          "\"updatedPods\":3,\"state\":\"Updated\"},{\"kind\":\"Deployment\",\"name\":\"gone\","
          "\"pods\":0,\"updatedPods\":0,\"state\":\"Missing\"}]" },
        { "taken back",
          { engine_on_failed },
          "False RolledBack",
          "[{\"kind\":\"Deployment\",\"name\":\"engine\",\"revision\":1,\"pods\":3,"
          "\"updatedPods\":3,\"state\":\"Updated\"}]" },
        { "the first revision replaced none",
          { published, engine_from_before },
          "True Updated",
          "[{\"kind\":\"Deployment\",\"name\":\"engine\",\"revision\":1,\"pods\":3,"
          "\"updatedPods\":3,\"state\":\"Updated\"}]" },
        { "others' pods", { rolling, a_bare_pod }, "False WaitingForPods", NULL },
    };
    for (size_t i = 0; i < ARRAY_LENGTH(rows); i++) {
        auto_world struct world_fixture *fixture = world_fixture_new(rows[i].with);
        auto_json cJSON *status = report_status(&fixture->world, &ready);
        const cJSON *condition =
            condition_find(json_member(status, "conditions"), "ConsumersUpdated");
        auto_free char *text = condition
                                   ? mem_printf("%s %s", json_string_member(condition, "status"),
                                                json_string_member(condition, "reason"))
                                   : NULL;
        fixture_expect(rows[i].name, text, rows[i].condition);
        fixture_expect_json(rows[i].name, json_member(status, "consumers"), rows[i].consumers);
    }
}

static void shown(struct world_fixture *fixture)
{
    auto_json cJSON *status = report_status(&fixture->world, &ready);
    auto_free char *text = json_print(status);
    cJSON_DeleteItemFromObjectCaseSensitive(fixture->resource->json, "status");
    cJSON_AddItemToObject(fixture->resource->json, "status", fixture_json(text));
    status_parse(json_member(fixture->resource->json, "status"), &fixture->resource->status);
}

static void test_progress_alone_is_told_now_and_then(void **state)
{
    (void)state;
    auto_world struct world_fixture *fixture = WORLD(engine_rolling);
    shown(fixture);
    assert_int_equal(report_news(&fixture->world, &ready), REPORT_NOTHING);
    fixture->workloads[0].pods++;
    assert_int_equal(report_news(&fixture->world, &ready), REPORT_PROGRESS);

    fixture->memory->report_at_ms =
        limiter_taken(REPORT_LIMIT, fixture->memory->report_at_ms, MONOTONIC_MS - SECOND_MS);
    struct step step = decide(&fixture->world);
    assert_int_equal(step.kind, STEP_WAIT);
    assert_int_equal(step.wait_until_ms, MONOTONIC_MS + SECOND_MS);
    fixture->world.monotonic_ms += SECOND_MS;
    assert_int_equal(decide(&fixture->world).kind, STEP_REPORT);

    without_a_node(fixture);
    fixture->memory->report_at_ms =
        limiter_taken(REPORT_LIMIT, fixture->memory->report_at_ms, fixture->world.monotonic_ms);
    assert_int_equal(report_news(&fixture->world, &ready), REPORT_CHANGE);
    assert_int_equal(decide(&fixture->world).kind, STEP_REPORT);
}

static void test_a_status_that_somebody_else_keeps_writing_is_put_right_now_and_then(void **state)
{
    (void)state;
    auto_world struct world_fixture *fixture = WORLD(engine_rolling);
    int64_t *report_at_ms = &fixture->memory->report_at_ms;
    int reports = 0;
    for (; decide(&fixture->world).kind == STEP_REPORT && reports < 100; reports++)
        *report_at_ms = limiter_taken(REPORT_LIMIT, *report_at_ms, MONOTONIC_MS);
    assert_int_equal(reports, REPORT_LIMIT.burst);
    struct step step = decide(&fixture->world);
    assert_int_equal(step.kind, STEP_WAIT);
    assert_int_equal(step.wait_until_ms, MONOTONIC_MS + REPORT_LIMIT.interval_ms);
    fixture->world.monotonic_ms = step.wait_until_ms;
    assert_int_equal(decide(&fixture->world).kind, STEP_REPORT);
}

static void test_a_failed_revision_in_status(void **state)
{
    (void)state;
    auto_world struct world_fixture *fixture = WORLD(taken_back, rotation_requested);
    world_put(fixture->resource->json, "status.lastHandledRotateRequest", "\"now\"");
    status_parse(json_member(fixture->resource->json, "status"), &fixture->resource->status);
    auto_json cJSON *status = report_status(&fixture->world, &ready);
    auto_free char *revisions = describe_revisions(status);
    assert_string_equal(revisions,
                        "1:Current Created 2:Retiring SpecChanged until 2026-06-01T12:00:00Z");
    const cJSON *failed = cJSON_GetArrayItem(json_member(status, "revisions"), 1);
    assert_string_equal(json_string_member(failed, "failedAt"), "2026-06-01T11:59:50Z");
    assert_string_equal(json_string_member(status, "lastHandledRotateRequest"), "now");
    assert_string_equal(json_string_member(status, "nextRotationAt"), "2026-06-01T12:09:50Z");
}

static void test_what_the_status_has_told(void **state)
{
    (void)state;
    auto_world struct world_fixture *fixture = WORLD(published, was_stalled, trial_noted);
    const struct world *world = &fixture->world;
    assert_true(report_told(world, "Forbidden", "other words"));
    assert_true(report_told(world, "Other", "answered"));
    assert_false(report_told(world, "Unauthorized", "no words of it"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_the_status_has_told),
        cmocka_unit_test(test_conditions),
        cmocka_unit_test(test_messages_tell_both_what_is_there_and_what_is_wrong),
        cmocka_unit_test(test_a_transition_is_a_change_of_status),
        cmocka_unit_test(test_an_unchanged_world_reports_what_stands_there),
        cmocka_unit_test(test_what_makes_a_report_due),
        cmocka_unit_test(test_members),
        cmocka_unit_test(test_revisions),
        cmocka_unit_test(test_a_patch_removes_what_went),
        cmocka_unit_test(test_consumers),
        cmocka_unit_test(test_progress_alone_is_told_now_and_then),
        cmocka_unit_test(test_a_status_that_somebody_else_keeps_writing_is_put_right_now_and_then),
        cmocka_unit_test(test_a_failed_revision_in_status),
    };
    return fixture_run(tests);
}
