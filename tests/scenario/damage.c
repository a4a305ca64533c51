/* What goes wrong around a resource: its Secrets, its admin Secret and its pods. */
#include <string.h>

#include "api/credential.h"
#include "api/resource.h"
#include "api/timestamp.h"
#include "api/workload.h"
#include "base/base64.h"
#include "base/json.h"
#include "deployments.h"
#include "kubelets.h"
#include "oracle_facts.h"
#include "people.h"
#include "sim.h"

#define OTHER_TYPE "example.com/other"

/* Status, target and revision Secrets gone at once: then only a process that saw them knows what
 * there was. */
static void note_erased(void)
{
    const cJSON *voice = people_voice();
    bool left = json_int_at(voice, "status.revision", 0) != 0;
    for (size_t i = 0; i < sim.api.count; i++) {
        const struct api_object *object = &sim.api.objects[i];
        left = left || (object->type == API_SECRETS && strncmp(object->name, VOICE "-", 6) == 0 &&
                        !json_at(object->json, "metadata.deletionTimestamp"));
    }
    if (voice && !left)
        snprintf(sim.erased, sizeof sim.erased, "%s", json_string_at(voice, "metadata.uid"));
}

/* Only status and the target itself tell since when it holds what it holds; what can't be updated
 * is made anew. */
static void note_undated(void)
{
    const cJSON *target = api_get(API_SECRETS, TEAM, VOICE_KEY);
    bool is_made_anew = !target || json_bool_at(target, "immutable", false) ||
                        mem_streq(json_string_at(target, "type"), OTHER_TYPE);
    bool is_dated = json_string_at(people_voice(), "status.publishedAt") || !is_made_anew;
    sim.undated = sim.undated || !is_dated;
}

static bool tells_old_name(const struct api_object *object)
{
    const char *uid = json_string_at(people_voice(), "metadata.uid");
    int64_t made_ms =
        timestamp_or(json_string_at(object->json, "metadata.creationTimestamp"), INT64_MAX);
    return object->type == API_SECRETS &&
           mem_streq(json_string_at(oracle_controller_of(object->json), "uid"), uid) &&
           (strcmp(object->name, VOICE_KEY) == 0 || made_ms < sim.renamed_ms - SECOND);
}

/* The target itself, status or a revision Secret tells under which name pods got what they hold. */
static void note_blind(void)
{
    bool told = mem_streq(json_string_at(people_voice(), "status.secretName"), VOICE_KEY);
    for (size_t i = 0; i < sim.api.count && !told; i++)
        told = tells_old_name(&sim.api.objects[i]);
    sim.blinded = sim.blinded || (!told && people_renamed() && actors_refer(VOICE_KEY));
}

/* Only status tells that the credential in the target was made from the spec as it is. */
static void wipe_status(void)
{
    const char *id = json_string_at(people_voice(), "status.id");
    sim.mints_allowed += id && !oracle_secret_names(id) ? 1 : 0;
    sim.accounts_forgotten = true;
    people_merge_voice("{\"status\":null}");
    note_undated();
    note_erased();
    note_blind();
}

static void strip_finalizer(void)
{
    oracle_excuse(json_string_at(people_voice(), "metadata.uid"));
    people_merge_voice("{\"metadata\":{\"finalizers\":null}}");
}

/* What only the announcement told of is on the person then. */
static void strip_announcement(void)
{
    if (json_member(json_at(people_voice(), "metadata.annotations"), ANNOTATION_ISSUING))
        oracle_excuse(json_string_at(people_voice(), "metadata.uid"));
    people_merge_voice("{\"metadata\":{\"annotations\":{\"" ANNOTATION_ISSUING "\":null}}}");
}

static void delete_target(void)
{
    const cJSON *target = api_get(API_SECRETS, TEAM, VOICE_KEY);
    if (target && !json_at(target, "metadata.ownerReferences"))
        sim.mints_allowed++; /* nothing is left to be adopted */
    bool was_there = target != NULL;
    api_delete(API_SECRETS, TEAM, VOICE_KEY, NULL);
    if (was_there)
        note_undated();
    note_erased();
    note_blind();
}

