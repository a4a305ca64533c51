/* The rules of a living resource, up to what is published: what each of them decides, and that it
 * goes before the next. */
#include "world_changes.h"

#define expect(rows) world_expect_steps(rows, ARRAY_LENGTH(rows))

/* ---- changes that only these rows need ---- */

static void status_write_refused(struct world_fixture *fixture)
{
    kubernetes_refuses(fixture);
    fixture->memory->failures[FAILURE_KUBERNETES]->reporting = true;
}

static void kubernetes_failed_before(struct world_fixture *fixture)
{
    kubernetes_fails(fixture);
    fixture->memory->failures[FAILURE_KUBERNETES]->retry_at_ms = MONOTONIC_MS;
}

static void secret_of_another_project(struct world_fixture *fixture)
{
    world_annotate(fixture->secrets[0], ANNOTATION_PROJECT, "22222222-2222-3333-4444-555555555555");
}

static void two_secrets_released(struct world_fixture *fixture)
{
    secret_released(fixture);
    world_put(fixture->secrets[1], "metadata.ownerReferences", "[]");
}

static void target_under_another_number(struct world_fixture *fixture)
{
    fixture->world.target.revision = 7;
}

static void healed_often(struct world_fixture *fixture)
{
    fixture->memory->heal_at_ms = MONOTONIC_MS + 4 * 30 * SECOND_MS;
}

static void revision_3_issued(struct world_fixture *fixture)
{
    world_add_secret(fixture, 3, ISSUED_AT_2);
}

static void to_discard_3(struct world_fixture *fixture)
{
    fixture->memory->discard_id = mem_strdup("key-3");
}

/* ---- what must not be lost ---- */

static void test_what_was_created_is_kept_or_revoked_before_all_else(void **state)
{
    (void)state;
    static const struct world_row rows[] = {
        { "an answer is kept, whatever else is the matter",
          { published, target_of_another, suspended, bad_spec, answered_2, to_discard,
            finalizer_gone, admin_missing, deepgram_fails },
          "keep r2" },
        { "but not in a namespace that goes",
          { answered_2, namespace_terminating, suspended },
          "revoke key-2 (Discarded)" },
        { "which takes an admin key",
          { answered_2, namespace_terminating, admin_missing },
          "report Stalled CredentialsNotFound for an event" },
        { "and a Deepgram that answers",
          { answered_2, namespace_terminating, deepgram_fails },
          "report Progressing DeepgramUnavailable for 20 s" },
        { "a credential that nobody will name is revoked",
          { published, to_discard },
          "revoke key-7 (Discarded)" },
        { "not while nothing is to be revoked",
          { published, to_discard, suspended },
          "report Suspended Suspended for an event" },
        { "also with an admin key that is being deleted",
          { published, to_discard, check_refuses, admin_deleting },
          "revoke key-7 (Discarded)" },
        { "and with one that may not issue this role",
          { published, to_discard, admin_role_too_high },
          "revoke key-7 (Discarded)" },
        { "without an admin key that is told",
          { published, to_discard, admin_missing },
          "report Stalled CredentialsNotFound for an event" },
        { "it waits for Deepgram's time",
          { published, to_discard, project_paused },
          "report Progressing Throttled for 40 s" },
        { "in which a target is still healed",
          { kept, checked_1, target_gone, to_discard, project_paused },
          "publish r1" },
        { "and nothing new is issued",
          { published, to_discard, project_paused, rotation_requested },
          "report Progressing Throttled for 40 s" },
        { "it goes before another one is checked, which may have to be discarded too",
          { kept, to_discard },
          "revoke key-7 (Discarded)" },
        { "what is to be discarded is never published",
          { published, revision_3_issued, to_discard_3, project_paused },
          "report Progressing Throttled for 40 s" },
    };
    expect(rows);
}

static void test_what_holds_everything_up(void **state)
{
    (void)state;
    static const struct world_row rows[] = {
        { "an API server that fails: nothing else, and nothing to write",
          { published, answered_2, to_discard, bad_spec, kubernetes_fails },
          "wait for 20 s" },
        { "an API server that refuses is told",
          { published, answered_2, kubernetes_refuses },
          "report Stalled KubernetesForbidden for 20 s" },
        { "unless it was the status that it refused",
          { published, status_write_refused },
          "wait for 20 s" },
        { "until its time has come",
          { published, kubernetes_failed_before },
          "wait Ready for 500 s" },
        { "a spec that can't be used",
          { published, suspended, bad_spec, target_released, target_of_another,
            namespace_terminating, finalizer_gone },
          "report Stalled InvalidSpec for an event" },
        { "a suspended resource is left as it is",
          { published, suspended, target_released, rotation_requested, orphan,
            namespace_terminating, finalizer_gone },
          "report Suspended Suspended for an event" },
        { "a suspended resource that has nothing yet",
          { suspended },
          "report Suspended Suspended for an event" },
        { "nothing new where everything goes", { namespace_terminating }, "wait for an event" },
        { "and nothing is healed or claimed there",
          { published, namespace_terminating, target_released, finalizer_gone },
          "wait for an event" },
    };
    expect(rows);
}

