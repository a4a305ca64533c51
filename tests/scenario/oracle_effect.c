/* At each effect: what was published is alive and was recorded first (I3), nothing is revoked under
 * a pod (I2), and nothing of others is touched (I7). */
#include "oracle.h"

#include <stdlib.h>
#include <string.h>

#include "api/credential.h"
#include "api/marker.h"
#include "api/resource.h"
#include "api/revision_number.h"
#include "api/target.h"
#include "api/timestamp.h"
#include "api/workload.h"
#include "base/json.h"
#include "deployments.h"
#include "oracle_facts.h"
#include "people.h"
#include "sim.h"

/* Times are written in whole seconds, and clocks learned to a second and a half. */
enum { ROUNDING_MS = 3 * SECOND };

/* What it still owns goes with it. */
static void check_released(const char *uid)
{
    if (api_namespace_terminating(TEAM) || oracle_excused(uid))
        return;
    for (size_t i = 0; i < sim.api.count; i++) {
        const cJSON *json = sim.api.objects[i].json;
        bool is_secret = sim.api.objects[i].type == API_SECRETS;
        const char *id = is_secret ? oracle_annotation(json, ANNOTATION_ID) : NULL;
        const struct credential_record *record = id ? deepgram_find(id) : NULL;
        if (record && record->retained && deepgram_alive(record) &&
            !json_at(json, "metadata.deletionTimestamp") &&
            mem_streq(json_string_at(oracle_controller_of(json), "uid"), uid))
            sim_broken(I1, "%s is retained, and what keeps it isn't", id);
    }
}

/* Retain: what the resource names when it goes stays alive, and nothing else. What named it may
 * have gone first: with the namespace, or by a person's hand. */
static void note_retained(const cJSON *resource)
{
    const char *uid = json_string_at(resource, "metadata.uid");
    for (size_t i = 0; i < sim.deepgram.count; i++) {
        struct credential_record *record = &sim.deepgram.credentials[i];
        if (strcmp(record->uid, uid) == 0 &&
            (record->kept || oracle_status_names(resource, record->id)))
            record->retained = true;
        if (record->retained && deepgram_alive(record) && !oracle_secret_names(record->id) &&
            sim.schedule->fault_count == 0)
            sim_broken(I1, "%s is to be retained, and what kept it is gone", record->id);
    }
    oracle_entries_forgotten(uid);
    check_released(uid);
}

static cJSON *without(const cJSON *object, const char *const *paths, size_t count)
{
    cJSON *copy = cJSON_Duplicate(object, true);
    cJSON *metadata = cJSON_GetObjectItemCaseSensitive(copy, "metadata");
    cJSON_DeleteItemFromObjectCaseSensitive(metadata, "resourceVersion");
    for (size_t i = 0; i < count; i++) {
        cJSON *annotations = cJSON_GetObjectItemCaseSensitive(metadata, "annotations");
        cJSON_DeleteItemFromObjectCaseSensitive(copy, paths[i]);
        cJSON_DeleteItemFromObjectCaseSensitive(metadata, paths[i]);
        cJSON_DeleteItemFromObjectCaseSensitive(annotations, paths[i]);
        if (annotations && !annotations->child)
            cJSON_DeleteItemFromObjectCaseSensitive(metadata, "annotations");
    }
    return copy;
}

bool oracle_same_without(const cJSON *before, const cJSON *after, const char *const *paths,
                         size_t count)
{
    auto_json cJSON *a = without(before, paths, count);
    auto_json cJSON *b = without(after, paths, count);
    return cJSON_Compare(a, b, true);
}

/* Every finalizer but ours is still there. */
static bool keeps_finalizers(const cJSON *before, const cJSON *after, const char *ours)
{
    const cJSON *item = NULL;
    cJSON_ArrayForEach(item, json_at(before, "metadata.finalizers"))
        if (!mem_streq(item->valuestring, ours) && !api_has_finalizer(after, item->valuestring))
            return false;
    return true;
}

/* Every owner that is no resource of ours is still there. */
static bool keeps_owners(const cJSON *before, const cJSON *after)
{
    const cJSON *owner = NULL;
    cJSON_ArrayForEach(owner, json_at(before, "metadata.ownerReferences")) {
        const char *kind = json_string_member(owner, "kind");
        bool found = kind && strncmp(kind, "Deepgram", 8) == 0;
        const cJSON *kept = NULL;
        cJSON_ArrayForEach(kept, json_at(after, "metadata.ownerReferences"))
            found = found || cJSON_Compare(kept, owner, true);
        if (!found)
            return false;
    }
    return true;
}

