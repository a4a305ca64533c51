/* What tests of decisions change in the base world of world_fixture.h: first where a resource
 * stands, then single facts about it. A change of Secrets or status comes after what made them.
 */
#ifndef TESTS_UNIT_WORLD_CHANGES_H
#define TESTS_UNIT_WORLD_CHANGES_H

#include "world_fixture.h"

#define ISSUED_AT_1 "2026-05-01T00:00:00Z"
#define ISSUED_AT_2 "2026-05-31T00:00:00Z"

/* What status says when no pod is older than the revision. */
#define CONSUMERS_UPDATED(revision)                                                                \
    "{\"type\":\"ConsumersUpdated\",\"status\":\"True\",\"observedGeneration\":3,"                 \
    "\"lastTransitionTime\":\"2026-05-01T00:00:10Z\",\"reason\":\"Updated\",\"message\":\"No pod " \
    "that uses Secret voice is older than revision " revision "\"}"

/* ---- where it stands ---- */

/* Announced, created and kept, no more. */
static inline void kept(struct world_fixture *fixture)
{
    world_add_secret(fixture, 1, ISSUED_AT_1);
}

/* In the target too, and the status doesn't say so yet. */
static inline void in_target(struct world_fixture *fixture)
{
    kept(fixture);
    world_hold(fixture, 1, "key-1");
}

/* As a former process left it: all is done and noted. */
static inline void published(struct world_fixture *fixture)
{
    in_target(fixture);
    world_put(fixture->json, "status",
              "{\"observedGeneration\":3,\"conditions\":[{\"type\":\"Ready\",\"status\":\"True\","
              "\"observedGeneration\":3,\"lastTransitionTime\":\"2026-05-01T00:00:10Z\","
              "\"reason\":\"Published\",\"message\":\"Credential key-1 (revision 1) is in Secret "
              "voice\"}," CONSUMERS_UPDATED(
                  "1") "],\"revision\":1,\"id\":\"key-1\",\"secretName\":\"voice\","
                       "\"issuedAt\":\"" ISSUED_AT_1 "\",\"publishedAt\":\"2026-05-31T12:00:00Z\","
                       "\"revisions\":[{\"revision\":1,\"id\":\"key-1\","
                       "\"state\":\"Current\",\"issuedAt\":\"" ISSUED_AT_1
                       "\",\"reason\":\"Created\"}],"
                       "\"secretResourceVersion\":\"" FIXTURE_TARGET_VERSION "\"}");
}

/* Revision 2 is published and noted, revision 1 retires until 13:00 (in an hour). */
static inline void rotating(struct world_fixture *fixture)
{
    world_add_secret(fixture, 1, ISSUED_AT_1);
    world_add_secret(fixture, 2, ISSUED_AT_2);
    world_hold(fixture, 2, "key-2");
    world_put(
        fixture->json, "status",
        "{\"observedGeneration\":3,\"conditions\":[{\"type\":\"Ready\",\"status\":\"True\","
        "\"observedGeneration\":3,\"lastTransitionTime\":\"2026-05-01T00:00:10Z\","
        "\"reason\":\"Published\",\"message\":\"Credential key-2 (revision 2) is in Secret "
        "voice\"}," CONSUMERS_UPDATED(
            "2") "],\"revision\":2,\"id\":\"key-2\",\"secretName\":\"voice\","
                 "\"issuedAt\":\"" ISSUED_AT_2 "\",\"publishedAt\":\"2026-05-31T12:00:00Z\","
                 "\"revisions\":[{\"revision\":1,\"id\":\"key-1\","
                 "\"state\":\"Retiring\",\"issuedAt\":\"" ISSUED_AT_1 "\",\"reason\":\"Created\","
                 "\"revokeAfter\":\"2026-06-01T13:00:00Z\"},{\"revision\":2,\"id\":\"key-2\","
                 "\"state\":\"Current\",\"issuedAt\":\"" ISSUED_AT_2 "\",\"reason\":"
                 "\"SpecChanged\"}],\"secretResourceVersion\":\"" FIXTURE_TARGET_VERSION "\"}");
}

