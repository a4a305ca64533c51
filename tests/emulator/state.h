#ifndef EMULATOR_STATE_H
#define EMULATOR_STATE_H

/* What this Deepgram remembers: projects and the credentials in them. Nothing is ever forgotten
 * but by state_reset(): a revoked credential stays as evidence for the tests. Every struct is
 * owned by the state. Times are milliseconds of wall-clock time, 0 meaning never. */

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stdint.h>
#include <uthash.h>

#include "ids.h"

enum credential_type { CREDENTIAL_API_KEY, CREDENTIAL_DISTRIBUTION };

struct credential {
    char id[ID_SIZE];
    enum credential_type type;
    const struct project *project;
    char *secret;
    char member_id[ID_SIZE];  /* the person who owns it */
    char created_by[ID_SIZE]; /* the API key that asked for it; "" for a seeded key */
    char *comment;            /* may be NULL */
    char *provider;           /* NULL for an API key */
    cJSON *scopes;
    cJSON *tags; /* may be NULL */
    int64_t created_ms;
    int64_t expires_ms;
    int64_t revoked_ms;
    struct credential *prev, *next; /* of the same project, oldest first */
    UT_hash_handle by_id;
    UT_hash_handle by_secret; /* API keys only */
};

struct project {
    char id[ID_SIZE];
    struct credential *credentials;
    UT_hash_handle hh;
};

struct state {
    struct project *projects;
    struct credential *by_id;
    struct credential *by_secret;
};

/* What a credential is made of. NULL for `secret` generates one; lists are copied. */
struct credential_spec {
    enum credential_type type;
    const char *secret;
    const struct credential *creator; /* NULL: seeded, with a new member */
    const char *comment;
    const char *provider;
    const cJSON *scopes;
    const cJSON *tags;
    int64_t expires_ms;
};

void state_reset(struct state *state);

struct project *state_find_project(const struct state *state, const char *id);
struct project *state_add_project(struct state *state, const char *id /* NULL: generated */);

struct credential *state_add(struct state *state, struct project *project,
                             const struct credential_spec *spec, int64_t now_ms);
struct credential *state_find(const struct state *state, const char *id);
struct credential *state_find_api_key(const struct state *state, const char *secret);

bool credential_is_expired(const struct credential *credential, int64_t now_ms);
bool credential_is_alive(const struct credential *credential, int64_t now_ms);

/* Whether a list shows it that learns of creations and deletions `lag_ms` late. */
bool credential_is_listed(const struct credential *credential, int64_t now_ms, int64_t lag_ms);

char *credential_username(const struct credential *credential); /* the caller's */
char *credential_email(const struct credential *credential);    /* the caller's */

#endif