static bool is_ours(const cJSON *secret)
{
    const char *kind = json_string_at(oracle_controller_of(secret), "kind");
    if (!kind) /* left by Retain, for whoever comes next under that name */
        kind = oracle_annotation(secret, ANNOTATION_RESOURCE);
    return kind && strncmp(kind, "Deepgram", 8) == 0;
}

/* A process that starts goes on counting where the last one stopped. */
static void check_failures(const cJSON *before, const cJSON *after)
{
    int64_t failures = json_int_at(after, "status.failures", 0);
    if (failures > 0 && failures < json_int_at(before, "status.failures", 0) &&
        sim.schedule->fault_count == 0)
        sim_broken(LIVELOCK, "%s counts its failures anew", json_string_at(after, "metadata.name"));
}

static void check_resource_write(const cJSON *before, const cJSON *after)
{
    static const char *const OURS[] = { "status", "finalizers", ANNOTATION_ISSUING };
    if (!before || !oracle_same_without(before, after, OURS, ARRAY_LENGTH(OURS)) ||
        !keeps_finalizers(before, after, FINALIZER_REVOKE))
        sim_broken(I7, "changed more of %s than status, announcement and its finalizer",
                   json_string_at(after, "metadata.name"));
    oracle_accounts_noted(after);
    check_failures(before, after);
}

/* Told so long ago that nothing can be on its way any more, to an operator that hears. */
static bool is_left_alone(const cJSON *resource)
{
    return oracle_is_left_alone(resource) && !json_at(resource, "metadata.deletionTimestamp") &&
           sim.suspended_ms != 0 && !fault_planned(FAULT_STALE) &&
           time_now_ms() > sim.suspended_ms + MINUTE;
}

static bool is_clock_wrong(void)
{
    return fault_planned(FAULT_CLOCK_AHEAD) || fault_planned(FAULT_CLOCK_BACK);
}

/* Each announcement is posted once, at once, and as what it says. */
static void check_announced(const struct credential_record *record, const struct api_object *object,
                            int64_t sent_ms)
{
    enum { AT_ONCE_MS = 10 * SECOND };
    auto_resource struct resource *resource =
        resource_new(object->type == API_KEYS ? RESOURCE_API_KEY : RESOURCE_PULL_SECRET,
                     cJSON_Duplicate(object->json, true));
    for (size_t i = 0; i < sim.deepgram.count; i++)
        if (&sim.deepgram.credentials[i] != record &&
            strcmp(sim.deepgram.credentials[i].nonce, record->nonce) == 0)
            sim_broken(I4, "created %s with the announcement of another one", record->id);
    const struct attempt *attempt = NULL;
    for (size_t i = 0; i < resource->attempt_count; i++)
        if (strcmp(resource->attempts[i].nonce, record->nonce) == 0)
            attempt = &resource->attempts[i];
    auto_free char *comment = marker_comment(resource, record->revision, record->nonce);
    int64_t sent_wall_ms = time_server_ms() - (time_now_ms() - sent_ms);
    if (!attempt)
        sim_broken(I4, "created %s, which nothing announces", record->id);
    else if (strcmp(record->comment, comment) == 0 &&
             strcmp(attempt->spec_hash, resource->spec_hash) != 0)
        sim_broken(I4, "created %s from another spec than was announced", record->id);
    else if (!is_clock_wrong() && sent_wall_ms - attempt->since_ms > AT_ONCE_MS + ROUNDING_MS)
        sim_broken(I4, "created %s long after it was announced", record->id);
}

/* What an earlier create left, and a list shows, goes first. */
static void check_swept(const struct credential_record *record, int64_t sent_ms)
{
    if (sim.deepgram.list_lag_ms != 0 || sim.deepgram.lessened || fault_planned(FAULT_LIST_LAG) ||
        process_two_led())
        return;
    for (size_t i = 0; i < sim.deepgram.count; i++) {
        const struct credential_record *left = &sim.deepgram.credentials[i];
        if (left != record && strcmp(left->uid, record->uid) == 0 && deepgram_alive(left) &&
            !left->kept && !deepgram_came_late(left) && !left->by_lesser && !record->by_lesser &&
            left->made_ms < sent_ms)
            sim_broken(I4, "created %s while %s, which nothing names, lives", record->id, left->id);
    }
}

