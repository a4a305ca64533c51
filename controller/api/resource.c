/* Metadata, and the places where spec, status and announcements come from. */
#include "api/resource.h"

#include <stdio.h>
#include <string.h>

#include "api/canonical.h"
#include "api/timestamp.h"
#include "base/json.h"

enum { ISSUING_MAX_BYTES = 256 * 1024 }; /* what the API server allows for all annotations */

static void read_metadata(struct resource *resource)
{
    const cJSON *metadata = json_member(resource->json, "metadata");
    const cJSON *annotations = json_member(metadata, "annotations");
    const char *deleted_at = json_string_member(metadata, "deletionTimestamp");
    resource->namespace = mem_or_empty(json_string_member(metadata, "namespace"));
    resource->name = mem_or_empty(json_string_member(metadata, "name"));
    resource->uid = mem_or_empty(json_string_member(metadata, "uid"));
    resource->resource_version = mem_or_empty(json_string_member(metadata, "resourceVersion"));
    resource->generation = json_int_at(metadata, "generation", 0);
    resource->deleting = deleted_at != NULL;
    resource->deleted_at_ms = timestamp_or(deleted_at, 0);
    resource->has_finalizer =
        canonical_contains(json_member(metadata, "finalizers"), FINALIZER_REVOKE);
    resource->abandon = mem_streq(json_string_member(annotations, ANNOTATION_ABANDON), "true");
    resource->rotate = mem_or_empty(json_string_member(annotations, ANNOTATION_ROTATE));
}

cJSON *resource_announcement(const cJSON *json)
{
    const cJSON *annotations = json_at(json, "metadata.annotations");
    const char *issuing = json_string_member(annotations, ANNOTATION_ISSUING);
    if (!issuing || strlen(issuing) > ISSUING_MAX_BYTES)
        return NULL;
    return json_parse(issuing, strlen(issuing));
}

static void read_attempts(struct resource *resource)
{
    resource->issuing = resource_announcement(resource->json);
    resource->attempt_count = attempts_parse(resource->issuing, resource->attempts);
}

struct resource *resource_new(enum resource_kind kind, cJSON *json)
{
    struct resource *resource = mem_alloc(sizeof *resource);
    resource->json = json;
    resource->kind = kind;
    read_metadata(resource);
    read_attempts(resource);
    struct err err = ERR_INIT;
    if (!spec_parse(kind, json_member(json, "spec"), resource->name, &resource->spec, &err))
        snprintf(resource->spec_error, sizeof resource->spec_error, "%s", err.message);
    status_parse(json_member(json, "status"), &resource->status);
    spec_digest(resource, resource->spec_hash);
    return resource;
}

void resource_free(struct resource *resource)
{
    if (!resource)
        return;
    cJSON_Delete(resource->issuing);
    cJSON_Delete(resource->json);
    mem_free(resource);
}

void resource_free_indirect(struct resource **resource)
{
    resource_free(*resource);
}

/* Deletes the members of an object that keep() says no to. */
static void filter(cJSON *object, bool (*keep)(const char *name))
{
    if (!cJSON_IsObject(object))
        return;
    cJSON *next = NULL;
    for (cJSON *item = object->child; item; item = next) {
        next = item->next;
        if (!keep(item->string))
            cJSON_Delete(cJSON_DetachItemViaPointer(object, item));
    }
}

static bool is_read(const char *name)
{
    return strcmp(name, "metadata") == 0 || strcmp(name, "spec") == 0 ||
           strcmp(name, "status") == 0;
}

static bool is_wanted_metadata(const char *name)
{
    return strcmp(name, "managedFields") != 0;
}

static bool is_own_annotation(const char *name)
{
    return strncmp(name, ANNOTATION_PREFIX, strlen(ANNOTATION_PREFIX)) == 0;
}

bool resource_published_here(const struct resource *resource)
{
    const char *name = resource->status.secret_name;
    return name[0] == '\0' || strcmp(name, resource->spec.secret_name) == 0;
}

void resource_trim(cJSON *json)
{
    filter(json, is_read);
    cJSON *metadata = cJSON_GetObjectItemCaseSensitive(json, "metadata");
    filter(metadata, is_wanted_metadata);
    filter(cJSON_GetObjectItemCaseSensitive(metadata, "annotations"), is_own_annotation);
}

static void add_finalizers(cJSON *metadata, const struct resource *resource, bool finalizer)
{
    cJSON *wanted = json_add_array(metadata, "finalizers");
    const cJSON *present = json_at(resource->json, "metadata.finalizers");
    const cJSON *item = NULL;
    if (cJSON_IsArray(present))
        cJSON_ArrayForEach(item, present)
            if (cJSON_IsString(item) && strcmp(item->valuestring, FINALIZER_REVOKE) != 0)
                cJSON_AddItemToArray(wanted, cJSON_CreateString(item->valuestring));
    if (finalizer)
        cJSON_AddItemToArray(wanted, cJSON_CreateString(FINALIZER_REVOKE));
}

cJSON *resource_metadata_patch(const struct resource *resource, bool finalizer, const char *issuing)
{
    cJSON *patch = cJSON_CreateObject();
    cJSON *metadata = json_add_object(patch, "metadata");
    json_add_string(metadata, "resourceVersion", resource->resource_version);
    add_finalizers(metadata, resource, finalizer);
    if (!issuing)
        return patch;
    cJSON *annotations = json_add_object(metadata, "annotations");
    if (issuing[0] != '\0')
        json_add_string(annotations, ANNOTATION_ISSUING, issuing);
    else
        cJSON_AddNullToObject(annotations, ANNOTATION_ISSUING);
    return patch;
}
