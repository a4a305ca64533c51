/* What people do: each action is a word in the stories, and those that are marked may also strike
 * any story at any moment. An action whose object isn't there does nothing. */
#include "people.h"

#include <string.h>

#include "api/resource.h"
#include "base/base64.h"
#include "base/json.h"
#include "oracle_facts.h"
#include "sim.h"

static struct {
    unsigned tokens;
    unsigned comments;
    struct loop_timer again;
    enum api_type again_type;
    bool again_default;
} people;

void actions_reset(void)
{
    memset(&people, 0, sizeof people);
    wars_reset();
    accounts_reset();
}

/* ---- resources ---- */

void people_make_resource(enum api_type type, const char *name, const char *secret,
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
    people_make_resource(API_KEYS, VOICE, VOICE_KEY, "");
}

static void make_pull(void)
{
    people_make_resource(API_PULLS, VOICE, VOICE_KEY, "");
}

/* With the operator's default credentials. */
static void make_default(void)
{
    static char namespace[] = TEAM;
    static char name[] = "admin";
    sim.options.default_credentials_namespace = namespace;
    sim.options.default_credentials_name = name;
    people_make_resource(API_KEYS, VOICE, VOICE_KEY, "");
    people_merge_voice("{\"spec\":{\"credentialsRef\":null}}");
}

static void make_retained(void)
{
    people_make_resource(API_KEYS, VOICE, VOICE_KEY, ",\"deletionPolicy\":\"Retain\"");
}

static void make_expiring(void)
{
    people_make_resource(API_KEYS, VOICE, VOICE_KEY,
                         ",\"validFor\":\"2h\",\"rollout\":{\"timeout\":\"5m\"}");
}

static void make_streaming(void)
{
    people_make_resource(API_KEYS, VOICE, VOICE_KEY,
                         ",\"verify\":{\"streaming\":{\"url\":\"ws://deepgram-api:8080\"}}");
}

/* So that a roll-back takes minutes. */
static void make_impatient(void)
{
    people_make_resource(API_KEYS, VOICE, VOICE_KEY, ",\"rollout\":{\"timeout\":\"5m\"}");
}

static void make_waiting(void)
{
    people_make_resource(API_KEYS, VOICE, VOICE_KEY, ",\"rollout\":{\"mode\":\"Wait\"}");
}

static void make_ignoring(void)
{
    people_make_resource(API_KEYS, VOICE, VOICE_KEY, ",\"rollout\":{\"mode\":\"Ignore\"}");
}

static void make_third(void)
{
    people_make_resource(API_KEYS, "audio", "audio-key", "");
}

static void make_second(void)
{
    people_make_resource(API_KEYS, "video", "video-key", "");
}

static void make_twin(void)
{
    people_make_resource(API_PULLS, "twin", VOICE_KEY, "");
}

static enum api_type type_of(const char *name)
{
    return api_get(API_KEYS, TEAM, name) ? API_KEYS : API_PULLS;
}

const cJSON *people_voice(void)
{
    return api_get(type_of(VOICE), TEAM, VOICE);
}

bool people_are_told(const char *reason)
{
    const cJSON *item = NULL;
    cJSON_ArrayForEach(item, json_at(people_voice(), "status.conditions"))
        if (mem_streq(json_string_member(item, "reason"), reason))
            return true;
    return false;
}

bool people_renamed(void)
{
    const char *target = json_string_at(people_voice(), "spec.secret.name");
    return target && strcmp(target, VOICE_KEY) != 0;
}

void people_merge_voice(const char *patch)
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

static void put_finalizers(cJSON *finalizers)
{
    auto_free char *text = json_print(finalizers);
    api_merge(type_of(VOICE), TEAM, VOICE, "{\"metadata\":{\"finalizers\":%s}}", text);
    cJSON_Delete(finalizers);
}

void people_add_finalizer(const char *name)
{
    cJSON *finalizers = cJSON_Duplicate(json_at(people_voice(), "metadata.finalizers"), true);
    if (!finalizers)
        finalizers = cJSON_CreateArray();
    cJSON_AddItemToArray(finalizers, cJSON_CreateString(name));
    put_finalizers(finalizers);
}

void people_drop_finalizer(const char *name)
{
    cJSON *others = cJSON_CreateArray();
    const cJSON *item = NULL;
    cJSON_ArrayForEach(item, json_at(people_voice(), "metadata.finalizers"))
        if (strcmp(item->valuestring, name) != 0)
            cJSON_AddItemToArray(others, cJSON_CreateString(item->valuestring));
    put_finalizers(others);
}

/* As with --cascade=foreground: the garbage collector takes first what the resource owns, and is
 * faster than the operator. With a target of an earlier name goes all that tells of the pods that
 * use it. */
static void delete_in_foreground(void)
{
    const cJSON *voice = people_voice();
    if (!voice || json_at(voice, "metadata.deletionTimestamp"))
        return;
    sim.blinded = sim.blinded || people_renamed();
    people_add_finalizer(ACTORS_FOREGROUND);
    delete_voice();
    actors_look_in(0);
}