/* ---- Secrets ---- */

static void test_secrets_of_ours_without_an_owner_are_taken_over_again(void **state)
{
    (void)state;
    static const struct world_row rows[] = {
        { "a released target", { published, target_released }, "claim voice heals" },
        { "not one that is on its way out",
          { published, target_released, target_deleting },
          "report Stalled SecretConflict for 500 s" },
        { "a revision Secret kept by Retain: nothing is minted",
          { kept, secret_released },
          "claim voice-dgkey-r1" },
        { "under the finalizer's protection",
          { kept, secret_released, finalizer_gone },
          "protect" },
        { "as a target", { target_foreign, target_released, finalizer_gone }, "protect" },
        { "or one that was made by hand", { target_to_adopt, finalizer_gone }, "protect" },
        { "the target goes first",
          { rotated, target_released, two_secrets_released },
          "claim voice heals" },
        { "the first one of several", { rotated, two_secrets_released }, "claim voice-dgkey-r1" },
        { "not one of another project",
          { kept, secret_released, secret_of_another_project },
          "announce r2 (Created)" },
        { "not one that is being deleted",
          { kept, secret_released, secret_deleting },
          "announce r2 (Created)" },
        { "a target whose key is kept already is taken over",
          { published, target_to_adopt },
          "claim voice heals" },
        { "once the status tells of it, because it bears no marker",
          { kept, target_to_adopt },
          "report Progressing Adopting for an event" },
        { "somebody takes the owner off each time",
          { published, target_released, healed_too_often },
          "report Stalled SecretConflict for 30 s" },
        { "a finalizer that was taken off is put on again",
          { published, target_of_another, finalizer_gone },
          "protect" },
        { "before anything is adopted",
          { published, secret_lost, target_to_adopt, finalizer_gone },
          "protect" },
        { "but not for credentials that are gone",
          { published, target_of_another, finalizer_gone, key_1_gone },
          "report Stalled SecretConflict for 500 s" },
    };
    expect(rows);
}

static void test_a_secret_made_by_hand_is_adopted_when_asked_for(void **state)
{
    (void)state;
    static const struct world_row rows[] = {
        { "its key becomes the first revision", { target_to_adopt }, "adopt r1" },
        { "no admin key is needed to ask the key itself",
          { target_to_adopt, admin_missing },
          "adopt r1" },
        { "one is needed to ask about pull credentials",
          { target_to_adopt, pull_secret, admin_missing },
          "report Stalled CredentialsNotFound for an event" },
        { "any will do for that",
          { target_to_adopt, pull_secret, admin_role_too_high },
          "adopt r1" },
        { "one more than whatever was", { target_to_adopt, attempt_2_open }, "adopt r3" },
        { "not while Deepgram fails",
          { target_to_adopt, deepgram_fails },
          "report Progressing DeepgramUnavailable for 20 s" },
        { "one without a key in it is told",
          { target_to_adopt, target_useless, deepgram_fails },
          "report Stalled AdoptionFailed for an event" },
        { "one whose key isn't accepted is told, and asked again later",
          { target_to_adopt, target_refused },
          "report Stalled AdoptionFailed for 600 s" },
        { "that may have been wrong", { target_to_adopt, target_refused_long_ago }, "adopt r1" },
        { "one that is on its way out isn't",
          { target_to_adopt, target_deleting },
          "report Stalled SecretConflict for 500 s" },
    };
    expect(rows);
}