static void edit_target(void)
{
    api_merge(API_SECRETS, TEAM, VOICE_KEY,
              "{\"data\":{\"DEEPGRAM_API_KEY\":\"anVuaw==\",\".dockerconfigjson\":\"e30=\"}}");
}

static bool someone_suspends(void)
{
    for (size_t i = 0; i < sim.schedule->fault_count; i++) {
        const struct action *action = sim.schedule->faults[i].action;
        if (action && strcmp(action->name, "suspend") == 0)
            return true;
    }
    return false;
}

/* New pods fail on it while nobody mends it: then what is published is taken back, in vain. */
static void empty_target(void)
{
    sim.mints_allowed += someone_suspends() ? 1 : 0;
    sim.emptied = true;
    api_merge(API_SECRETS, TEAM, VOICE_KEY, "{\"data\":null}");
}

static void relabel_target(void)
{
    api_merge(API_SECRETS, TEAM, VOICE_KEY,
              "{\"metadata\":{\"labels\":{\"app.kubernetes.io/managed-by\":\"me\"},"
              "\"annotations\":{\"deepgram.com/revision\":\"7\"}}}");
}

static void renumber_target(void)
{
    api_merge(API_SECRETS, TEAM, VOICE_KEY,
              "{\"metadata\":{\"annotations\":{\"deepgram.com/revision\":\"7\"}}}");
}

/* As `kubectl replace --force` does it: the same metadata, another type. */
static void retype_target(void)
{
    cJSON *before = api_get(API_SECRETS, TEAM, VOICE_KEY);
    if (!before)
        return;
    cJSON *after = cJSON_Duplicate(before, true);
    cJSON_ReplaceItemInObjectCaseSensitive(after, "type", cJSON_CreateString(OTHER_TYPE));
    api_delete(API_SECRETS, TEAM, VOICE_KEY, NULL);
    if (!api_get(API_SECRETS, TEAM, VOICE_KEY))
        api_create(API_SECRETS, TEAM, after, NULL);
    note_undated();
}

/* A person makes it immutable. */
static void freeze_target(void)
{
    api_merge(API_SECRETS, TEAM, VOICE_KEY, "{\"immutable\":true}");
    note_undated();
}

static bool keeps_revision(const struct api_object *object)
{
    return object->type == API_SECRETS && strstr(object->name, VOICE "-dg");
}

static const char *newest_revision(void)
{
    for (size_t i = sim.api.count; i > 0; i--)
        if (keeps_revision(&sim.api.objects[i - 1]))
            return sim.api.objects[i - 1].name;
    return "";
}

static void delete_revision(void)
{
    api_delete(API_SECRETS, TEAM, newest_revision(), NULL);
    note_blind();
}

static void hold_revision(void)
{
    api_merge(API_SECRETS, TEAM, newest_revision(),
              "{\"metadata\":{\"finalizers\":[\"example.com/backup\"]}}");
}

static void free_revisions(void)
{
    for (size_t i = sim.api.count; i > 0; i--) {
        const struct api_object *object = &sim.api.objects[i - 1];
        if (keeps_revision(object))
            api_merge(API_SECRETS, TEAM, object->name, "{\"metadata\":{\"finalizers\":null}}");
    }
}

/* The one that retires, but keeps somebody going. */
static void delete_older(void)
{
    for (size_t i = 0; i < sim.api.count; i++) {
        const struct api_object *object = &sim.api.objects[i];
        if (object->type == API_SECRETS && strstr(object->name, VOICE "-dg")) {
            api_delete(API_SECRETS, TEAM, object->name, NULL);
            note_blind();
            return;
        }
    }
}

/* A person deletes the credential at Deepgram's console. */
static void revoke_at_console(void)
{
    struct credential_record *record = NULL;
    const char *id = json_string_at(people_voice(), "status.id");
    if (id && (record = deepgram_find(id)) != NULL && deepgram_alive(record))
        deepgram_kill(record, BY_PERSON);
}

