/* What people do: each action is a word in the stories, and those that are marked may also strike
 * any story at any moment. An action whose object isn't there does nothing. */
#include "sim.h"

#include <string.h>

#include "api/resource.h"
#include "base/base64.h"
#include "base/json.h"

#define VOICE "voice"
#define VOICE_KEY "voice-key"

static struct {
    unsigned tokens;
    unsigned comments;
    struct loop_timer again;
    enum api_type again_type;
} people;

void actions_reset(void)
{
    memset(&people, 0, sizeof people);
}

/* ---- resources ---- */

static void make_resource(enum api_type type, const char *name, const char *secret,
                          const char *more)
{
    api_make(
        type, TEAM,
        "{\"apiVersion\":\"deepgram.com/v1alpha1\",\"kind\":\"%s\",\"metadata\":{\"name\":\"%s\"},"
        "\"spec\":{\"projectId\":\"" PROJECT "\",\"credentialsRef\":{\"name\":\"admin\"},"
        "\"rotation\":{\"overlap\":\"60s\"},\"secret\":{\"name\":\"%s\"}%s}}",
        type == API_KEYS ? "DeepgramApiKey" : "DeepgramPullSecret", name, secret, more);
}

static void make(void)
{
    make_resource(API_KEYS, VOICE, VOICE_KEY, "");
}

static void make_pull(void)
{
    make_resource(API_PULLS, VOICE, VOICE_KEY, "");
}

static void make_retained(void)
{
    make_resource(API_KEYS, VOICE, VOICE_KEY, ",\"deletionPolicy\":\"Retain\"");
}

static void make_expiring(void)
{
    make_resource(API_KEYS, VOICE, VOICE_KEY, ",\"validFor\":\"2h\"");
}

static void make_second(void)
{
    make_resource(API_KEYS, "video", "video-key", "");
}

static void make_twin(void)
{
    make_resource(API_PULLS, "twin", VOICE_KEY, "");
}

static enum api_type type_of(const char *name)
{
    return api_get(API_KEYS, TEAM, name) ? API_KEYS : API_PULLS;
}

static const cJSON *voice(void)
{
    return api_get(type_of(VOICE), TEAM, VOICE);
}

static void merge_voice(const char *patch)
{
    api_merge(type_of(VOICE), TEAM, VOICE, "%s", patch);
}

static void delete_named(const char *name)
{
    api_delete(type_of(name), TEAM, name, NULL);
}

static void delete_voice(void)
{
    delete_named(VOICE);
}

static void delete_second(void)
{
    delete_named("video");
}

static void delete_twin(void)
{
    delete_named("twin");
}

static void make_again(void *context)
{
    (void)context;
    if (voice())
        loop_timer_start(&sim.loop, &people.again, SECOND, make_again, NULL);
    else
        make_resource(people.again_type, VOICE, VOICE_KEY, "");
}

static void recreate(void)
{
    people.again_type = type_of(VOICE);
    delete_voice();
    if (!loop_timer_armed(&people.again))
        loop_timer_start(&sim.loop, &people.again, SECOND, make_again, NULL);
}

static void delete_namespace(void)
{
    loop_timer_stop(&people.again);
    api_delete(API_NAMESPACES, NULL, TEAM, NULL);
}

/* ---- changes of the resource ---- */

static void request_rotation(void)
{
    api_merge(type_of(VOICE), TEAM, VOICE,
              "{\"metadata\":{\"annotations\":{\"" ANNOTATION_ROTATE "\":\"token-%u\"}}}",
              ++people.tokens);
}

static void change_spec(void)
{
    api_merge(type_of(VOICE), TEAM, VOICE, "{\"spec\":{\"comment\":\"take %u\"}}",
              ++people.comments);
}

static void change_both(void)
{
    api_merge(type_of(VOICE), TEAM, VOICE,
              "{\"metadata\":{\"annotations\":{\"" ANNOTATION_ROTATE "\":\"token-%u\"}},"
              "\"spec\":{\"comment\":\"take %u\"}}",
              ++people.tokens, ++people.comments);
}

static void change_labels(void)
{
    merge_voice("{\"spec\":{\"secret\":{\"labels\":{\"stage\":\"test\"}}}}");
}

static void rename_target(void)
{
    merge_voice("{\"spec\":{\"secret\":{\"name\":\"voice-renamed\"}}}");
}

