#ifndef EMULATOR_ROUTE_H
#define EMULATOR_ROUTE_H

/* Which operation a method and a path mean. */

#include <stdbool.h>

#include "mem.h"

enum operation {
    OPERATION_UNKNOWN,
    OPERATION_LIST_PROJECTS,
    OPERATION_CREATE_KEY,
    OPERATION_LIST_KEYS,
    OPERATION_GET_KEY,
    OPERATION_DELETE_KEY,
    OPERATION_CREATE_CREDENTIALS,
    OPERATION_LIST_CREDENTIALS,
    OPERATION_GET_CREDENTIALS,
    OPERATION_DELETE_CREDENTIALS,
    OPERATION_AUTH_TOKEN,
    OPERATION_REGISTRY_AUTH,
    OPERATION_LISTEN,
    OPERATION_COUNT,
};

struct route {
    enum operation operation;
    char *project_id; /* in lower case; NULL where the path names none */
    char *object_id;  /* the same */
};

/* The name the admin endpoints use, "create_key" for instance. */
const char *operation_name(enum operation operation);
NODISCARD bool operation_parse(const char *name, enum operation *ret_operation);

struct route route_match(const char *method, const char *path);
void route_done(struct route *route);

#endif