static inline cJSON *noted_revision(struct world_fixture *fixture, int index)
{
    cJSON *status = cJSON_GetObjectItemCaseSensitive(fixture->json, "status");
    cJSON *revisions = cJSON_GetObjectItemCaseSensitive(status, "revisions");
    return cJSON_GetArrayItem(revisions, index);
}

/* As above, and the overlap is over. */
static inline void rotated(struct world_fixture *fixture)
{
    rotating(fixture);
    world_put(noted_revision(fixture, 0), "revokeAfter", "\"2026-06-01T12:00:00Z\"");
}

static inline void deleting(struct world_fixture *fixture)
{
    world_put(fixture->json, "metadata.deletionTimestamp", "\"2026-06-01T11:59:00Z\"");
    fixture->memory->deleting_since_ms = MONOTONIC_MS - MINUTE_MS;
}

static inline void pull_secret(struct world_fixture *fixture)
{
    fixture->kind = RESOURCE_PULL_SECRET;
    fixture->world.checkable = false;
}

/* ---- the resource ---- */

static inline void finalizer_gone(struct world_fixture *fixture)
{
    world_put(fixture->json, "metadata.finalizers", "[]");
}

static inline void suspended(struct world_fixture *fixture)
{
    world_put(fixture->json, "spec.suspend", "true");
}

static inline void bad_spec(struct world_fixture *fixture)
{
    world_put(fixture->json, "spec.rotation", "{\"every\":\"soon\"}");
}

static inline void retain(struct world_fixture *fixture)
{
    world_put(fixture->json, "spec.deletionPolicy", "\"Retain\"");
}

static inline void generation_4(struct world_fixture *fixture)
{
    world_put(fixture->json, "metadata.generation", "4");
}

/* Every revision so far was made from another spec. */
static inline void spec_changed(struct world_fixture *fixture)
{
    generation_4(fixture);
    for (size_t i = 0; i < fixture->secret_count; i++)
        world_annotate(fixture->secrets[i], ANNOTATION_SPEC_HASH, "0000000000000000");
}

static inline void rotation_requested(struct world_fixture *fixture)
{
    world_annotate(fixture->json, ANNOTATION_ROTATE, "now");
}

static inline void lasts_60_days(struct world_fixture *fixture)
{
    world_put(fixture->json, "spec.validFor", "\"1440h\"");
    for (size_t i = 0; i < fixture->secret_count; i++)
        world_annotate(fixture->secrets[i], ANNOTATION_EXPIRES_AT, "2026-06-30T00:00:00Z");
}

static inline void expired(struct world_fixture *fixture)
{
    world_annotate(fixture->secrets[0], ANNOTATION_EXPIRES_AT, "2026-06-01T11:00:00Z");
}

static inline void status_wiped(struct world_fixture *fixture)
{
    cJSON_DeleteItemFromObjectCaseSensitive(fixture->json, "status");
}

static inline void namespace_terminating(struct world_fixture *fixture)
{
    fixture->world.namespace_terminating = true;
}

/* ---- Secrets ---- */

/* The newest revision Secret isn't in the cache. */
static inline void secret_unseen(struct world_fixture *fixture)
{
    cJSON_Delete(fixture->secrets[--fixture->secret_count]);
}

/* Nor is the oldest. */
static inline void first_secret_unseen(struct world_fixture *fixture)
{
    cJSON_Delete(fixture->secrets[0]);
    fixture->secrets[0] = fixture->secrets[--fixture->secret_count];
}

/* It was looked for, too. */
static inline void secret_lost(struct world_fixture *fixture)
{
    secret_unseen(fixture);
    fixture->memory->absent_revision = (int64_t)fixture->secret_count + 1;
}

/* Of the first revision: nobody owns it, as after a deletion with Retain. */
static inline void secret_released(struct world_fixture *fixture)
{
    world_put(fixture->secrets[0], "metadata.ownerReferences", "[]");
}

