/* The rules of a resource that is being deleted: nothing may surface later that nobody owns. */
#include "world_changes.h"

#define expect(rows) world_expect_steps(rows, ARRAY_LENGTH(rows))

/* ---- changes that only these rows need ---- */

static void abandoned(struct world_fixture *fixture)
{
    world_annotate(fixture->json, ANNOTATION_ABANDON, "true");
}

static void both_secrets_released(struct world_fixture *fixture)
{
    for (size_t i = 0; i < fixture->secret_count; i++)
        world_put(fixture->secrets[i], "metadata.ownerReferences", "[]");
}

static void door_just_closed(struct world_fixture *fixture)
{
    target_gone(fixture);
    fixture->memory->door_closed_ms = MONOTONIC_MS - SECOND_MS;
}

static void put_back_since(struct world_fixture *fixture)
{
    fixture->memory->door_closed_ms = MONOTONIC_MS - SECOND_MS;
}

static void door_closed(struct world_fixture *fixture)
{
    target_gone(fixture);
    fixture->memory->door_closed_ms = MONOTONIC_MS - 5 * SECOND_MS;
}

static void just_deleted(struct world_fixture *fixture)
{
    deleting(fixture);
    fixture->memory->deleting_since_ms = MONOTONIC_MS - 2 * SECOND_MS;
}

static void release_of_another(struct world_fixture *fixture)
{
    target_foreign(fixture);
    fixture->world.target.lost = true;
    fixture->world.target.id = "key-of-another";
}

static void held_in_status(struct world_fixture *fixture)
{
    world_put(fixture->json, "status.nextAttemptAt", "\"2026-06-01T12:01:00Z\"");
}

/* ---- what comes first ---- */

static void had_revision(struct world_fixture *fixture)
{
    fixture->memory->had_revision = true;
}

/* Another resource took the name of the target after this one had published there. */
static void target_lost_to_another(struct world_fixture *fixture)
{
    target_of_another(fixture);
    fixture->world.target.published_at_ms = NOW_MS - HOUR_MS;
}

static void observed(struct world_fixture *fixture)
{
    world_put(fixture->json, "status.observedGeneration", "3");
}

static void test_what_comes_first(void **state)
{
    (void)state;
    static const struct world_row rows[] = {
        { "without our finalizer it is none of our business",
          { published, answered_2, deleting, finalizer_gone, abandoned, kubernetes_fails },
          "wait for an event" },
        { "an API server that fails",
          { published, deleting, abandoned, kubernetes_fails },
          "wait for 20 s" },
        { "abandoned: it goes, whatever is left",
          { published, answered_2, to_discard, deleting, abandoned, pod, admin_missing },
          "drop-finalizer (Abandoned)" },
        { "an answer isn't stored any more",
          { published, answered_2, to_discard, deleting, pod },
          "revoke key-2 (Discarded)" },
        { "also with Retain",
          { published, answered_2, deleting, retain },
          "revoke key-2 (Discarded)" },
        { "which takes an admin key",
          { answered_2, deleting, admin_missing },
          "report Stalled CredentialsNotFound for an event" },
        { "and a Deepgram that answers",
          { answered_2, deleting, project_paused },
          "report Progressing Throttled for 40 s" },
        { "what nobody will name goes too",
          { published, to_discard, deleting, retain, pod },
          "revoke key-7 (Discarded)" },
        { "a resource that never had anything", { observed, deleting }, "drop-finalizer" },
        { "one that this process knew to have had something",
          { observed, had_revision, deleting },
          "list needed" },
        { "one whose status was wiped may have had", { deleting }, "list needed" },
        { "which the list would show", { deleting, listed_just_now }, "drop-finalizer" },
        { "suspended or wrong, it goes all the same",
          { published, suspended, deleting },
          "delete-target voice" },
    };
    expect(rows);
}

static void test_the_way_out_is_told(void **state)
{
    (void)state;
    auto_world struct world_fixture *missing =
        WORLD(published, deleting, door_closed, admin_missing);
    struct step step = decide(&missing->world);
    assert_non_null(strstr(step.verdict.message, "Secret team/admin doesn't exist"));
    assert_non_null(strstr(step.verdict.message, "deepgram.com/abandon=true"));
    auto_world struct world_fixture *not_allowed =
        WORLD(published, deleting, door_closed, admin_not_allowed);
    step = decide(&not_allowed->world);
    assert_non_null(strstr(step.verdict.message, "deepgram.com/abandon=true"));
    auto_world struct world_fixture *living = WORLD(admin_missing);
    step = decide(&living->world);
    assert_null(strstr(step.verdict.message, "abandon"));
}

