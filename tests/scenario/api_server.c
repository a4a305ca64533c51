/* The API server's storage: resourceVersions, UIDs, preconditions, merge patches, finalizers,
 * generations, immutable Secrets, terminating namespaces. An object never changes in place: the
 * watches still have to show what it was. */
#include "api_server.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "api/timestamp.h"
#include "api/workload.h"
#include "base/json.h"
#include "sim.h"

static const struct kube_resource *const TYPES[API_TYPES] = {
    [API_KEYS] = &KUBE_API_KEYS,
    [API_PULLS] = &KUBE_PULL_SECRETS,
    [API_SECRETS] = &KUBE_SECRETS,
    [API_PODS] = &KUBE_PODS,
    [API_NAMESPACES] = &KUBE_NAMESPACES,
    [API_DEPLOYMENTS] = &KUBE_DEPLOYMENTS,
    [API_ACCOUNTS] = &KUBE_SERVICE_ACCOUNTS,
};

enum api_type api_type_of(const struct kube_resource *resource)
{
    for (enum api_type type = 0; type < API_TYPES; type++)
        if (TYPES[type] == resource)
            return type;
    abort();
}

const char *api_type_name(enum api_type type)
{
    return TYPES[type]->plural;
}

bool api_is_resource(enum api_type type)
{
    return type == API_KEYS || type == API_PULLS;
}

/* ---- storage ---- */

static struct api_object *find(enum api_type type, const char *namespace, const char *name)
{
    for (size_t i = 0; i < sim.api.count; i++) {
        struct api_object *object = &sim.api.objects[i];
        if (object->type == type && strcmp(object->name, name) == 0 &&
            strcmp(object->namespace, namespace ? namespace : "") == 0)
            return object;
    }
    return NULL;
}

cJSON *api_get(enum api_type type, const char *namespace, const char *name)
{
    struct api_object *object = find(type, namespace, name);
    return object ? object->json : NULL;
}

static void tell(enum api_type type, bool deleted, cJSON *json)
{
    assert(sim.api.event_count < API_EVENTS_MAX);
    sim.api.events[sim.api.event_count++] = (struct api_event){
        .type = type, .deleted = deleted, .json = json, .at_ms = time_now_ms()
    };
    sim_changed();
    process_tell_watches();
    actors_wake();
}

static void stamp(cJSON *json)
{
    cJSON *metadata = cJSON_GetObjectItemCaseSensitive(json, "metadata");
    cJSON_DeleteItemFromObjectCaseSensitive(metadata, "resourceVersion");
    char version[24];
    snprintf(version, sizeof version, "%lld", (long long)++sim.api.version);
    json_add_string(metadata, "resourceVersion", version);
}

static void store_json(struct api_object *object, cJSON *json)
{
    stamp(json);
    object->json = json;
    const char *namespace = json_string_at(json, "metadata.namespace");
    object->namespace = namespace ? namespace : "";
    object->name = json_string_at(json, "metadata.name");
    tell(object->type, false, json);
}

static void remove_object(struct api_object *object)
{
    cJSON *last = cJSON_Duplicate(object->json, true);
    stamp(last); /* a DELETED event bears the version of the deletion */
    enum api_type type = object->type;
    *object = sim.api.objects[--sim.api.count];
    tell(type, true, last);
}

void api_reset(void)
{
    sim.api.count = 0;
    sim.api.event_count = 0;
    sim.api.version = 100;
    sim.api.uids = 0;
    sim.api.paused = NULL;
}

bool api_namespace_terminating(const char *namespace)
{
    const cJSON *json = api_get(API_NAMESPACES, NULL, namespace);
    return !json || json_at(json, "metadata.deletionTimestamp");
}

/* ---- answers ---- */

static struct api_result ok(cJSON *object)
{
    return (struct api_result){ .code = 200, .reason = "", .message = "", .object = object };
}

static struct api_result refuse(long code, const char *reason, const char *message)
{
    return (struct api_result){ .code = code, .reason = reason, .message = message };
}

static struct api_result not_found(void)
{
    return refuse(404, "NotFound", "not found");
}

static struct api_result conflict(void)
{
    return refuse(409, "Conflict",
                  "the object has been modified; please apply your changes to the latest version");
}

/* ---- writes ---- */