static inline void secrets_anchored(struct world_fixture *fixture)
{
    for (size_t i = 0; i < fixture->secret_count; i++)
        cJSON_AddItemToArray(
            (cJSON *)json_at(fixture->secrets[i], "metadata.ownerReferences"),
            fixture_json("{\"kind\":\"Namespace\",\"name\":\"team\",\"uid\":\"u-team\"}"));
}

static inline void target_anchored(struct world_fixture *fixture)
{
    fixture->world.target.anchored = true;
}

static inline void secret_deleting(struct world_fixture *fixture)
{
    world_put(fixture->secrets[fixture->secret_count - 1], "metadata.deletionTimestamp",
              "\"2026-06-01T11:59:00Z\"");
}

static inline void target_gone(struct world_fixture *fixture)
{
    fixture->world.target = world_fixture_base().target;
}

static inline void target_deleting(struct world_fixture *fixture)
{
    fixture->world.target.deleting = true;
}

/* Its last write had no answer. */
static inline void target_unsure(struct world_fixture *fixture)
{
    fixture->memory->target_unsure = true;
}

/* By this process. */
static inline void target_never_looked_at(struct world_fixture *fixture)
{
    fixture->memory->target_looked = false;
}

static inline void target_outdated(struct world_fixture *fixture)
{
    fixture->world.target.metadata_current = false;
}

/* Somebody wrote to it. */
static inline void target_touched(struct world_fixture *fixture)
{
    fixture->world.target.resource_version = "71";
}

static inline void compared_same(struct world_fixture *fixture)
{
    fixture->memory->target_same = fingerprint(fixture->world.target.resource_version);
}

static inline void compared_different(struct world_fixture *fixture)
{
    fixture->memory->target_differs = fingerprint(fixture->world.target.resource_version);
}

static inline void target_useless(struct world_fixture *fixture)
{
    fixture->memory->target_useless = fingerprint(fixture->world.target.resource_version);
    fixture->memory->adopt_at_ms = INT64_MAX;
    mem_replace(&fixture->memory->adoption_problem, "there is no key in it");
}

static inline void target_refused(struct world_fixture *fixture)
{
    target_useless(fixture);
    fixture->memory->adopt_at_ms = fixture->world.monotonic_ms + 600 * 1000;
}

static inline void target_refused_long_ago(struct world_fixture *fixture)
{
    target_useless(fixture);
    fixture->memory->adopt_at_ms = fixture->world.monotonic_ms;
}

/* There is one of that name which nobody controls. */
static inline void target_foreign(struct world_fixture *fixture)
{
    fixture->world.target = (struct target_view){
        .exists = true, .resource_version = "80", .uid = "foreign-uid", .owner = "", .id = ""
    };
}

static inline void target_of_another(struct world_fixture *fixture)
{
    target_foreign(fixture);
    fixture->world.target.owner = "DeepgramApiKey/other";
}

static inline void target_to_adopt(struct world_fixture *fixture)
{
    target_foreign(fixture);
    fixture->world.target.adopt = true;
}

/* Ours, but somebody took the owner reference off. */
static inline void target_released(struct world_fixture *fixture)
{
    fixture->world.target.ours = false;
    fixture->world.target.lost = true;
    fixture->world.target.owner = "";
}

static inline void old_target(struct world_fixture *fixture)
{
    fixture->world.old_target = (struct old_target_view){
        .name = "before",
        .exists = true,
        .uid = "before-uid",
        .resource_version = "50",
        .example = "",
    };
}

static inline void old_target_deleting(struct world_fixture *fixture)
{
    old_target(fixture);
    fixture->world.old_target.deleting = true;
}

static inline void old_target_in_use(struct world_fixture *fixture)
{
    old_target(fixture);
    fixture->world.old_target.pods = 2;
    fixture->world.old_target.example = "api-0";
}

/* It is gone, but pods that hold what it held run on. */
static inline void old_target_gone_but_in_use(struct world_fixture *fixture)
{
    old_target_in_use(fixture);
    fixture->world.old_target.exists = false;
    fixture->world.old_target.uid = NULL;
    fixture->world.old_target.resource_version = NULL;
}

/* The target was put right so often that the next time has to wait for 30 s. */
static inline void healed_too_often(struct world_fixture *fixture)
{
    fixture->memory->heal_at_ms = MONOTONIC_MS + 150 * SECOND_MS;
}

