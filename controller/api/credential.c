/* The values stand in `data` alone: immutable, and never seen by a metadata watch. What decisions
 * need is repeated in annotations. */
#include "api/credential.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "api/name.h"
#include "api/revision_number.h"
#include "api/timestamp.h"
#include "base/base64.h"
#include "base/buf.h"
#include "base/json.h"

#define DATA_ID "id"
#define DATA_USERNAME "username"
#define DATA_SECRET "secret"

enum { NAME_HASH_DIGITS = 10 };

void credential_done(struct credential *credential)
{
    if (!credential)
        return;
    mem_free(credential->id);
    mem_free(credential->username);
    secret_done(&credential->secret);
    cJSON_Delete(credential->scopes);
    *credential = (struct credential){ 0 };
}

void credential_login(const struct credential *credential, struct secret *ret)
{
    auto_free char *login = mem_printf("%s:%s", credential->username ? credential->username : "",
                                       secret_reveal(&credential->secret));
    secret_set(ret, login, strlen(login));
}

char *revision_secret_name(enum resource_kind kind, const char *resource_name, int64_t number)
{
    char suffix[48];
    snprintf(suffix, sizeof suffix, "-%s-r%" PRId64, resource_kind_short_name(kind), number);
    if (strlen(resource_name) + strlen(suffix) <= NAME_MAX_BYTES)
        return mem_printf("%s%s", resource_name, suffix);
    char hash[BASE64_SHA256_HEX_BYTES];
    base64_sha256_hex(resource_name, strlen(resource_name), hash);
    size_t kept = NAME_MAX_BYTES - strlen(suffix) - NAME_HASH_DIGITS - 1;
    while (kept > 0 && strchr(".-", resource_name[kept - 1]))
        kept--; /* no part between two dots may end in '-' */
    return mem_printf("%.*s-%.*s%s", (int)kept, resource_name, NAME_HASH_DIGITS, hash, suffix);
}

bool revision_secret_name_matches(const char *name)
{
    for (int kind = 0; kind < RESOURCE_KINDS; kind++) {
        char mark[16];
        snprintf(mark, sizeof mark, "-%s-r", resource_kind_short_name((enum resource_kind)kind));
        for (const char *at = strstr(name, mark); at; at = strstr(at + 1, mark))
            if (revision_number_parse(at + strlen(mark)) > 0)
                return true;
    }
    return false;
}

/* ---- building ---- */

static void add_time(cJSON *object, const char *name, int64_t ms)
{
    char text[TIMESTAMP_BYTES];
    timestamp_format(ms, text);
    json_add_string(object, name, text);
}

static int64_t expiry(const struct resource *resource, const struct credential *credential,
                      int64_t now_ms)
{
    if (credential->expires_at_ms > 0)
        return credential->expires_at_ms;
    const struct spec *spec = &resource->spec;
    return spec->valid_for_ms > 0 ? now_ms + spec->valid_for_ms : spec->expires_at_ms;
}

static char *join(const cJSON *strings)
{
    struct buf text;
    buf_init(&text, 64 * 1024);
    const cJSON *item = NULL;
    cJSON_ArrayForEach(item, strings)
        if (cJSON_IsString(item) && strpbrk(item->valuestring, " \t\r\n") == NULL)
            buf_printf(&text, "%s%s", text.length > 0 ? " " : "", item->valuestring);
    return buf_take(&text);
}

static void add_annotations(cJSON *metadata, const struct resource *resource,
                            const struct attempt *attempt, const struct credential *credential,
                            int64_t now_ms)
{
    auto_free char *made_for =
        mem_printf("%s/%s", resource_kind_name(resource->kind), resource->name);
    auto_free char *number = mem_printf("%" PRId64, attempt->revision);
    auto_free char *scopes = join(credential->scopes);
    int64_t expires_at_ms = expiry(resource, credential, now_ms);
    cJSON *annotations = json_add_object(metadata, "annotations");
    json_add_string(annotations, ANNOTATION_RESOURCE, made_for);
    json_add_string(annotations, ANNOTATION_REVISION, number);
    json_add_string(annotations, ANNOTATION_ID, credential->id);
    json_add_string(annotations, ANNOTATION_NONCE, attempt->nonce);
    json_add_string(annotations, ANNOTATION_SPEC_HASH, attempt->spec_hash);
    json_add_string(annotations, ANNOTATION_SCOPES, scopes);
    json_add_string(annotations, ANNOTATION_USERNAME, credential->username);
    json_add_string(annotations, ANNOTATION_PROJECT, resource->spec.project_id);
    add_time(annotations, ANNOTATION_ISSUED_AT, now_ms);
    if (expires_at_ms > 0)
        add_time(annotations, ANNOTATION_EXPIRES_AT, expires_at_ms);
    if (strcmp(resource->spec.secret_name, resource->name) != 0)
        json_add_string(annotations, ANNOTATION_SECRET_NAME, resource->spec.secret_name);
    if (attempt->rotate && attempt->rotate[0] != '\0')
        json_add_string(annotations, ANNOTATION_ROTATE, attempt->rotate);
}

