/* Two hash tables over the same credentials, by id and by secret, and one list per project: every
 * request is a lookup by secret (who asks), then by id or along one project's list. */

#include "state.h"

#include <stdlib.h>
#include <string.h>
#include <utlist.h>

#include "mem.h"

static void credential_free(struct credential *credential)
{
    free(credential->secret);
    free(credential->comment);
    free(credential->provider);
    cJSON_Delete(credential->scopes);
    cJSON_Delete(credential->tags);
    free(credential);
}

void state_reset(struct state *state)
{
    HASH_CLEAR(by_secret, state->by_secret);
    HASH_CLEAR(by_id, state->by_id);
    struct project *project, *next_project;
    HASH_ITER(hh, state->projects, project, next_project) {
        HASH_DEL(state->projects, project);
        struct credential *credential, *next;
        DL_FOREACH_SAFE(project->credentials, credential, next)
            credential_free(credential);
        free(project);
    }
}

struct project *state_find_project(const struct state *state, const char *id)
{
    struct project *project = NULL;
    HASH_FIND_STR(state->projects, id, project);
    return project;
}

struct project *state_add_project(struct state *state, const char *id)
{
    struct project *project = mem_alloc(sizeof *project);
    if (id)
        memcpy(project->id, id, ID_SIZE);
    else
        ids_uuid(project->id);
    HASH_ADD_STR(state->projects, id, project);
    return project;
}

static char *new_secret(enum credential_type type)
{
    return type == CREDENTIAL_API_KEY ? ids_alphanumeric(API_KEY_LENGTH)
                                      : ids_capitals(DISTRIBUTION_SECRET_LENGTH);
}

struct credential *state_add(struct state *state, struct project *project,
                             const struct credential_spec *spec, int64_t now_ms)
{
    struct credential *credential = mem_alloc(sizeof *credential);
    *credential = (struct credential){
        .type = spec->type,
        .project = project,
        .secret = spec->secret ? mem_dup(spec->secret) : new_secret(spec->type),
        .comment = mem_dup(spec->comment),
        .provider = mem_dup(spec->provider),
        .scopes = cJSON_Duplicate(spec->scopes, true),
        .tags = spec->tags ? cJSON_Duplicate(spec->tags, true) : NULL,
        .created_ms = now_ms,
        .expires_ms = spec->expires_ms,
    };
    ids_uuid(credential->id);
    if (spec->creator) {
        memcpy(credential->member_id, spec->creator->member_id, ID_SIZE);
        memcpy(credential->created_by, spec->creator->id, ID_SIZE);
    } else {
        ids_uuid(credential->member_id);
    }

    DL_APPEND(project->credentials, credential);
    HASH_ADD(by_id, state->by_id, id, ID_LENGTH, credential);
    if (credential->type == CREDENTIAL_API_KEY)
        HASH_ADD_KEYPTR(by_secret, state->by_secret, credential->secret, strlen(credential->secret),
                        credential);
    return credential;
}

struct credential *state_find(const struct state *state, const char *id)
{
    struct credential *credential = NULL;
    HASH_FIND(by_id, state->by_id, id, strlen(id), credential);
    return credential;
}

struct credential *state_find_api_key(const struct state *state, const char *secret)
{
    struct credential *credential = NULL;
    HASH_FIND(by_secret, state->by_secret, secret, strlen(secret), credential);
    return credential;
}

bool credential_is_expired(const struct credential *credential, int64_t now_ms)
{
    return credential->expires_ms && credential->expires_ms <= now_ms;
}

bool credential_is_alive(const struct credential *credential, int64_t now_ms)
{
    return !credential->revoked_ms && !credential_is_expired(credential, now_ms);
}

bool credential_is_listed(const struct credential *credential, int64_t now_ms, int64_t lag_ms)
{
    if (credential->created_ms + lag_ms > now_ms)
        return false;
    return !credential->revoked_ms || credential->revoked_ms + lag_ms > now_ms;
}

char *credential_username(const struct credential *credential)
{
    return mem_format("deepgram+%s", credential->id);
}

char *credential_email(const struct credential *credential)
{
    return mem_format("member-%.8s@example.com", credential->member_id);
}