/* What is to revoke it one day may not go before. */
static void check_marked(const struct credential_record *record, const cJSON *resource)
{
    const char *name = json_string_at(resource, "spec.credentialsRef.name");
    const cJSON *admin = name ? api_get(API_SECRETS, TEAM, name) : NULL;
    bool taken_off = sim.unmarked_ms != 0 && time_now_ms() < sim.unmarked_ms + MINUTE;
    if (admin && !api_has_finalizer(admin, FINALIZER_IN_USE) && !taken_off &&
        !fault_planned(FAULT_STALE))
        sim_broken(I1, "created %s, and the Secret that can revoke it may be deleted", record->id);
}

static unsigned failures_before(const struct credential_record *record)
{
    unsigned count = 0;
    for (size_t i = 0; i < sim.deepgram.count; i++) {
        const struct credential_record *earlier = &sim.deepgram.credentials[i];
        if (earlier != record && strcmp(earlier->uid, record->uid) == 0)
            count = earlier->bad ? count + 1 : 0;
    }
    return count;
}

/* What pods failed on is tried again after a while, which doubles, or when a person asks for it. */
static void check_patience(const struct credential_record *record, const cJSON *resource)
{
    enum { RETRY_MS = 10 * MINUTE };
    const cJSON *last = NULL;
    const cJSON *revision = NULL;
    cJSON_ArrayForEach(revision, json_at(resource, "status.revisions"))
        if (json_string_member(revision, "failedAt"))
            last = revision;
    int64_t failed_ms = timestamp_or(json_string_member(last, "failedAt"), 0);
    const char *id = json_string_member(last, "id");
    const struct credential_record *failed = id ? deepgram_find(id) : NULL;
    const char *asked = oracle_annotation(resource, ANNOTATION_ROTATE);
    int64_t patience_ms =
        sim.schedule->fault_count == 0 && failures_before(record) > 1 ? 2 * RETRY_MS : RETRY_MS;
    bool answered = mem_streq(json_string_at(resource, "status.lastHandledRotateRequest"), asked);
    if (failed && (!asked || answered) && oracle_same_words(failed, record) && !is_clock_wrong() &&
        !process_two_led() && !process_just_went_on() &&
        time_server_ms() < failed_ms + patience_ms - ROUNDING_MS)
        sim_broken(I4, "tried again too soon after pods failed on %s", id);
}

void oracle_creating(const struct credential_record *record, int64_t sent_ms)
{
    const struct api_object *resource = oracle_find_uid(record->uid);
    if (!resource)
        return;
    if (is_left_alone(resource->json))
        sim_broken(I4, "created a credential for %s, which is to be left alone", resource->name);
    if (!oracle_excused(record->uid)) {
        check_announced(record, resource, sent_ms);
        check_swept(record, sent_ms);
    }
    check_marked(record, resource->json);
    check_patience(record, resource->json);
}

/* Pods that waited for their Secret can't be told from those that hold what was there before. */
static bool is_overtaken(const struct credential_record *kept)
{
    const struct api_object *owner = oracle_find_uid(kept->uid);
    const char *name = owner ? json_string_at(owner->json, "spec.secret.name") : NULL;
    const char *published =
        name ? oracle_annotation(api_get(API_SECRETS, TEAM, name), ANNOTATION_REVISION) : NULL;
    return kept->revision < revision_number_parse(published);
}

static void check_left_alone(const cJSON *secret)
{
    const char *uid = json_string_at(oracle_controller_of(secret), "uid");
    const struct api_object *resource = uid ? oracle_find_uid(uid) : NULL;
    if (resource && is_left_alone(resource->json))
        sim_broken(I7, "wrote %s of %s, which is to be left alone",
                   json_string_at(secret, "metadata.name"), resource->name);
}

/* What is given to a resource that can go at any moment may outlive it. */
static void check_protected(const cJSON *before, const cJSON *after)
{
    const char *owner = json_string_at(oracle_controller_of(after), "uid");
    const struct api_object *resource = owner ? oracle_find_uid(owner) : NULL;
    bool is_given = !mem_streq(owner, json_string_at(oracle_controller_of(before), "uid"));
    if (resource && is_given && !api_has_finalizer(resource->json, FINALIZER_REVOKE) &&
        !oracle_excused(owner))
        sim_broken(I1, "%s was given to %s, which has no finalizer",
                   json_string_at(after, "metadata.name"), resource->name);
}