static bool is_controller(const cJSON *reference)
{
    return json_bool_at(reference, "controller", false);
}

void owner_set(cJSON *metadata, const struct resource *resource)
{
    cJSON *references = cJSON_CreateArray();
    cJSON *own = cJSON_CreateObject();
    json_add_string(own, "apiVersion", RESOURCE_API_VERSION);
    json_add_string(own, "kind", resource_kind_name(resource->kind));
    json_add_string(own, "name", resource->name);
    json_add_string(own, "uid", resource->uid);
    cJSON_AddTrueToObject(own, "controller");
    cJSON_AddTrueToObject(own, "blockOwnerDeletion");
    cJSON_AddItemToArray(references, own);
    const cJSON *present = json_member(metadata, "ownerReferences");
    const cJSON *item = NULL;
    if (cJSON_IsArray(present))
        cJSON_ArrayForEach(item, present)
            if (!is_controller(item) && !mem_streq(json_string_at(item, "uid"), resource->uid))
                cJSON_AddItemToArray(references, cJSON_Duplicate(item, true));
    cJSON_DeleteItemFromObjectCaseSensitive(metadata, "ownerReferences");
    cJSON_AddItemToObject(metadata, "ownerReferences", references);
}

bool owner_is_namespace(const cJSON *reference)
{
    return mem_streq(json_string_member(reference, "kind"), "Namespace");
}

void owner_anchor(cJSON *metadata, const char *namespace, const char *namespace_uid)
{
    cJSON *references = cJSON_GetObjectItemCaseSensitive(metadata, "ownerReferences");
    if (!cJSON_IsArray(references))
        references = cJSON_AddArrayToObject(metadata, "ownerReferences");
    cJSON *anchor = cJSON_CreateObject();
    json_add_string(anchor, "apiVersion", "v1");
    json_add_string(anchor, "kind", "Namespace");
    json_add_string(anchor, "name", namespace);
    json_add_string(anchor, "uid", namespace_uid);
    cJSON_AddItemToArray(references, anchor);
}

static void add_data(cJSON *data, const char *name, const char *bytes, size_t length)
{
    auto_free char *text = base64_encode(bytes, length);
    json_add_string(data, name, text);
}

cJSON *revision_secret(const struct resource *resource, const struct attempt *attempt,
                       const struct credential *credential, int64_t now_ms)
{
    auto_free char *name = revision_secret_name(resource->kind, resource->name, attempt->revision);
    cJSON *secret = cJSON_CreateObject();
    json_add_string(secret, "apiVersion", "v1");
    json_add_string(secret, "kind", "Secret");
    cJSON *metadata = json_add_object(secret, "metadata");
    json_add_string(metadata, "name", name);
    json_add_string(metadata, "namespace", resource->namespace);
    json_add_string(json_add_object(metadata, "labels"), LABEL_MANAGED_BY, MANAGED_BY);
    add_annotations(metadata, resource, attempt, credential, now_ms);
    owner_set(metadata, resource);
    json_add_string(secret, "type", SECRET_TYPE_REVISION);
    cJSON_AddTrueToObject(secret, "immutable");
    cJSON *data = json_add_object(secret, "data");
    const char *value = secret_reveal(&credential->secret);
    add_data(data, DATA_SECRET, value, secret_length(&credential->secret));
    add_data(data, DATA_ID, credential->id, strlen(credential->id));
    if (credential->username)
        add_data(data, DATA_USERNAME, credential->username, strlen(credential->username));
    return secret;
}

/* ---- reading ---- */

const cJSON *owner_controller(const cJSON *object)
{
    const cJSON *references = json_at(object, "metadata.ownerReferences");
    if (!cJSON_IsArray(references))
        return NULL;
    const cJSON *item = NULL;
    cJSON_ArrayForEach(item, references)
        if (is_controller(item))
            return item;
    return NULL;
}

bool resource_is_named(const struct resource *resource, const char *text)
{
    auto_free char *name = mem_printf("%s/%s", resource_kind_name(resource->kind), resource->name);
    return mem_streq(text, name);
}

bool owned_by(const cJSON *object, const char *uid)
{
    return uid && *uid && mem_streq(json_string_at(owner_controller(object), "uid"), uid);
}

bool owner_is_anchored(const cJSON *object)
{
    const cJSON *owner = NULL;
    cJSON_ArrayForEach(owner, json_at(object, "metadata.ownerReferences"))
        if (owner_is_namespace(owner))
            return true;
    return false;
}

/* The default is the resource's own name. */
static const char *issued_for(const cJSON *annotations)
{
    const char *name = json_string_member(annotations, ANNOTATION_SECRET_NAME);
    const char *resource = mem_or_empty(json_string_member(annotations, ANNOTATION_RESOURCE));
    const char *slash = strchr(resource, '/');
    return name ? name : slash ? slash + 1 : "";
}

