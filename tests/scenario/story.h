/* What people do: single actions, and the stories that are made of them. */
#ifndef SCENARIO_STORY_H
#define SCENARIO_STORY_H

#include <stdbool.h>
#include <stddef.h>

struct action {
    const char *name;
    void (*perform)(void);
    int mints;    /* that it may rightly cause */
    bool ambient; /* may strike any story at any moment, see action_strikes() */
};
const struct action *action_find(const char *name, size_t length);
const struct action *action_at(size_t index); /* NULL at the end */
void action_perform(const struct action *action);
void actions_reset(void);

struct story {
    const char *name;
    const char *script; /* words: action, settle, +SECONDS, !REQUESTS; see story.c */
};
const struct story *story_find(const char *name);
const struct story *story_at(size_t index); /* NULL at the end */
/* Faults strike it at random only: each at each of its 300 requests would take as long as all other
 * stories together, and pairs of them hours. */
bool story_is_long(const struct story *story);
/* What happens to ServiceAccounts strikes only where there are some. */
bool action_strikes(const struct action *action, const struct story *story);

#endif
