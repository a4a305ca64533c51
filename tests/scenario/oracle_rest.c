/* After all has come to rest: nothing alive that nobody owns (I1), every resource published and
 * ready (I3), as many creates as there were reasons for (I4), and nothing that never ends. */
#include "oracle.h"

#include <string.h>

#include "api/credential.h"
#include "api/resource.h"
#include "api/revision_number.h"
#include "api/target.h"
#include "api/timestamp.h"
#include "base/json.h"
#include "deployments.h"
#include "oracle_facts.h"
#include "people.h"
#include "sim.h"

static bool admin_usable(bool for_issuing)
{
    const cJSON *admin = api_get(API_SECRETS, TEAM, "admin");
    return admin && !(for_issuing && json_at(admin, "metadata.deletionTimestamp"));
}

static bool owns_target(const cJSON *resource)
{
    const cJSON *target = api_get(API_SECRETS, TEAM, json_string_at(resource, "spec.secret.name"));
    const char *owner = json_string_at(oracle_controller_of(target), "uid");
    return owner && mem_streq(owner, json_string_at(resource, "metadata.uid"));
}

static bool pods_refer(const cJSON *resource)
{
    const char *target = json_string_at(resource, "spec.secret.name");
    return actors_refer(target);
}

static bool pods_hold(const cJSON *resource)
{
    const char *uid = json_string_at(resource, "metadata.uid");
    for (size_t i = 0; i < sim.deepgram.count; i++)
        if (strcmp(sim.deepgram.credentials[i].uid, uid) == 0 &&
            actors_holder(sim.deepgram.credentials[i].value))
            return true;
    return false;
}

/* Somebody else's Secret, and not only since one of the faults. */
static bool is_seized(const char *name)
{
    const cJSON *secret = api_get(API_SECRETS, TEAM, name);
    return secret && !oracle_annotation(secret, ANNOTATION_RESOURCE) &&
           sim.schedule->fault_count == 0;
}

/* Under its earlier name too: those that came after somebody else's Secret hold what is in that. */
static bool pods_may_refer(const cJSON *resource)
{
    return pods_refer(resource) ||
           (mem_streq(json_string_at(resource, "metadata.name"), VOICE) &&
            actors_refer(VOICE_KEY) && (!is_seized(VOICE_KEY) || pods_hold(resource)));
}

/* The default timeout is two hours: so long it is given. */
static bool successor_fails(const cJSON *resource)
{
    if (json_at(resource, "spec.rollout.timeout"))
        return false;
    const char *name = json_string_at(resource, "spec.secret.name");
    auto_free char *value = deepgram_value_in(api_get(API_SECRETS, TEAM, name));
    const struct credential_record *successor = value ? deepgram_by_value(value) : NULL;
    return successor && successor->bad;
}

/* Since when pods hold what a roll-back published again, nobody knows: those that came before it go
 * with the next rotation. */
static bool was_taken_back(const cJSON *resource)
{
    for (size_t i = 0; i < sim.deepgram.count; i++) {
        const struct credential_record *record = &sim.deepgram.credentials[i];
        if (record->bad && record->revision > json_int_at(resource, "status.revision", 0) &&
            mem_streq(record->uid, json_string_at(resource, "metadata.uid")))
            return true;
    }
    return false;
}

static void judge_credential(const struct credential_record *record)
{
    const struct api_object *owner = oracle_find_uid(record->uid);
    if (!owner) {
        bool is_shared = record->offered && oracle_secret_names(record->id); /* two adopted it */
        if (!oracle_excused(record->uid) && !record->retained && !is_shared)
            sim_broken(I1, "%s is alive, and its resource is gone", record->id);
        return;
    }
    bool ignores = oracle_ignores_pods(record);
    bool rolls_out = deployments_own_all() && oracle_restarts(owner->json);
    bool abandoned = oracle_annotation(owner->json, ANNOTATION_ABANDON) != NULL;
    bool deleting = json_at(owner->json, "metadata.deletionTimestamp") != NULL;
    bool in_use = (deleting || oracle_excused(record->uid)) && pods_may_refer(owner->json);
    if (abandoned || in_use || !admin_usable(false))
        return;
    rolls_out = rolls_out && !sim.undated && !record->overtaken &&
                (admin_usable(true) || !was_taken_back(owner->json));
    /* What wasn't shown when its announcement was closed may have been published, too. */
    bool was_unseen = record->kept || deepgram_came_late(record) || sim.deepgram.lessened;
    bool may_be_held = was_unseen && pods_may_refer(owner->json) && !rolls_out;
    if (!oracle_status_names(owner->json, record->id) && !oracle_secret_names(record->id) &&
        !may_be_held)
        sim_broken(I1, "%s is alive, and %s doesn't name it", record->id, owner->name);
    else if (record->bad && !admin_usable(true))
        return; /* pods that may hold it wait for its successor */
    else if (record->bad && !mem_streq(json_string_at(owner->json, "status.id"), record->id) &&
             !actors_holder(record->value) && deployments_own_all())
        sim_broken(I1, "pods failed on %s, and it is still alive", record->id);
    else if (successor_fails(owner->json))
        return;
    else if (!deleting && (!pods_may_refer(owner->json) || rolls_out || ignores) &&
             (!actors_holder(record->value) || ignores) && owns_target(owner->json) &&
             !mem_streq(json_string_at(owner->json, "status.id"), record->id))
        sim_broken(I1, "%s was replaced, and is still alive", record->id);
}