static void rotate_hourly(void)
{
    merge_voice("{\"spec\":{\"rotation\":{\"every\":\"1h\"}}}");
}

static void rotate_no_more(void)
{
    merge_voice("{\"spec\":{\"rotation\":{\"every\":null}}}");
}

static void live_forever(void)
{
    merge_voice("{\"spec\":{\"validFor\":null}}");
}

static void suspend(void)
{
    merge_voice("{\"spec\":{\"suspend\":true}}");
}

static void go_on(void)
{
    merge_voice("{\"spec\":{\"suspend\":false}}");
}

static void set_retain(void)
{
    merge_voice("{\"spec\":{\"deletionPolicy\":\"Retain\"}}");
}

static void set_revoke(void)
{
    merge_voice("{\"spec\":{\"deletionPolicy\":\"Revoke\"}}");
}

static void abandon(void)
{
    oracle_excuse(json_string_at(voice(), "metadata.uid"));
    merge_voice("{\"metadata\":{\"annotations\":{\"" ANNOTATION_ABANDON "\":\"true\"}}}");
}

/* ---- damage ---- */

static void wipe_status(void)
{
    merge_voice("{\"status\":null}");
}

static void strip_finalizer(void)
{
    oracle_excuse(json_string_at(voice(), "metadata.uid"));
    merge_voice("{\"metadata\":{\"finalizers\":null}}");
}

static void strip_announcement(void)
{
    merge_voice("{\"metadata\":{\"annotations\":{\"" ANNOTATION_ISSUING "\":null}}}");
}

static void delete_target(void)
{
    const cJSON *target = api_get(API_SECRETS, TEAM, VOICE_KEY);
    if (target && !json_at(target, "metadata.ownerReferences"))
        sim.mints_allowed++; /* nothing is left to be adopted */
    sim.blinded = sim.blinded || !mem_streq(json_string_at(voice(), "spec.secret.name"), VOICE_KEY);
    api_delete(API_SECRETS, TEAM, VOICE_KEY, NULL);
}

static void edit_target(void)
{
    api_merge(API_SECRETS, TEAM, VOICE_KEY,
              "{\"data\":{\"DEEPGRAM_API_KEY\":\"anVuaw==\",\".dockerconfigjson\":\"e30=\"}}");
}

static void empty_target(void)
{
    api_merge(API_SECRETS, TEAM, VOICE_KEY, "{\"data\":null}");
}

static void relabel_target(void)
{
    api_merge(API_SECRETS, TEAM, VOICE_KEY,
              "{\"metadata\":{\"labels\":{\"app.kubernetes.io/managed-by\":\"me\"},"
              "\"annotations\":{\"deepgram.com/revision\":\"7\"}}}");
}

/* As `kubectl replace --force` does it: the same metadata, another type. */
static void retype_target(void)
{
    cJSON *before = api_get(API_SECRETS, TEAM, VOICE_KEY);
    if (!before)
        return;
    cJSON *after = cJSON_Duplicate(before, true);
    cJSON_ReplaceItemInObjectCaseSensitive(after, "type", cJSON_CreateString("example.com/other"));
    api_delete(API_SECRETS, TEAM, VOICE_KEY, NULL);
    if (!api_get(API_SECRETS, TEAM, VOICE_KEY))
        api_create(API_SECRETS, TEAM, after);
}

/* A person makes it immutable. */
static void freeze_target(void)
{
    api_merge(API_SECRETS, TEAM, VOICE_KEY, "{\"immutable\":true}");
}

static void delete_revision(void)
{
    for (size_t i = sim.api.count; i > 0; i--) {
        const struct api_object *object = &sim.api.objects[i - 1];
        if (object->type == API_SECRETS && strstr(object->name, VOICE "-dg")) {
            api_delete(API_SECRETS, TEAM, object->name, NULL);
            return;
        }
    }
}

/* A person deletes the credential at Deepgram's console. */
static void revoke_at_console(void)
{
    struct credential_record *record = NULL;
    const char *id = json_string_at(voice(), "status.id");
    if (id && (record = deepgram_find(id)) != NULL && deepgram_alive(record))
        deepgram_kill(record, BY_PERSON);
}

/* ---- what was there before the operator ---- */

