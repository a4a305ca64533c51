/* Status is derived, never edited: the same world and verdict give the same status, so that a
 * restart writes nothing and a wiped status comes back. What can't be derived any more (an id whose
 * revision Secret is gone) is taken over from the status that is there. */
#include "reconcile/report.h"

#include <stdio.h>
#include <string.h>

#include "api/condition.h"
#include "api/timestamp.h"
#include "base/fingerprint.h"
#include "base/json.h"
#include "reconcile/failure.h"
#include "reconcile/report_accounts.h"
#include "reconcile/report_consumers.h"
#include "reconcile/schedule.h"
#include "reconcile/verify.h"

enum { REVISIONS_WRITTEN = 5 };
/* A longer overlap than the spec has was begun by a clock that was wrong, or under another spec. */
enum { CLOCK_SLACK_MS = 60 * 1000 };

/* Every member that the operator writes; those that aren't in a report are removed by null. */
static const char *const MEMBERS[] = {
    "observedGeneration",
    "conditions",
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

/* What is written has whole seconds, and an overlap is not to be cut short. */
static int64_t whole_seconds_up(int64_t ms)
{
    return (ms + 999) / 1000 * 1000;
}

static void add_time(cJSON *object, const char *name, int64_t ms)
{
    if (ms == 0)
        return;
    char text[TIMESTAMP_BYTES];
    timestamp_format(ms, text);
    json_add_string(object, name, text);
}

static void keep(cJSON *status, const struct world *world, const char *name)
{
    const cJSON *old = json_member(world->resource->status.json, name);
    if (old)
        cJSON_AddItemToObject(status, name, cJSON_Duplicate(old, true));
}

static void add_scopes(cJSON *status, const char *scopes)
{
    cJSON *array = json_add_array(status, "scopes");
    while (*scopes) {
        size_t length = strcspn(scopes, " ");
        auto_free char *scope = mem_strndup(scopes, length);
        if (length > 0)
            cJSON_AddItemToArray(array, cJSON_CreateString(scope));
        scopes += length + (scopes[length] == ' ');
    }
}

/* What is published now, or what was last known to be. */
static void add_published(cJSON *status, const struct world *world)
{
    const struct world_revision *published = world_published(world);
    if (!published || !published->secret) {
        static const char *const KEPT[] = { "revision",   "id",       "username",    "scopes",
                                            "secretName", "issuedAt", "publishedAt", "expiresAt" };
        for (size_t i = 0; i < ARRAY_LENGTH(KEPT); i++)
            keep(status, world, KEPT[i]);
        return;
    }
    const struct revision *secret = published->secret;
    json_add_int(status, "revision", published->number);
    json_add_string(status, "id", published->id);
    if (world->resource->kind == RESOURCE_PULL_SECRET)
        json_add_string(status, "username", secret->username);
    if (secret->scopes[0] != '\0')
        add_scopes(status, secret->scopes);
    json_add_string(status, "secretName", world->resource->spec.secret_name);
    add_time(status, "issuedAt", secret->issued_at_ms);
    add_time(status, "publishedAt", world->target.published_at_ms);
    add_time(status, "expiresAt", secret->expires_at_ms);
}

static void add_target_version(cJSON *status, const struct world *world)
{
    const struct world_revision *published = world_published(world);
    const char *version = world->target.resource_version;
    if (published && fingerprint(version) == world->memory->target_same)
        json_add_string(status, "secretResourceVersion", version);
    else
        keep(status, world, "secretResourceVersion");
}

static enum revision_state state_of(const struct world_revision *revision, int64_t published)
{
    if (revision->gone)
        return REVISION_REVOKED;
    if (revision->number == published)
        return REVISION_CURRENT;
    return revision->number < published || revision->failed ? REVISION_RETIRING : REVISION_ISSUED;
}

/* Why it was issued, as far as its predecessor tells. */
static const char *reason_of(const struct world *world, size_t index)
{
    const struct world_revision *revision = &world->revisions[index];
    if (revision->noted && revision->noted->reason)
        return revision->noted->reason;
    if (index == 0)
        return "Created";
    const struct world_revision *before = &world->revisions[index - 1];
    if (!revision->secret || !before->secret)
        return "Replaced";
    if (strcmp(revision->secret->spec_hash, before->secret->spec_hash) != 0)
        return "SpecChanged";
    if (strcmp(revision->secret->rotate, before->secret->rotate) != 0)
        return "RotationRequested";
    return "RotationScheduled";
}

static int64_t revoke_after_ms(const struct world *world, const struct world_revision *revision)
{
    int64_t overlap = world->resource->spec.rotation_overlap_ms;
    bool noted = revision->noted && revision->noted->state == REVISION_RETIRING;
    if (noted && revision->noted->revoke_after_ms <= world->now_ms + overlap + CLOCK_SLACK_MS)
        return revision->noted->revoke_after_ms;
    /* What was lost together with the target, nobody new can have got: no overlap is owed. */
    bool owed = revision->secret || noted || world->target.updated;
    return whole_seconds_up(world->now_ms + (owed ? overlap : 0));
}

static void add_revision(cJSON *array, const struct world *world, size_t index, int64_t published)
{
    const struct world_revision *revision = &world->revisions[index];
    enum revision_state state = state_of(revision, published);
    cJSON *entry = cJSON_CreateObject();
    cJSON_AddItemToArray(array, entry);
    json_add_int(entry, "revision", revision->number);
    json_add_string(entry, "id", revision->id);
    json_add_string(entry, "state", revision_state_name(state));
    add_time(entry, "issuedAt",
             revision->secret  ? revision->secret->issued_at_ms
             : revision->noted ? revision->noted->issued_at_ms
                               : 0);
    json_add_string(entry, "reason", reason_of(world, index));
    bool told = revision->secret && revision->secret->failed_at_ms != 0;
    if (revision->failed)
        add_time(entry, "failedAt",
                 told ? revision->secret->failed_at_ms : revision->noted->failed_at_ms);
    if (state != REVISION_RETIRING)
        return;
    add_time(entry, "revokeAfter", revoke_after_ms(world, revision));
}

/* All that live, and the newest of the others up to five: an id that isn't revoked is never
 * dropped. */
static void choose_revisions(const struct world *world, bool ret_chosen[WORLD_REVISIONS_MAX])
{
    size_t count = 0;
    for (size_t i = 0; i < world->revision_count; i++) {
        ret_chosen[i] = !world->revisions[i].gone;
        count += ret_chosen[i];
    }
    for (size_t i = world->revision_count; i > 0 && count < REVISIONS_WRITTEN; i--) {
        count += !ret_chosen[i - 1];
        ret_chosen[i - 1] = true;
    }
}

static void add_revisions(cJSON *status, const struct world *world)
{
    const struct world_revision *current = world_published(world);
    int64_t published = current ? current->number : world->resource->status.revision;
    if (world->revision_count == 0)
        return;
    cJSON *array = json_add_array(status, "revisions");
    bool chosen[WORLD_REVISIONS_MAX];
    choose_revisions(world, chosen);
    for (size_t i = 0; i < world->revision_count; i++)
        if (chosen[i])
            add_revision(array, world, i, published);
}

static void add_schedule(cJSON *status, const struct world *world, const struct verdict *verdict)
{
    const struct world_revision *published = world_published(world);
    const char *handled = world->resource->status.last_handled_rotate;
    if (published && published->secret && published->secret->rotate[0] != '\0' &&
        !world_taken_back(world)) /* that answered a later one */
        handled = published->secret->rotate;
    if (handled[0] != '\0')
        json_add_string(status, "lastHandledRotateRequest", handled);
    add_time(status, "nextRotationAt", schedule_next_rotation_ms(world));
    enum failure_side side =
        failure_holds(world, FAILURE_DEEPGRAM) ? FAILURE_DEEPGRAM : FAILURE_CHECK;
    const struct failure *failure = world->memory->failures[side];
    bool told = verdict->kind == VERDICT_PROGRESSING || verdict->kind == VERDICT_STALLED;
    if (!told || !failure_holds(world, side) || !mem_streq(verdict->reason, failure->reason))
        return;
    json_add_int(status, "failures", failure->count);
    add_time(status, "nextAttemptAt", failure->retry_at_wall_ms);
}

/* ---- conditions ---- */

static void ready_of_published(const struct world *world, const struct world_revision *published,
                               const struct verdict *verdict, struct condition *ready, char *text,
                               size_t size)
{
    const char *secret_name = world->resource->spec.secret_name;
    if (world_is_expired(world, published)) {
        char when[TIMESTAMP_BYTES];
        timestamp_format(published->secret->expires_at_ms, when);
        *ready = (struct condition){ .status = "False", .reason = "Expired" };
        snprintf(text, size, "The credential %s in Secret %s expired at %s. %s", published->id,
                 secret_name, when, verdict->message);
        return;
    }
    *ready = (struct condition){ .status = "True", .reason = "Published" };
    snprintf(text, size, "Credential %s (revision %lld) is in Secret %s", published->id,
             (long long)published->number, secret_name);
    if (verdict->kind == VERDICT_SUSPENDED)
        ready->reason = verdict->reason;
    if (verdict->kind != VERDICT_READY) {
        size_t length = strlen(text);
        snprintf(text + length, size - length, ". %s", verdict->message);
    }
}

static bool spec_change_pending(const struct world *world)
{
    const struct world_revision *published = world_published(world);
    return world->resource->spec_error[0] != '\0' || !published || !published->secret ||
           !world->target.metadata_current ||
           strcmp(published->secret->spec_hash, world->resource->spec_hash) != 0;
}

/* reason: NULL when it isn't so. */
static void set_abnormal(cJSON *conditions, const struct world *world, const char *type,
                         const char *reason, const char *message)
{
    if (!reason) {
        condition_remove(conditions, type);
        return;
    }
    condition_set(
        conditions,
        &(struct condition){ .type = type, .status = "True", .reason = reason, .message = message },
        world->resource->generation, world->now_ms);
}

static void set_reconciling(cJSON *conditions, const struct world *world,
                            const struct verdict *verdict, bool pending)
{
    const char *taken_back = report_taken_back(conditions);
    if (pending && (verdict->kind == VERDICT_PROGRESSING || verdict->kind == VERDICT_TERMINATING))
        set_abnormal(conditions, world, "Reconciling", verdict->reason, verdict->message);
    else if (pending && verdict->kind == VERDICT_READY && taken_back)
        set_abnormal(conditions, world, "Reconciling", "RolledBack", taken_back);
    else
        condition_remove(conditions, "Reconciling");
}

static void add_conditions(cJSON *status, const struct world *world, const struct verdict *verdict)
{
    const cJSON *old = json_member(world->resource->status.json, "conditions");
    cJSON *conditions = cJSON_IsArray(old) ? cJSON_Duplicate(old, true) : cJSON_CreateArray();
    cJSON_AddItemToObject(status, "conditions", conditions);
    const struct world_revision *published = world_published(world);
    char text[sizeof verdict->message + 512];
    struct condition ready = { .status = "False", .reason = verdict->reason };
    bool differs = world_target_differs(world);
    if (published && !differs && !world->resource->deleting)
        ready_of_published(world, published, verdict, &ready, text, sizeof text);
    else
        snprintf(text, sizeof text, "%s", verdict->message);
    ready.type = "Ready";
    ready.message = text;
    condition_set(conditions, &ready, world->resource->generation, world->now_ms);
    bool pending = spec_change_pending(world) || differs || verdict->kind == VERDICT_TERMINATING ||
                   world->resource->deleting;
    report_consumers_condition(conditions, world);
    set_reconciling(conditions, world, verdict, pending);
    set_abnormal(conditions, world, "Stalled",
                 pending && verdict->kind == VERDICT_STALLED ? verdict->reason : NULL,
                 verdict->message);
    verify_report(world, conditions);
    report_accounts_condition(conditions, world);
}

cJSON *report_status(const struct world *world, const struct verdict *verdict)
{
    cJSON *status = cJSON_CreateObject();
    json_add_int(status, "observedGeneration", world->resource->generation);
    add_conditions(status, world, verdict);
    add_published(status, world);
    add_target_version(status, world);
    add_revisions(status, world);
    add_schedule(status, world, verdict);
    report_consumers(status, world);
    report_accounts(status, world, verdict);
    return status;
}

/* Member by member: what else stands there (written by a newer version, say) can't be removed. */
static bool shows(const cJSON *status, const cJSON *wanted)
{
    for (size_t i = 0; i < ARRAY_LENGTH(MEMBERS); i++) {
        const cJSON *is = json_member(status, MEMBERS[i]);
        const cJSON *should_be = json_member(wanted, MEMBERS[i]);
        if ((is || should_be) && !cJSON_Compare(is, should_be, true))
            return false;
    }
    return true;
}

enum report_news report_news(const struct world *world, const struct verdict *verdict)
{
    const cJSON *status = world->resource->status.json;
    auto_json cJSON *wanted = report_status(world, verdict);
    if (shows(status, wanted))
        return REPORT_NOTHING;
    auto_json cJSON *shown = cJSON_Duplicate(status, true);
    report_forget_progress(shown);
    report_forget_progress(wanted);
    return shows(shown, wanted) ? REPORT_PROGRESS : REPORT_CHANGE;
}

cJSON *report_patch(const struct world *world, const struct verdict *verdict)
{
    cJSON *patch = cJSON_CreateObject();
    cJSON *metadata = json_add_object(patch, "metadata");
    json_add_string(metadata, "resourceVersion", world->resource->resource_version);
    json_add_string(metadata, "uid", world->resource->uid);
    cJSON *status = report_status(world, verdict);
    cJSON_AddItemToObject(patch, "status", status);
    for (size_t i = 0; i < ARRAY_LENGTH(MEMBERS); i++)
        if (!json_member(status, MEMBERS[i]))
            cJSON_AddItemToObject(status, MEMBERS[i], cJSON_CreateNull());
    return patch;
}

bool report_told(const struct world *world, const char *reason, const char *message)
{
    const cJSON *condition = NULL;
    cJSON_ArrayForEach(condition, json_member(world->resource->status.json, "conditions")) {
        const char *shown = json_string_member(condition, "message");
        if (mem_streq(json_string_member(condition, "reason"), reason) ||
            (shown && strstr(shown, message)))
            return true;
    }
    return false;
}