/* Pods that came later hold what somebody else put into his Secret of that name. */
static bool pods_may_hold(const cJSON *resource)
{
    bool seized = sim.schedule->fault_count == 0 && !owns_target(resource) &&
                  api_get(API_SECRETS, TEAM, json_string_at(resource, "spec.secret.name"));
    return seized ? pods_hold(resource) : pods_may_refer(resource);
}

static void judge_deleting(const struct api_object *object)
{
    const cJSON *json = object->json;
    bool waits_for_pods =
        pods_may_hold(json) && !mem_streq(json_string_at(json, "spec.deletionPolicy"), "Retain");
    if (oracle_annotation(json, ANNOTATION_ABANDON) || (!waits_for_pods && admin_usable(false)))
        sim_broken(WEDGED, "%s doesn't go", object->name);
}

static const cJSON *condition(const cJSON *resource, const char *type)
{
    const cJSON *item = NULL;
    cJSON_ArrayForEach(item, json_at(resource, "status.conditions"))
        if (mem_streq(json_string_member(item, "type"), type))
            return item;
    return NULL;
}

/* As the console shows it, but for the marker. */
/* Also what another resource of the operator had left to it. */
static bool was_adopted(const cJSON *resource, const cJSON *target,
                        const struct credential_record *record)
{
    bool is_others = strcmp(record->uid, json_string_at(resource, "metadata.uid")) != 0;
    return record->offered || (is_others && oracle_annotation(target, ANNOTATION_ADOPT));
}

static bool has_present_comment(const cJSON *resource, const struct credential_record *record)
{
    const char *comment = json_string_at(resource, "spec.comment");
    auto_free char *wanted =
        comment ? mem_printf("%s ", comment)
                : mem_printf("%s/%s ", TEAM, json_string_at(resource, "metadata.name"));
    return strncmp(record->comment, wanted, strlen(wanted)) == 0;
}

static bool has_all_entries(const cJSON *resource, const cJSON *target)
{
    const cJSON *entry = NULL;
    cJSON_ArrayForEach(entry, json_at(resource, "spec.secret.data"))
        if (!json_string_member(json_member(target, "data"), entry->string))
            return false;
    return true;
}

/* What Deepgram didn't grant is asked for again after up to an hour: each try is a create. */
static bool is_put_off(const cJSON *resource)
{
    return fault_planned(FAULT_MEAGRE) &&
           timestamp_or(json_string_at(resource, "status.nextAttemptAt"), 0) > time_server_ms();
}

/* What pods got from a target that a person had emptied failed them, too. */
static bool may_fail_pods(const struct credential_record *record)
{
    return record->bad || (sim.emptied && deployments_own_all());
}

/* After a second failure in a row the next try is further away than the end. */
static bool is_tried_seldom(const cJSON *resource)
{
    size_t failed = 0;
    for (size_t i = 0; i < sim.deepgram.count; i++)
        failed +=
            may_fail_pods(&sim.deepgram.credentials[i]) &&
            mem_streq(sim.deepgram.credentials[i].uid, json_string_at(resource, "metadata.uid"));
    return failed > 1;
}