/* ---- roll-outs ---- */

/* Nothing is known yet about the pods of what is published. */
static inline void not_rolled_out(struct world_fixture *fixture)
{
    cJSON *status = cJSON_GetObjectItemCaseSensitive(fixture->json, "status");
    cJSON *conditions = cJSON_GetObjectItemCaseSensitive(status, "conditions");
    cJSON_DeleteItemFromArray(conditions, 1);
}

/* Revision 2 is published and noted; the roll-out is about to begin. */
static inline void rolling(struct world_fixture *fixture)
{
    rotating(fixture);
    not_rolled_out(fixture);
}

/* Pods failed on revision 2 ten seconds ago; it is still published. */
static inline void failed(struct world_fixture *fixture)
{
    world_annotate(fixture->secrets[1], ANNOTATION_FAILED_AT, "2026-06-01T11:59:50Z");
    world_annotate(fixture->secrets[1], ANNOTATION_FAILED, "pod e-0 CrashLoopBackOff");
    world_annotate(fixture->secrets[1], ANNOTATION_FAILED_COUNT, "1");
}

/* As above, and revision 1 is published again since nine seconds, and noted. */
static inline void taken_back(struct world_fixture *fixture)
{
    rolling(fixture);
    failed(fixture);
    world_hold(fixture, 1, "key-1");
    fixture->world.target.published_at_ms = NOW_MS - 9 * SECOND_MS;
    world_put(fixture->json, "status.revision", "1");
    world_put(fixture->json, "status.id", "\"key-1\"");
    world_put(fixture->json, "status.issuedAt", "\"" ISSUED_AT_1 "\"");
    world_put(fixture->json, "status.revisions",
              "[{\"revision\":1,\"id\":\"key-1\",\"state\":\"Current\",\"issuedAt\":\"" ISSUED_AT_1
              "\",\"reason\":\"Created\"},{\"revision\":2,\"id\":\"key-2\",\"state\":\"Retiring\","
              "\"issuedAt\":\"" ISSUED_AT_2 "\",\"reason\":\"SpecChanged\",\"failedAt\":"
              "\"2026-06-01T11:59:50Z\",\"revokeAfter\":\"2026-06-01T12:00:00Z\"}]");
}

/* ---- pods ---- */

static inline void pod(struct world_fixture *fixture)
{
    fixture->world.consumers.pods++;
    fixture->world.consumers.example = "engine-0";
}

static inline void old_pod(struct world_fixture *fixture)
{
    pod(fixture);
    fixture->world.consumers.old_pods++;
    fixture->world.consumers.old_example = "engine-0";
}

/* ---- the admin Secret ---- */

static inline void admin_missing(struct world_fixture *fixture)
{
    fixture->world.admin.state = ADMIN_MISSING;
}

static inline void admin_deleting(struct world_fixture *fixture)
{
    fixture->world.admin.state = ADMIN_DELETING;
}

static inline void admin_not_allowed(struct world_fixture *fixture)
{
    fixture->world.admin.state = ADMIN_NOT_ALLOWED;
}

static inline void admin_scope_not_allowed(struct world_fixture *fixture)
{
    fixture->world.admin.state = ADMIN_SCOPE_NOT_ALLOWED;
}

static inline void admin_role_too_high(struct world_fixture *fixture)
{
    fixture->world.admin.state = ADMIN_ROLE_TOO_HIGH;
}

static inline void admin_changed(struct world_fixture *fixture)
{
    fixture->world.admin.resource_version = "10";
}

static inline void admin_unmarked(struct world_fixture *fixture)
{
    fixture->world.admin.marked = false;
}

/* ---- failures ---- */

static inline struct failure *add_failure(struct world_fixture *fixture, enum failure_side side,
                                          const char *reason)
{
    struct failure *failure = mem_alloc(sizeof *failure);
    failure_free(fixture->memory->failures[side]);
    fixture->memory->failures[side] = failure;
    *failure = (struct failure){ .kind = ERR_TRANSIENT,
                                 .reason = reason,
                                 .message = mem_strdup("it failed"),
                                 .retry_at_ms = MONOTONIC_MS + 20 * SECOND_MS,
                                 .retry_at_wall_ms = NOW_MS + 20 * SECOND_MS,
                                 .count = 2,
                                 .generation = 3,
                                 .mends = FIXTURE_MENDS };
    return failure;
}

