/* The rules of a living resource, from what is published to the next credential and to what
 * earlier ones left: what each of them decides, and that it goes before the next. */
#include "world_changes.h"

#include "api/revision_number.h"

#define expect(rows) world_expect_steps(rows, ARRAY_LENGTH(rows))

/* ---- changes that only these rows need ---- */

static void later_failure(struct world_fixture *fixture)
{
    deepgram_fails(fixture);
    fixture->world.monotonic_ms += 20 * SECOND_MS;
    fixture->world.inventory.due_ms += 20 * SECOND_MS;
}

static void announced_10_seconds_ago(struct world_fixture *fixture)
{
    announced_2(fixture);
    fixture->memory->announced_ms = MONOTONIC_MS - 10 * SECOND_MS;
}

static void announced_before_that(struct world_fixture *fixture)
{
    announced_2(fixture);
    fixture->memory->announced_ms = MONOTONIC_MS - 10 * SECOND_MS - 1;
}

static void announcement_taken_off(struct world_fixture *fixture)
{
    announced_2(fixture);
    world_annotate(fixture->json, ANNOTATION_ISSUING, "[]");
}

static void announced_for_another_spec(struct world_fixture *fixture)
{
    announced_2(fixture);
    snprintf(fixture->memory->mint->attempt.spec_hash, SPEC_HASH_BYTES, "0000000000000000");
}

static void rotate_token_handled(struct world_fixture *fixture)
{
    rotation_requested(fixture);
    world_put(fixture->json, "status.lastHandledRotateRequest", "\"now\"");
}

static void expires_at_noon(struct world_fixture *fixture)
{
    world_put(fixture->json, "spec.expiresAt", "\"2026-06-01T12:00:00Z\"");
}

static void expires_within_a_minute(struct world_fixture *fixture)
{
    world_put(fixture->json, "spec.expiresAt", "\"2026-06-01T12:01:00Z\"");
}

static void expires_after_a_minute(struct world_fixture *fixture)
{
    world_put(fixture->json, "spec.expiresAt", "\"2026-06-01T12:01:01Z\"");
}

static void owner_role(struct world_fixture *fixture)
{
    world_put(fixture->json, "spec.role", "\"owner\"");
}

static void held_in_status(struct world_fixture *fixture)
{
    world_put(fixture->json, "status.observedGeneration", "3");
    world_put(fixture->json, "status.nextAttemptAt", "\"2026-06-01T12:01:00Z\"");
}

static void held_until_before(struct world_fixture *fixture)
{
    world_put(fixture->json, "status.observedGeneration", "3");
    world_put(fixture->json, "status.nextAttemptAt", "\"2026-06-01T12:00:00Z\"");
}

static void held_by_a_wrong_clock(struct world_fixture *fixture)
{
    world_put(fixture->json, "status.observedGeneration", "3");
    world_put(fixture->json, "status.nextAttemptAt", "\"2026-06-01T13:00:01Z\"");
}

static void refused_in_status(struct world_fixture *fixture)
{
    world_put(fixture->json, "status.observedGeneration", "3");
    world_put(fixture->json, "status.conditions",
              "[{\"type\":\"Stalled\",\"status\":\"True\",\"reason\":\"InvalidRequest\"}]");
}

static void forbidden_in_status(struct world_fixture *fixture)
{
    world_put(fixture->json, "status.observedGeneration", "3");
    world_put(fixture->json, "status.conditions",
              "[{\"type\":\"Stalled\",\"status\":\"True\",\"reason\":\"Forbidden\"}]");
}

static void asked_since(struct world_fixture *fixture)
{
    fixture->memory->asked_deepgram = true;
}

static void eight_attempts_open(struct world_fixture *fixture)
{
    add_attempts(fixture, ATTEMPTS_MAX, 2);
}

static void seven_attempts_open(struct world_fixture *fixture)
{
    add_attempts(fixture, ATTEMPTS_MAX - 1, 2);
}

static void minted_too_often(struct world_fixture *fixture)
{
    fixture->memory->mint_at_ms = MONOTONIC_MS + 5 * MINUTE_MS;
}