static void judge_published(const struct api_object *object, const cJSON *target)
{
    const cJSON *json = object->json;
    const char *type = object->type == API_KEYS ? "Opaque" : SECRET_TYPE_DOCKER;
    auto_free char *value = deepgram_value_in(target);
    const struct credential_record *record = value ? deepgram_by_value(value) : NULL;
    const char *id = json_string_at(json, "status.id");
    bool expired = record && deepgram_expired(record);
    bool emptied = !record && !oracle_secret_names(id);
    bool died = record && (record->death == BY_PERSON || expired);
    if ((emptied || died) && !admin_usable(true))
        return; /* can't be replaced */
    if (!record || !deepgram_alive(record))
        sim_broken(I3, "%s's target holds no live credential", object->name);
    else if (record->limited && !admin_usable(true))
        return; /* can't be replaced either */
    else if (record->limited)
        sim_broken(I3, "%s's target holds %s, which grants too little", object->name, record->id);
    else if (!was_adopted(json, target, record) && !has_present_comment(json, record) &&
             admin_usable(true) && !is_tried_seldom(json) && !is_put_off(json))
        sim_broken(WEDGED, "%s's target holds %s, which was made from an older spec", object->name,
                   record->id);
    else if (!has_all_entries(json, target))
        sim_broken(WEDGED, "%s's target lacks an entry", object->name);
    else if (!mem_streq(record->id, id))
        sim_broken(I3, "%s's status says %s, its target holds %s", object->name, id, record->id);
    else if (!mem_streq(json_string_at(target, "type"), type))
        sim_broken(I3, "%s's target has type %s", object->name, json_string_at(target, "type"));
    else if (!oracle_secret_names(record->id))
        sim_broken(I3, "%s's target holds %s, which no revision Secret keeps", object->name, id);
    else if (!mem_streq(json_string_member(json_at(target, "metadata.labels"), LABEL_MANAGED_BY),
                        MANAGED_BY) ||
             !mem_streq(oracle_annotation(target, ANNOTATION_ID), id) ||
             revision_number_parse(oracle_annotation(target, ANNOTATION_REVISION)) !=
                 json_int_at(json, "status.revision", 0))
        sim_broken(I3, "%s's target says of itself what is not so", object->name);
}

/* What is to be rotated every so often. */
static void judge_schedule(const struct api_object *object)
{
    int64_t issued_ms = timestamp_or(json_string_at(object->json, "status.issuedAt"), 0);
    if (mem_streq(json_string_at(object->json, "spec.rotation.every"), "1h") &&
        sim.schedule->fault_count == 0 && time_server_ms() > issued_ms + HOUR + MINUTE)
        sim_broken(WEDGED, "%s wasn't rotated in time", object->name);
}

static bool is_past(const cJSON *resource, const char *path)
{
    int64_t ms = timestamp_or(json_string_at(resource, path), INT64_MAX);
    return ms < time_server_ms() - MINUTE;
}

/* What was to come. */
static void judge_plans(const struct api_object *object)
{
    bool is_stale =
        json_at(object->json, "status.failures") && !json_at(object->json, "status.nextAttemptAt");
    if (is_past(object->json, "status.nextAttemptAt") || is_stale)
        sim_broken(WEDGED, "%s tells of an attempt that is over", object->name);
    bool is_planned = json_at(object->json, "spec.rotation.every") ||
                      json_at(object->json, "status.expiresAt") || sim.emptied;
    bool is_told = json_at(object->json, "status.nextRotationAt");
    if (is_past(object->json, "status.nextRotationAt") || (is_told && !is_planned))
        sim_broken(WEDGED, "%s tells of a rotation that doesn't come", object->name);
}

static void judge_status(const struct api_object *object)
{
    const cJSON *json = object->json;
    const cJSON *ready = condition(json, "Ready");
    if (!mem_streq(json_string_member(ready, "status"), "True"))
        sim_broken(WEDGED, "%s is not ready: %s, %s", object->name,
                   json_string_member(ready, "reason"), json_string_member(ready, "message"));
    else if (json_int_at(json, "status.observedGeneration", 0) !=
             json_int_at(json, "metadata.generation", -1))
        sim_broken(WEDGED, "%s's change was not observed", object->name);
    else if (oracle_annotation(json, ANNOTATION_ROTATE) && !is_put_off(json) &&
             !mem_streq(oracle_annotation(json, ANNOTATION_ROTATE),
                        json_string_at(json, "status.lastHandledRotateRequest")))
        sim_broken(WEDGED, "%s's rotation was not carried out", object->name);
    else if (oracle_announcement_open(json))
        sim_broken(WEDGED, "%s's announcement stays open", object->name);
}