bool revision_parse(const cJSON *secret, struct revision *ret_revision)
{
    const cJSON *metadata = json_member(secret, "metadata");
    const cJSON *annotations = json_member(metadata, "annotations");
    const char *label = json_string_member(json_member(metadata, "labels"), LABEL_MANAGED_BY);
    const char *type = json_string_at(secret, "type");
    struct revision revision = {
        .secret_name = json_string_at(metadata, "name"),
        .secret_uid = mem_or_empty(json_string_at(metadata, "uid")),
        .resource_version = mem_or_empty(json_string_at(metadata, "resourceVersion")),
        .owner_uid = json_string_at(owner_controller(secret), "uid"),
        .resource = json_string_member(annotations, ANNOTATION_RESOURCE),
        .anchored = owner_is_anchored(secret),
        .deleting = json_string_at(metadata, "deletionTimestamp") != NULL,
        .number = revision_number_parse(json_string_member(annotations, ANNOTATION_REVISION)),
        .id = json_string_member(annotations, ANNOTATION_ID),
        .nonce = json_string_member(annotations, ANNOTATION_NONCE),
        .spec_hash = mem_or_empty(json_string_member(annotations, ANNOTATION_SPEC_HASH)),
        .rotate = mem_or_empty(json_string_member(annotations, ANNOTATION_ROTATE)),
        .scopes = mem_or_empty(json_string_member(annotations, ANNOTATION_SCOPES)),
        .username = json_string_member(annotations, ANNOTATION_USERNAME),
        .project_id = mem_or_empty(json_string_member(annotations, ANNOTATION_PROJECT)),
        .issued_for = issued_for(annotations),
        .issued_at_ms = timestamp_or(json_string_member(annotations, ANNOTATION_ISSUED_AT), 0),
        .expires_at_ms = timestamp_or(json_string_member(annotations, ANNOTATION_EXPIRES_AT), 0),
        .failed_at_ms = timestamp_or(json_string_member(annotations, ANNOTATION_FAILED_AT), 0),
        .failed_count =
            revision_number_parse(json_string_member(annotations, ANNOTATION_FAILED_COUNT)),
        .published_at_ms =
            timestamp_or(json_string_member(annotations, ANNOTATION_PUBLISHED_AT), 0),
        .failure = mem_or_empty(json_string_member(annotations, ANNOTATION_FAILED)),
    };
    /* A target Secret has the same label, resource, revision and id, but no nonce. */
    if (!mem_streq(label, MANAGED_BY) || (type && strcmp(type, SECRET_TYPE_REVISION) != 0) ||
        !name_is_subdomain(revision.secret_name) || !revision.resource || revision.number == 0 ||
        !name_is_credential_id(revision.id) || !revision.nonce)
        return false;
    *ret_revision = revision;
    return true;
}

/* NULL when the entry is absent or isn't base64; free with mem_free. */
static char *read_data(const cJSON *secret, const char *name, size_t *ret_length)
{
    const char *text = json_string_member(json_member(secret, "data"), name);
    return text ? base64_decode(text, ret_length) : NULL;
}

static cJSON *split(const char *text)
{
    cJSON *array = cJSON_CreateArray();
    while (text && *text) {
        size_t length = strcspn(text, " ");
        auto_free char *word = mem_strndup(text, length);
        if (length > 0)
            cJSON_AddItemToArray(array, cJSON_CreateString(word));
        text += length + (text[length] == ' ' ? 1 : 0);
    }
    return array;
}

bool revision_read(const cJSON *secret, struct credential *ret_credential, struct err *err)
{
    *ret_credential = (struct credential){ 0 };
    const cJSON *annotations = json_at(secret, "metadata.annotations");
    const char *name = mem_or_empty(json_string_at(secret, "metadata.name"));
    size_t value_length = 0, id_length = 0, username_length = 0;
    auto_free char *value = read_data(secret, DATA_SECRET, &value_length);
    auto_free char *id = read_data(secret, DATA_ID, &id_length);
    if (!value || value_length == 0)
        return err_set(err, ERR_MALFORMED,
                       "revision Secret %s: the entry " DATA_SECRET " is missing or empty", name);
    if (!name_is_credential_id(id))
        return err_set(err, ERR_MALFORMED,
                       "revision Secret %s: the entry " DATA_ID " is missing or no id", name);
    secret_set(&ret_credential->secret, value, value_length);
    ret_credential->id = take(id);
    ret_credential->username = read_data(secret, DATA_USERNAME, &username_length);
    const char *scopes = json_string_member(annotations, ANNOTATION_SCOPES);
    ret_credential->scopes = scopes && *scopes ? split(scopes) : NULL;
    ret_credential->expires_at_ms =
        timestamp_or(json_string_member(annotations, ANNOTATION_EXPIRES_AT), 0);
    ret_credential->created_at_ms =
        timestamp_or(json_string_member(annotations, ANNOTATION_ISSUED_AT), 0);
    return true;
}