/* A key made by hand, in a Secret that asks to be adopted. */
static void make_by_hand(void)
{
    struct credential_record *record = deepgram_plant("by hand", false);
    record->offered = true;
    auto_free char *value = base64_encode(record->value, strlen(record->value));
    api_make(API_SECRETS, TEAM,
             "{\"metadata\":{\"name\":\"" VOICE_KEY "\",\"annotations\":{\"" ANNOTATION_ADOPT
             "\":\"true\"}},\"type\":\"Opaque\",\"data\":{\"DEEPGRAM_API_KEY\":\"%s\"}}",
             value);
}

/* The same, but nobody asks. */
static void make_unasked(void)
{
    make_by_hand();
    api_merge(API_SECRETS, TEAM, VOICE_KEY, "{\"metadata\":{\"annotations\":null}}");
}

/* ---- the admin Secret ---- */

static void make_admin(void)
{
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
    api_merge(API_SECRETS, TEAM, "admin", "{\"data\":{\"DEEPGRAM_API_KEY\":\"U0VLUkVULXdyb25n\"}}");
}

static void mend_admin(void)
{
    auto_free char *key = base64_encode(ADMIN_KEY, strlen(ADMIN_KEY));
    if (!api_get(API_SECRETS, TEAM, "admin"))
        make_admin();
    else
        api_merge(API_SECRETS, TEAM, "admin", "{\"data\":{\"DEEPGRAM_API_KEY\":\"%s\"}}", key);
}

/* ---- pods ---- */

static void deploy(void)
{
    actors_deploy(VOICE_KEY, 2);
}

static void bare_pod(void)
{
    actors_deploy(VOICE_KEY, 1);
}

/* ---- the table ---- */

static const struct action ACTIONS[] = {
    { "make", make, 1, false },
    { "make-pull", make_pull, 1, false },
    { "make-retained", make_retained, 1, false },
    { "make-expiring", make_expiring, 1, false },
    { "make-adopting", make, 0, false },
    { "by-hand", make_by_hand, 0, false },
    { "unasked", make_unasked, 0, false },
    { "second", make_second, 1, true },
    { "twin", make_twin, 1, true },
    { "delete", delete_voice, 0, true },
    { "delete-second", delete_second, 0, false },
    { "delete-twin", delete_twin, 0, false },
    { "recreate", recreate, 1, true },
    { "delete-namespace", delete_namespace, 0, true },
    { "token", request_rotation, 1, true },
    { "spec", change_spec, 1, true },
    { "both", change_both, 1, true },
    { "labels", change_labels, 0, true },
    { "rename", rename_target, 0, false },
    { "hourly", rotate_hourly, 0, false },
    { "hourly-no-more", rotate_no_more, 0, false },
    { "forever", live_forever, 1, false },
    { "an-hour", NULL, 1, false },
    { "suspend", suspend, 0, true },
    { "go-on", go_on, 0, true },
    { "retain", set_retain, 0, true },
    { "revoke", set_revoke, 0, true },
    { "abandon", abandon, 0, true },
    { "wipe-status", wipe_status, 0, true },
    { "strip-finalizer", strip_finalizer, 0, true },
    { "strip-announcement", strip_announcement, 1, true },
    { "delete-target", delete_target, 0, true },
    { "edit-target", edit_target, 0, true },
    { "empty-target", empty_target, 0, true },
    { "relabel-target", relabel_target, 0, true },
    { "retype-target", retype_target, 0, true },
    { "freeze-target", freeze_target, 0, true },
    { "delete-revision", delete_revision, 1, false },
    { "console", revoke_at_console, 1, false },
    { "make-admin", make_admin, 0, false },
    { "delete-admin", delete_admin, 0, true },
    { "break-admin", break_admin, 0, true },
    { "mend-admin", mend_admin, 0, true },
    { "deploy", deploy, 0, false },
    { "undeploy", actors_undeploy, 0, true },
    { "roll", actors_roll, 0, true },
    { "restart", actors_restart, 0, true },
    { "bare-pod", bare_pod, 0, true },
};

const struct action *action_at(size_t index)
{
    return index < ARRAY_LENGTH(ACTIONS) ? &ACTIONS[index] : NULL;
}

const struct action *action_find(const char *name, size_t length)
{
    for (size_t i = 0; i < ARRAY_LENGTH(ACTIONS); i++)
        if (strlen(ACTIONS[i].name) == length && strncmp(ACTIONS[i].name, name, length) == 0)
            return &ACTIONS[i];
    return NULL;
}

void action_perform(const struct action *action)
{
    sim_trace("==> %s", action->name);
    sim.mints_allowed += action->mints;
    if (action->perform)
        action->perform();
}