static void test_what_is_not_ours_is_left_alone(void **state)
{
    (void)state;
    static const struct world_row rows[] = {
        { "another resource's target: nothing is minted that could not be published",
          { target_of_another },
          "report Stalled SecretConflict for 500 s" },
        { "a Secret made by hand", { target_foreign }, "report Stalled SecretConflict for 500 s" },
        { "put in the place of ours",
          { published, target_of_another, rotation_requested },
          "report Stalled SecretConflict for 500 s" },
        { "what earlier creates left is revoked all the same",
          { target_of_another, orphan },
          "revoke key-5 (Orphaned)" },
        { "its pods hold what somebody else published",
          { target_of_another, orphan, old_pod },
          "revoke key-5 (Orphaned)" },
        { "a create that may come late is looked for",
          { target_of_another, attempt_2_open, answer_just_lost },
          "report Stalled SecretConflict for 110 s" },
        { "nor is what only Deepgram's list tells of forgotten",
          { target_of_another, never_listed },
          "list" },
        { "when it can't come any more",
          { target_of_another, attempt_2_open, settled_just_now },
          "list needed" },
        { "and then closed",
          { target_foreign, attempt_2_open, answer_lost_before },
          "close-attempts" },
        { "a target of ours that is on its way out",
          { published, target_deleting, rotation_requested },
          "wait for an event" },
    };
    expect(rows);
}

static void test_who_has_the_target_is_named(void **state)
{
    (void)state;
    auto_world struct world_fixture *other = WORLD(target_of_another);
    struct step step = decide(&other->world);
    assert_non_null(strstr(step.verdict.message, "Secret voice already belongs to "
                                                 "DeepgramApiKey/other"));
    auto_world struct world_fixture *foreign = WORLD(target_foreign);
    step = decide(&foreign->world);
    assert_non_null(strstr(step.verdict.message, "was not made by this resource"));
}

static void test_the_newest_revision_is_published(void **state)
{
    (void)state;
    static const struct world_row rows[] = {
        { "a new credential is checked first", { kept }, "check r1 judged" },
        { "one that was adopted need not grant all", { kept, adopted_before }, "check r1" },
        { "not while Deepgram fails",
          { kept, deepgram_fails },
          "report Progressing DeepgramUnavailable for 20 s" },
        { "nor before it is known what a write of the target did: it may be in it",
          { kept, target_unsure },
          "look-at-target" },
        { "and published when it is alive", { kept, checked_1 }, "publish r1" },
        { "which it may no longer be later", { kept, checked_1_long_ago }, "check r1 judged" },
        { "no admin key and no Deepgram are needed for that",
          { kept, checked_1, admin_missing, deepgram_fails },
          "publish r1" },
        { "pull credentials as well", { kept, pull_secret, announced_2 }, "check r1 judged" },
        { "asked about by id first, when another leader may have swept them meanwhile",
          { kept, pull_secret },
          "confirm r1 key-1" },
        { "and not twice", { kept, pull_secret, confirmed_1 }, "check r1 judged" },
        { "the check of another revision doesn't count",
          { rotated, checked_1, revision_3_issued },
          "check r3 judged" },
        { "not while its check fails",
          { kept, check_fails },
          "report Progressing RegistryUnavailable for 20 s" },
        { "which a spec change ends", { kept, check_fails, generation_4 }, "check r1 judged" },
        { "and the one that works is healed meanwhile",
          { rotated, revision_3_issued, check_fails, target_touched },
          "compare-target r2" },
        { "before the next one is issued", { kept, rotation_requested, spec_changed }, "check r1" },
        { "in place of one that is gone at Deepgram", { rotated, key_2_gone }, "publish r1" },
        { "a changed template needs no new credential",
          { published, target_outdated, generation_4 },
          "publish r1" },
        { "all is as it should be", { published }, "wait Ready for 500 s" },
    };
    expect(rows);
}

static void test_a_target_is_healed_without_deepgram(void **state)
{
    (void)state;
    static const struct world_row rows[] = {
        { "deleted",
          { published, target_gone, admin_missing, deepgram_fails },
          "publish r1 heals" },
        { "its labels or annotations changed",
          { published, target_outdated, admin_missing, deepgram_fails },
          "publish r1 heals" },
        { "its data as well, which is then not looked at",
          { published, target_outdated, target_touched },
          "publish r1 heals" },
        { "its number changed: the id tells what it holds",
          { rotated, target_under_another_number },
          "publish r2 heals" },
        { "written by somebody: looked at once",
          { published, target_touched, admin_missing, deepgram_fails },
          "compare-target r1" },
        { "and found as it should be: noted",
          { published, target_touched, compared_same },
          "report Ready for 500 s" },
        { "and found different",
          { published, target_touched, compared_different, admin_missing, deepgram_fails },
          "publish r1 heals" },
        { "whatever the status says of that version",
          { published, compared_different },
          "publish r1 heals" },
        { "before a rotation",
          { published, target_touched, compared_different, rotation_requested },
          "publish r1 heals" },
        { "even one that is announced",
          { published, target_touched, compared_different, announced_2 },
          "publish r1 heals" },
        { "not for ever against somebody who does the opposite: its data",
          { published, target_touched, compared_different, healed_too_often },
          "report Stalled SecretConflict for 30 s" },
        { "five times are allowed", { published, target_gone, healed_often }, "publish r1 heals" },
        { "its metadata",
          { published, target_outdated, healed_too_often },
          "report Stalled SecretConflict for 30 s" },
        { "a change of the spec isn't somebody else's",
          { published, target_outdated, generation_4, healed_too_often },
          "publish r1" },
    };
    expect(rows);
}