/* Somebody else's controller wants it gone when the namespace is. */
static void co_own(void)
{
    const cJSON *target = api_get(API_SECRETS, TEAM, VOICE_KEY);
    if (!target || json_at(target, "metadata.deletionTimestamp"))
        return;
    auto_json cJSON *owners = cJSON_CreateArray();
    const cJSON *owner = NULL;
    cJSON_ArrayForEach(owner, json_at(target, "metadata.ownerReferences"))
        cJSON_AddItemToArray(owners, cJSON_Duplicate(owner, true));
    auto_free char *other =
        mem_printf("{\"apiVersion\":\"v1\",\"kind\":\"Namespace\","
                   "\"name\":\"" TEAM "\",\"uid\":\"%s\"}",
                   json_string_at(api_get(API_NAMESPACES, NULL, TEAM), "metadata.uid"));
    cJSON_AddItemToArray(owners, json_parse(other, strlen(other)));
    auto_free char *text = json_print(owners);
    api_merge(API_SECRETS, TEAM, VOICE_KEY, "{\"metadata\":{\"ownerReferences\":%s}}", text);
}

/* Another controller takes what nobody controls. */
static void own_target(void)
{
    if (!oracle_controller_of(api_get(API_SECRETS, TEAM, VOICE_KEY)))
        api_merge(API_SECRETS, TEAM, VOICE_KEY,
                  "{\"metadata\":{\"ownerReferences\":[{\"apiVersion\":\"example.com/v1\","
                  "\"kind\":\"Vault\",\"name\":\"vault\",\"controller\":true,"
                  "\"uid\":\"7f7f7f7f-0000-4000-8000-000000000002\"}]}}");
}

static void make_admin(void)
{
    sim.unmarked_ms = time_now_ms();
    auto_free char *key = base64_encode(ADMIN_KEY, strlen(ADMIN_KEY));
    api_make(
        API_SECRETS, TEAM,
        "{\"metadata\":{\"name\":\"admin\"},\"type\":\"Opaque\",\"data\":{\"DEEPGRAM_API_KEY\":"
        "\"%s\"}}",
        key);
}

static void delete_admin(void)
{
    api_delete(API_SECRETS, TEAM, "admin", NULL);
}

static void break_admin(void)
{
    sim.deepgram.refused_ms = 0;
    api_merge(API_SECRETS, TEAM, "admin", "{\"data\":{\"DEEPGRAM_API_KEY\":\"U0VLUkVULXdyb25n\"}}");
}

static void put_admin_key(const char *text)
{
    sim.deepgram.refused_ms = 0;
    auto_free char *key = base64_encode(text, strlen(text));
    api_merge(API_SECRETS, TEAM, "admin", "{\"data\":{\"DEEPGRAM_API_KEY\":\"%s\"}}", key);
}

static void mend_admin(void)
{
    if (!api_get(API_SECRETS, TEAM, "admin"))
        make_admin();
    else
        put_admin_key(ADMIN_KEY);
}

static void lessen_admin(void)
{
    sim.deepgram.lessened = true;
    put_admin_key(LESSER_ADMIN_KEY);
}

static void unmark_admin(void)
{
    sim.unmarked_ms = time_now_ms();
    api_merge(API_SECRETS, TEAM, "admin", "{\"metadata\":{\"finalizers\":null}}");
}

/* Another one's Secret in its place, at once. */
static void seize_target(void)
{
    api_delete(API_SECRETS, TEAM, VOICE_KEY, NULL);
    if (!api_get(API_SECRETS, TEAM, VOICE_KEY))
        api_make(API_SECRETS, TEAM,
                 "{\"metadata\":{\"name\":\"" VOICE_KEY "\"},\"type\":\"Opaque\","
                 "\"data\":{\"DEEPGRAM_API_KEY\":\"dGhlaXJz\"}}");
}

/* Until when is only written down to the second, or not at all. */
static void forget_pauses(void)
{
    sim.deepgram.paused = NULL;
    sim.api.paused = NULL;
}

