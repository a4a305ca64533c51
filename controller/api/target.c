/* Rendered from the existing object's metadata, because a Secret is replaced as a whole: what
 * others wrote there has to be in the new one. Its data is ours alone, but for logins of other
 * registries. */
#include "api/target.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "api/name.h"
#include "api/timestamp.h"
#include "base/base64.h"
#include "base/json.h"

enum {
    DATA_MAX_BYTES = 1024 * 1024,  /* what the API server allows for a Secret */
    APPLIED_MAX_BYTES = 256 * 1024 /* and for all annotations */
};

static const char DEFAULT_ENTRY[] = "DEEPGRAM_API_KEY";
static const char DOCKER_ENTRY[] = ".dockerconfigjson";
static const char DEFAULT_TEMPLATE[] = "${apiKey}";

const char *target_type(enum resource_kind kind)
{
    return kind == RESOURCE_API_KEY ? "Opaque" : SECRET_TYPE_DOCKER;
}

/* ---- what it is rendered from ---- */

cJSON *target_templates(const struct resource *resource)
{
    if (resource->spec.secret_data)
        return cJSON_Duplicate(resource->spec.secret_data, true);
    cJSON *object = cJSON_CreateObject();
    json_add_string(object, DEFAULT_ENTRY, DEFAULT_TEMPLATE);
    return object;
}

static void add_set(cJSON *object, const char *name, const cJSON *map)
{
    cJSON *set = json_add_array(object, name);
    const cJSON *item = NULL;
    cJSON_ArrayForEach(item, map) {
        auto_free char *pair = mem_printf("%s=%s", item->string, item->valuestring);
        canonical_add(set, pair);
    }
}

static void template_digest(const struct resource *resource, char ret[CANONICAL_DIGEST_BYTES])
{
    auto_json cJSON *canonical = cJSON_CreateObject();
    if (resource->kind == RESOURCE_API_KEY) {
        auto_json cJSON *data = target_templates(resource);
        add_set(canonical, "data", data);
        json_add_string(canonical, "project", resource->spec.project_id);
    } else {
        json_add_string(canonical, "registry", PULL_REGISTRY);
    }
    add_set(canonical, "labels", resource->spec.secret_labels);
    add_set(canonical, "annotations", resource->spec.secret_annotations);
    canonical_digest(canonical, ret);
}

/* The label and annotations that say whose Secret this is, and of what. */
struct identity {
    char resource[NAME_MAX_BYTES + 32];
    char revision[24];
    char template[CANONICAL_DIGEST_BYTES];
};

static struct identity identity_of(const struct resource *resource, int64_t revision)
{
    struct identity identity;
    snprintf(identity.resource, sizeof identity.resource, "%s/%s",
             resource_kind_name(resource->kind), resource->name);
    snprintf(identity.revision, sizeof identity.revision, "%" PRId64, revision);
    template_digest(resource, identity.template);
    return identity;
}

/* ---- metadata ---- */

static cJSON *ensure_object(cJSON *parent, const char *name)
{
    cJSON *present = cJSON_GetObjectItemCaseSensitive(parent, name);
    if (cJSON_IsObject(present))
        return present;
    cJSON_DeleteItemFromObjectCaseSensitive(parent, name);
    return json_add_object(parent, name);
}

static void put(cJSON *object, const char *name, const char *text)
{
    cJSON_DeleteItemFromObjectCaseSensitive(object, name);
    json_add_string(object, name, text);
}

static void put_all(cJSON *object, const cJSON *map)
{
    const cJSON *item = NULL;
    cJSON_ArrayForEach(item, map)
        put(object, item->string, item->valuestring);
}

static void remove_named(cJSON *object, const cJSON *names)
{
    if (!cJSON_IsArray(names))
        return;
    const cJSON *name = NULL;
    cJSON_ArrayForEach(name, names)
        if (cJSON_IsString(name))
            cJSON_DeleteItemFromObjectCaseSensitive(object, name->valuestring);
}

/* Takes off what an earlier spec put on. */
static void remove_applied(cJSON *labels, cJSON *annotations)
{
    const char *text = json_string_member(annotations, ANNOTATION_APPLIED);
    if (!text || strlen(text) > APPLIED_MAX_BYTES)
        return;
    auto_json cJSON *applied = json_parse(text, strlen(text));
    cJSON_DeleteItemFromObjectCaseSensitive(annotations, ANNOTATION_APPLIED);
    remove_named(labels, json_member(applied, "labels"));
    remove_named(annotations, json_member(applied, "annotations"));
}

static void add_names(cJSON *object, const char *name, const cJSON *map)
{
    cJSON *names = map ? json_add_array(object, name) : NULL;
    const cJSON *item = NULL;
    cJSON_ArrayForEach(item, map)
        cJSON_AddItemToArray(names, cJSON_CreateString(item->string));
}