/* What was kept is taken over, unless a person saw to it that it wasn't kept, or is of no use. */
static void make_over_retained(void)
{
    sim.mints_allowed += fault_planned(FAULT_USER) ? 1 : 0;
    make();
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
    if (people_voice())
        loop_timer_start(&sim.loop, &people.again, SECOND, make_again, NULL);
    else if (people.again_default)
        make_default();
    else
        people_make_resource(people.again_type, VOICE, VOICE_KEY, "");
}

static void recreate(void)
{
    people.again_type = type_of(VOICE);
    people.again_default = people_voice() && !json_at(people_voice(), "spec.credentialsRef");
    delete_voice();
    if (!loop_timer_armed(&people.again))
        loop_timer_start(&sim.loop, &people.again, SECOND, make_again, NULL);
}

static void delete_namespace(void)
{
    sim.gone_renamed = people_renamed();
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

static void request_all(void)
{
    static const char *const NAMES[] = { VOICE, "video", "audio" };
    people.tokens++;
    for (size_t i = 0; i < ARRAY_LENGTH(NAMES); i++)
        api_merge(type_of(NAMES[i]), TEAM, NAMES[i],
                  "{\"metadata\":{\"annotations\":{\"" ANNOTATION_ROTATE "\":\"token-%u\"}}}",
                  people.tokens);
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
    people_merge_voice("{\"spec\":{\"secret\":{\"labels\":{\"stage\":\"test\"}}}}");
}

static void change_template(void)
{
    people_merge_voice("{\"spec\":{\"secret\":{\"data\":{\"DEEPGRAM_API_KEY\":\"${apiKey}\","
                       "\"TOKEN\":\"Token ${apiKey}\"}}}}");
}

static void rename_target(void)
{
    sim.renamed_ms = time_server_ms();
    people_merge_voice("{\"spec\":{\"secret\":{\"name\":\"voice-renamed\"}}}");
}

static void rotate_hourly(void)
{
    people_merge_voice("{\"spec\":{\"rotation\":{\"every\":\"1h\"}}}");
}

static void rotate_no_more(void)
{
    people_merge_voice("{\"spec\":{\"rotation\":{\"every\":null}}}");
}

static void live_forever(void)
{
    people_merge_voice("{\"spec\":{\"validFor\":null}}");
}

static void leave_alone(void)
{
    if (!oracle_is_left_alone(people_voice())) /* also one that was made anew */
        sim.suspended_ms = time_now_ms();
    sim.was_suspended = true;
}

static void suspend(void)
{
    leave_alone();
    people_merge_voice("{\"spec\":{\"suspend\":true}}");
}

/* Something that the schema would not let pass. */
static void break_spec(void)
{
    leave_alone();
    people_merge_voice("{\"spec\":{\"scopes\":[\"" BAD_SCOPE "\"]}}");
}

static void mend_spec(void)
{
    sim.suspended_ms = 0;
    people_merge_voice("{\"spec\":{\"scopes\":null}}");
}

/* What expires is rotated by time as well, from then on. */
static void go_on(void)
{
    sim.mints_allowed += sim.suspended_ms != 0 && json_at(people_voice(), "spec.validFor");
    sim.suspended_ms = 0;
    people_merge_voice("{\"spec\":{\"suspend\":false}}");
}

/* Too late for what is on its way. */
static void set_retain(void)
{
    sim.blinded = sim.blinded || requests_revoking();
    sim.retain_ms = time_now_ms();
    people_merge_voice("{\"spec\":{\"deletionPolicy\":\"Retain\"}}");
}

static void set_revoke(void)
{
    sim.retain_ms = 0;
    people_merge_voice("{\"spec\":{\"deletionPolicy\":\"Revoke\"}}");
}

static void abandon(void)
{
    oracle_excuse(json_string_at(people_voice(), "metadata.uid"));
    people_merge_voice("{\"metadata\":{\"annotations\":{\"" ANNOTATION_ABANDON "\":\"true\"}}}");
}

/* ---- what was there before the operator ---- */

/* In a Secret that asks to be adopted. */
static void offer(const char *type, const char *entry, const char *text)
{
    auto_free char *value = base64_encode(text, strlen(text));
    api_make(API_SECRETS, TEAM,
             "{\"metadata\":{\"name\":\"" VOICE_KEY "\",\"annotations\":{\"" ANNOTATION_ADOPT
             "\":\"true\"}},\"type\":\"%s\",\"data\":{\"%s\":\"%s\"}}",
             type, entry, value);
}

/* A key made by hand. */
static void make_by_hand(void)
{
    struct credential_record *record = deepgram_plant("by hand", false);
    record->offered = true;
    offer("Opaque", "DEEPGRAM_API_KEY", record->value);
}

/* The same key in another Secret, for another resource. */
static void paste_by_hand(void)
{
    cJSON *copy = cJSON_Duplicate(api_get(API_SECRETS, TEAM, VOICE_KEY), true);
    cJSON *metadata = cJSON_GetObjectItemCaseSensitive(copy, "metadata");
    cJSON_ReplaceItemInObjectCaseSensitive(metadata, "name", cJSON_CreateString("video-key"));
    api_create(API_SECRETS, TEAM, copy, NULL);
    cJSON_Delete(copy);
}

/* The same with one that a person has revoked since. */
static void make_dead(void)
{
    make_by_hand();
    deepgram_kill(&sim.deepgram.credentials[sim.deepgram.count - 1], BY_PERSON);
    sim.deepgram.credentials[sim.deepgram.count - 1].died_ms = time_now_ms() - HOUR;
}

/* The same with a key that has no role. */
static void make_limited(void)
{
    make_by_hand();
    sim.deepgram.credentials[sim.deepgram.count - 1].limited = true;
}

/* The same, but nobody asks. */
static void make_unasked(void)
{
    make_by_hand();
    api_merge(API_SECRETS, TEAM, VOICE_KEY, "{\"metadata\":{\"annotations\":null}}");
}

/* Pull credentials, as Deepgram's console and `kubectl create secret docker-registry` make it. */
static void make_pull_by_hand(void)
{
    struct credential_record *record = deepgram_plant("by hand", true);
    record->offered = true;
    auto_free char *config =
        mem_printf("{\"auths\":{\"quay.io\":{\"username\":\"deepgram+%s\",\"password\":\"%s\"}}}",
                   record->id, record->value);
    offer("kubernetes.io/dockerconfigjson", ".dockerconfigjson", config);
}

/* ---- the table ---- */

static const struct action ACTIONS[] = {
    { "make", make, 1, false },
    { "make-pull", make_pull, 1, false },
    { "make-default", make_default, 1, false },
    { "make-retained", make_retained, 1, false },
    { "make-expiring", make_expiring, 1, false },
    { "make-streaming", make_streaming, 1, false },
    { "make-impatient", make_impatient, 1, false },
    { "make-waiting", make_waiting, 1, false },
    { "make-ignoring", make_ignoring, 1, false },
    { "make-adopting", make, 0, false },
    { "make-adopting-pull", make_pull, 0, false },
    { "make-over-retained", make_over_retained, 0, false },
    { "by-hand", make_by_hand, 0, false },
    { "paste", paste_by_hand, 0, false },
    { "by-hand-dead", make_dead, 0, false },
    { "by-hand-limited", make_limited, 0, false },
    { "by-hand-pull", make_pull_by_hand, 0, false },
    { "unasked", make_unasked, 0, false },
    { "second", make_second, 1, true },
    { "third", make_third, 1, false },
    { "token-all", request_all, 3, false },
    { "twin", make_twin, 1, true },
    { "delete", delete_voice, 0, true },
    { "delete-foreground", delete_in_foreground, 0, true },
    { "delete-second", delete_second, 0, false },
    { "delete-twin", delete_twin, 0, false },
    { "recreate", recreate, 1, true },
    { "delete-namespace", delete_namespace, 0, true },
    { "token", request_rotation, 1, true },
    { "spec", change_spec, 1, true },
    { "both", change_both, 1, true },
    { "labels", change_labels, 0, true },
    { "template", change_template, 0, false },
    { "rename", rename_target, 0, false },
    { "hourly", rotate_hourly, 0, false },
    { "hourly-no-more", rotate_no_more, 0, false },
    { "forever", live_forever, 1, false },
    { "an-hour", NULL, 1, false },
    { "suspend", suspend, 0, true },
    { "break-spec", break_spec, 0, false },
    { "mend-spec", mend_spec, 0, false },
    { "go-on", go_on, 0, true },
    { "retain", set_retain, 0, true },
    { "revoke", set_revoke, 0, true },
    { "abandon", abandon, 0, true },
};

const struct action *action_at(size_t index)
{
    return index < ARRAY_LENGTH(ACTIONS) ? &ACTIONS[index]
                                         : damage_at(index - ARRAY_LENGTH(ACTIONS));
}

const struct action *action_find(const char *name, size_t length)
{
    const struct action *action = NULL;
    for (size_t i = 0; (action = action_at(i)) != NULL; i++)
        if (strlen(action->name) == length && strncmp(action->name, name, length) == 0)
            return action;
    return NULL;
}

bool action_strikes(const struct action *action, const struct story *story)
{
    return action->ambient && (!accounts_action(action) || strstr(story->script, "accounts"));
}

void action_perform(const struct action *action)
{
    sim_trace("==> %s", action->name);
    if (!strstr(action->name, "operator")) /* nothing that it looks at */
        sim.acted_ms = time_now_ms();
    sim.mints_allowed += process_two_will_lead() ? 2 * action->mints : action->mints;
    if (action->perform)
        action->perform();
}
