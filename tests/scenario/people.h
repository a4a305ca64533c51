/* People and the resource that the stories are about; shared by action.c and damage.c. */
#ifndef SCENARIO_PEOPLE_H
#define SCENARIO_PEOPLE_H

#include <cjson/cJSON.h>

#include "story.h"

#define VOICE "voice"
#define VOICE_KEY "voice-key"
#define FORGED_NONCE "f0f0"

const cJSON *people_voice(void); /* NULL when it isn't there */
void people_merge_voice(const char *patch);
/* Is its target no longer VOICE_KEY? */
bool people_renamed(void);

/* For a new schedule. */
void damage_reset(void);
/* The actions of damage.c and forged.c; NULL at the end. */
const struct action *damage_at(size_t index);
const struct action *forged_at(size_t index);

#endif
