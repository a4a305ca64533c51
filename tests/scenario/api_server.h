/* The API server: its objects, what a write does to them, and the log that watches read. */
#ifndef SCENARIO_API_SERVER_H
#define SCENARIO_API_SERVER_H

#include <cjson/cJSON.h>
#include <stdint.h>

#include "base/mem.h"
#include "kube/path.h"

enum api_type {
    API_KEYS,
    API_PULLS,
    API_SECRETS,
    API_PODS,
    API_NAMESPACES,
    API_DEPLOYMENTS,
    API_ACCOUNTS,
    API_TYPES
};

struct api_object {
    enum api_type type;
    const char *namespace; /* borrowed from json; "" for namespaces */
    const char *name;
    cJSON *json; /* never changed: a write makes another one */
};

struct api_event { /* for the watches */
    enum api_type type;
    bool deleted;
    cJSON *json;
    int64_t at_ms;
};

enum { API_OBJECTS_MAX = 64, API_EVENTS_MAX = 4096, API_PAUSE_MS = 5000 };

struct api {
    struct api_object objects[API_OBJECTS_MAX];
    size_t count;
    struct api_event events[API_EVENTS_MAX];
    size_t event_count;
    int64_t version;
    unsigned uids;
    const struct process *paused; /* that was told to wait for API_PAUSE_MS */
    int64_t paused_ms;
    int64_t asked_ms; /* when that request left */
    char paused_what[64];
};

void api_reset(void);
enum api_type api_type_of(const struct kube_resource *resource);
const char *api_type_name(enum api_type type);
/* The object or NULL; borrowed. */
cJSON *api_get(enum api_type type, const char *namespace, const char *name);
/* What the API server does: 200/201 and *ret_object (borrowed), or a Status code and reason. */
struct api_result {
    long code;
    const char *reason; /* "" on success */
    const char *message;
    cJSON *object;
};
/* manager: whose writes metadata.managedFields tells the time of; NULL: none. */
struct api_result api_create(enum api_type type, const char *namespace, const cJSON *body,
                             const char *manager);
struct api_result api_update(enum api_type type, const char *namespace, const char *name,
                             const cJSON *body, const char *manager);
struct api_result api_patch(enum api_type type, const char *namespace, const char *name,
                            bool status, const cJSON *patch);
struct api_result api_apply(enum api_type type, const char *namespace, const char *name,
                            const cJSON *body);
bool api_has_finalizer(const cJSON *object, const char *finalizer);
struct api_result api_delete(enum api_type type, const char *namespace, const char *name,
                             const cJSON *options);
/* For people and kubelets: parse and merge a patch given as text (printf); asserts success unless
 * the object is gone. */
void api_merge(enum api_type type, const char *namespace, const char *name, const char *format, ...)
    PRINTF_LIKE(4, 5);
void api_make(enum api_type type, const char *namespace, const char *format, ...) PRINTF_LIKE(3, 4);
/* Of a resource of ours, of either kind? */
bool api_is_resource(enum api_type type);
/* Of both kinds, everywhere. */
size_t api_resource_count(void);
/* Pods go at once, without grace. */
void api_purge(enum api_type type, const char *namespace, const char *name);
bool api_namespace_terminating(const char *namespace);

#endif