/* What is known to be dead is kept no longer, unless the next try counts from it. */
static void judge_kept(const struct api_object *object)
{
    const char *id = object->type == API_SECRETS ? oracle_revision_id(object->json) : NULL;
    const char *owner = json_string_at(oracle_controller_of(object->json), "uid");
    const struct api_object *resource = id && owner ? oracle_find_uid(owner) : NULL;
    const struct credential_record *record = id ? deepgram_find(id) : NULL;
    if (id && !resource && record && record->death == BY_OPERATOR && !record->retained &&
        !(owner && oracle_excused(owner)) && !oracle_excused(record->uid) &&
        !api_namespace_terminating(TEAM))
        sim_broken(I1, "%s is revoked, and %s keeps it for nobody", id, object->name);
    if (resource && !json_at(resource->json, "metadata.deletionTimestamp") && record &&
        record->death == BY_OPERATOR && owns_target(resource->json) && admin_usable(true) &&
        !api_namespace_terminating(TEAM) &&
        !(may_fail_pods(record) && is_tried_seldom(resource->json)))
        sim_broken(I1, "%s is revoked, and %s still keeps it", id, object->name);
}

/* Whatever fails, the next one has to be there in time: hours before. */
static void judge_expiry(const struct credential_record *record)
{
    int64_t expired_ms = record->expires_ms - (time_server_ms() - time_now_ms());
    if (record->death == ALIVE && record->expires_ms != 0 && expired_ms <= time_now_ms() &&
        (record->replaced_ms == 0 || record->replaced_ms > expired_ms) &&
        sim.schedule->fault_count == 0 && oracle_find_uid(record->uid))
        sim_broken(I3, "%s expired while it was published", record->id);
    int64_t lifetime_ms = expired_ms - record->made_ms;
    if (record->expires_ms != 0 && record->replaced_ms > expired_ms - lifetime_ms / 5 &&
        sim.schedule->fault_count == 0 && !sim.was_suspended)
        sim_broken(I3, "%s was replaced only shortly before it expired", record->id);
}

/* Nobody else wants it, and a person or an earlier deletion gave it to this resource. */
static bool is_ours_to_take(const struct api_object *object, const cJSON *target)
{
    if (oracle_controller_of(target) || json_at(target, "metadata.deletionTimestamp"))
        return false;
    auto_free char *value = deepgram_value_in(target);
    const struct credential_record *record = value ? deepgram_by_value(value) : NULL;
    if (!record || !deepgram_alive(record) || record->pull != (object->type == API_PULLS))
        return false;
    if (record->offered && oracle_annotation(target, ANNOTATION_ADOPT))
        return true;
    return oracle_secret_names(record->id) &&
           mem_streq(oracle_annotation(target, ANNOTATION_ID), record->id) &&
           (strcmp(record->uid, json_string_at(object->json, "metadata.uid")) == 0);
}

static void judge_mark(const struct api_object *object)
{
    const cJSON *admin = api_get(API_SECRETS, TEAM, "admin");
    if (!admin || json_at(admin, "metadata.deletionTimestamp") ||
        !json_at(object->json, "spec.credentialsRef"))
        return; /* default credentials bear no mark */
    if (!api_has_finalizer(admin, FINALIZER_IN_USE))
        sim_broken(I1, "what could revoke %s's credential may be deleted", object->name);
}

/* With the default mode: everybody has the present key, and nobody was restarted in vain. */
static void judge_rollout(const struct api_object *object, const cJSON *target)
{
    const cJSON *engine = api_get(API_DEPLOYMENTS, TEAM, ENGINE);
    if (!engine || json_at(engine, "metadata.deletionTimestamp") || object->type != API_KEYS ||
        !oracle_restarts(object->json) ||
        !mem_streq(json_string_at(object->json, "spec.secret.name"), "voice-key") ||
        json_bool_at(engine, "spec.paused", false))
        return;
    auto_free char *value = deepgram_value_in(target);
    const struct credential_record *record = value ? deepgram_by_value(value) : NULL;
    const char *other = value ? deployments_other_holder(value) : NULL;
    if (record && record->bad && sim.schedule->fault_count == 0 && oracle_can_go_back(record))
        sim_broken(WEDGED, "%s was never taken back", record->id);
    else if (record && record->bad)
        return; /* it may have been restarted by others, or be given two hours */
    else if (!deployments_complete())
        sim_broken(WEDGED, "the Deployment isn't complete");
    else if (other)
        sim_broken(WEDGED, "%s was never restarted", other);
}

