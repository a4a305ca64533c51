/* Distribution credentials, which pull images from Quay. Scopes and provider come in the query
 * from current clients and in the body from older ones. */

#include "credentials.h"

#include <string.h>

#include "access.h"
#include "api.h"

static cJSON *describe(const struct credential *credential)
{
    cJSON *json = cJSON_CreateObject();
    cJSON_AddStringToObject(json, "distribution_credentials_id", credential->id);
    cJSON_AddStringToObject(json, "provider", credential->provider);
    if (credential->comment)
        cJSON_AddStringToObject(json, "comment", credential->comment);
    cJSON_AddItemToObject(json, "scopes", cJSON_Duplicate(credential->scopes, true));
    api_add_time(json, "created", credential->created_ms);
    return json;
}

static cJSON *describe_with_member(const struct credential *credential)
{
    cJSON *json = cJSON_CreateObject();
    cJSON_AddItemToObject(json, "member", api_member(credential));
    cJSON_AddItemToObject(json, "distribution_credentials", describe(credential));
    return json;
}

/* The query's scopes, else the body's, else the default: a new list, NULL when it is malformed. */
static cJSON *asked_scopes(const struct request *request)
{
    cJSON *asked = cJSON_CreateArray();
    for (size_t i = 0; i < request->param_count; i++)
        if (strcmp(request->params[i].name, "scopes") == 0)
            cJSON_AddItemToArray(asked, cJSON_CreateString(request->params[i].value));
    if (cJSON_GetArraySize(asked) > 0)
        return asked;
    const cJSON *in_body = cJSON_GetObjectItemCaseSensitive(request->json, "scopes");
    if (in_body) {
        cJSON_Delete(asked);
        return api_is_string_list(in_body) ? cJSON_Duplicate(in_body, true) : NULL;
    }
    cJSON_AddItemToArray(asked, cJSON_CreateString("self-hosted:products"));
    return asked;
}

static bool are_product_scopes(const cJSON *scopes)
{
    const cJSON *scope;
    cJSON_ArrayForEach(scope, scopes)
        if (!api_is_product_scope(scope->valuestring))
            return false;
    return cJSON_GetArraySize(scopes) > 0;
}

static const char *asked_provider(const struct request *request)
{
    const char *in_query = request_param(request, "provider");
    const cJSON *in_body = cJSON_GetObjectItemCaseSensitive(request->json, "provider");
    if (in_query)
        return in_query;
    return cJSON_IsString(in_body) ? in_body->valuestring : "quay";
}

static cJSON *creation_answer(const struct credential *credential, const struct settings *settings)
{
    cJSON *answer = describe_with_member(credential);
    cJSON *place = settings->nested_credentials
                       ? cJSON_GetObjectItemCaseSensitive(answer, "distribution_credentials")
                       : answer;
    auto_free char *username = credential_username(credential);
    if (!settings->omit_username)
        cJSON_AddStringToObject(place, "username", username);
    cJSON_AddStringToObject(place, "secret", credential->secret);
    return answer;
}

void credentials_create(struct call *call)
{
    const struct request *request = call->request;
    if (!access_check(call, "keys:write") || (request->body && !api_require_object(call)))
        return;
    auto_json cJSON *asked = asked_scopes(request);
    const char *provider = asked_provider(request);
    const cJSON *comment = cJSON_GetObjectItemCaseSensitive(request->json, "comment");
    if (!are_product_scopes(asked)) {
        api_bad_request(call, "unknown distribution scope");
        return;
    }
    if (strcmp(provider, "quay") != 0) {
        api_bad_request(call, "the only provider is quay");
        return;
    }
    auto_json cJSON *granted = api_grant_scopes(call, asked);
    const struct credential_spec spec = {
        .type = CREDENTIAL_DISTRIBUTION,
        .creator = call->actor,
        .comment = cJSON_GetStringValue(comment),
        .provider = provider,
        .scopes = granted,
    };
    struct credential *credential = state_add(call->state, call->project, &spec, call->now_ms);
    memcpy(call->credential_id, credential->id, ID_SIZE);
    reply_json(&call->reply, 200, creation_answer(credential, call->settings));
}

void credentials_list(struct call *call)
{
    if (!access_check(call, "keys:read"))
        return;
    cJSON *answer = cJSON_CreateObject();
    cJSON *list = cJSON_AddArrayToObject(answer, "distribution_credentials");
    for (struct credential *entry = call->project->credentials; entry; entry = entry->next)
        if (entry->type == CREDENTIAL_DISTRIBUTION &&
            credential_is_listed(entry, call->now_ms, call->settings->list_lag_ms))
            cJSON_AddItemToArray(list, describe_with_member(entry));
    reply_json(&call->reply, 200, answer);
}

void credentials_get(struct call *call)
{
    if (!access_check(call, "keys:read"))
        return;
    struct credential *credential = api_find(call, CREDENTIAL_DISTRIBUTION);
    if (!credential)
        return;
    memcpy(call->credential_id, credential->id, ID_SIZE);
    reply_json(&call->reply, 200, describe_with_member(credential));
}

void credentials_delete(struct call *call)
{
    if (!access_check(call, "keys:write"))
        return;
    struct credential *credential = api_find(call, CREDENTIAL_DISTRIBUTION);
    if (!credential)
        return;
    credential->revoked_ms = call->now_ms;
    memcpy(call->credential_id, credential->id, ID_SIZE);
    reply_json(&call->reply, 200, describe_with_member(credential));
}