static void minted_often(struct world_fixture *fixture)
{
    fixture->memory->mint_at_ms = MONOTONIC_MS + 9 * 30 * SECOND_MS;
}

static void project_minted_until_later(struct world_fixture *fixture)
{
    fixture->world.project_mint_at_ms = MONOTONIC_MS + 900 * SECOND_MS;
}

static void project_minted_too_often(struct world_fixture *fixture)
{
    fixture->world.project_mint_at_ms = MONOTONIC_MS + 45 * SECOND_MS;
}

/* Ten seconds later than what the last list can show of a create that had no answer. */
static void listed_after_settling(struct world_fixture *fixture)
{
    fixture->world.inventory.listed_at_ms = fixture->memory->unknown_ms + SETTLE_MS + 10;
}

static void announced_30_seconds_ago(struct world_fixture *fixture)
{
    fixture->memory->announced_ms = MONOTONIC_MS - 30 * SECOND_MS;
}

static void process_just_started(struct world_fixture *fixture)
{
    fixture->memory->known_since_ms = MONOTONIC_MS - SECOND_MS;
}

static void list_due(struct world_fixture *fixture)
{
    fixture->world.inventory.due_ms = MONOTONIC_MS;
}

static void key_5_gone(struct world_fixture *fixture)
{
    int64_t listed_at_ms = fixture->world.inventory.listed_at_ms;
    memory_add_gone(fixture->memory, "key-5", listed_at_ms - SETTLE_MS + 1);
}

static void key_5_gone_before(struct world_fixture *fixture)
{
    int64_t listed_at_ms = fixture->world.inventory.listed_at_ms;
    memory_add_gone(fixture->memory, "key-5", listed_at_ms - SETTLE_MS);
}

static void old_target_holds_it(struct world_fixture *fixture)
{
    old_target(fixture);
    fixture->world.old_target.id = "key-5";
}

static void issued_a_minute_ago(struct world_fixture *fixture)
{
    world_annotate(fixture->secrets[0], ANNOTATION_ISSUED_AT, "2026-06-01T11:59:00Z");
}

static void issued_80_s_before_the_list(struct world_fixture *fixture)
{
    world_annotate(fixture->secrets[0], ANNOTATION_ISSUED_AT, "2026-06-01T11:57:00Z");
}

static void issued_140_s_before_the_list(struct world_fixture *fixture)
{
    world_annotate(fixture->secrets[0], ANNOTATION_ISSUED_AT, "2026-06-01T11:56:00Z");
}

static void key_1_confirmed_before(struct world_fixture *fixture)
{
    memory_confirm(fixture->memory, "key-1", fixture->world.inventory.listed_at_ms - 1);
}

static void published_since_the_list(struct world_fixture *fixture)
{
    fixture->world.target.published_at_ms = NOW_MS - SECOND_MS;
}

static void key_2_confirmed(struct world_fixture *fixture)
{
    memory_confirm(fixture->memory, "key-2", fixture->world.inventory.listed_at_ms);
}

static void same_id_twice(struct world_fixture *fixture)
{
    world_put(noted_revision(fixture, 0), "id", "\"key-2\"");
    cJSON_Delete(fixture->secrets[0]);
    fixture->secrets[0] = fixture->secrets[--fixture->secret_count];
    fixture->memory->absent_revision = 1; /* it was looked for */
}

static void revision_1_not_noted(struct world_fixture *fixture)
{
    world_put(noted_revision(fixture, 0), "revision", "0");
}

static void revision_1_noted_current(struct world_fixture *fixture)
{
    world_put(noted_revision(fixture, 0), "state", "\"Current\"");
}

static void expires_tomorrow(struct world_fixture *fixture)
{
    world_annotate(fixture->secrets[0], ANNOTATION_EXPIRES_AT, "2026-06-02T12:00:00Z");
}

/* ---- creates ---- */