static void add_now(cJSON *metadata, const char *name)
{
    char text[TIMESTAMP_BYTES];
    timestamp_format(time_server_ms(), text);
    cJSON_DeleteItemFromObjectCaseSensitive(metadata, name);
    json_add_string(metadata, name, text);
}

static void set_int(cJSON *object, const char *name, int64_t number)
{
    cJSON_DeleteItemFromObjectCaseSensitive(object, name);
    json_add_int(object, name, number);
}

static void default_status(cJSON *json)
{
    static const char TEXT[] =
        "{\"conditions\":[{\"type\":\"Ready\",\"status\":\"Unknown\",\"reason\":\"Pending\","
        "\"message\":\"Waiting for the operator to see this resource.\","
        "\"lastTransitionTime\":\"1970-01-01T00:00:00Z\"}]}";
    cJSON_DeleteItemFromObjectCaseSensitive(json, "status");
    cJSON_AddItemToObject(json, "status", json_parse(TEXT, strlen(TEXT)));
}

/* Who else wrote isn't told. */
static void note_manager(cJSON *metadata, const char *manager)
{
    if (!manager)
        return;
    cJSON_DeleteItemFromObjectCaseSensitive(metadata, "managedFields");
    cJSON *entry = cJSON_CreateObject();
    cJSON_AddItemToArray(json_add_array(metadata, "managedFields"), entry);
    json_add_string(entry, "manager", manager);
    add_now(entry, "time");
}

struct api_result api_create(enum api_type type, const char *namespace, const cJSON *body,
                             const char *manager)
{
    const char *name = json_string_at(body, "metadata.name");
    assert(name);
    if (namespace && !api_get(API_NAMESPACES, NULL, namespace))
        return refuse(404, "NotFound", "namespaces not found");
    if (find(type, namespace, name))
        return refuse(409, "AlreadyExists", "already exists");
    if (namespace && api_namespace_terminating(namespace))
        return refuse(403, "Forbidden",
                      "unable to create new content because the namespace is being terminated");
    cJSON *json = cJSON_Duplicate(body, true);
    cJSON *metadata = cJSON_GetObjectItemCaseSensitive(json, "metadata");
    cJSON_DeleteItemFromObjectCaseSensitive(metadata, "uid");
    cJSON_DeleteItemFromObjectCaseSensitive(metadata, "namespace");
    char uid[40];
    snprintf(uid, sizeof uid, "00000000-0000-4000-8000-%012u", ++sim.api.uids);
    json_add_string(metadata, "uid", uid);
    json_add_string(metadata, "namespace", namespace);
    add_now(metadata, "creationTimestamp");
    note_manager(metadata, manager);
    if (api_is_resource(type)) {
        set_int(metadata, "generation", 1);
        default_status(json);
    }
    assert(sim.api.count < API_OBJECTS_MAX);
    struct api_object *object = &sim.api.objects[sim.api.count++];
    object->type = type;
    store_json(object, json);
    return ok(json);
}

bool api_has_finalizer(const cJSON *object, const char *finalizer)
{
    const cJSON *item = NULL;
    cJSON_ArrayForEach(item, json_at(object, "metadata.finalizers"))
        if (mem_streq(item->valuestring, finalizer))
            return true;
    return false;
}

static bool adds_finalizer(const cJSON *before, const cJSON *after)
{
    const cJSON *item = NULL;
    cJSON_ArrayForEach(item, json_at(after, "metadata.finalizers"))
        if (!api_has_finalizer(before, item->valuestring))
            return true;
    return false;
}

static const char *why_invalid(enum api_type type, const cJSON *before, const cJSON *after)
{
    if (json_at(before, "metadata.deletionTimestamp") && adds_finalizer(before, after))
        return "no new finalizers can be added if the object is being deleted";
    if (type != API_SECRETS)
        return NULL;
    if (!mem_streq(json_string_at(before, "type"), json_string_at(after, "type")))
        return "type: Invalid value: field is immutable";
    if (json_bool_at(before, "immutable", false) && !json_bool_at(after, "immutable", false))
        return "immutable: Forbidden: field is immutable when `immutable` is set";
    const cJSON *old = json_member(before, "data");
    const cJSON *new = json_member(after, "data");
    if (json_bool_at(before, "immutable", false) && (old || new) && !cJSON_Compare(old, new, true))
        return "data: Forbidden: field is immutable when `immutable` is set";
    return NULL;
}

