#ifndef EMULATOR_API_H
#define EMULATOR_API_H

/* Carries out an operation of Deepgram's API or of the registry's token endpoint, and holds what
 * the handlers share. */

#include "call.h"

void api_carry_out(struct call *call);

/* The credential of the path, when it is one of this project that nobody revoked. Otherwise
 * NULL, with a 404 in `call->reply`. */
struct credential *api_find(struct call *call, enum credential_type type);

void api_bad_request(struct call *call, const char *details);

/* Whether the request has a JSON object as body, said to be JSON. Otherwise a 400 is in
 * `call->reply`. */
NODISCARD bool api_require_object(struct call *call);

/* True for an array of strings, an empty one included. */
bool api_is_string_list(const cJSON *json);

/* `self-hosted:products` or one of the products that it stands for. */
bool api_is_product_scope(const char *scope);

/* A copy of the asked scopes as granted: with every product spelled out if so set. */
cJSON *api_grant_scopes(const struct call *call, const cJSON *asked);

void api_add_time(cJSON *object, const char *name, int64_t time_ms);
cJSON *api_member(const struct credential *credential); /* {member_id, email} */

#endif
