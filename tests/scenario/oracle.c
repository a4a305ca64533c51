/* The invariants of the lifecycle, judged by what the simulated world saw: at each effect, and when
 * all has come to rest. Nothing here asks the operator. */
#include "sim.h"

#include <stdlib.h>
#include <string.h>

#include "api/credential.h"
#include "api/resource.h"
#include "api/target.h"
#include "base/json.h"

/* ---- I6: no secret outside of a Secret's data ---- */

void oracle_text(const char *where, const char *text)
{
    if (strstr(text, SECRET_MARK) || strstr(text, SECRET_MARK_BASE64))
        sim_broken(I6, "a secret value in %s: %.100s", where, text);
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

/* ---- who may be left alive ---- */

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

static const struct api_object *find_uid(const char *uid)
{
    for (size_t i = 0; i < sim.api.count; i++)
        if (mem_streq(json_string_at(sim.api.objects[i].json, "metadata.uid"), uid))
            return &sim.api.objects[i];
    return NULL;
}

static const char *annotation(const cJSON *object, const char *name)
{
    return json_string_member(json_at(object, "metadata.annotations"), name);
}

/* NULL when it is no revision Secret. */
static const char *revision_id(const cJSON *secret)
{
    return annotation(secret, ANNOTATION_NONCE) ? annotation(secret, ANNOTATION_ID) : NULL;
}

static bool status_names(const cJSON *resource, const char *id)
{
    const cJSON *revision = NULL;
    cJSON_ArrayForEach(revision, json_at(resource, "status.revisions"))
        if (mem_streq(json_string_member(revision, "id"), id) &&
            !mem_streq(json_string_member(revision, "state"), "Revoked"))
            return true;
    return false;
}

static bool secret_names(const char *id)
{
    for (size_t i = 0; i < sim.api.count; i++)
        if (sim.api.objects[i].type == API_SECRETS &&
            mem_streq(revision_id(sim.api.objects[i].json), id))
            return true;
    return false;
}

/* Retain: what the resource names when it goes stays alive, and nothing else. */
static void note_retained(const cJSON *resource)
{
    const char *uid = json_string_at(resource, "metadata.uid");
    for (size_t i = 0; i < sim.deepgram.count; i++) {
        struct credential_record *record = &sim.deepgram.credentials[i];
        if (strcmp(record->uid, uid) == 0 &&
            (status_names(resource, record->id) || secret_names(record->id)))
            record->retained = true;
    }
}

/* ---- I7: nothing of others is changed ---- */

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

static bool same_without(const cJSON *before, const cJSON *after, const char *const *paths,
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
    cJSON_ArrayForEach(item, json_at(before, "metadata.finalizers")) {
        bool found = mem_streq(item->valuestring, ours);
        const cJSON *kept = NULL;
        cJSON_ArrayForEach(kept, json_at(after, "metadata.finalizers"))
            found = found || mem_streq(kept->valuestring, item->valuestring);
        if (!found)
            return false;
    }
    return true;
}

static const cJSON *controller_of(const cJSON *object)
{
    const cJSON *owner = NULL;
    cJSON_ArrayForEach(owner, json_at(object, "metadata.ownerReferences"))
        if (json_bool_at(owner, "controller", false))
            return owner;
    return NULL;
}

static bool is_ours(const cJSON *secret)
{
    const char *kind = json_string_at(controller_of(secret), "kind");
    if (!kind) /* left by Retain, for whoever comes next under that name */
        kind = annotation(secret, ANNOTATION_RESOURCE);
    return kind && strncmp(kind, "Deepgram", 8) == 0;
}

static void check_resource_write(const cJSON *before, const cJSON *after)
{
    static const char *const OURS[] = { "status", "finalizers", ANNOTATION_ISSUING };
    if (!before || !same_without(before, after, OURS, ARRAY_LENGTH(OURS)) ||
        !keeps_finalizers(before, after, FINALIZER_REVOKE))
        sim_broken(I7, "changed more of %s than status, announcement and its finalizer",
                   json_string_at(after, "metadata.name"));
}

static void check_secret_owner(const cJSON *before, const cJSON *after)
{
    static const char *const MARK[] = { "finalizers" };
    const char *name = json_string_at(before, "metadata.name");
    if (!is_ours(before) && !annotation(before, ANNOTATION_ADOPT)) {
        if (!same_without(before, after, MARK, 1) ||
            !keeps_finalizers(before, after, FINALIZER_IN_USE))
            sim_broken(I7, "changed Secret %s, which nobody gave to the operator", name);
        return;
    }
    const char *now = json_string_at(controller_of(after), "uid");
    const char *then = json_string_at(controller_of(before), "uid");
    if (then && now && !mem_streq(now, then))
        sim_broken(I7, "took Secret %s away from its owner", name);
}

/* ---- I3: what is published is alive, and was recorded first ---- */

static bool is_recorded(const char *value)
{
    for (size_t i = 0; i < sim.api.count; i++) {
        const cJSON *json = sim.api.objects[i].json;
        if (sim.api.objects[i].type != API_SECRETS || !revision_id(json))
            continue;
        auto_free char *kept = deepgram_value_in(json);
        if (mem_streq(kept, value))
            return true;
    }
    return false;
}

static void check_published(const cJSON *before, const cJSON *after)
{
    const char *owner = json_string_at(controller_of(after), "uid");
    const struct api_object *resource = owner ? find_uid(owner) : NULL;
    if (!resource || json_at(resource->json, "metadata.deletionTimestamp"))
        return; /* what goes with its resource may come late */
    auto_free char *value = deepgram_value_in(after);
    auto_free char *old = deepgram_value_in(before);
    if (mem_streq(value, old))
        return;
    const char *name = json_string_at(after, "metadata.name");
    const struct credential_record *record = value ? deepgram_by_value(value) : NULL;
    if (!record)
        sim_broken(I3, "published something in %s that Deepgram never issued", name);
    else if (!deepgram_alive(record) && record->death != BY_PERSON)
        sim_broken(I3, "published %s in %s, which is dead", record->id, name);
    else if (!is_recorded(value))
        sim_broken(I3, "published %s in %s without a revision Secret", record->id, name);
}

/* A key whose Secret was taken over counts as the resource's from then on. */
static void note_adopted(const cJSON *secret)
{
    auto_free char *value = deepgram_value_in(secret);
    struct credential_record *record = value ? deepgram_by_value(value) : NULL;
    const char *uid = json_string_at(controller_of(secret), "uid");
    if (!record || record->uid[0] != '\0' || !uid)
        return;
    if (!record->offered)
        sim_broken(I7, "adopted %s, which nobody offered", record->id);
    snprintf(record->uid, sizeof record->uid, "%s", uid);
}

void oracle_object_written(enum api_type type, const cJSON *before, const cJSON *after,
                           bool deletion)
{
    if (type == API_PODS || type == API_NAMESPACES) {
        sim_broken(I7, "wrote a %s", api_type_name(type));
        return;
    }
    if (type != API_SECRETS) {
        if (deletion)
            sim_broken(I7, "deleted a resource");
        else if (after)
            check_resource_write(before, after);
        else if (mem_streq(json_string_at(before, "spec.deletionPolicy"), "Retain"))
            note_retained(before);
        return;
    }
    if (deletion && !is_ours(before) && !annotation(before, ANNOTATION_ADOPT))
        sim_broken(I7, "deleted Secret %s, which isn't its own",
                   json_string_at(before, "metadata.name"));
    if (deletion || !after)
        return;
    if (before)
        check_secret_owner(before, after);
    if (before && !controller_of(before) && !revision_id(after))
        note_adopted(after);
    if (!revision_id(after))
        check_published(before, after);
}

/* ---- I2, I3, I7: at a revocation ---- */

static void check_not_published(const struct credential_record *record)
{
    for (size_t i = 0; i < sim.api.count; i++) {
        const struct api_object *object = &sim.api.objects[i];
        if (object->type != API_SECRETS || revision_id(object->json) ||
            json_at(object->json, "metadata.deletionTimestamp"))
            continue;
        auto_free char *value = deepgram_value_in(object->json);
        if (mem_streq(value, record->value))
            sim_broken(I3, "revoked %s, which is published in %s", record->id, object->name);
    }
}

void oracle_revoking(const struct credential_record *record, const char *admin_key)
{
    if (!record->offered && strncmp(record->uid, "0000", 4) != 0) {
        sim_broken(I7, "revoked %s, which is not its own", record->id);
        return;
    }
    if (strcmp(admin_key, ADMIN_KEY) != 0)
        sim_broken(I7, "revoked %s with another namespace's key", record->id);
    const char *pod = actors_holder(record->value);
    if (pod && !sim.blinded)
        sim_broken(I2, "revoked %s, which %s holds", record->id, pod);
    check_not_published(record);
}

bool admin_key_works(const char *key)
{
    return strcmp(key, ADMIN_KEY) == 0;
}

/* ---- after all has come to rest ---- */

static bool admin_usable(bool for_issuing)
{
    const cJSON *admin = api_get(API_SECRETS, TEAM, "admin");
    return admin && !(for_issuing && json_at(admin, "metadata.deletionTimestamp"));
}

static bool owns_target(const cJSON *resource)
{
    const cJSON *target = api_get(API_SECRETS, TEAM, json_string_at(resource, "spec.secret.name"));
    const char *owner = json_string_at(controller_of(target), "uid");
    return owner && mem_streq(owner, json_string_at(resource, "metadata.uid"));
}

static bool pods_refer(const cJSON *resource)
{
    const char *target = json_string_at(resource, "spec.secret.name");
    return actors_refer(target);
}

static void judge_credential(const struct credential_record *record)
{
    const struct api_object *owner = find_uid(record->uid);
    if (!owner) {
        if (!oracle_excused(record->uid) && !record->retained)
            sim_broken(I1, "%s is alive, and its resource is gone", record->id);
        return;
    }
    bool abandoned = annotation(owner->json, ANNOTATION_ABANDON) != NULL;
    bool deleting = json_at(owner->json, "metadata.deletionTimestamp") != NULL;
    bool in_use = deleting && pods_refer(owner->json);
    if (abandoned || in_use || !admin_usable(false))
        return;
    if (!status_names(owner->json, record->id) && !secret_names(record->id))
        sim_broken(I1, "%s is alive, and %s doesn't name it", record->id, owner->name);
    else if (!deleting && !pods_refer(owner->json) && !actors_holder(record->value) &&
             owns_target(owner->json) &&
             !mem_streq(json_string_at(owner->json, "status.id"), record->id))
        sim_broken(I1, "%s was replaced, and is still alive", record->id);
}

static void judge_deleting(const struct api_object *object)
{
    const cJSON *json = object->json;
    bool waits_for_pods =
        pods_refer(json) && !mem_streq(json_string_at(json, "spec.deletionPolicy"), "Retain");
    if (annotation(json, ANNOTATION_ABANDON) || (!waits_for_pods && admin_usable(false)))
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

static void judge_published(const struct api_object *object, const cJSON *target)
{
    const cJSON *json = object->json;
    const char *type = object->type == API_KEYS ? "Opaque" : SECRET_TYPE_DOCKER;
    auto_free char *value = deepgram_value_in(target);
    const struct credential_record *record = value ? deepgram_by_value(value) : NULL;
    const char *id = json_string_at(json, "status.id");
    if (record && record->death == BY_PERSON && !admin_usable(true))
        return; /* can't be replaced */
    if (!record || !deepgram_alive(record))
        sim_broken(I3, "%s's target holds no live credential", object->name);
    else if (!mem_streq(record->id, id))
        sim_broken(I3, "%s's status says %s, its target holds %s", object->name, id, record->id);
    else if (!mem_streq(json_string_at(target, "type"), type))
        sim_broken(I3, "%s's target has type %s", object->name, json_string_at(target, "type"));
    else if (!secret_names(record->id))
        sim_broken(I3, "%s's target holds %s, which no revision Secret keeps", object->name, id);
    else if (!mem_streq(json_string_member(json_at(target, "metadata.labels"), LABEL_MANAGED_BY),
                        MANAGED_BY) ||
             !mem_streq(annotation(target, ANNOTATION_ID), id))
        sim_broken(I3, "%s's target says of itself what is not so", object->name);
}

/* An announced create that left neither a revision Secret nor a line in status. */
static bool announcement_open(const cJSON *resource)
{
    const char *text = annotation(resource, ANNOTATION_ISSUING);
    auto_json cJSON *attempts = text ? json_parse(text, strlen(text)) : NULL;
    const cJSON *attempt = NULL;
    cJSON_ArrayForEach(attempt, attempts) {
        bool known = false;
        for (size_t i = 0; i < sim.api.count; i++)
            known = known || mem_streq(annotation(sim.api.objects[i].json, ANNOTATION_NONCE),
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
    else if (annotation(json, ANNOTATION_ROTATE) &&
             !mem_streq(annotation(json, ANNOTATION_ROTATE),
                        json_string_at(json, "status.lastHandledRotateRequest")))
        sim_broken(WEDGED, "%s's rotation was not carried out", object->name);
    else if (announcement_open(json))
        sim_broken(WEDGED, "%s's announcement stays open", object->name);
}

static bool has_finalizer(const cJSON *resource)
{
    const cJSON *item = NULL;
    cJSON_ArrayForEach(item, json_at(resource, "metadata.finalizers"))
        if (mem_streq(item->valuestring, FINALIZER_REVOKE))
            return true;
    return false;
}

static void judge_living(const struct api_object *object)
{
    const cJSON *json = object->json;
    const char *name = json_string_at(json, "spec.secret.name");
    const cJSON *target = api_get(API_SECRETS, TEAM, name);
    if (api_namespace_terminating(TEAM) || (target && !owns_target(json)))
        return; /* somebody else's by now */
    if (!admin_usable(true) && !target)
        return;
    if (!target) {
        sim_broken(I3, "%s has no target", object->name);
        return;
    }
    if (!has_finalizer(json))
        sim_broken(I1, "%s holds a credential without the finalizer", object->name);
    judge_published(object, target);
    if (admin_usable(true))
        judge_status(object);
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

void oracle_judge(void)
{
    for (size_t i = 0; i < sim.deepgram.count; i++) {
        const struct credential_record *record = &sim.deepgram.credentials[i];
        if (deepgram_alive(record) && strncmp(record->uid, "0000", 4) == 0)
            judge_credential(record);
    }
    for (size_t i = 0; i < sim.api.count; i++) {
        const struct api_object *object = &sim.api.objects[i];
        if (object->type != API_KEYS && object->type != API_PULLS)
            continue;
        if (json_at(object->json, "metadata.deletionTimestamp"))
            judge_deleting(object);
        else
            judge_living(object);
    }
    judge_namespace();
    if ((int64_t)sim.deepgram.creates > sim.mints_allowed)
        sim_broken(I4, "%llu credentials were created, and %lld are explained",
                   (unsigned long long)sim.deepgram.creates, (long long)sim.mints_allowed);
}
