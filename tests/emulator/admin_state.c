/* Seeding is checked in full before anything is added: half a project would make the next test
 * fail for a reason nobody sees. */

#include "admin_state.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "access.h"
#include "api.h"
#include "fields.h"

static const char *key_problem(const struct state *state, const cJSON *key)
{
    static const char *const known[] = { "key", "role", "scopes", NULL };
    const char *secret = NULL, *role = "owner";
    if (!cJSON_IsObject(key) || fields_unknown(key, known))
        return "admin_keys";
    if (!fields_string(key, "key", &secret) || (secret && state_find_api_key(state, secret)))
        return "admin_keys[].key, or it exists already";
    if (!fields_string(key, "role", &role) || role_parse(role) == ROLE_NONE)
        return "admin_keys[].role";
    const cJSON *scopes = cJSON_GetObjectItemCaseSensitive(key, "scopes");
    return scopes && !api_is_string_list(scopes) ? "admin_keys[].scopes" : NULL;
}

static const char *problem_of(const struct state *state, const cJSON *description,
                              const char **ret_project_id)
{
    static const char *const known[] = { "project_id", "admin_keys", NULL };
    const char *unknown = fields_unknown(description, known);
    if (unknown)
        return unknown;
    if (!fields_string(description, "project_id", ret_project_id) ||
        (*ret_project_id && !ids_is_uuid(*ret_project_id)))
        return "project_id";
    const cJSON *keys = cJSON_GetObjectItemCaseSensitive(description, "admin_keys");
    if (keys && !cJSON_IsArray(keys))
        return "admin_keys";
    const cJSON *key;
    cJSON_ArrayForEach(key, keys) {
        const char *problem = key_problem(state, key);
        if (problem)
            return problem;
    }
    return NULL;
}

static struct project *find_or_add_project(struct state *state, const char *id)
{
    if (!id)
        return state_add_project(state, NULL);
    char lower[ID_SIZE] = "";
    for (unsigned i = 0; i < ID_LENGTH; i++)
        lower[i] = (char)tolower((unsigned char)id[i]);
    struct project *project = state_find_project(state, lower);
    return project ? project : state_add_project(state, lower);
}

static cJSON *seed_key(struct state *state, struct project *project, const cJSON *from,
                       int64_t now_ms)
{
    const cJSON *role_item = cJSON_GetObjectItemCaseSensitive(from, "role");
    const char *role = role_item ? role_item->valuestring : "owner";
    auto_json cJSON *scopes = cJSON_CreateArray();
    cJSON_AddItemToArray(scopes, cJSON_CreateString(role));
    const cJSON *scope;
    cJSON_ArrayForEach(scope, cJSON_GetObjectItemCaseSensitive(from, "scopes"))
        cJSON_AddItemToArray(scopes, cJSON_CreateString(scope->valuestring));

    const struct credential_spec spec = {
        .type = CREDENTIAL_API_KEY,
        .secret = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(from, "key")),
        .comment = "seeded",
        .scopes = scopes,
    };
    const struct credential *key = state_add(state, project, &spec, now_ms);
    cJSON *json = cJSON_CreateObject();
    cJSON_AddStringToObject(json, "api_key_id", key->id);
    cJSON_AddStringToObject(json, "key", key->secret);
    cJSON_AddStringToObject(json, "role", role);
    return json;
}

char *admin_state_seed(struct state *state, const cJSON *description, int64_t now_ms,
                       cJSON **ret_answer)
{
    const char *project_id = NULL;
    const char *problem = problem_of(state, description, &project_id);
    if (problem)
        return mem_format("unknown or wrong: %s", problem);

    struct project *project = find_or_add_project(state, project_id);
    cJSON *answer = cJSON_CreateObject();
    cJSON_AddStringToObject(answer, "project_id", project->id);
    cJSON *seeded = cJSON_AddArrayToObject(answer, "admin_keys");
    const cJSON *keys = cJSON_GetObjectItemCaseSensitive(description, "admin_keys");
    if (!keys)
        cJSON_AddItemToArray(seeded, seed_key(state, project, NULL, now_ms));
    const cJSON *key;
    cJSON_ArrayForEach(key, keys)
        cJSON_AddItemToArray(seeded, seed_key(state, project, key, now_ms));
    *ret_answer = answer;
    return NULL;
}

static void add_text(cJSON *object, const char *name, const char *text)
{
    if (text && *text)
        cJSON_AddStringToObject(object, name, text);
    else
        cJSON_AddNullToObject(object, name);
}

static void add_time(cJSON *object, const char *name, int64_t time_ms)
{
    if (time_ms)
        api_add_time(object, name, time_ms);
    else
        cJSON_AddNullToObject(object, name);
}

static void add_common(cJSON *json, const struct credential *credential, int64_t now_ms)
{
    cJSON_AddStringToObject(json, "project_id", credential->project->id);
    add_text(json, "comment", credential->comment);
    cJSON_AddItemToObject(json, "scopes", cJSON_Duplicate(credential->scopes, true));
    add_time(json, "created", credential->created_ms);
    cJSON_AddBoolToObject(json, "alive", credential_is_alive(credential, now_ms));
    add_time(json, "revoked_at", credential->revoked_ms);
    add_text(json, "created_by", credential->created_by);
}

static cJSON *describe_key(const struct credential *key, int64_t now_ms)
{
    cJSON *json = cJSON_CreateObject();
    cJSON_AddStringToObject(json, "api_key_id", key->id);
    cJSON_AddStringToObject(json, "key", key->secret);
    add_common(json, key, now_ms);
    cJSON_AddItemToObject(json, "tags",
                          key->tags ? cJSON_Duplicate(key->tags, true) : cJSON_CreateArray());
    add_time(json, "expiration_date", key->expires_ms);
    cJSON_AddBoolToObject(json, "admin", !*key->created_by);
    return json;
}

static cJSON *describe_distribution(const struct credential *credential, int64_t now_ms)
{
    auto_free char *username = credential_username(credential);
    cJSON *json = cJSON_CreateObject();
    cJSON_AddStringToObject(json, "distribution_credentials_id", credential->id);
    cJSON_AddStringToObject(json, "username", username);
    cJSON_AddStringToObject(json, "secret", credential->secret);
    add_common(json, credential, now_ms);
    cJSON_AddStringToObject(json, "provider", credential->provider);
    return json;
}

cJSON *admin_state_describe(const struct state *state, const char *project_id, bool only_alive,
                            int64_t now_ms)
{
    cJSON *answer = cJSON_CreateObject();
    cJSON *projects = cJSON_AddArrayToObject(answer, "projects");
    cJSON *keys = cJSON_AddArrayToObject(answer, "keys");
    cJSON *credentials = cJSON_AddArrayToObject(answer, "distribution_credentials");
    for (const struct project *project = state->projects; project; project = project->hh.next) {
        if (project_id && strcasecmp(project_id, project->id) != 0)
            continue;
        cJSON *json = cJSON_CreateObject();
        cJSON_AddStringToObject(json, "project_id", project->id);
        cJSON_AddItemToArray(projects, json);
        const struct credential *credential;
        for (credential = project->credentials; credential; credential = credential->next) {
            if (only_alive && !credential_is_alive(credential, now_ms))
                continue;
            if (credential->type == CREDENTIAL_API_KEY)
                cJSON_AddItemToArray(keys, describe_key(credential, now_ms));
            else
                cJSON_AddItemToArray(credentials, describe_distribution(credential, now_ms));
        }
    }
    return answer;
}