static void test_a_create_follows_its_announcement_at_once(void **state)
{
    (void)state;
    static const struct world_row rows[] = {
        { "announced by this process a moment ago", { announced_2 }, "create r2" },
        { "before something else is announced",
          { published, announced_2, rotation_requested },
          "create r2" },
        { "at the last moment", { announced_10_seconds_ago }, "create r2" },
        { "not after a pause: it is void", { announced_before_that }, "close-attempts keep-open" },
        { "also where nothing could be published",
          { target_of_another, announced_before_that },
          "close-attempts keep-open" },
        { "which is looked at when the time has come",
          { target_of_another, announced_2 },
          "report Stalled SecretConflict for 9.001 s" },
        { "not when somebody took the announcement off",
          { announcement_taken_off },
          "announce r1 (Created)" },
        { "not for a spec that has changed since",
          { announced_for_another_spec },
          "announce r3 (Created)" },
        { "not announced by this process: somebody else's may still come",
          { attempt_2_open, process_just_started },
          "list needed" },
        { "not without an admin key",
          { announced_2, admin_missing },
          "report Stalled CredentialsNotFound for an event" },
        { "not with one that is being deleted",
          { announced_2, admin_deleting },
          "report Stalled CredentialsDeleted for 500 s" },
        { "not while Deepgram fails",
          { announced_2, deepgram_fails },
          "report Progressing DeepgramUnavailable for 20 s" },
        { "not in a pause of the project",
          { announced_2, project_paused },
          "report Progressing Throttled for 40 s" },
        { "what was refused left nothing: its announcement goes first",
          { target_of_another, refused_2, deepgram_refuses, admin_missing },
          "close-attempts keep-open" },
    };
    expect(rows);
}

static void last_number_announced(struct world_fixture *fixture)
{
    add_attempts(fixture, 1, REVISION_NUMBER_MAX);
}

static void test_when_a_credential_is_issued(void **state)
{
    (void)state;
    static const struct world_row rows[] = {
        { "a new resource", { process_just_started }, "announce r1 (Created)" },
        { "a changed spec", { published, spec_changed }, "announce r2 (SpecChanged)" },
        { "a new rotate token",
          { published, rotation_requested },
          "announce r2 (RotationRequested)" },
        { "a token that was answered",
          { published, rotate_token_handled },
          "wait Ready for 500 s" },
        { "both together are one rotation",
          { published, spec_changed, rotation_requested },
          "announce r2 (SpecChanged)" },
        { "its last third has begun",
          { published, lasts_60_days, expired },
          "announce r2 (Expiring)" },
        { "although the old ones retire",
          { rotating, rotation_requested },
          "announce r3 (RotationRequested)" },
        { "the credential is gone at Deepgram", { published, key_1_gone }, "announce r2 (Lost)" },
        { "before what retired is revoked",
          { rotated, rotation_requested },
          "announce r3 (RotationRequested)" },
        { "not for a time that has passed",
          { expires_at_noon, admin_missing },
          "report Stalled ExpiryPassed for an event" },
        { "nor for one that no pod would live to see",
          { expires_within_a_minute, admin_missing },
          "report Stalled ExpiryTooNear for an event" },
        { "a minute is enough", { expires_after_a_minute }, "announce r1 (Created)" },
        { "not beyond the last number that can be read",
          { last_number_announced, answer_just_lost },
          "report Stalled RevisionsExhausted for 110 s" },
        { "the admin Secret is marked first", { admin_unmarked }, "mark-admin" },
    };
    expect(rows);
}