static void note_applied(cJSON *annotations, const struct spec *spec)
{
    if (!spec->secret_labels && !spec->secret_annotations)
        return;
    auto_json cJSON *applied = cJSON_CreateObject();
    add_names(applied, "labels", spec->secret_labels);
    add_names(applied, "annotations", spec->secret_annotations);
    auto_free char *text = json_print(applied);
    put(annotations, ANNOTATION_APPLIED, text);
}

/* What the Secret says of itself, or where that is lost (it was deleted, or edited), the status. */
static int64_t published_before_ms(const struct resource *resource, const struct revision *revision,
                                   const cJSON *existing)
{
    const cJSON *annotations = json_at(existing, "metadata.annotations");
    int64_t before_ms = target_published_ms(existing);
    if (mem_streq(json_string_member(annotations, ANNOTATION_ID), revision->id) && before_ms != 0)
        return before_ms;
    const struct status *status = &resource->status;
    bool noted = status->revision == revision->number && mem_streq(status->id, revision->id);
    return noted ? status->published_at_ms : 0;
}

/* Since when it holds this credential: pods that are newer have it. */
static void put_published_at(cJSON *annotations, int64_t ms)
{
    char text[TIMESTAMP_BYTES];
    timestamp_format(ms, text);
    put(annotations, ANNOTATION_PUBLISHED_AT, text);
}

static cJSON *render_metadata(const struct resource *resource, const struct revision *revision,
                              const cJSON *existing, int64_t now_ms)
{
    const cJSON *before = json_member(existing, "metadata");
    cJSON *metadata = cJSON_IsObject(before) ? cJSON_Duplicate(before, true) : cJSON_CreateObject();
    cJSON_DeleteItemFromObjectCaseSensitive(metadata, "managedFields");
    put(metadata, "name", resource->spec.secret_name);
    put(metadata, "namespace", resource->namespace);
    cJSON *labels = ensure_object(metadata, "labels");
    cJSON *annotations = ensure_object(metadata, "annotations");
    remove_applied(labels, annotations);
    put_all(labels, resource->spec.secret_labels);
    put_all(annotations, resource->spec.secret_annotations);
    note_applied(annotations, &resource->spec);

    struct identity identity = identity_of(resource, revision->number);
    int64_t before_ms = published_before_ms(resource, revision, existing);
    put_published_at(annotations, before_ms != 0 ? before_ms : now_ms);
    put(labels, LABEL_MANAGED_BY, MANAGED_BY);
    put(annotations, ANNOTATION_RESOURCE, identity.resource);
    put(annotations, ANNOTATION_REVISION, identity.revision);
    put(annotations, ANNOTATION_ID, revision->id);
    put(annotations, ANNOTATION_TEMPLATE, identity.template);
    owner_set(metadata, resource);
    return metadata;
}

/* ---- data ---- */

static bool render_entries(cJSON *data, const struct resource *resource,
                           const struct credential *credential, struct err *err)
{
    auto_json cJSON *entries = target_templates(resource);
    size_t total = 0;
    const cJSON *item = NULL;
    cJSON_ArrayForEach(item, entries) {
        auto_buf struct buf value;
        buf_init(&value, DATA_MAX_BYTES - total);
        if (!template_expand(item->valuestring, &credential->secret, credential->id,
                             resource->spec.project_id, &value, err))
            return err_prefix(err, "spec.secret.data: entry \"%.64s\"", item->string);
        auto_free char *text = base64_encode(buf_text(&value), value.length);
        json_add_string(data, item->string, text);
        total += value.length;
    }
    return true;
}

/* Logins of other registries stay: a Secret that was adopted may have some. */
static cJSON *other_logins(const cJSON *existing)
{
    const char *encoded = json_string_member(json_member(existing, "data"), DOCKER_ENTRY);
    size_t length = 0;
    auto_free char *text = encoded ? base64_decode(encoded, &length) : NULL;
    auto_json cJSON *config = text ? json_parse(text, length) : NULL;
    cJSON *auths = cJSON_DetachItemFromObjectCaseSensitive(config, "auths");
    if (!cJSON_IsObject(auths)) {
        cJSON_Delete(auths);
        return cJSON_CreateObject();
    }
    cJSON_DeleteItemFromObjectCaseSensitive(auths, PULL_REGISTRY);
    return auths;
}

static void render_docker(cJSON *data, const struct credential *credential, const cJSON *existing)
{
    const char *username = credential->username ? credential->username : "";
    const char *password = secret_reveal(&credential->secret);
    auto_free char *pair = mem_printf("%s:%s", username, password);
    auto_free char *auth = base64_encode(pair, strlen(pair));
    auto_json cJSON *config = cJSON_CreateObject();
    cJSON *auths = other_logins(existing);
    cJSON_AddItemToObject(config, "auths", auths);
    cJSON *registry = json_add_object(auths, PULL_REGISTRY);
    json_add_string(registry, "username", username);
    json_add_string(registry, "password", password);
    json_add_string(registry, "auth", auth);
    auto_free char *text = json_print(config);
    auto_free char *encoded = base64_encode(text, strlen(text));
    json_add_string(data, DOCKER_ENTRY, encoded);
}

