/* What goes wrong around a resource: its Secrets, its admin Secret and its pods. */
#include <string.h>

#include "api/resource.h"
#include "base/base64.h"
#include "base/json.h"
#include "people.h"
#include "sim.h"

static void wipe_status(void)
{
    people_merge_voice("{\"status\":null}");
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
    sim.blinded = sim.blinded || people_renamed();
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
    const char *id = json_string_at(people_voice(), "status.id");
    if (id && (record = deepgram_find(id)) != NULL && deepgram_alive(record))
        deepgram_kill(record, BY_PERSON);
}

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

static void deploy(void)
{
    actors_deploy(VOICE_KEY, 2);
}

/* One under the old name of a renamed target, made while its deletion is on its way, can't be
 * known.
 */
static void bare_pod(void)
{
    sim.blinded = sim.blinded || (people_renamed() && requests_deleting());
    actors_deploy(VOICE_KEY, 1);
}

static const struct action DAMAGE[] = {
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

const struct action *damage_at(size_t index)
{
    return index < ARRAY_LENGTH(DAMAGE) ? &DAMAGE[index] : NULL;
}