/* ---- Retain ---- */

static void test_with_retain_the_secrets_stay(void **state)
{
    (void)state;
    static const struct world_row rows[] = {
        { "the target is released, and no pod is waited for",
          { rotated, old_target_in_use, deleting, retain, pod, admin_missing },
          "release voice" },
        { "one of an earlier name",
          { rotated, target_released, old_target, deleting, retain },
          "release before" },
        { "not one that is gone",
          { rotated, target_released, old_target_gone_but_in_use, deleting, retain },
          "release voice-dgkey-r1" },
        { "the revision Secrets",
          { rotated, target_gone, deleting, retain },
          "release voice-dgkey-r1" },
        { "one that the cache may not show yet",
          { published, secret_unseen, target_gone, deleting, retain },
          "look-for-revision r1" },
        { "also one that was replaced",
          { rotated, first_secret_unseen, target_gone, deleting, retain },
          "look-for-revision r1" },
        { "nor a target that it may not show yet",
          { rotated, target_gone, target_never_looked_at, deleting, retain },
          "look-at-target" },
        { "each of them",
          { rotated, target_gone, secret_released, deleting, retain },
          "release voice-dgkey-r2" },
        { "nobody else's target",
          { published, target_of_another, deleting, retain },
          "release voice-dgkey-r1" },
        { "then it goes, and nothing is revoked",
          { rotated, target_released, both_secrets_released, deleting, retain, admin_missing },
          "drop-finalizer" },
        { "what nobody names is revoked",
          { rotated, target_released, both_secrets_released, deleting, retain, orphan },
          "revoke key-5 (Orphaned)" },
        { "what may come late is waited for",
          { published, target_released, both_secrets_released, deleting, retain, attempt_2_open,
            answer_just_lost },
          "report Terminating AwaitingLateCreates for 110 s" },
    };
    expect(rows);
}

/* ---- Revoke ---- */

static void test_pods_are_waited_for(void **state)
{
    (void)state;
    static const struct world_row rows[] = {
        { "as for a mounted volume",
          { published, deleting, pod, admin_missing },
          "report Terminating InUse for an event" },
        { "looking again by itself where other pods count too",
          { published, deleting, pod, namespace_terminating },
          "report Terminating InUse for 5 s" },
        { "also when somebody deleted the target",
          { published, target_gone, deleting, pod },
          "report Terminating InUse for an event" },
        { "or took its owner off",
          { published, target_released, deleting, pod },
          "report Terminating InUse for an event" },
        { "pods of an earlier target",
          { published, old_target_in_use, deleting },
          "report Terminating InUse for an event" },
        { "although that is gone",
          { published, old_target_gone_but_in_use, deleting },
          "report Terminating InUse for 5 s" },
        { "they may hold what nothing names any more",
          { deleting, orphan, pod },
          "report Terminating InUse for an event" },
        { "not for a credential that is gone",
          { published, key_1_gone, secret_lost, deleting, pod },
          "delete-target voice" },
        { "not when they use what somebody else put there",
          { published, target_foreign, deleting, pod },
          "revoke key-1 (Deleted)" },
        { "or what another resource published there since",
          { published, target_lost_to_another, deleting, pod },
          "revoke key-1 (Deleted)" },
        { "but one from before that may hold what this one did",
          { published, target_lost_to_another, deleting, old_pod },
          "report Terminating InUse for an event" },
        { "also where only this process remembers that there was something",
          { orphan, had_revision, target_lost_to_another, deleting, old_pod },
          "report Terminating InUse for an event" },
        { "or what another resource left there",
          { published, release_of_another, deleting, pod },
          "revoke key-1 (Deleted)" },
    };
    expect(rows);
}

