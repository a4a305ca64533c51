/* I6 (no secret outside of a Secret's data), who may be left alive, and the facts that the other
 * two parts of the oracle ask for. */
#include "oracle.h"

#include <string.h>

#include "api/credential.h"
#include "base/json.h"
#include "oracle_facts.h"
#include "sim.h"

void oracle_text(const char *where, const char *text)
{
    if (strstr(text, SECRET_MARK) || strstr(text, SECRET_MARK_BASE64))
        sim_broken(I6, "a secret value in %s: %.100s", where, text);
}

/* A person is asked for only where Deepgram said twice that it doesn't know what is alive. */
void oracle_event(const struct resource *resource, const char *reason)
{
    if (strcmp(reason, "AdoptionFailed") != 0)
        return;
    auto_free char *value =
        deepgram_value_in(api_get(API_SECRETS, resource->namespace, resource->spec.secret_name));
    const struct credential_record *record = value ? deepgram_by_value(value) : NULL;
    unsigned wrong = 0;
    for (size_t i = 0; i < sim.schedule->fault_count; i++)
        wrong += sim.schedule->faults[i].kind == FAULT_REFUSED ||
                 sim.schedule->faults[i].kind == FAULT_NOWHERE;
    bool fits = record && record->pull == (resource->kind == RESOURCE_PULL_SECRET);
    if (fits && deepgram_alive(record) && wrong < 2)
        sim_broken(WEDGED, "doesn't adopt %s, which is alive", record->id);
}

void oracle_written_body(enum api_type type, const cJSON *body)
{
    if (!body)
        return;
    auto_json cJSON *copy = cJSON_Duplicate(body, true);
    if (type == API_SECRETS)
        cJSON_DeleteItemFromObjectCaseSensitive(copy, "data");
    auto_free char *text = json_print(copy);
    oracle_text(api_type_name(type), text);
}

void oracle_excuse(const char *uid)
{
    if (!uid || oracle_excused(uid) || sim.excuse_count == EXCUSES_MAX)
        return;
    struct excuse *excuse = &sim.excuses[sim.excuse_count++];
    snprintf(excuse->uid, sizeof excuse->uid, "%s", uid);
}

bool oracle_excused(const char *uid)
{
    for (size_t i = 0; i < sim.excuse_count; i++)
        if (strcmp(sim.excuses[i].uid, uid) == 0)
            return true;
    return false;
}

const struct api_object *oracle_find_uid(const char *uid)
{
    for (size_t i = 0; i < sim.api.count; i++)
        if (mem_streq(json_string_at(sim.api.objects[i].json, "metadata.uid"), uid))
            return &sim.api.objects[i];
    return NULL;
}

bool oracle_ignores_pods(const struct credential_record *record)
{
    const struct api_object *resource = oracle_find_uid(record->uid);
    bool deleting = resource && json_at(resource->json, "metadata.deletionTimestamp");
    /* a target that somebody had emptied doesn't tell what it held before */
    bool is_replaced =
        resource && (record->replaced_ms != 0 ||
                     record->revision < json_int_at(resource->json, "status.revision", 0));
    return resource && (!deleting || is_replaced) &&
           mem_streq(json_string_at(resource->json, "spec.rollout.mode"), "Ignore");
}

bool oracle_is_left_alone(const cJSON *resource)
{
    const cJSON *scope = NULL;
    cJSON_ArrayForEach(scope, json_at(resource, "spec.scopes"))
        if (mem_streq(scope->valuestring, BAD_SCOPE))
            return true;
    return json_bool_at(resource, "spec.suspend", false);
}

bool oracle_restarts(const cJSON *resource)
{
    const char *mode = json_string_at(resource, "spec.rollout.mode");
    return !mode || strcmp(mode, "Restart") == 0;
}

const char *oracle_annotation(const cJSON *object, const char *name)
{
    return json_string_member(json_at(object, "metadata.annotations"), name);
}

/* NULL when it is no revision Secret. */
const char *oracle_revision_id(const cJSON *secret)
{
    return oracle_annotation(secret, ANNOTATION_NONCE) ? oracle_annotation(secret, ANNOTATION_ID)
                                                       : NULL;
}

bool oracle_status_names(const cJSON *resource, const char *id)
{
    const cJSON *revision = NULL;
    cJSON_ArrayForEach(revision, json_at(resource, "status.revisions"))
        if (mem_streq(json_string_member(revision, "id"), id) &&
            !mem_streq(json_string_member(revision, "state"), "Revoked"))
            return true;
    return false;
}

bool oracle_can_go_back(const struct credential_record *bad)
{
    for (size_t i = 0; i < sim.deepgram.count; i++) {
        const struct credential_record *record = &sim.deepgram.credentials[i];
        if (strcmp(record->uid, bad->uid) == 0 && record->revision < bad->revision &&
            deepgram_alive(record))
            return true;
    }
    return false;
}

bool oracle_announcement_open(const cJSON *resource)
{
    const char *text = oracle_annotation(resource, ANNOTATION_ISSUING);
    auto_json cJSON *attempts = text ? json_parse(text, strlen(text)) : NULL;
    const cJSON *attempt = NULL;
    cJSON_ArrayForEach(attempt, attempts) {
        bool known = false;
        for (size_t i = 0; i < sim.api.count; i++)
            known = known || mem_streq(oracle_annotation(sim.api.objects[i].json, ANNOTATION_NONCE),
                                       json_string_at(attempt, "nonce"));
        const cJSON *revision = NULL;
        cJSON_ArrayForEach(revision, json_at(resource, "status.revisions"))
            known = known ||
                    json_int_at(revision, "revision", 0) == json_int_at(attempt, "revision", -1);
        if (!known)
            return true;
    }
    return false;
}

bool oracle_same_words(const struct credential_record *a, const struct credential_record *b)
{
    size_t length = strcspn(a->comment, "[");
    return length == strcspn(b->comment, "[") && strncmp(a->comment, b->comment, length) == 0;
}

bool oracle_secret_names(const char *id)
{
    for (size_t i = 0; i < sim.api.count; i++)
        if (sim.api.objects[i].type == API_SECRETS &&
            mem_streq(oracle_revision_id(sim.api.objects[i].json), id))
            return true;
    return false;
}

const cJSON *oracle_controller_of(const cJSON *object)
{
    const cJSON *owner = NULL;
    cJSON_ArrayForEach(owner, json_at(object, "metadata.ownerReferences"))
        if (json_bool_at(owner, "controller", false))
            return owner;
    return NULL;
}
