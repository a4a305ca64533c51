#ifndef EMULATOR_ADMIN_STATE_H
#define EMULATOR_ADMIN_STATE_H

/* What the admin endpoints put into the state and show of it, secret values included. */

#include "mem.h"
#include "state.h"

/* Adds the project and the keys that `description` asks for, creating what it leaves out. NULL
 * when done, with the answer in `ret_answer`; otherwise the reason, the caller's, and nothing is
 * changed. */
NODISCARD char *admin_state_seed(struct state *state, const cJSON *description, int64_t now_ms,
                                 cJSON **ret_answer);

/* Everything, or one project's (NULL: all), or only what is alive. */
cJSON *admin_state_describe(const struct state *state, const char *project_id, bool only_alive,
                            int64_t now_ms);

#endif
