#ifndef EMULATOR_CALL_H
#define EMULATOR_CALL_H

#include <stdint.h>

#include "http.h"
#include "route.h"
#include "settings.h"
#include "state.h"

/* One API request being carried out. A handler reads all of it and leaves its answer in `reply`. */
struct call {
    struct state *state;
    const struct settings *settings;
    const struct request *request;
    const struct route *route;
    int64_t now_ms;
    struct credential *actor;    /* the API key that asks, dead or alive; NULL when unknown */
    struct project *project;     /* set by access_check() */
    char credential_id[ID_SIZE]; /* created or affected; "" when none */
    struct reply reply;
};

#endif