/* Alive, and to be revoked with it. */
static bool needs_admin(const struct api_object *resource, const char *secret)
{
    if (!mem_streq(json_string_at(resource->json, "spec.credentialsRef.name"), secret) ||
        !api_has_finalizer(resource->json, FINALIZER_REVOKE) ||
        oracle_annotation(resource->json, ANNOTATION_ABANDON))
        return false;
    const char *uid = json_string_at(resource->json, "metadata.uid");
    for (size_t i = 0; i < sim.deepgram.count; i++) {
        const struct credential_record *record = &sim.deepgram.credentials[i];
        if (deepgram_alive(record) && ((strcmp(record->uid, uid) == 0 && !oracle_excused(uid)) ||
                                       oracle_status_names(resource->json, record->id)))
            return true;
    }
    return oracle_announcement_open(resource->json);
}

enum { SWEEP_MS = 12 }; /* two lists and a patch */

static void check_unmarked(const cJSON *before, const cJSON *after)
{
    if (!api_has_finalizer(before, FINALIZER_IN_USE) ||
        (after && api_has_finalizer(after, FINALIZER_IN_USE)))
        return;
    const char *name = json_string_at(before, "metadata.name");
    sim.unmarked_ms = time_now_ms(); /* who needs it from now on puts it back in a moment */
    if (sim.schedule->jitter || sim.acted_ms + SWEEP_MS > time_now_ms() ||
        fault_planned(FAULT_SECOND_BEFORE) || fault_planned(FAULT_SPLIT) ||
        fault_planned(FAULT_LATE_WRITE))
        return; /* nobody may have needed it when it was decided */
    for (size_t i = 0; i < sim.api.count; i++)
        if (api_is_resource(sim.api.objects[i].type) && needs_admin(&sim.api.objects[i], name))
            sim_broken(I1, "let go of Secret %s, which can revoke %s's credential", name,
                       sim.api.objects[i].name);
}

static void check_secret_owner(const cJSON *before, const cJSON *after)
{
    static const char *const MARK[] = { "finalizers" };
    const char *name = json_string_at(before, "metadata.name");
    const char *project = oracle_annotation(before, ANNOTATION_PROJECT);
    if (project && strcmp(project, PROJECT) != 0)
        sim_broken(I7, "changed Secret %s of another project", name);
    if (!is_ours(before) && !oracle_annotation(before, ANNOTATION_ADOPT)) {
        if (!oracle_same_without(before, after, MARK, 1) ||
            !keeps_finalizers(before, after, FINALIZER_IN_USE))
            sim_broken(I7, "changed Secret %s, which nobody gave to the operator", name);
        return;
    }
    if (!keeps_owners(before, after))
        sim_broken(I7, "took another owner off Secret %s", name);
    const char *now = json_string_at(oracle_controller_of(after), "uid");
    const char *then = json_string_at(oracle_controller_of(before), "uid");
    if (then && now && !mem_streq(now, then))
        sim_broken(I7, "took Secret %s away from its owner", name);
}

static bool is_recorded(const char *value)
{
    for (size_t i = 0; i < sim.api.count; i++) {
        const cJSON *json = sim.api.objects[i].json;
        if (sim.api.objects[i].type != API_SECRETS || !oracle_revision_id(json))
            continue;
        auto_free char *kept = deepgram_value_in(json);
        if (mem_streq(kept, value))
            return true;
    }
    return false;
}

/* The other leader may have revoked it a moment ago, or took it for an orphan while it was new. */
static bool may_be_dead(const struct credential_record *record)
{
    enum { NEW_MS = 15 * SECOND, MOMENT_MS = 5 * SECOND };
    return process_two_led() && (!record || time_now_ms() < record->asked_ms + NEW_MS ||
                                 time_now_ms() < record->died_ms + MOMENT_MS);
}

