/* People and the resource that the stories are about; shared by action.c and damage.c. */
#ifndef SCENARIO_PEOPLE_H
#define SCENARIO_PEOPLE_H

#include <cjson/cJSON.h>

#include "api_server.h"
#include "story.h"

#define VOICE "voice"
#define VOICE_KEY "voice-key"
#define FORGED_NONCE "f0f0"

const cJSON *people_voice(void); /* NULL when it isn't there */
void people_merge_voice(const char *patch);
/* Of somebody else's, on that resource. */
void people_add_finalizer(const char *name);
void people_drop_finalizer(const char *name);
/* Does one of its conditions have that reason? */
bool people_are_told(const char *reason);
/* Is its target no longer VOICE_KEY? */
bool people_renamed(void);

/* For a new schedule. */
void wars_reset(void);
void accounts_reset(void);
/* A resource of either kind with the admin Secret and the overlap of all; more: further fields of
 * its spec. */
void people_make_resource(enum api_type type, const char *name, const char *secret,
                          const char *more);
/* The actions of damage.c, forged.c, wars.c and accounts.c; NULL at the end. */
const struct action *damage_at(size_t index);
const struct action *forged_at(size_t index);
const struct action *wars_at(size_t index);
const struct action *accounts_at(size_t index);
/* Is it one of accounts.c? */
bool accounts_action(const struct action *action);

#endif