static void test_what_keeps_a_credential_from_being_issued(void **state)
{
    (void)state;
    static const struct world_row rows[] = {
        { "no admin Secret",
          { admin_missing, deepgram_fails },
          "report Stalled CredentialsNotFound for an event" },
        { "one that is being deleted",
          { admin_deleting },
          "report Stalled CredentialsDeleted for 500 s" },
        { "no default credentials for the namespace",
          { admin_not_allowed },
          "report Stalled CredentialsNotAllowed for an event" },
        { "default credentials that may not grant the scopes",
          { admin_scope_not_allowed },
          "report Stalled ScopeNotAllowed for an event" },
        { "default credentials that may not grant the role",
          { owner_role, admin_role_too_high },
          "report Stalled RoleNotAllowed for an event" },
        { "Deepgram fails",
          { deepgram_fails, project_paused },
          "report Progressing DeepgramUnavailable for 20 s" },
        { "until its time has come", { later_failure }, "announce r1 (Created)" },
        { "Deepgram refuses", { deepgram_refuses }, "report Stalled InvalidRequest for an event" },
        { "what it gave last wasn't what was asked for",
          { check_refuses, admin_unmarked },
          "report Stalled NotGranted for 20 s" },
        { "which a spec change ends", { check_refuses, generation_4 }, "announce r1 (Created)" },
        { "the one that works goes on meanwhile",
          { published, spec_changed, check_refuses, target_touched },
          "compare-target r1" },
        { "Deepgram asked the project for a pause",
          { project_paused, admin_unmarked },
          "report Progressing Throttled for 40 s" },
        { "many creates of this resource",
          { minted_too_often, project_paused, admin_unmarked },
          "report Progressing MintLimited for 30 s" },
        { "ten are allowed", { minted_often }, "announce r1 (Created)" },
        { "many creates of the project",
          { project_minted_too_often, admin_unmarked },
          "report Progressing MintLimited for 45 s" },
        { "what retired is revoked all the same",
          { rotated, rotation_requested, minted_too_often },
          "revoke key-1 (Retired)" },
        { "and what nothing names",
          { published, spec_changed, orphan, admin_role_too_high },
          "revoke key-5 (Orphaned)" },
        { "the admin Secret is marked for that",
          { published, spec_changed, minted_too_often, admin_unmarked },
          "mark-admin" },
        { "a published one stays as it is, and it comes back for the first thing to do",
          { published, spec_changed, project_minted_until_later },
          "report Progressing MintLimited for 500 s" },
        { "Deepgram's failures hold all of that up",
          { published, lasts_60_days, expired, deepgram_fails },
          "report Progressing DeepgramUnavailable for 20 s" },
    };
    expect(rows);
}

static void test_a_restart_neither_hurries_nor_writes(void **state)
{
    (void)state;
    static const struct world_row rows[] = {
        { "a back-off in the status counts", { held_in_status }, "wait for 60 s" },
        { "until it is over", { held_until_before }, "announce r1 (Created)" },
        { "not for another spec", { held_in_status, generation_4 }, "announce r1 (Created)" },
        { "not for another admin key", { held_in_status, admin_changed }, "announce r1 (Created)" },
        { "not for another rotate token",
          { held_in_status, rotation_requested },
          "announce r1 (Created)" },
        { "not what a wrong clock wrote", { held_by_a_wrong_clock }, "announce r1 (Created)" },
        { "not when this process has asked since",
          { held_in_status, asked_since },
          "announce r1 (Created)" },
        { "a refusal stays one", { refused_in_status }, "wait for an event" },
        { "until the spec changes", { refused_in_status, generation_4 }, "announce r1 (Created)" },
        { "what may have been mended elsewhere is tried again",
          { forbidden_in_status },
          "announce r1 (Created)" },
        { "an unchanged world", { published }, "wait Ready for 500 s" },
        { "an unchanged world in the midst of a rotation", { rotating }, "wait Ready for 500 s" },
    };
    expect(rows);
}

static void test_after_a_lost_answer(void **state)
{
    (void)state;
    static const struct world_row rows[] = {
        { "list before the next try", { attempt_2_open, answer_just_lost }, "list needed" },
        { "not while lists fail",
          { attempt_2_open, answer_just_lost, list_fails },
          "wait for 50 s" },
        { "not while Deepgram fails",
          { attempt_2_open, answer_just_lost, deepgram_fails, list_fails },
          "report Progressing DeepgramUnavailable for 20 s" },
        { "nothing was left: try again at once",
          { attempt_2_open, answer_just_lost, listed_just_now },
          "announce r3 (Created)" },
        { "what was left is revoked first",
          { attempt_2_open, answer_just_lost, listed_just_now, orphan_of_attempt },
          "revoke key-2 (Orphaned)" },
        { "a list from before says nothing", { attempt_2_open, never_listed }, "list needed" },
        { "seven creates in a row: one more",
          { seven_attempts_open, answer_just_lost, listed_just_now },
          "announce r9 (Created)" },
        { "eight: none until it is certain what they left",
          { eight_attempts_open, answer_just_lost, listed_just_now },
          "report Progressing MintLimited for 110 s" },
        { "nothing is due: list when it can't come late any more",
          { published, attempt_2_open, answer_just_lost },
          "wait Ready for 110 s" },
        { "now it can't",
          { published, attempt_2_open, settled_just_now, list_due },
          "list needed" },
        { "an older list doesn't show it",
          { published, attempt_2_open, answer_lost_before },
          "close-attempts" },
        { "a list from after that closes it",
          { published, attempt_2_open, answer_lost_before, listed_after_settling },
          "close-attempts" },
        { "counted from the start of a process that can't know better",
          { published, attempt_2_open, process_just_started },
          "wait Ready for 119 s" },
        { "or from an announcement whose answer is no longer kept",
          { published, attempt_2_open, announced_30_seconds_ago },
          "wait Ready for 90 s" },
        { "or from the answer that was lost after it",
          { published, attempt_2_open, announced_30_seconds_ago, answer_just_lost },
          "wait Ready for 110 s" },
        { "what a former process left is settled long ago",
          { published, attempt_2_open },
          "close-attempts" },
    };
    expect(rows);
}