static void test_what_is_in_use_is_named(void **state)
{
    (void)state;
    auto_world struct world_fixture *fixture = WORLD(published, deleting, pod);
    struct step step = decide(&fixture->world);
    assert_non_null(strstr(step.verdict.message, "1 pod(s) still use Secret voice, among them "
                                                 "engine-0"));
    auto_world struct world_fixture *old = WORLD(published, deleting, pod, old_target_in_use);
    step = decide(&old->world);
    assert_non_null(strstr(step.verdict.message, "2 pod(s) still use Secret before, among them "
                                                 "api-0"));
}

/* Retain left it, with an id that is none of this resource's revisions. */
static void target_of_a_namesake(struct world_fixture *fixture)
{
    world_hold(fixture, 9, "key-9");
    target_released(fixture);
}

/* What kept it and who owned the target went with a deletion in the foreground. */
static void target_with_the_orphan(struct world_fixture *fixture)
{
    orphan(fixture);
    world_hold(fixture, 5, "key-5");
    target_released(fixture);
}

static void test_a_target_that_only_deepgrams_list_explains_is_ours(void **state)
{
    (void)state;
    static const struct world_row rows[] = {
        { "its pods are waited for",
          { observed, deleting, target_with_the_orphan, pod },
          "report Terminating InUse for an event" },
        { "then the door is closed",
          { observed, deleting, target_with_the_orphan },
          "delete-target voice" },
        { "not without that list",
          { observed, deleting, target_of_a_namesake, listed_just_now },
          "drop-finalizer" },
    };
    expect(rows);
}

static void test_what_nothing_names_goes_first(void **state)
{
    (void)state;
    static const struct world_row rows[] = {
        { "no door has to be closed for it",
          { published, deleting, orphan, attempt_2_open, answer_just_lost },
          "revoke key-5 (Orphaned)" },
        { "and no pod waited for that can't hold it",
          { published, deleting, orphan, pod },
          "revoke key-5 (Orphaned)" },
        { "nor for what Retain leaves behind",
          { published, target_released, both_secrets_released, deleting, retain, attempt_2_open,
            answer_just_lost, orphan_of_attempt, pod },
          "revoke key-2 (Orphaned)" },
        { "but one that can",
          { published, deleting, orphan, old_pod },
          "report Terminating InUse for an event" },
        { "nor one for a target that another one's credential is in",
          { target_of_a_namesake, deleting, orphan, pod },
          "revoke key-5 (Orphaned)" },
        { "also when only its announcement still tells of it",
          { deleting, attempt_2_open, orphan_of_attempt, pod },
          "report Terminating InUse for an event" },
        { "not while Deepgram fails",
          { published, deleting, orphan, deepgram_fails },
          "report Progressing DeepgramUnavailable for 20 s" },
    };
    expect(rows);
}

static void test_the_door_is_closed_before_anything_is_revoked(void **state)
{
    (void)state;
    static const struct world_row rows[] = {
        { "the target goes", { rotated, deleting, deepgram_fails }, "delete-target voice" },
        { "also one that was released by an earlier Retain",
          { published, target_released, deleting },
          "delete-target voice" },
        { "not one whose key is being adopted, nor is that key revoked",
          { kept, adopted_before, target_to_adopt, deleting, pod, listed_just_now },
          "drop-finalizer" },
        { "not one that is nobody's yet",
          { observed, target_to_adopt, deleting },
          "drop-finalizer" },
        { "and one of an earlier name",
          { published, target_gone, old_target, deleting },
          "delete-target before" },
        { "which somebody's finalizer holds up",
          { published, target_gone, old_target_deleting, deleting },
          "wait for an event" },
        { "somebody put it back", { published, deleting, put_back_since }, "delete-target voice" },
        { "it is on its way", { published, target_deleting, deleting }, "wait for an event" },
        { "a pod may have come just before",
          { published, deleting, door_just_closed },
          "wait for 4 s" },
        { "or just before its namespace began to go",
          { published, deleting, door_just_closed, namespace_terminating },
          "wait for 4 s" },
        { "closed by a former process", { published, target_gone, just_deleted }, "wait for 3 s" },
        { "there never was a door", { kept, just_deleted }, "revoke key-1 (Deleted)" },
        { "nobody else's Secret is deleted",
          { published, target_of_another, deleting },
          "revoke key-1 (Deleted)" },
    };
    expect(rows);
}