static void check_published(const cJSON *before, const cJSON *after)
{
    const char *owner = json_string_at(oracle_controller_of(after), "uid");
    const struct api_object *resource = owner ? oracle_find_uid(owner) : NULL;
    if (!resource || json_at(resource->json, "metadata.deletionTimestamp"))
        return; /* what goes with its resource may come late */
    auto_free char *value = deepgram_value_in(after);
    auto_free char *old = deepgram_value_in(before);
    if (mem_streq(value, old))
        return;
    const char *name = json_string_at(after, "metadata.name");
    const struct credential_record *record = value ? deepgram_by_value(value) : NULL;
    if (may_be_dead(record))
        return;
    const char *noted = json_string_at(resource->json, "status.id");
    if (record && deepgram_expired(record) &&
        (json_at(api_get(API_SECRETS, TEAM, "admin"), "metadata.deletionTimestamp") ||
         mem_streq(noted, record->id)))
        return; /* nothing new can be issued, or not yet: what was there is put back */
    if (!record)
        sim_broken(I3, "published something in %s that Deepgram never issued", name);
    else if (!deepgram_alive(record) && record->death != BY_PERSON)
        sim_broken(I3, "published %s in %s, which is dead", record->id, name);
    else if (!is_recorded(value) && !process_two_led())
        sim_broken(I3, "published %s in %s without a revision Secret", record->id, name);
}

bool oracle_may_seem_dead(void)
{
    unsigned refused = 0;
    for (size_t i = 0; i < sim.schedule->fault_count; i++)
        refused += sim.schedule->faults[i].kind == FAULT_REFUSED;
    return sim.deepgram.lessened && refused > 1;
}

/* Pods that came up with the newer one would be the next to lose theirs. */
static void check_no_step_back(const struct credential_record *before,
                               const struct credential_record *after)
{
    if (after->revision < before->revision && strcmp(after->uid, before->uid) == 0 &&
        after->revision > 0 && deepgram_alive(before) && !before->bad &&
        oracle_secret_names(before->id) && !process_two_led() && !oracle_may_seem_dead() &&
        !(sim.emptied && deployments_own_all()))
        sim_broken(I3, "went back from %s to %s, which nothing called for", before->id, after->id);
}

/* By a person, who may have meant an earlier one. */
static bool is_renumbered(const cJSON *target, const struct credential_record *record)
{
    const char *number = oracle_annotation(target, ANNOTATION_REVISION);
    return number && revision_number_parse(number) != record->revision;
}

/* When its overlap begins; what is published once more has no successor, unless that was a leader
 * that had stood still. */
static void note_replaced(const cJSON *before, const cJSON *after)
{
    auto_free char *old = deepgram_value_in(before);
    auto_free char *new = deepgram_value_in(after);
    struct credential_record *replaced = old ? deepgram_by_value(old) : NULL;
    struct credential_record *published = new ? deepgram_by_value(new) : NULL;
    if (published)
        published->replaced_ms = 0;
    if (published && replaced && replaced != published) {
        if (!is_renumbered(before, replaced))
            check_no_step_back(replaced, published);
        bool again = process_two_lead() && replaced->was_replaced_ms != 0;
        replaced->replaced_ms = again ? replaced->was_replaced_ms : time_now_ms();
        replaced->was_replaced_ms = replaced->replaced_ms;
        published->published_ms = time_now_ms();
        published->seen = false;
    }
}

static void give_to(struct credential_record *record, const char *uid)
{
    if (!record || record->uid[0] != '\0')
        return;
    if (!record->offered)
        sim_broken(I7, "adopted %s, which nobody offered", record->id);
    if (record->death != ALIVE && time_now_ms() > record->died_ms + MINUTE)
        sim_broken(I7, "adopted %s, which was dead", record->id);
    snprintf(record->uid, sizeof record->uid, "%s", uid);
}

/* A key whose Secret was taken over counts as the resource's from then on: what the Secret holds,
 * and what was kept of it before somebody edited it. */
static void note_adopted(const cJSON *secret)
{
    const char *uid = json_string_at(oracle_controller_of(secret), "uid");
    auto_free char *value = deepgram_value_in(secret);
    if (!uid)
        return;
    give_to(value ? deepgram_by_value(value) : NULL, uid);
    for (size_t i = 0; i < sim.api.count; i++) {
        const cJSON *json = sim.api.objects[i].json;
        const char *id = sim.api.objects[i].type == API_SECRETS ? oracle_revision_id(json) : NULL;
        if (id && !mem_streq(oracle_annotation(json, ANNOTATION_NONCE), FORGED_NONCE) &&
            mem_streq(json_string_at(oracle_controller_of(json), "uid"), uid))
            give_to(deepgram_find(id), uid);
    }
}

/* ---- workloads ---- */

/* Those of other resources stay. */
static cJSON *without_marker(const cJSON *deployment)
{
    static const char *const BOOKKEEPING[] = { "generation" };
    cJSON *copy = without(deployment, BOOKKEEPING, ARRAY_LENGTH(BOOKKEEPING));
    cJSON_DeleteItemFromObjectCaseSensitive(
        (cJSON *)json_at(copy, "spec.template.metadata.annotations"), MARKER_PREFIX VOICE);
    return copy;
}