static inline void kubernetes_fails(struct world_fixture *fixture)
{
    add_failure(fixture, FAILURE_KUBERNETES, "KubernetesUnavailable");
}

static inline void kubernetes_refuses(struct world_fixture *fixture)
{
    add_failure(fixture, FAILURE_KUBERNETES, "KubernetesForbidden")->stalled = true;
}

static inline void deepgram_fails(struct world_fixture *fixture)
{
    add_failure(fixture, FAILURE_DEEPGRAM, "DeepgramUnavailable");
    fixture->memory->asked_deepgram = true;
}

static inline void check_fails(struct world_fixture *fixture)
{
    add_failure(fixture, FAILURE_CHECK, "RegistryUnavailable");
}

/* The new credential grants less than the spec asks for. */
static inline void check_refuses(struct world_fixture *fixture)
{
    struct failure *failure = add_failure(fixture, FAILURE_CHECK, "NotGranted");
    failure->stalled = true;
}

/* ---- the trial of a published key ---- */

#define TRIAL_URL "ws://api:8080/v1/listen"

static inline void trial(struct world_fixture *fixture)
{
    world_put(fixture->json, "spec.verify", "{\"streaming\":{\"url\":\"" TRIAL_URL "\"}}");
}

static inline void ignoring(struct world_fixture *fixture)
{
    world_put(fixture->json, "spec.rollout", "{\"mode\":\"Ignore\"}");
}

static inline void no_trial(struct world_fixture *fixture)
{
    world_put(fixture->json, "spec.verify", "{}");
}

static inline void trial_failed(struct world_fixture *fixture)
{
    add_failure(fixture, FAILURE_VERIFY, "VerifyFailed");
}

static inline void trial_worked(struct world_fixture *fixture)
{
    fixture->memory->verified = mem_strdup("Revision 1: " TRIAL_URL " answered in 1.2 s");
}

/* Of revision 1, by a former process. */
static inline void trial_noted(struct world_fixture *fixture)
{
    trial(fixture);
    cJSON *status = cJSON_GetObjectItemCaseSensitive(fixture->json, "status");
    cJSON_AddItemToArray(
        cJSON_GetObjectItemCaseSensitive(status, "conditions"),
        fixture_json("{\"type\":\"Verified\",\"status\":\"True\",\"reason\":\"Answered\","
                     "\"message\":\"Revision 1: " TRIAL_URL " answered in 1.2 s\","
                     "\"observedGeneration\":3,"
                     "\"lastTransitionTime\":\"2026-05-31T00:00:00Z\"}"));
}

static inline void trial_elsewhere(struct world_fixture *fixture)
{
    world_put(fixture->json, "spec.verify", "{\"streaming\":{\"url\":\"ws://other\"}}");
}

static inline void adopted_before(struct world_fixture *fixture)
{
    world_annotate(fixture->secrets[0], ANNOTATION_NONCE, "");
}

static inline void deepgram_refuses(struct world_fixture *fixture)
{
    struct failure *failure = add_failure(fixture, FAILURE_DEEPGRAM, "InvalidRequest");
    failure->stalled = true;
    failure->retry_at_ms = INT64_MAX;
    failure->retry_at_wall_ms = 0;
    fixture->memory->asked_deepgram = true;
}

/* 429, for the whole project. */
static inline void project_paused(struct world_fixture *fixture)
{
    fixture->world.project_blocked_until_ms = MONOTONIC_MS + 40 * SECOND_MS;
}

/* ---- creates ---- */