/* ---- what earlier ones left ---- */

static void test_the_admin_secret_stays_marked(void **state)
{
    (void)state;
    static const struct world_row rows[] = {
        { "one that was made anew", { published, admin_unmarked, orphan }, "mark-admin" },
        { "not for credentials that are gone",
          { suspended, published, admin_unmarked },
          "report Suspended Suspended for an event" },
        { "not one that doesn't exist",
          { published, admin_unmarked, admin_missing },
          "wait Ready for an event" },
        { "not one that is being deleted",
          { published, admin_unmarked, admin_deleting },
          "wait Ready for 500 s" },
    };
    expect(rows);
}

/* By this process, although nothing tells of it any more. */
static void target_seen_before(struct world_fixture *fixture)
{
    fixture->memory->had_published = true;
}

static void test_orphans_are_revoked(void **state)
{
    (void)state;
    static const struct world_row rows[] = {
        { "one that nothing names", { published, orphan, list_due }, "revoke key-5 (Orphaned)" },
        { "not while a pod may hold it", { published, orphan, old_pod }, "wait Ready for 500 s" },
        { "a pod of the present one doesn't",
          { published, orphan, pod },
          "revoke key-5 (Orphaned)" },
        { "nor a pod of an earlier target",
          { published, orphan, old_target_in_use },
          "wait Ready for 500 s" },
        { "nor what an earlier target holds: that goes first",
          { published, orphan, old_target_holds_it },
          "delete-target before" },
        { "nor any pod while nothing is published",
          { kept, checked_1, target_gone, orphan, pod },
          "publish r1" },
        { "what the last create left nobody can hold",
          { published, attempt_2_open, answer_just_lost, orphan_of_attempt, old_pod },
          "revoke key-2 (Orphaned)" },
        { "unless what may have been published is lost",
          { attempt_2_open, target_seen_before, orphan_of_attempt, pod },
          "announce r3 (Created)" },
        { "before it is forgotten that there was one",
          { published, attempt_2_open, answer_lost_before, orphan_of_attempt, old_pod },
          "revoke key-2 (Orphaned)" },
        { "not without an admin key",
          { published, orphan, admin_missing },
          "report Stalled CredentialsNotFound for an event" },
        { "also with one that is being deleted",
          { published, orphan, admin_deleting },
          "revoke key-5 (Orphaned)" },
        { "one that was revoked may be listed for a while",
          { published, orphan, key_5_gone },
          "wait Ready for 500 s" },
        { "not for ever", { published, orphan, key_5_gone_before }, "revoke key-5 (Orphaned)" },
        { "not while Deepgram fails",
          { published, orphan, deepgram_fails },
          "report Progressing DeepgramUnavailable for 20 s" },
    };
    expect(rows);
}