/* What a client can't change is taken from the object that is there. */
static void restore_fixed(cJSON *after, const cJSON *before)
{
    static const char *const FIXED[] = {
        "uid",  "creationTimestamp", "deletionTimestamp", "resourceVersion", "generation",
        "name", "namespace"
    };
    cJSON *metadata = cJSON_GetObjectItemCaseSensitive(after, "metadata");
    for (size_t i = 0; i < ARRAY_LENGTH(FIXED); i++) {
        cJSON_DeleteItemFromObjectCaseSensitive(metadata, FIXED[i]);
        const cJSON *old = json_member(json_member(before, "metadata"), FIXED[i]);
        if (old)
            cJSON_AddItemToObject(metadata, FIXED[i], cJSON_Duplicate(old, true));
    }
}

static bool is_over(enum api_type type, const cJSON *json)
{
    return type != API_PODS && type != API_NAMESPACES &&
           json_at(json, "metadata.deletionTimestamp") &&
           cJSON_GetArraySize(json_at(json, "metadata.finalizers")) == 0;
}

/* Stores `after` (taken over) in place of what is there. */
static struct api_result replace(struct api_object *object, cJSON *after)
{
    enum api_type type = object->type;
    const cJSON *before = object->json;
    restore_fixed(after, before);
    const char *problem = why_invalid(type, before, after);
    if (problem)
        return refuse(422, "Invalid", problem);
    if (cJSON_Compare(before, after, true))
        return ok(object->json); /* nothing changed, and no version either */
    if ((api_is_resource(type) || type == API_DEPLOYMENTS) &&
        !cJSON_Compare(json_member(before, "spec"), json_member(after, "spec"), true))
        set_int(cJSON_GetObjectItemCaseSensitive(after, "metadata"), "generation",
                json_int_at(before, "metadata.generation", 0) + 1);
    if (is_over(type, after)) {
        object->json = after;
        remove_object(object);
        return ok(after);
    }
    store_json(object, after);
    return ok(after);
}

/* Do the versions and UIDs that a client names fit? Absent ones do. */
static bool fits(const cJSON *named, const cJSON *object)
{
    const char *version = json_string_at(named, "resourceVersion");
    const char *uid = json_string_at(named, "uid");
    return (!version || mem_streq(version, json_string_at(object, "metadata.resourceVersion"))) &&
           (!uid || mem_streq(uid, json_string_at(object, "metadata.uid")));
}

static void put_item(cJSON *object, const char *name, const cJSON *item)
{
    cJSON_DeleteItemFromObjectCaseSensitive(object, name);
    if (item)
        cJSON_AddItemToObject(object, name, cJSON_Duplicate(item, true));
}

struct api_result api_update(enum api_type type, const char *namespace, const char *name,
                             const cJSON *body, const char *manager)
{
    struct api_object *object = find(type, namespace, name);
    if (!object)
        return not_found();
    if (!fits(json_member(body, "metadata"), object->json))
        return conflict();
    cJSON *after = cJSON_Duplicate(body, true);
    if (api_is_resource(type))
        put_item(after, "status", json_member(object->json, "status"));
    cJSON *metadata = cJSON_GetObjectItemCaseSensitive(after, "metadata");
    put_item(metadata, "managedFields", json_at(object->json, "metadata.managedFields"));
    note_manager(metadata, manager);
    return replace(object, after);
}

/* RFC 7386 */
static void merge(cJSON *target, const cJSON *patch)
{
    const cJSON *item = NULL;
    cJSON_ArrayForEach(item, patch) {
        cJSON *present = cJSON_GetObjectItemCaseSensitive(target, item->string);
        if (cJSON_IsNull(item)) {
            cJSON_DeleteItemFromObjectCaseSensitive(target, item->string);
        } else if (cJSON_IsObject(item)) {
            if (!cJSON_IsObject(present)) {
                cJSON_DeleteItemFromObjectCaseSensitive(target, item->string);
                present = json_add_object(target, item->string);
            }
            merge(present, item);
        } else {
            put_item(target, item->string, item);
        }
    }
}