static long voice_marker(const cJSON *deployment)
{
    const char *text = json_string_member(json_at(deployment, "spec.template.metadata.annotations"),
                                          MARKER_PREFIX "voice");
    return text ? strtol(text, NULL, 10) : 0;
}

/* Does the template bear a revision that pods failed on, where an earlier one still works? */
static bool bears_bad(const cJSON *deployment)
{
    const char *uid = json_string_at(api_get(API_KEYS, TEAM, "voice"), "metadata.uid");
    for (size_t i = 0; i < sim.deepgram.count; i++) {
        const struct credential_record *record = &sim.deepgram.credentials[i];
        if (record->bad && mem_streq(record->uid, uid) &&
            record->revision == voice_marker(deployment))
            return oracle_can_go_back(record);
    }
    return false;
}

static void check_workload_write(const cJSON *before, const cJSON *after)
{
    auto_json cJSON *a = without_marker(before);
    auto_json cJSON *b = without_marker(after);
    if (!cJSON_Compare(a, b, true))
        sim_broken(I7, "changed more of a Deployment than its marker");
    if (cJSON_Compare(json_member(before, "spec"), json_member(after, "spec"), true))
        return;
    sim.restarts++;
    if (sim.schedule->fault_count == 0 && json_bool_at(before, "spec.paused", false) &&
        voice_marker(after) > voice_marker(before))
        sim_broken(I7, "restarted a Deployment that is paused");
    if (sim.schedule->fault_count == 0 && voice_marker(after) > voice_marker(before) &&
        bears_bad(before))
        sim_broken(WEDGED, "a Deployment was never put back");
    if (!oracle_restarts(api_get(API_KEYS, TEAM, "voice")) &&
        voice_marker(after) != voice_marker(before))
        sim_broken(I7, "restarted a Deployment, which somebody else wants to do");
    /* Not a put-back, nor into one that comes to nothing. */
    if (sim.foreign_rollout && !deployments_crash() && voice_marker(after) > voice_marker(before))
        sim_broken(I7, "restarted a Deployment in the middle of somebody else's roll-out");
}

/* Slow as it was, one thing more makes it slower than the door waits. */
static bool pods_are_too_slow(void)
{
    return sim.pods_unseen_until_ms != 0 &&
           (sim.schedule->fault_count > 1 || sim.schedule->jitter || fault_planned(FAULT_STALE));
}

/* Without its namespace's events nobody can know which pods use a renamed target. */
static bool is_blind(void)
{
    return sim.blinded || pods_are_too_slow() || (sim.frozen && sim.gone_renamed);
}

/* A pod whose container starts again would find nothing to read. */
static void check_door(const cJSON *target)
{
    const char *owner = json_string_at(oracle_controller_of(target), "uid");
    const struct api_object *resource = owner ? oracle_find_uid(owner) : NULL;
    if (!resource || is_blind() || sim.schedule->fault_count > 0 ||
        time_now_ms() < sim.pods_unseen_until_ms)
        return; /* or something that began before */
    auto_free char *value = deepgram_value_in(target);
    const char *pod = value ? actors_holder(value) : NULL;
    if (pod)
        sim_broken(I2, "deleted %s, which %s holds", json_string_at(target, "metadata.name"), pod);
}

/* What is deleted in the foreground outlives our finalizer. */
static bool lets_go(const cJSON *before, const cJSON *after)
{
    return !after || (api_has_finalizer(before, FINALIZER_REVOKE) &&
                      !api_has_finalizer(after, FINALIZER_REVOKE));
}

