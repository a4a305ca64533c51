#ifndef EMULATOR_ACCESS_H
#define EMULATOR_ACCESS_H

/* Who may do what: authentication and the permissions that scopes carry. */

#include "call.h"

enum role { ROLE_NONE, ROLE_MEMBER, ROLE_ADMIN, ROLE_OWNER };

/* ROLE_NONE also for a scope that is no role. */
enum role role_parse(const char *scope);
/* The highest role among the scopes. */
enum role role_of(const cJSON *scopes);

/* The API key in an `Authorization: Token <key>` header, dead or alive; NULL when unknown. */
struct credential *access_find_actor(const struct state *state, const char *authorization);

/* These leave an error in `call->reply` when they return false. */
NODISCARD bool access_authenticate(struct call *call);
/* Authenticates, finds the project of the path and asks for `keys:read` or `keys:write`. */
NODISCARD bool access_check(struct call *call, const char *scope);

void access_deny(struct call *call); /* INSUFFICIENT_PERMISSIONS */

#endif