static void test_everything_is_revoked(void **state)
{
    (void)state;
    static const struct world_row rows[] = {
        { "one after the other", { rotating, deleting, door_closed }, "revoke key-1 (Deleted)" },
        { "its Secret goes with it: a restart would take it for alive",
          { rotating, deleting, door_closed, key_1_gone },
          "drop-revision r1 voice-dgkey-r1" },
        { "the next",
          { rotating, deleting, door_closed, key_2_gone, secret_lost },
          "revoke key-1 (Deleted)" },
        { "with an admin key that is being deleted",
          { published, deleting, door_closed, admin_deleting },
          "revoke key-1 (Deleted)" },
        { "with one that may not issue",
          { published, deleting, door_closed, admin_role_too_high },
          "revoke key-1 (Deleted)" },
        { "not without one",
          { published, deleting, door_closed, admin_missing },
          "report Stalled CredentialsNotFound for an event" },
        { "not while Deepgram fails",
          { published, deleting, door_closed, deepgram_fails },
          "report Progressing DeepgramUnavailable for 20 s" },
        { "before a late create is waited for",
          { published, deleting, door_closed, attempt_2_open, answer_just_lost },
          "revoke key-1 (Deleted)" },
        { "a hold of a former process was for creates",
          { published, held_in_status, deleting, door_closed },
          "revoke key-1 (Deleted)" },
    };
    expect(rows);
}

static void test_nothing_may_come_late(void **state)
{
    (void)state;
    static const struct world_row rows[] = {
        { "a create without an answer is waited for",
          { deleting, attempt_2_open, answer_just_lost, admin_missing },
          "report Terminating AwaitingLateCreates for 110 s" },
        { "then looked for", { deleting, attempt_2_open, settled_just_now }, "list needed" },
        { "which takes an admin key",
          { deleting, attempt_2_open, settled_just_now, admin_missing, deepgram_fails },
          "report Stalled CredentialsNotFound for an event" },
        { "and a list that works",
          { deleting, attempt_2_open, settled_just_now, list_fails },
          "wait for 50 s" },
        { "what it left goes",
          { deleting, attempt_2_open, settled_just_now, listed_just_now, orphan_of_attempt },
          "revoke key-2 (Orphaned)" },
        { "it left nothing",
          { deleting, attempt_2_open, settled_just_now, listed_just_now },
          "drop-finalizer" },
        { "a refused create left nothing", { observed, deleting, refused_2 }, "drop-finalizer" },
        { "the last look is younger than the deletion",
          { published, deleting, door_closed, key_1_gone, secret_lost },
          "list needed" },
        { "after which nothing may come",
          { published, deleting, door_closed, key_1_gone, secret_lost, attempt_2_open,
            answer_just_lost },
          "report Terminating AwaitingLateCreates for 110 s" },
        { "and shows all that is left",
          { published, deleting, door_closed, key_1_gone, listed_just_now, orphan },
          "revoke key-5 (Orphaned)" },
        { "the revision Secrets go",
          { rotated, deleting, door_closed, key_1_gone, key_2_gone, listed_just_now },
          "drop-revision r1 voice-dgkey-r1" },
        { "and it may go",
          { published, secret_lost, deleting, door_closed, key_1_gone, listed_just_now },
          "drop-finalizer" },
        { "not before it is known what became of the last write of the target",
          { kept, deleting, target_unsure },
          "look-at-target" },
        { "nor before one that the cache doesn't show was looked for",
          { kept, target_never_looked_at, deleting },
          "look-at-target" },
        { "also while somebody holds one up",
          { published, secret_deleting, deleting, door_closed, key_1_gone, listed_just_now },
          "drop-finalizer" },
    };
    expect(rows);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_comes_first),
        cmocka_unit_test(test_the_way_out_is_told),
        cmocka_unit_test(test_with_retain_the_secrets_stay),
        cmocka_unit_test(test_pods_are_waited_for),
        cmocka_unit_test(test_what_is_in_use_is_named),
        cmocka_unit_test(test_a_target_that_only_deepgrams_list_explains_is_ours),
        cmocka_unit_test(test_what_nothing_names_goes_first),
        cmocka_unit_test(test_the_door_is_closed_before_anything_is_revoked),
        cmocka_unit_test(test_everything_is_revoked),
        cmocka_unit_test(test_nothing_may_come_late),
    };
    return fixture_run(tests);
}