static void test_a_lost_revision_secret_is_kept_again(void **state)
{
    (void)state;
    static const struct world_row rows[] = {
        { "not before it was looked for: the cache may be late",
          { published, secret_unseen },
          "look-for-revision r1" },
        { "which an older one must not replace meanwhile",
          { rotated, secret_unseen, target_outdated },
          "look-for-revision r2" },
        { "nor a newer one", { published, secret_unseen, target_gone }, "look-for-revision r1" },
        { "not what is gone at Deepgram",
          { published, secret_unseen, key_1_gone },
          "announce r2 (Lost)" },
        { "from what the target holds: nothing is minted",
          { published, secret_lost, rotation_requested },
          "keep-again r1" },
        { "not before it is gone: somebody may hold it up",
          { published, secret_deleting, target_gone },
          "publish r1 heals" },
        { "also when the status is lost too",
          { in_target, secret_lost, deepgram_fails },
          "keep-again r1" },
        { "not before it was looked for either",
          { in_target, secret_unseen, deepgram_fails },
          "look-for-revision r1" },
        { "before an older one is put in its place", { rotated, secret_lost }, "keep-again r2" },
        { "before a newer one is looked at",
          { rotated, secret_lost, revision_3_issued },
          "keep-again r2" },
        { "a target that can't be read: a new one",
          { published, secret_lost, target_useless },
          "announce r2 (Lost)" },
        { "and the older one stays out of the target",
          { rotated, secret_lost, target_useless },
          "announce r3 (Lost)" },
        { "nothing is left: a new one",
          { published, secret_lost, target_gone },
          "announce r2 (Lost)" },
    };
    expect(rows);
}

static void test_what_is_to_be_retained_is_its_namespaces_too(void **state)
{
    (void)state;
    static const struct world_row rows[] = {
        { "first the target", { published, retain }, "anchor voice" },
        { "then its revision", { published, retain, target_anchored }, "anchor voice-dgkey-r1" },
        { "each one", { rotated, retain, target_anchored }, "anchor voice-dgkey-r1" },
        { "before anything is begun", { published, retain, rotation_requested }, "anchor voice" },
        { "after publishing", { published, retain, target_outdated }, "publish r1 heals" },
        { "once",
          { published, retain, target_anchored, secrets_anchored },
          "wait Ready for 500 s" },
        { "otherwise it goes with the resource", { published }, "wait Ready for 500 s" },
    };
    expect(rows);
}

static void test_what_is_published_is_noted_before_anything_is_begun(void **state)
{
    (void)state;
    static const struct world_row rows[] = {
        { "a first one",
          { in_target, compared_same, rotation_requested, admin_missing },
          "report Ready for an event" },
        { "before a create that is announced",
          { in_target, compared_same, announced_2 },
          "report Ready for an event" },
        { "a status that was wiped",
          { published, status_wiped, compared_same, orphan },
          "report Ready for an event" },
        { "after a look at a target that nobody remembers",
          { published, status_wiped },
          "compare-target r1" },
    };
    expect(rows);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_was_created_is_kept_or_revoked_before_all_else),
        cmocka_unit_test(test_what_holds_everything_up),
        cmocka_unit_test(test_secrets_of_ours_without_an_owner_are_taken_over_again),
        cmocka_unit_test(test_a_secret_made_by_hand_is_adopted_when_asked_for),
        cmocka_unit_test(test_what_is_not_ours_is_left_alone),
        cmocka_unit_test(test_who_has_the_target_is_named),
        cmocka_unit_test(test_the_newest_revision_is_published),
        cmocka_unit_test(test_a_target_is_healed_without_deepgram),
        cmocka_unit_test(test_a_lost_revision_secret_is_kept_again),
        cmocka_unit_test(test_what_is_to_be_retained_is_its_namespaces_too),
        cmocka_unit_test(test_what_is_published_is_noted_before_anything_is_begun),
    };
    return fixture_run(tests);
}