void oracle_object_written(enum api_type type, const cJSON *before, const cJSON *after,
                           bool deletion)
{
    if (type == API_PODS || type == API_NAMESPACES) {
        sim_broken(I7, "wrote a %s", api_type_name(type));
        return;
    }
    if (type == API_DEPLOYMENTS && !deletion && before && after) {
        check_workload_write(before, after);
        return;
    }
    if (type == API_ACCOUNTS) {
        oracle_account_written(before, deletion ? NULL : after);
        return;
    }
    if (type != API_SECRETS) {
        if (deletion)
            sim_broken(I7, "deleted a resource");
        else if (after)
            check_resource_write(before, after);
        if (lets_go(before, after) &&
            mem_streq(json_string_at(before, "spec.deletionPolicy"), "Retain"))
            note_retained(before);
        return;
    }
    if (!deletion && before)
        check_unmarked(before, after);
    if (deletion && !is_ours(before))
        sim_broken(I7, "deleted Secret %s, which isn't its own",
                   json_string_at(before, "metadata.name"));
    if (deletion && !oracle_revision_id(before)) {
        check_door(before);
        oracle_account_secret_deleted(before);
    }
    if (deletion || !after)
        return;
    if (before)
        check_secret_owner(before, after);
    check_protected(before, after);
    check_left_alone(after);
    if (!oracle_controller_of(before) && !oracle_revision_id(after))
        note_adopted(after);
    if (oracle_revision_id(after)) {
        struct credential_record *kept = deepgram_find(oracle_revision_id(after));
        if (kept) {
            kept->kept = true;
            kept->overtaken = is_overtaken(kept);
        }
        return;
    }
    check_published(before, after);
    note_replaced(before, after);
}

/* Whoever isn't a pod may hold it too: only time protects those. */
static void check_overlap(const struct credential_record *record)
{
    const struct api_object *resource = oracle_find_uid(record->uid);
    int64_t over_ms = record->replaced_ms + OVERLAP_MS - ROUNDING_MS;
    if (record->replaced_ms != 0 && time_now_ms() < over_ms && resource &&
        !json_at(resource->json, "metadata.deletionTimestamp"))
        sim_broken(I2, "revoked %s before its overlap was over", record->id);
}

/* What was written for a resource that goes, and came only after its door was closed, goes with it;
 * a late write is not to be known by a watch that stands still, or at once. */
static bool came_late(const cJSON *target)
{
    enum { AT_ONCE_MS = 2 * SECOND };
    int64_t made_ms = timestamp_or(json_string_at(target, "metadata.creationTimestamp"), 0);
    bool is_young = time_server_ms() < made_ms + AT_ONCE_MS;
    const char *owner = json_string_at(oracle_controller_of(target), "uid");
    const struct api_object *resource = owner ? oracle_find_uid(owner) : NULL;
    return fault_planned(FAULT_LATE_WRITE) &&
           (fault_planned(FAULT_STALE) || sim.frozen || is_young) &&
           (!resource || json_at(resource->json, "metadata.deletionTimestamp"));
}

/* Retain or a person took it away from the operator, and what it was made for has another one. */
static bool is_left_behind(const struct api_object *target)
{
    const char *made_for = oracle_annotation(target->json, ANNOTATION_RESOURCE);
    const char *slash = made_for ? strchr(made_for, '/') : NULL;
    bool named = false;
    for (size_t i = 0; i < sim.api.count; i++)
        named = named || (slash && strcmp(sim.api.objects[i].name, slash + 1) == 0 &&
                          mem_streq(json_string_at(sim.api.objects[i].json, "spec.secret.name"),
                                    target->name));
    return !named && !oracle_controller_of(target->json);
}

/* With its resource it is waited for: who starts meanwhile can still read it. */
static bool is_going(const cJSON *target)
{
    const char *owner = json_string_at(oracle_controller_of(target), "uid");
    const struct api_object *resource = owner ? oracle_find_uid(owner) : NULL;
    bool is_waited_for = resource && json_at(resource->json, "metadata.deletionTimestamp") &&
                         sim.schedule->fault_count == 0;
    return json_at(target, "metadata.deletionTimestamp") && !is_waited_for;
}

/* What another controller made its own may keep a copy of a credential that goes. */
static bool is_copy(const cJSON *target, const struct credential_record *record)
{
    const struct api_object *resource = oracle_find_uid(record->uid);
    return oracle_controller_of(target) && !is_ours(target) &&
           (!resource || json_at(resource->json, "metadata.deletionTimestamp"));
}

static bool changed_since(const struct api_object *object, int64_t ms)
{
    for (size_t i = sim.api.event_count; i > 0 && sim.api.events[i - 1].at_ms > ms; i--)
        if (sim.api.events[i - 1].json == object->json)
            return true;
    return false;
}

static void check_not_published(const struct credential_record *record, int64_t sent_ms)
{
    for (size_t i = 0; i < sim.api.count; i++) {
        const struct api_object *object = &sim.api.objects[i];
        if (object->type != API_SECRETS || oracle_revision_id(object->json) ||
            is_going(object->json) || came_late(object->json) || changed_since(object, sent_ms) ||
            is_left_behind(object) || is_copy(object->json, record))
            continue;
        auto_free char *value = deepgram_value_in(object->json);
        if (mem_streq(value, record->value))
            sim_broken(I3, "revoked %s, which is published in %s", record->id, object->name);
    }
}