static void test_the_inventory_is_refreshed(void **state)
{
    (void)state;
    static const struct world_row rows[] = {
        { "when it is due", { published, list_due, key_1_unlisted }, "list" },
        { "at the start", { published, never_listed }, "list" },
        { "with an admin key that is being deleted",
          { published, list_due, admin_deleting },
          "list" },
        { "not without one", { published, list_due, admin_missing }, "wait Ready for an event" },
        { "not right after a failure", { published, list_due, list_fails }, "wait Ready for 50 s" },
        { "not in a pause", { published, list_due, project_paused }, "wait Ready for 40 s" },
    };
    expect(rows);
}

static void test_a_credential_that_the_list_does_not_show(void **state)
{
    (void)state;
    static const struct world_row rows[] = {
        { "is asked for by its id", { published, key_1_unlisted }, "confirm r1 key-1" },
        { "before another one is revoked", { rotated, key_1_unlisted }, "confirm r1 key-1" },
        { "once a list", { published, key_1_unlisted, key_1_confirmed }, "wait Ready for 500 s" },
        { "again after the next one",
          { published, key_1_unlisted, key_1_confirmed_before },
          "confirm r1 key-1" },
        { "not when it was issued after the list was sent",
          { published, key_1_unlisted, issued_a_minute_ago },
          "report Ready for 500 s" },
        { "nor shortly before, as lists lag: also later on",
          { published, key_1_unlisted, issued_80_s_before_the_list },
          "report Ready for 500 s" },
        { "but when the list should have shown it",
          { published, key_1_unlisted, issued_140_s_before_the_list },
          "confirm r1 key-1" },
        { "not while Deepgram fails",
          { published, key_1_unlisted, deepgram_fails },
          "wait Ready for 500 s" },
        { "not in a pause of the project",
          { published, key_1_unlisted, project_paused },
          "wait Ready for 500 s" },
        { "not without an admin key",
          { published, key_1_unlisted, admin_missing },
          "wait Ready for an event" },
        { "a list that failed says nothing",
          { published, key_1_unlisted, never_listed, list_fails },
          "wait Ready for 50 s" },
        { "one that is gone isn't",
          { rotated, key_1_unlisted, key_1_gone },
          "drop-revision r1 voice-dgkey-r1" },
    };
    expect(rows);
}

static void test_a_published_key_is_tried_out(void **state)
{
    (void)state;
    static const struct world_row rows[] = {
        { "once pods use it", { published, trial, pod }, "verify r1" },
        { "not before", { published, trial }, "report Ready for 500 s" },
        { "not while a pod holds an older one",
          { rotated, trial, old_pod },
          "report Ready for 500 s" },
        { "but for those that nobody waits for",
          { rotated, ignoring, trial, old_pod },
          "verify r2" },
        { "before the old key is revoked", { rotated, trial, pod }, "verify r2" },
        { "after a rotation without pods too", { rotated, trial }, "verify r2" },
        { "not again after a restart", { published, trial_noted, pod }, "wait Ready for 500 s" },
        { "nor in this process",
          { published, trial, pod, trial_worked },
          "report Ready for 500 s" },
        { "each revision", { rotated, trial_noted, pod }, "verify r2" },
        { "each address", { published, trial_noted, trial_elsewhere, pod }, "verify r1" },
        { "later, when it failed", { rotated, trial, pod, trial_failed }, "report Ready for 20 s" },
        { "and at once when the spec changed since",
          { rotated, trial, pod, trial_failed, generation_4 },
          "verify r2" },
        { "what is published is healed meanwhile",
          { rotated, trial, pod, trial_failed, target_touched },
          "compare-target r2" },
        { "and the old key goes when nobody asks for a trial any more",
          { rotated, trial, pod, trial_failed, no_trial },
          "revoke key-1 (Retired)" },
        { "the trial of the key before proves nothing",
          { rotated, trial_noted, trial_failed },
          "report Ready for 20 s" },
    };
    expect(rows);
}

