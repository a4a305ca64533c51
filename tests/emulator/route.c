/* One table says it all; `{p}` stands for a project and `{id}` for the last identifier. */

#include "route.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#define KEYS "/v1/projects/{p}/keys"
#define CREDENTIALS "/v1/projects/{p}/self-hosted/distribution/credentials"
#define OLD_CREDENTIALS "/v1/projects/{p}/onprem/distribution/credentials"

static const struct {
    enum operation operation;
    const char *method;
    const char *pattern;
} routes[] = {
    { OPERATION_LIST_PROJECTS, "GET", "/v1/projects" },
    { OPERATION_CREATE_KEY, "POST", KEYS },
    { OPERATION_LIST_KEYS, "GET", KEYS },
    { OPERATION_GET_KEY, "GET", KEYS "/{id}" },
    { OPERATION_DELETE_KEY, "DELETE", KEYS "/{id}" },
    { OPERATION_CREATE_CREDENTIALS, "POST", CREDENTIALS },
    { OPERATION_LIST_CREDENTIALS, "GET", CREDENTIALS },
    { OPERATION_GET_CREDENTIALS, "GET", CREDENTIALS "/{id}" },
    { OPERATION_DELETE_CREDENTIALS, "DELETE", CREDENTIALS "/{id}" },
    { OPERATION_CREATE_CREDENTIALS, "POST", OLD_CREDENTIALS },
    { OPERATION_LIST_CREDENTIALS, "GET", OLD_CREDENTIALS },
    { OPERATION_GET_CREDENTIALS, "GET", OLD_CREDENTIALS "/{id}" },
    { OPERATION_DELETE_CREDENTIALS, "DELETE", OLD_CREDENTIALS "/{id}" },
    { OPERATION_AUTH_TOKEN, "GET", "/v1/auth/token" },
    { OPERATION_REGISTRY_AUTH, "GET", "/v2/auth" },
    { OPERATION_LISTEN, "GET", "/v1/listen" },
};

static const char *const names[OPERATION_COUNT] = {
    [OPERATION_UNKNOWN] = "unknown",
    [OPERATION_LIST_PROJECTS] = "list_projects",
    [OPERATION_CREATE_KEY] = "create_key",
    [OPERATION_LIST_KEYS] = "list_keys",
    [OPERATION_GET_KEY] = "get_key",
    [OPERATION_DELETE_KEY] = "delete_key",
    [OPERATION_CREATE_CREDENTIALS] = "create_credentials",
    [OPERATION_LIST_CREDENTIALS] = "list_credentials",
    [OPERATION_GET_CREDENTIALS] = "get_credentials",
    [OPERATION_DELETE_CREDENTIALS] = "delete_credentials",
    [OPERATION_AUTH_TOKEN] = "auth_token",
    [OPERATION_REGISTRY_AUTH] = "registry_auth",
    [OPERATION_LISTEN] = "listen",
};

const char *operation_name(enum operation operation)
{
    return names[operation];
}

bool operation_parse(const char *name, enum operation *ret_operation)
{
    for (unsigned i = 0; i < OPERATION_COUNT; i++) {
        if (strcmp(names[i], name) == 0) {
            *ret_operation = (enum operation)i;
            return true;
        }
    }
    return false;
}

static char *lower_case(const char *text, size_t length)
{
    char *lower = mem_format("%.*s", (int)length, text);
    for (char *c = lower; *c; c++)
        *c = (char)tolower((unsigned char)*c);
    return lower;
}

/* Compares one path with one pattern; what the placeholders cover is kept in the route. */
static bool match(const char *pattern, const char *path, struct route *route)
{
    while (*pattern) {
        if (*pattern != '{') {
            if (*pattern++ != *path++)
                return false;
            continue;
        }
        size_t length = strcspn(path, "/");
        if (length == 0)
            return false;
        char **slot = pattern[1] == 'p' ? &route->project_id : &route->object_id;
        *slot = lower_case(path, length);
        path += length;
        pattern = strchr(pattern, '}') + 1;
    }
    return *path == '\0';
}

struct route route_match(const char *method, const char *path)
{
    for (size_t i = 0; i < sizeof routes / sizeof *routes; i++) {
        struct route route = { .operation = routes[i].operation };
        if (strcmp(routes[i].method, method) == 0 && match(routes[i].pattern, path, &route))
            return route;
        route_done(&route);
    }
    return (struct route){ .operation = OPERATION_UNKNOWN };
}

void route_done(struct route *route)
{
    free(route->project_id);
    free(route->object_id);
    route->project_id = NULL;
    route->object_id = NULL;
}
