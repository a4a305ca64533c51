/* The table of operations, and the small rules that API keys and distribution credentials have in
 * common. */

#include "api.h"

#include <string.h>
#include <strings.h>

#include "access.h"
#include "credentials.h"
#include "keys.h"
#include "listen.h"
#include "registry.h"
#include "timestamp.h"

static const char every_product[] = "self-hosted:products";
static const char *const products[] = {
    "self-hosted:product:api",           "self-hosted:product:engine",
    "self-hosted:product:license-proxy", "self-hosted:product:dgtools",
    "self-hosted:product:billing",       "self-hosted:product:hotpepper",
    "self-hosted:product:metrics-server"
};
enum { PRODUCT_COUNT = sizeof products / sizeof *products };

static void list_projects(struct call *call)
{
    if (!access_authenticate(call))
        return;
    cJSON *project = cJSON_CreateObject();
    cJSON_AddStringToObject(project, "project_id", call->actor->project->id);
    cJSON_AddStringToObject(project, "name", "emulated");
    cJSON *answer = cJSON_CreateObject();
    cJSON_AddItemToArray(cJSON_AddArrayToObject(answer, "projects"), project);
    reply_json(&call->reply, 200, answer);
}

static void unknown(struct call *call)
{
    reply_modern_error(&call->reply, 404, "NOT_FOUND", "Resource not found.",
                       "There is nothing at this method and path.");
}

static void (*const handlers[OPERATION_COUNT])(struct call *) = {
    [OPERATION_UNKNOWN] = unknown,
    [OPERATION_LIST_PROJECTS] = list_projects,
    [OPERATION_CREATE_KEY] = keys_create,
    [OPERATION_LIST_KEYS] = keys_list,
    [OPERATION_GET_KEY] = keys_get,
    [OPERATION_DELETE_KEY] = keys_delete,
    [OPERATION_CREATE_CREDENTIALS] = credentials_create,
    [OPERATION_LIST_CREDENTIALS] = credentials_list,
    [OPERATION_GET_CREDENTIALS] = credentials_get,
    [OPERATION_DELETE_CREDENTIALS] = credentials_delete,
    [OPERATION_AUTH_TOKEN] = keys_describe_own,
    [OPERATION_REGISTRY_AUTH] = registry_auth,
    [OPERATION_LISTEN] = listen_handshake,
};

void api_carry_out(struct call *call)
{
    handlers[call->route->operation](call);
}

struct credential *api_find(struct call *call, enum credential_type type)
{
    struct credential *credential = state_find(call->state, call->route->object_id);
    if (credential && credential->type == type && credential->project == call->project &&
        !credential->revoked_ms)
        return credential;
    reply_modern_error(&call->reply, 404, "NOT_FOUND", "Resource not found.",
                       "The project has no such credential.");
    return NULL;
}

void api_bad_request(struct call *call, const char *details)
{
    reply_modern_error(&call->reply, 400, "Bad Request", "The request is not valid.", details);
}

bool api_require_object(struct call *call)
{
    const char json[] = "application/json";
    const struct request *request = call->request;
    if (!request->content_type || strncasecmp(request->content_type, json, sizeof json - 1) != 0) {
        api_bad_request(call, "The Content-Type has to be application/json.");
        return false;
    }
    if (!cJSON_IsObject(request->json)) {
        reply_modern_error(&call->reply, 400, "INVALID_JSON", "Invalid JSON submitted.",
                           "The body is not a JSON object.");
        return false;
    }
    return true;
}

bool api_is_string_list(const cJSON *json)
{
    const cJSON *item;
    cJSON_ArrayForEach(item, json)
        if (!cJSON_IsString(item))
            return false;
    return cJSON_IsArray(json);
}

bool api_is_product_scope(const char *scope)
{
    for (unsigned i = 0; i < PRODUCT_COUNT; i++)
        if (strcmp(scope, products[i]) == 0)
            return true;
    return strcmp(scope, every_product) == 0;
}

static void grant(const struct call *call, cJSON *granted, const char *scope)
{
    const char family[] = "self-hosted:";
    cJSON_AddItemToArray(granted, cJSON_CreateString(scope));
    if (!call->settings->repeat_onprem || strncmp(scope, family, sizeof family - 1) != 0)
        return;
    auto_free char *older = mem_format("onprem:%s", scope + sizeof family - 1);
    cJSON_AddItemToArray(granted, cJSON_CreateString(older));
}

cJSON *api_grant_scopes(const struct call *call, const cJSON *asked)
{
    cJSON *granted = cJSON_CreateArray();
    if (call->settings->grant_scope[0]) {
        grant(call, granted, call->settings->grant_scope);
        return granted;
    }
    const cJSON *scope;
    cJSON_ArrayForEach(scope, asked) {
        if (!call->settings->expand_scopes || strcmp(scope->valuestring, every_product) != 0) {
            grant(call, granted, scope->valuestring);
            continue;
        }
        for (unsigned i = 0; i < PRODUCT_COUNT; i++)
            grant(call, granted, products[i]);
    }
    return granted;
}

void api_add_time(cJSON *object, const char *name, int64_t time_ms)
{
    char text[TIMESTAMP_SIZE];
    cJSON_AddStringToObject(object, name, timestamp_format(time_ms, text));
}

cJSON *api_member(const struct credential *credential)
{
    auto_free char *email = credential_email(credential);
    cJSON *member = cJSON_CreateObject();
    cJSON_AddStringToObject(member, "member_id", credential->member_id);
    cJSON_AddStringToObject(member, "email", email);
    return member;
}