static inline void add_attempts(struct world_fixture *fixture, int count, int first_revision)
{
    auto_json cJSON *attempts = cJSON_CreateArray();
    for (int i = 0; i < count; i++) {
        auto_free char *text =
            mem_printf("{\"revision\":%d,\"nonce\":\"open%d\",\"since\":\"2026-06-01T11:00:00Z\"}",
                       first_revision + i, first_revision + i);
        cJSON_AddItemToArray(attempts, fixture_json(text));
    }
    auto_free char *text = json_print(attempts);
    world_annotate(fixture->json, ANNOTATION_ISSUING, text);
}

/* A former process announced revision 2 and nothing more is known of it. */
static inline void attempt_2_open(struct world_fixture *fixture)
{
    add_attempts(fixture, 1, 2);
}

/* Ten seconds ago this process got no answer to a create. */
static inline void answer_just_lost(struct world_fixture *fixture)
{
    fixture->memory->unknown_ms = MONOTONIC_MS - 10 * SECOND_MS;
}

/* At this moment Deepgram can't carry it out any more. */
static inline void settled_just_now(struct world_fixture *fixture)
{
    fixture->memory->unknown_ms = MONOTONIC_MS - SETTLE_MS;
}

/* So long ago that the last list shows what it left. */
static inline void answer_lost_before(struct world_fixture *fixture)
{
    fixture->memory->unknown_ms = MONOTONIC_MS - SETTLE_MS - LISTED_AGO_MS;
}

static inline void listed_just_now(struct world_fixture *fixture)
{
    fixture->world.inventory.listed_at_ms = MONOTONIC_MS;
}

static inline void never_listed(struct world_fixture *fixture)
{
    fixture->world.inventory.listed_at_ms = NEVER;
    fixture->world.inventory.due_ms = 0;
}

static inline void list_fails(struct world_fixture *fixture)
{
    fixture->world.inventory.blocked_until_ms = MONOTONIC_MS + 50 * SECOND_MS;
}

/* This process announced revision 2 a moment ago. */
static inline void announced_2(struct world_fixture *fixture)
{
    attempt_2_open(fixture);
    memory_announce(fixture->memory,
                    &(struct attempt){ .revision = 2, .nonce = "open2", .rotate = "" },
                    MONOTONIC_MS - SECOND_MS);
}

/* It was answered, and the answer isn't kept yet. */
static inline void answered_2(struct world_fixture *fixture)
{
    announced_2(fixture);
    memory_issue(fixture->memory, &(struct credential){ .id = mem_strdup("key-2") });
}

static inline void refused_2(struct world_fixture *fixture)
{
    attempt_2_open(fixture);
    fixture->memory->refused_revision = 2;
}

static inline void to_discard(struct world_fixture *fixture)
{
    fixture->memory->discard_id = mem_strdup("key-7");
}

/* Left by the create that is open. */
static inline void orphan_of_attempt(struct world_fixture *fixture)
{
    world_add_entry(fixture, "key-2", 2, "open2");
}

/* Nothing tells where it came from. */
static inline void orphan(struct world_fixture *fixture)
{
    world_add_entry(fixture, "key-5", 5, "n5");
}

/* ---- credentials at Deepgram ---- */

static inline void key_1_gone(struct world_fixture *fixture)
{
    memory_add_gone(fixture->memory, "key-1", MONOTONIC_MS);
}

static inline void key_2_gone(struct world_fixture *fixture)
{
    memory_add_gone(fixture->memory, "key-2", MONOTONIC_MS);
}

static inline void key_1_unlisted(struct world_fixture *fixture)
{
    fixture->unlisted_id = "key-1";
}

static inline void key_1_confirmed(struct world_fixture *fixture)
{
    memory_confirm(fixture->memory, "key-1", fixture->world.inventory.listed_at_ms);
}

static inline void checked_1(struct world_fixture *fixture)
{
    fixture->memory->checked_revision = 1;
    fixture->memory->checked_ms = fixture->world.monotonic_ms;
}

static inline void checked_1_long_ago(struct world_fixture *fixture)
{
    fixture->memory->checked_revision = 1;
    fixture->memory->checked_ms = fixture->world.monotonic_ms - 2 * MINUTE_MS;
}

static inline void confirmed_1(struct world_fixture *fixture)
{
    fixture->memory->confirmed_revision = 1;
}

#endif