/* A replaced credential waits until its successor was seen alive, and has passed its trial where
 * one is asked for. */
static void check_successor(const struct credential_record *record, int64_t sent_ms)
{
    const struct api_object *object = oracle_find_uid(record->uid);
    const cJSON *resource = object ? object->json : NULL;
    const char *current = json_string_at(resource, "status.id");
    const struct credential_record *successor = current ? deepgram_find(current) : NULL;
    const cJSON *revision = NULL;
    if (!successor || json_at(resource, "metadata.deletionTimestamp") ||
        successor->published_ms > sent_ms)
        return;
    cJSON_ArrayForEach(revision, json_at(resource, "status.revisions")) {
        if (!mem_streq(json_string_member(revision, "id"), record->id) ||
            !mem_streq(json_string_member(revision, "state"), "Retiring"))
            continue;
        if (json_at(resource, "spec.verify.streaming") && !successor->streamed)
            sim_broken(I2, "revoked %s before %s was tried out", record->id, successor->id);
        if (record->revision < successor->revision && !record->bad && !successor->seen &&
            !fault_planned(FAULT_LATE_WRITE)) /* of what was published a while ago */
            sim_broken(I2, "revoked %s before %s was seen alive", record->id, successor->id);
    }
}

/* The resource is read once more before its credential goes. */
static void check_not_retained(const struct credential_record *record, int64_t sent_ms)
{
    const struct api_object *object = oracle_find_uid(record->uid);
    const cJSON *resource = object ? object->json : NULL;
    int64_t deleted_ms = timestamp_or(json_string_at(resource, "metadata.deletionTimestamp"), 0);
    int64_t looked_wall_ms = time_server_ms() - (time_now_ms() - sim.looked_ms);
    if (sim.retain_ms != 0 && sim.retain_ms <= sim.looked_ms && sim.looked_ms <= sent_ms &&
        record->kept && oracle_status_names(resource, record->id) && deleted_ms != 0 &&
        looked_wall_ms > deleted_ms + SECOND && /* that is how it is noted */
        mem_streq(json_string_at(resource, "spec.deletionPolicy"), "Retain"))
        sim_broken(I1, "revoked %s, which is to be retained", record->id);
}

/* Offered, told to be taken over, and what keeps or offers it taken away by a person before it was.
 */
static bool was_told_adopted(const struct credential_record *record)
{
    return record->offered && oracle_status_names(people_voice(), record->id) &&
           (!oracle_secret_names(record->id) || !api_get(API_SECRETS, TEAM, VOICE_KEY));
}

/* Into a Secret, too, that no resource ever had anything to do with: nobody tells who reads that.
 */
static bool is_pasted(const struct credential_record *record)
{
    for (size_t i = 0; record->offered && i < sim.api.count; i++) {
        const struct api_object *object = &sim.api.objects[i];
        auto_free char *value =
            object->type == API_SECRETS ? deepgram_value_in(object->json) : NULL;
        if (mem_streq(value, record->value) && !oracle_controller_of(object->json) &&
            !oracle_annotation(object->json, ANNOTATION_ID))
            return true;
    }
    return false;
}

void oracle_revoking(const struct credential_record *record, const char *admin_key, int64_t sent_ms)
{
    if (was_told_adopted(record))
        return;
    if (strncmp(record->uid, "0000", 4) != 0) {
        sim_broken(I7, "revoked %s, which is not its own", record->id);
        return;
    }
    if (!admin_key_works(admin_key))
        sim_broken(I7, "revoked %s with another namespace's key", record->id);
    const char *pod = actors_holder(record->value);
    if (pod && !is_blind() && !oracle_ignores_pods(record) && !is_pasted(record))
        sim_broken(I2, "revoked %s, which %s holds", record->id, pod);
    if (process_two_lead())
        return;
    check_successor(record, sent_ms);
    check_not_retained(record, sent_ms);
    if (!is_blind()) {
        check_not_published(record, sent_ms);
        check_overlap(record);
    }
}

bool admin_key_works(const char *key)
{
    return strcmp(key, ADMIN_KEY) == 0 || strcmp(key, LESSER_ADMIN_KEY) == 0;
}
