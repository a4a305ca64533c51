/* The rules that Deepgram documents for management keys: roles are scopes, owner and admin imply
 * the right to read and write keys, and a key of one project sees nothing of another. */

#include "access.h"

#include <string.h>
#include <strings.h>

enum role role_parse(const char *scope)
{
    if (strcmp(scope, "owner") == 0)
        return ROLE_OWNER;
    if (strcmp(scope, "admin") == 0)
        return ROLE_ADMIN;
    return strcmp(scope, "member") == 0 ? ROLE_MEMBER : ROLE_NONE;
}

enum role role_of(const cJSON *scopes)
{
    enum role highest = ROLE_NONE;
    const cJSON *scope;
    cJSON_ArrayForEach(scope, scopes) {
        enum role role = role_parse(scope->valuestring);
        if (role > highest)
            highest = role;
    }
    return highest;
}

struct credential *access_find_actor(const struct state *state, const char *authorization)
{
    const char scheme[] = "Token ";
    if (!authorization || strncasecmp(authorization, scheme, sizeof scheme - 1) != 0)
        return NULL;
    return state_find_api_key(state, authorization + sizeof scheme - 1);
}

static bool has_scope(const struct credential *key, const char *wanted)
{
    if (role_of(key->scopes) >= ROLE_ADMIN)
        return true;
    const cJSON *scope;
    cJSON_ArrayForEach(scope, key->scopes)
        if (strcmp(scope->valuestring, wanted) == 0)
            return true;
    return false;
}

bool access_authenticate(struct call *call)
{
    if (call->actor && credential_is_alive(call->actor, call->now_ms))
        return true;
    reply_legacy_error(&call->reply, 401, "INVALID_AUTH", "Invalid credentials.");
    return false;
}

void access_deny(struct call *call)
{
    reply_legacy_error(&call->reply, 403, "INSUFFICIENT_PERMISSIONS",
                       "User does not have sufficient permissions.");
}

bool access_check(struct call *call, const char *scope)
{
    const char *project_id = call->route->project_id;
    if (!ids_is_uuid(project_id)) {
        auto_free char *message =
            mem_format("UUID parsing failed: \"%s\" is not a UUID", project_id);
        reply_text(&call->reply, 404, "text/plain; charset=utf-8", message);
        return false;
    }
    if (!access_authenticate(call))
        return false;
    call->project = state_find_project(call->state, project_id);
    if (!call->project || call->actor->project != call->project) {
        reply_legacy_error(&call->reply, 404, "PROJECT_NOT_FOUND", "Project not found.");
        return false;
    }
    if (!has_scope(call->actor, scope)) {
        access_deny(call);
        return false;
    }
    return true;
}