static void restart_operator(void)
{
    for (size_t i = 0; i < PROCESSES_MAX; i++)
        if (process_at(i))
            process_crash(process_at(i), SECOND);
    for (size_t i = 0; i < sim.deepgram.count; i++)
        if (sim.deepgram.credentials[i].made_ms > time_now_ms() - SECOND)
            sim.deepgram.credentials[i].forgotten = true;
    forget_pauses();
}

/* As an upgrade does. */
static void stop_operator(void)
{
    for (size_t i = 0; i < PROCESSES_MAX; i++)
        if (process_at(i))
            process_terminate(process_at(i));
    forget_pauses();
}

static void late_secrets(void)
{
    sim.late_type = API_SECRETS;
}

static void late_resources(void)
{
    sim.late_type = api_get(API_PULLS, TEAM, VOICE) ? API_PULLS : API_KEYS;
}

static void slow_secrets(void)
{
    sim.frozen = true;
    process_freeze(API_SECRETS, 10 * SECOND);
}

/* As pods show up of which many come and go; later still with further faults, which nobody promises
 * anything for. */
static void slow_pods(void)
{
    enum { SLOW_MS = 6 * SECOND };
    process_freeze(API_PODS, SLOW_MS);
    sim.pods_unseen_until_ms = time_now_ms() + SLOW_MS;
}

/* Of a project with very many keys. */
static void long_lists(void)
{
    sim.deepgram.list_takes_ms = SECOND;
}

static void lag_lists(void)
{
    sim.deepgram.list_lag_ms = LIST_LAG_MS;
}

static void lose_next(void)
{
    sim.next_create = FAULT_LOST;
}

static void be_picky(void)
{
    sim.deepgram.picky = true;
}

static void be_deaf(void)
{
    sim.deepgram.deaf = true;
}

static void be_down(void)
{
    sim.deepgram.down = true;
}

static void be_content(void)
{
    sim.deepgram.picky = false;
    sim.deepgram.deaf = false;
    sim.deepgram.down = false;
}

static void delay_next(void)
{
    sim.next_create = FAULT_LATE;
}

/* Left by an earlier resource of that name, and by another one. */
static void mark_engine(void)
{
    api_merge(API_DEPLOYMENTS, TEAM, ENGINE,
              "{\"spec\":{\"template\":{\"metadata\":{\"annotations\":{\"" MARKER_PREFIX VOICE
              "\":\"2\",\"" MARKER_PREFIX "audio\":\"7\"}}}}}");
}

/* Somebody else needs it too. */
static void hold_admin(void)
{
    api_merge(API_SECRETS, TEAM, "admin",
              "{\"metadata\":{\"finalizers\":[\"example.com/backup\"]}}");
}

static void hold_resource(void)
{
    people_add_finalizer("example.com/audit");
}

static void free_resource(void)
{
    people_drop_finalizer("example.com/audit");
}

/* Somebody's finalizer: a deletion takes as long as they want. */
static void hold_target(void)
{
    api_merge(API_SECRETS, TEAM, VOICE_KEY,
              "{\"metadata\":{\"finalizers\":[\"example.com/backup\"]}}");
}

static void free_target(void)
{
    api_merge(API_SECRETS, TEAM, VOICE_KEY, "{\"metadata\":{\"finalizers\":null}}");
    note_blind();
}

/* Of one that was adopted, and not yet published, nothing tells then that it is ours. */
static void release_target(void)
{
    const cJSON *target = api_get(API_SECRETS, TEAM, VOICE_KEY);
    sim.blinded = sim.blinded ||
                  (json_at(people_voice(), "metadata.deletionTimestamp") &&
                   !json_string_member(json_at(target, "metadata.annotations"), ANNOTATION_ID));
    api_merge(API_SECRETS, TEAM, VOICE_KEY, "{\"metadata\":{\"ownerReferences\":null}}");
}

static void deploy(void)
{
    actors_deploy(VOICE_KEY, 2);
}

