/* API keys. A key's value is in the answer to its creation and in no other, there is no update,
 * and two identical requests make two keys: the facts that make an operator's life hard. */

#include "keys.h"

#include <string.h>

#include "access.h"
#include "api.h"
#include "timestamp.h"

static cJSON *describe(const struct credential *key)
{
    cJSON *json = cJSON_CreateObject();
    cJSON_AddStringToObject(json, "api_key_id", key->id);
    cJSON_AddStringToObject(json, "comment", key->comment);
    cJSON_AddItemToObject(json, "scopes", cJSON_Duplicate(key->scopes, true));
    if (key->tags)
        cJSON_AddItemToObject(json, "tags", cJSON_Duplicate(key->tags, true));
    api_add_time(json, "created", key->created_ms);
    if (key->expires_ms)
        api_add_time(json, "expiration_date", key->expires_ms);
    return json;
}

/* A role, a fine-grained permission such as usage:read, or a product scope. */
static bool is_known_scope(const char *scope)
{
    return role_parse(scope) != ROLE_NONE || strchr(scope, ':');
}

static const char *scopes_problem(const cJSON *scopes)
{
    if (!api_is_string_list(scopes) || cJSON_GetArraySize(scopes) == 0)
        return "missing field `scopes`: a list of strings is required";
    const cJSON *scope;
    cJSON_ArrayForEach(scope, scopes)
        if (!is_known_scope(scope->valuestring))
            return "unknown scope";
    return NULL;
}

static const char *lifetime_problem(const cJSON *date, const cJSON *seconds, int64_t now_ms,
                                    int64_t *ret_expires_ms)
{
    if (date && seconds)
        return "expiration_date and time_to_live_in_seconds exclude each other";
    if (seconds) {
        double value = cJSON_GetNumberValue(seconds);
        if (!cJSON_IsNumber(seconds) || value < 1 || value > 1e10 || (double)(int64_t)value < value)
            return "time_to_live_in_seconds has to be a positive integer";
        *ret_expires_ms = now_ms + (int64_t)value * 1000;
    }
    if (date) {
        if (!cJSON_IsString(date) || !timestamp_parse(date->valuestring, ret_expires_ms))
            return "expiration_date has to be an RFC 3339 time";
        if (*ret_expires_ms <= now_ms)
            return "expiration_date is in the past";
    }
    return NULL;
}

/* NULL counts as absent, as it does at Deepgram for an optional field. */
static const cJSON *optional(const cJSON *object, const char *name)
{
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(object, name);
    return cJSON_IsNull(item) ? NULL : item;
}

static const char *read_spec(const cJSON *body, int64_t now_ms, struct credential_spec *spec)
{
    const cJSON *comment = optional(body, "comment");
    if (!cJSON_IsString(comment))
        return "missing field `comment`: a string is required";
    spec->comment = comment->valuestring;
    spec->scopes = optional(body, "scopes");
    const char *problem = scopes_problem(spec->scopes);
    if (problem)
        return problem;
    spec->tags = optional(body, "tags");
    if (spec->tags && !api_is_string_list(spec->tags))
        return "`tags` has to be a list of strings";
    return lifetime_problem(optional(body, "expiration_date"),
                            optional(body, "time_to_live_in_seconds"), now_ms, &spec->expires_ms);
}

void keys_create(struct call *call)
{
    if (!access_check(call, "keys:write") || !api_require_object(call))
        return;
    struct credential_spec spec = { .type = CREDENTIAL_API_KEY, .creator = call->actor };
    const char *problem = read_spec(call->request->json, call->now_ms, &spec);
    if (problem) {
        api_bad_request(call, problem);
        return;
    }
    if (role_of(spec.scopes) > role_of(call->actor->scopes)) {
        access_deny(call);
        return;
    }
    if (call->settings->grant_seconds)
        spec.expires_ms = call->now_ms + call->settings->grant_seconds * 1000;
    auto_json cJSON *granted = api_grant_scopes(call, spec.scopes);
    spec.scopes = granted;
    struct credential *key = state_add(call->state, call->project, &spec, call->now_ms);
    memcpy(call->credential_id, key->id, ID_SIZE);
    cJSON *answer = describe(key);
    cJSON_AddStringToObject(answer, "key", key->secret);
    reply_json(&call->reply, 200, answer);
}

static bool has_status(const struct credential *key, const char *status, int64_t now_ms)
{
    return !status || (strcmp(status, "expired") == 0) == credential_is_expired(key, now_ms);
}

void keys_list(struct call *call)
{
    if (!access_check(call, "keys:read"))
        return;
    const char *status = request_param(call->request, "status");
    if (status && strcmp(status, "active") != 0 && strcmp(status, "expired") != 0) {
        api_bad_request(call, "status has to be active or expired");
        return;
    }
    cJSON *answer = cJSON_CreateObject();
    cJSON *list = cJSON_AddArrayToObject(answer, "api_keys");
    for (struct credential *key = call->project->credentials; key; key = key->next) {
        if (key->type != CREDENTIAL_API_KEY || !has_status(key, status, call->now_ms) ||
            !credential_is_listed(key, call->now_ms, call->settings->list_lag_ms))
            continue;
        cJSON *entry = cJSON_CreateObject();
        cJSON_AddItemToObject(entry, "member", api_member(key));
        cJSON_AddItemToObject(entry, "api_key", describe(key));
        cJSON_AddItemToArray(list, entry);
    }
    reply_json(&call->reply, 200, answer);
}

void keys_get(struct call *call)
{
    if (!access_check(call, "keys:read"))
        return;
    struct credential *key = api_find(call, CREDENTIAL_API_KEY);
    if (!key)
        return;
    memcpy(call->credential_id, key->id, ID_SIZE);
    cJSON *member = api_member(key);
    cJSON_AddStringToObject(member, "first_name", "Emulated");
    cJSON_AddStringToObject(member, "last_name", "Member");
    cJSON_AddItemToObject(member, "api_key", describe(key));
    cJSON *answer = cJSON_CreateObject();
    cJSON_AddItemToObject(cJSON_AddObjectToObject(answer, "item"), "member", member);
    reply_json(&call->reply, 200, answer);
}

void keys_delete(struct call *call)
{
    if (!access_check(call, "keys:write"))
        return;
    struct credential *key = api_find(call, CREDENTIAL_API_KEY);
    if (!key)
        return;
    /* Short of an owner, keys:write reaches only the keys that this very key created. */
    if (role_of(call->actor->scopes) < ROLE_OWNER &&
        strcmp(key->created_by, call->actor->id) != 0) {
        access_deny(call);
        return;
    }
    key->revoked_ms = call->now_ms;
    memcpy(call->credential_id, key->id, ID_SIZE);
    cJSON *answer = cJSON_CreateObject();
    cJSON_AddStringToObject(answer, "message", "Successfully deleted the API key!");
    reply_json(&call->reply, 200, answer);
}

void keys_describe_own(struct call *call)
{
    if (!access_authenticate(call))
        return;
    memcpy(call->credential_id, call->actor->id, ID_SIZE);
    reply_json(&call->reply, 200, describe(call->actor));
}