void target_digest(const cJSON *secret, char ret_hex[CANONICAL_DIGEST_BYTES])
{
    auto_json cJSON *canonical = cJSON_CreateObject();
    add_set(canonical, "data", json_member(secret, "data"));
    canonical_digest(canonical, ret_hex);
}

cJSON *target_render(const struct resource *resource, const struct revision *revision,
                     const struct credential *credential, const cJSON *existing, int64_t now_ms,
                     struct err *err)
{
    auto_json cJSON *secret = cJSON_CreateObject();
    json_add_string(secret, "apiVersion", "v1");
    json_add_string(secret, "kind", "Secret");
    cJSON_AddItemToObject(secret, "metadata",
                          render_metadata(resource, revision, existing, now_ms));
    json_add_string(secret, "type", target_type(resource->kind));
    cJSON *data = json_add_object(secret, "data");
    if (resource->kind == RESOURCE_PULL_SECRET)
        render_docker(data, credential, existing);
    else if (!render_entries(data, resource, credential, err))
        return NULL;
    char digest[CANONICAL_DIGEST_BYTES];
    target_digest(secret, digest);
    cJSON *metadata = cJSON_GetObjectItemCaseSensitive(secret, "metadata");
    put(cJSON_GetObjectItemCaseSensitive(metadata, "annotations"), ANNOTATION_DIGEST, digest);
    return take(secret);
}

/* ---- comparing ---- */

static bool has_all(const cJSON *object, const cJSON *map)
{
    const cJSON *item = NULL;
    cJSON_ArrayForEach(item, map)
        if (strcmp(item->string, LABEL_MANAGED_BY) != 0 && /* ours wins */
            !mem_streq(json_string_member(object, item->string), item->valuestring))
            return false;
    return true;
}

bool target_metadata_current(const struct resource *resource, int64_t revision,
                             const cJSON *secret_metadata)
{
    const cJSON *metadata = json_member(secret_metadata, "metadata");
    const cJSON *labels = json_member(metadata, "labels");
    const cJSON *annotations = json_member(metadata, "annotations");
    struct identity identity = identity_of(resource, revision);
    return owned_by(secret_metadata, resource->uid) &&
           mem_streq(json_string_member(labels, LABEL_MANAGED_BY), MANAGED_BY) &&
           mem_streq(json_string_member(annotations, ANNOTATION_RESOURCE), identity.resource) &&
           mem_streq(json_string_member(annotations, ANNOTATION_REVISION), identity.revision) &&
           mem_streq(json_string_member(annotations, ANNOTATION_TEMPLATE), identity.template) &&
           has_all(labels, resource->spec.secret_labels) &&
           has_all(annotations, resource->spec.secret_annotations);
}

/* 0: not by this operator, or not that anybody knows. */
static int64_t carried_out_ms(const cJSON *secret_metadata)
{
    const cJSON *entry = NULL;
    cJSON_ArrayForEach(entry, json_at(secret_metadata, "metadata.managedFields"))
        if (mem_streq(json_string_member(entry, "manager"), FIELD_MANAGER_PUBLICATION))
            return timestamp_or(json_string_member(entry, "time"), 0);
    return 0;
}

int64_t target_published_ms(const cJSON *secret_metadata)
{
    const cJSON *annotations = json_at(secret_metadata, "metadata.annotations");
    int64_t sent_ms = timestamp_or(json_string_member(annotations, ANNOTATION_PUBLISHED_AT), 0);
    int64_t carried_out = carried_out_ms(secret_metadata);
    return sent_ms != 0 && carried_out > sent_ms ? carried_out : sent_ms;
}

void target_note_published(cJSON *secret_metadata)
{
    int64_t ms = carried_out_ms(secret_metadata) != 0 ? target_published_ms(secret_metadata) : 0;
    if (ms != 0)
        put_published_at((cJSON *)json_at(secret_metadata, "metadata.annotations"), ms);
}

bool target_is_publication(const cJSON *rendered, int64_t now_ms)
{
    enum { JUST_NOW_MS = 2000 };
    return target_published_ms(rendered) > now_ms - JUST_NOW_MS;
}

bool target_was_updated(const cJSON *secret_metadata)
{
    const char *made = json_string_at(secret_metadata, "metadata.creationTimestamp");
    return timestamp_or(made, INT64_MAX) <
           target_published_ms(secret_metadata) - PUBLICATION_SKEW_MS;
}

bool target_was_remade(const cJSON *secret_metadata)
{
    const char *made = json_string_at(secret_metadata, "metadata.creationTimestamp");
    int64_t before_ms = target_published_ms(secret_metadata);
    return before_ms != 0 && timestamp_or(made, 0) > before_ms + PUBLICATION_SKEW_MS;
}

bool target_same_content(const cJSON *a, const cJSON *b)
{
    return mem_streq(json_string_at(a, "type"), json_string_at(b, "type")) &&
           cJSON_Compare(json_member(a, "data"), json_member(b, "data"), true);
}