static void test_what_retired_is_revoked(void **state)
{
    (void)state;
    static const struct world_row rows[] = {
        { "after its overlap", { rotated }, "revoke key-1 (Retired)" },
        { "not before", { rotating }, "wait Ready for 500 s" },
        { "not while a pod may hold it", { rotated, old_pod }, "wait Ready for 500 s" },
        { "a pod of the present one doesn't", { rotated, pod }, "revoke key-1 (Retired)" },
        { "not before the present one was seen alive since it was published",
          { rotated, published_since_the_list },
          "confirm r2 key-2" },
        { "which its own answer shows too",
          { rotated, published_since_the_list, key_2_confirmed },
          "revoke key-1 (Retired)" },
        { "nothing is asked before its overlap is over",
          { rotating, published_since_the_list },
          "report Ready for 500 s" },
        { "not before the target of an earlier name went",
          { rotated, old_target_in_use },
          "report Ready for 500 s" },
        { "and the pods that hold what it held",
          { rotated, old_target_gone_but_in_use },
          "report Ready for 5 s" },
        { "unless pods are not looked at",
          { rotated, old_target_gone_but_in_use, ignoring },
          "revoke key-1 (Retired)" },
        { "not while the present one isn't in the target",
          { rotated, target_deleting },
          "wait for an event" },
        { "not what is in the target under another number",
          { rotated, same_id_twice },
          "wait Ready for 500 s" },
        { "not before its overlap is noted",
          { rotated, revision_1_not_noted },
          "report Ready for 500 s" },
        { "not what was noted as current",
          { rotated, revision_1_noted_current },
          "report Ready for 500 s" },
        { "not without an admin key",
          { rotated, admin_missing },
          "report Stalled CredentialsNotFound for an event" },
        { "also with one that is being deleted",
          { rotated, admin_deleting },
          "revoke key-1 (Retired)" },
        { "not while Deepgram fails",
          { rotated, deepgram_fails },
          "report Progressing DeepgramUnavailable for 20 s" },
        { "its revision Secret goes when it is gone",
          { rotated, key_1_gone },
          "drop-revision r1 voice-dgkey-r1" },
    };
    expect(rows);
}

static void test_the_target_of_an_earlier_name_goes(void **state)
{
    (void)state;
    static const struct world_row rows[] = {
        { "when the new one is published", { published, old_target }, "delete-target before" },
        { "not while a pod refers to it",
          { published, old_target_in_use },
          "wait Ready for 500 s" },
        { "before what retired is revoked", { rotated, old_target }, "delete-target before" },
        { "not again while somebody's finalizer holds it up",
          { published, old_target_deleting },
          "wait Ready for 500 s" },
        { "nor is what it holds revoked then",
          { rotated, old_target_deleting },
          "wait Ready for 500 s" },
        { "not one that is gone",
          { published, old_target_gone_but_in_use },
          "wait Ready for 500 s" },
        { "not before the new one is noted",
          { in_target, compared_same, old_target },
          "report Ready for an event" },
    };
    expect(rows);
}

static void test_when_it_comes_back_by_itself(void **state)
{
    (void)state;
    static const struct world_row rows[] = {
        { "for the next list", { published }, "wait Ready for 500 s" },
        { "for an event only, without a key to list with",
          { published, admin_not_allowed },
          "wait Ready for an event" },
        { "for the end of an overlap", { rotating, admin_missing }, "wait Ready for 3600 s" },
        { "for the end of a credential's life",
          { published, expires_tomorrow, admin_missing },
          "report Ready for 86400 s" },
        { "for a rotation, which comes before that",
          { published, lasts_60_days, admin_missing },
          "report Ready for 597024 s" },
    };
    expect(rows);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_create_follows_its_announcement_at_once),
        cmocka_unit_test(test_when_a_credential_is_issued),
        cmocka_unit_test(test_what_keeps_a_credential_from_being_issued),
        cmocka_unit_test(test_a_restart_neither_hurries_nor_writes),
        cmocka_unit_test(test_after_a_lost_answer),
        cmocka_unit_test(test_the_admin_secret_stays_marked),
        cmocka_unit_test(test_orphans_are_revoked),
        cmocka_unit_test(test_the_inventory_is_refreshed),
        cmocka_unit_test(test_a_credential_that_the_list_does_not_show),
        cmocka_unit_test(test_a_published_key_is_tried_out),
        cmocka_unit_test(test_what_retired_is_revoked),
        cmocka_unit_test(test_the_target_of_an_earlier_name_goes),
        cmocka_unit_test(test_when_it_comes_back_by_itself),
    };
    return fixture_run(tests);
}