struct api_result api_patch(enum api_type type, const char *namespace, const char *name,
                            bool status, const cJSON *patch)
{
    struct api_object *object = find(type, namespace, name);
    if (!object)
        return not_found();
    if (!fits(json_member(patch, "metadata"), object->json))
        return conflict();
    cJSON *merged = cJSON_Duplicate(object->json, true);
    merge(merged, patch);
    if (!api_is_resource(type))
        return replace(object, merged);
    if (!status) {
        put_item(merged, "status", json_member(object->json, "status"));
        return replace(object, merged);
    }
    cJSON *after = cJSON_Duplicate(object->json, true);
    put_item(after, "status", json_member(merged, "status"));
    return replace(object, after);
}

static void drop_markers(cJSON *workload)
{
    cJSON *annotations = (cJSON *)json_at(workload, "spec.template.metadata.annotations");
    cJSON *annotation = annotations ? annotations->child : NULL;
    while (annotation) {
        cJSON *next = annotation->next;
        if (strncmp(annotation->string, MARKER_PREFIX, strlen(MARKER_PREFIX)) == 0)
            cJSON_Delete(cJSON_DetachItemViaPointer(annotations, annotation));
        annotation = next;
    }
}

/* Server-side apply of markers on a pod template, by their only owner: what is left out goes. */
struct api_result api_apply(enum api_type type, const char *namespace, const char *name,
                            const cJSON *body)
{
    struct api_object *object = find(type, namespace, name);
    if (!object)
        return conflict(); /* with a UID nothing is made */
    if (!fits(json_member(body, "metadata"), object->json))
        return conflict();
    cJSON *after = cJSON_Duplicate(object->json, true);
    drop_markers(after);
    auto_json cJSON *patch = cJSON_CreateObject();
    cJSON_AddItemToObject(patch, "spec", cJSON_Duplicate(json_member(body, "spec"), true));
    merge(after, patch);
    return replace(object, after);
}

static struct api_result begin_deletion(struct api_object *object)
{
    if (json_at(object->json, "metadata.deletionTimestamp"))
        return ok(object->json);
    cJSON *json = cJSON_Duplicate(object->json, true);
    cJSON *metadata = cJSON_GetObjectItemCaseSensitive(json, "metadata");
    add_now(metadata, "deletionTimestamp");
    if (api_is_resource(object->type))
        set_int(metadata, "generation", json_int_at(json, "metadata.generation", 0) + 1);
    store_json(object, json);
    return ok(json);
}

struct api_result api_delete(enum api_type type, const char *namespace, const char *name,
                             const cJSON *options)
{
    struct api_object *object = find(type, namespace, name);
    if (!object)
        return not_found();
    if (!fits(json_member(options, "preconditions"), object->json))
        return conflict();
    bool held = cJSON_GetArraySize(json_at(object->json, "metadata.finalizers")) > 0 ||
                type == API_PODS || type == API_NAMESPACES;
    if (held)
        return begin_deletion(object);
    cJSON *last = object->json;
    remove_object(object);
    return ok(last);
}

/* ---- for people, kubelets and controllers of Kubernetes ---- */

static PRINTF_LIKE(1, 0) cJSON *parse_text(const char *format, va_list args)
{
    char text[4096];
    int length = vsnprintf(text, sizeof text, format, args);
    assert(length > 0 && (size_t)length < sizeof text);
    cJSON *json = json_parse(text, (size_t)length);
    assert(json);
    return json;
}

void api_merge(enum api_type type, const char *namespace, const char *name, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    auto_json cJSON *patch = parse_text(format, args);
    va_end(args);
    struct api_object *object = find(type, namespace, name);
    if (!object)
        return;
    cJSON *after = cJSON_Duplicate(object->json, true);
    merge(after, patch);
    replace(object, after);
}

void api_make(enum api_type type, const char *namespace, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    auto_json cJSON *body = parse_text(format, args);
    va_end(args);
    api_create(type, namespace, body, NULL);
}

size_t api_resource_count(void)
{
    size_t count = 0;
    for (size_t i = 0; i < sim.api.count; i++)
        count += api_is_resource(sim.api.objects[i].type);
    return count;
}

void api_purge(enum api_type type, const char *namespace, const char *name)
{
    struct api_object *object = find(type, namespace, name);
    if (object)
        remove_object(object);
}
