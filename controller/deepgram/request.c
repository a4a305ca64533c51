/* One builder per operation; what differs between the kinds is in their tables. */
#include "deepgram/request.h"

#include <assert.h>

#include "base/json.h"
#include "deepgram/api_key.h"
#include "deepgram/pull_secret.h"
#include "deepgram/url.h"

enum { PATH_MAX_BYTES = 16 * 1024 * 1024 }; /* more than any stored text can take */

const char *deepgram_operation_name(enum deepgram_operation operation)
{
    static const char *const names[DEEPGRAM_OPERATIONS] = {
        [DEEPGRAM_CREATE] = "create", [DEEPGRAM_LIST] = "list",
        [DEEPGRAM_GET] = "get",       [DEEPGRAM_REVOKE] = "revoke",
        [DEEPGRAM_CHECK] = "check",   [DEEPGRAM_PULL_TOKEN] = "pull_token",
    };
    assert(operation < DEEPGRAM_OPERATIONS);
    return names[operation];
}

const struct credential_kind *credential_kind(enum resource_kind kind)
{
    static const struct credential_kind *const kinds[RESOURCE_KINDS] = {
        [RESOURCE_API_KEY] = &api_key_kind,
        [RESOURCE_PULL_SECRET] = &pull_secret_kind,
    };
    assert(kind < RESOURCE_KINDS);
    return kinds[kind];
}

void deepgram_request_done(struct deepgram_request *request)
{
    if (!request)
        return;
    mem_free(request->path);
    mem_free(request->body);
    deepgram_listing_free(request->listing);
    *request = (struct deepgram_request){ 0 };
}

const cJSON *credential_description(const struct credential_kind *kind, const cJSON *json)
{
    const cJSON *item = json_member(json, "item");
    const cJSON *member = json_member(item, "member");
    const cJSON *const places[] = { json_member(json, kind->object_field),
                                    json_member(item, kind->object_field),
                                    json_member(member, kind->object_field) };
    for (size_t i = 0; i < ARRAY_LENGTH(places); i++)
        if (cJSON_IsObject(places[i]))
            return places[i];
    return json;
}

static void start_path(struct buf *path, const struct credential_kind *kind, const char *project_id)
{
    buf_init(path, PATH_MAX_BYTES);
    buf_puts(path, "/v1/projects/");
    url_escape(path, project_id);
    buf_printf(path, "/%s", kind->collection);
}

static char *finish_path(struct buf *path)
{
    assert(!path->failed);
    return buf_take(path);
}

void deepgram_create(const struct resource *resource, const struct attempt *attempt,
                     struct deepgram_request *ret)
{
    const struct credential_kind *kind = credential_kind(resource->kind);
    struct buf path;
    start_path(&path, kind, resource->spec.project_id);
    if (kind->create_query)
        kind->create_query(resource, &path);
    *ret = (struct deepgram_request){
        .operation = DEEPGRAM_CREATE,
        .method = "POST",
        .path = finish_path(&path),
        .body = kind->create_body(resource, attempt),
    };
}

void deepgram_list(enum resource_kind kind, const char *project_id, struct deepgram_request *ret)
{
    struct buf path;
    start_path(&path, credential_kind(kind), project_id);
    buf_puts(&path, credential_kind(kind)->list_query);
    *ret = (struct deepgram_request){
        .operation = DEEPGRAM_LIST,
        .method = "GET",
        .path = finish_path(&path),
        .listing = deepgram_listing_new(kind),
    };
}

static char *credential_path(enum resource_kind kind, const char *project_id, const char *id)
{
    struct buf path;
    start_path(&path, credential_kind(kind), project_id);
    buf_putc(&path, '/');
    url_escape(&path, id);
    return finish_path(&path);
}

void deepgram_get(enum resource_kind kind, const char *project_id, const char *id,
                  struct deepgram_request *ret)
{
    *ret = (struct deepgram_request){
        .operation = DEEPGRAM_GET,
        .method = "GET",
        .path = credential_path(kind, project_id, id),
    };
}

void deepgram_revoke(enum resource_kind kind, const char *project_id, const char *id,
                     struct deepgram_request *ret)
{
    *ret = (struct deepgram_request){
        .operation = DEEPGRAM_REVOKE,
        .method = "DELETE",
        .path = credential_path(kind, project_id, id),
    };
}

void deepgram_check(struct deepgram_request *ret)
{
    *ret = (struct deepgram_request){
        .operation = DEEPGRAM_CHECK,
        .method = "GET",
        .path = mem_strdup("/v1/auth/token"),
    };
}