static void judge_restarts(void)
{
    unsigned bad = 0;
    for (size_t i = 0; i < sim.deepgram.count; i++)
        bad += sim.deepgram.credentials[i].bad;
    uint64_t explained = sim.deepgram.creates + 2 * bad + sim.schedule->fault_count;
    if (sim.restarts + 1 > explained && sim.restarts > 0)
        sim_broken(I4, "the Deployment was restarted %u times, and %llu are explained",
                   sim.restarts, (unsigned long long)explained);
}

static void judge_living(const struct api_object *object)
{
    const cJSON *json = object->json;
    const char *name = json_string_at(json, "spec.secret.name");
    const cJSON *target = api_get(API_SECRETS, TEAM, name);
    if (target && admin_usable(true) && is_ours_to_take(object, target))
        sim_broken(WEDGED, "%s doesn't take over %s", object->name, name);
    if (api_namespace_terminating(TEAM) || (target && !owns_target(json)))
        return; /* somebody else's by now */
    if (!admin_usable(true) && !target)
        return;
    if (!target) {
        sim_broken(I3, "%s has no target", object->name);
        return;
    }
    if (!api_has_finalizer(json, FINALIZER_REVOKE))
        sim_broken(I1, "%s holds a credential without the finalizer", object->name);
    judge_published(object, target);
    judge_mark(object);
    if (!admin_usable(true))
        return;
    judge_rollout(object, target);
    judge_status(object);
    judge_plans(object);
    judge_schedule(object);
    oracle_judge_accounts_of(object);
}

static void judge_namespace(void)
{
    const cJSON *json = api_get(API_NAMESPACES, NULL, TEAM);
    if (!json_at(json, "metadata.deletionTimestamp"))
        return;
    for (size_t i = 0; i < sim.api.count; i++) {
        const struct api_object *object = &sim.api.objects[i];
        if (strcmp(object->namespace, TEAM) == 0)
            sim_broken(WEDGED, "the namespace is held up by %s %s", api_type_name(object->type),
                       object->name);
    }
}

/* While it goes, it is held as long as there may be something to revoke. */
static void judge_admin(void)
{
    const cJSON *admin = api_get(API_SECRETS, TEAM, "admin");
    if (!json_at(admin, "metadata.deletionTimestamp") ||
        !api_has_finalizer(admin, FINALIZER_IN_USE))
        return;
    for (size_t i = 0; i < sim.api.count; i++) {
        const struct api_object *object = &sim.api.objects[i];
        bool waits = api_is_resource(object->type) &&
                     json_at(object->json, "metadata.deletionTimestamp") &&
                     pods_may_hold(object->json); /* nothing is looked after meanwhile */
        if (waits || oracle_announcement_open(object->json))
            return;
    }
    for (size_t i = 0; i < sim.deepgram.count; i++)
        if (sim.deepgram.credentials[i].death == ALIVE && /* or expired, and not yet dropped */
            strncmp(sim.deepgram.credentials[i].uid, "0000", 4) == 0)
            return;
    sim_broken(WEDGED, "the admin Secret is held up, and there is nothing to revoke");
}

static void judge_processes(void)
{
    for (size_t i = 0; i < PROCESSES_MAX; i++)
        if (process_at(i) && process_trials(process_at(i)) > 0)
            sim_broken(WEDGED, "a trial that is over counts as under way");
}

void oracle_judge(void)
{
    for (size_t i = 0; i < sim.deepgram.count; i++) {
        const struct credential_record *record = &sim.deepgram.credentials[i];
        if (deepgram_alive(record) && strncmp(record->uid, "0000", 4) == 0)
            judge_credential(record);
        judge_expiry(record);
    }
    for (size_t i = 0; i < sim.api.count; i++) {
        const struct api_object *object = &sim.api.objects[i];
        judge_kept(object);
        if (!api_is_resource(object->type))
            continue;
        if (json_at(object->json, "metadata.deletionTimestamp"))
            judge_deleting(object);
        else
            judge_living(object);
    }
    judge_namespace();
    judge_admin();
    judge_processes();
    judge_restarts();
    oracle_judge_entries();
    int64_t explained = sim.mints_allowed + (oracle_may_seem_dead() ? 1 : 0);
    if ((int64_t)sim.deepgram.creates > explained)
        sim_broken(I4, "%llu credentials were created, and %lld are explained",
                   (unsigned long long)sim.deepgram.creates, (long long)explained);
}