static void bare_pod(void)
{
    if (time_now_ms() < process_pods_unseen_until_ms())
        sim.pods_unseen_until_ms = process_pods_unseen_until_ms();
    actors_deploy(VOICE_KEY, 1);
    note_blind();
}

/* They need it until their images are there. */
static void deploy_pulling(void)
{
    kubelets_add_pulling(VOICE_KEY);
}

static void make_engine(void)
{
    deployments_make(VOICE_KEY);
}

static void drop_engine(void)
{
    api_delete(API_DEPLOYMENTS, TEAM, ENGINE, NULL);
}

static void pause_engine(void)
{
    deployments_pause(true);
}

static void resume_engine(void)
{
    deployments_pause(false);
}

static void fail_next(void)
{
    auto_free char *value = deepgram_value_in(api_get(API_SECRETS, TEAM, VOICE_KEY));
    if (value)
        actors_fail_next(value);
}

static const struct action DAMAGE[] = {
    { "wipe-status", wipe_status, 0, true },
    { "strip-finalizer", strip_finalizer, 0, true },
    { "strip-announcement", strip_announcement, 1, true },
    { "delete-target", delete_target, 0, true },
    { "edit-target", edit_target, 0, true },
    { "empty-target", empty_target, 0, true },
    { "relabel-target", relabel_target, 0, true },
    { "renumber-target", renumber_target, 0, false },
    { "retype-target", retype_target, 0, true },
    { "freeze-target", freeze_target, 0, true },
    { "co-own", co_own, 0, true },
    { "own-target", own_target, 0, false },
    { "seize", seize_target, 0, false },
    { "restart-operator", restart_operator, 1, false },
    { "late-secrets", late_secrets, 0, false },
    { "late-resources", late_resources, 0, false },
    { "slow-pods", slow_pods, 0, false },
    { "slow-secrets", slow_secrets, 0, false },
    { "long-lists", long_lists, 0, false },
    { "lag", lag_lists, 0, false },
    { "lose-next", lose_next, 1, false },
    { "late-next", delay_next, 1, false },
    { "mark-engine", mark_engine, 0, false },
    { "hold-admin", hold_admin, 0, false },
    { "free-admin", unmark_admin, 0, false },
    { "hold-resource", hold_resource, 0, false },
    { "free-resource", free_resource, 0, false },
    { "hold-target", hold_target, 0, false },
    { "free-target", free_target, 0, false },
    { "release-target", release_target, 0, true },
    { "unmark-admin", unmark_admin, 0, true },
    { "delete-revision", delete_revision, 1, false },
    { "hold-revision", hold_revision, 0, false },
    { "free-revisions", free_revisions, 0, false },
    { "delete-older", delete_older, 0, false },
    { "console", revoke_at_console, 1, false },
    { "make-admin", make_admin, 0, false },
    { "delete-admin", delete_admin, 0, true },
    { "break-admin", break_admin, 0, true },
    { "lessen-admin", lessen_admin, 0, false },
    { "mend-admin", mend_admin, 0, true },
    { "picky", be_picky, 0, false },
    { "deaf", be_deaf, 0, false },
    { "down", be_down, 0, false },
    { "content", be_content, 0, false },
    { "engine", make_engine, 0, false },
    { "drop-engine", drop_engine, 0, true },
    { "restart-engine", deployments_restart, 0, true },
    { "strip-marker", deployments_strip, 0, true },
    { "pause", pause_engine, 0, false },
    { "resume", resume_engine, 0, false },
    { "fail-next", fail_next, 1, false }, /* and one that works, later */
    { "deploy", deploy, 0, false },
    { "undeploy", actors_undeploy, 0, true },
    { "roll", actors_roll, 0, true },
    { "restart", actors_restart, 0, true },
    { "pulling", deploy_pulling, 0, false },
    { "bare-pod", bare_pod, 0, true },
    { "stop-operator", stop_operator, 0, true },
};

const struct action *damage_at(size_t index)
{
    return index < ARRAY_LENGTH(DAMAGE) ? &DAMAGE[index] : forged_at(index - ARRAY_LENGTH(DAMAGE));
}
