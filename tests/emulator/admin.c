/* The table of admin endpoints. Whatever a test asks for in a way that isn't understood is a 400
 * with the reason, so that a misspelt fault fails its test instead of never firing. */

#include "admin.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "admin_state.h"
#include "emulator.h"
#include "fields.h"
#include "timestamp.h"

struct admin_call {
    struct emulator *emulator;
    const struct request *request;
    struct reply *reply;
};

static void refuse(struct admin_call *call, int status, const char *why)
{
    cJSON *error = cJSON_CreateObject();
    cJSON_AddStringToObject(error, "error", why);
    reply_json(call->reply, status, error);
}

static void answer_list(struct admin_call *call, const char *name, cJSON *list)
{
    cJSON *answer = cJSON_CreateObject();
    cJSON_AddItemToObject(answer, name, list);
    reply_json(call->reply, 200, answer);
}

static void answer_done(struct admin_call *call)
{
    reply_json(call->reply, 200, cJSON_CreateObject());
}

static void healthz(struct admin_call *call)
{
    reply_text(call->reply, 200, "text/plain", "ok");
}

static void reset(struct admin_call *call)
{
    emulator_reset(call->emulator);
    answer_done(call);
}

static void show_state(struct admin_call *call)
{
    const char *alive = request_param(call->request, "alive");
    reply_json(call->reply, 200,
               admin_state_describe(&call->emulator->state,
                                    request_param(call->request, "project_id"),
                                    alive && strcmp(alive, "true") == 0, timestamp_now_ms()));
}

static void add_project(struct admin_call *call)
{
    cJSON *answer = NULL;
    auto_free char *problem =
        admin_state_seed(&call->emulator->state, call->request->json, timestamp_now_ms(), &answer);
    if (problem)
        refuse(call, 400, problem);
    else
        reply_json(call->reply, 201, answer);
}

static void show_requests(struct admin_call *call)
{
    const struct request *request = call->request;
    const char *since = request_param(request, "since");
    answer_list(call, "requests",
                journal_describe(&call->emulator->journal, since ? strtoull(since, NULL, 10) : 0,
                                 request_param(request, "operation"),
                                 request_param(request, "project_id")));
}

static void clear_requests(struct admin_call *call)
{
    journal_clear(&call->emulator->journal);
    answer_done(call);
}

static void show_faults(struct admin_call *call)
{
    answer_list(call, "faults", faults_describe(&call->emulator->faults));
}

static void add_fault(struct admin_call *call)
{
    struct faults *faults = &call->emulator->faults;
    auto_free char *problem = faults_add(faults, call->request->json);
    if (problem) {
        refuse(call, 400, problem);
        return;
    }
    cJSON *answer = cJSON_CreateObject();
    cJSON_AddNumberToObject(answer, "id", (double)faults->last_id);
    reply_json(call->reply, 201, answer);
}

static void clear_faults(struct admin_call *call)
{
    faults_clear(&call->emulator->faults);
    answer_done(call);
}

static const char *read_settings(const cJSON *from, struct settings *settings, int64_t *seed)
{
    if (!fields_integer(from, "latency_ms", 0, INT32_MAX, &settings->latency_ms))
        return "latency_ms";
    if (!fields_integer(from, "list_lag_ms", 0, INT32_MAX, &settings->list_lag_ms))
        return "list_lag_ms";
    if (!fields_boolean(from, "expand_scopes", &settings->expand_scopes))
        return "expand_scopes";
    if (!fields_boolean(from, "nested_credentials", &settings->nested_credentials))
        return "nested_credentials";
    if (!fields_boolean(from, "omit_username", &settings->omit_username))
        return "omit_username";
    if (!fields_boolean(from, "repeat_onprem", &settings->repeat_onprem))
        return "repeat_onprem";
    if (!fields_integer(from, "grant_seconds", 0, INT32_MAX, &settings->grant_seconds))
        return "grant_seconds";
    const char *scope = settings->grant_scope;
    if (!fields_string(from, "grant_scope", &scope) ||
        strlen(scope) >= sizeof settings->grant_scope)
        return "grant_scope";
    if (scope != settings->grant_scope)
        snprintf(settings->grant_scope, sizeof settings->grant_scope, "%s", scope);
    return fields_integer(from, "seed", 0, INT32_MAX, seed) ? NULL : "seed";
}

static void change_settings(struct admin_call *call)
{
    static const char *const known[] = { "latency_ms",    "list_lag_ms",
                                         "expand_scopes", "nested_credentials",
                                         "omit_username", "repeat_onprem",
                                         "grant_seconds", "grant_scope",
                                         "seed",          NULL };
    const cJSON *body = call->request->json;
    struct settings settings = call->emulator->settings;
    int64_t seed = -1;
    const char *bad = fields_unknown(body, known);
    if (!bad)
        bad = read_settings(body, &settings, &seed);
    if (bad) {
        auto_free char *why = mem_format("unknown or wrong: %s", bad);
        refuse(call, 400, why);
        return;
    }
    call->emulator->settings = settings;
    if (seed >= 0)
        faults_seed(&call->emulator->faults, (uint64_t)seed);
    answer_done(call);
}

static void revoke(struct admin_call *call)
{
    const char *id = strrchr(call->request->path, '/') + 1;
    struct credential *credential = state_find(&call->emulator->state, id);
    if (!credential || credential->revoked_ms) {
        refuse(call, 404, "no such credential");
        return;
    }
    credential->revoked_ms = timestamp_now_ms();
    answer_done(call);
}

static const struct {
    const char *method;
    const char *path; /* a trailing slash stands for one more segment */
    void (*handle)(struct admin_call *);
    bool needs_body;
} endpoints[] = {
    { "GET", "/admin/healthz", healthz, false },
    { "POST", "/admin/reset", reset, false },
    { "GET", "/admin/state", show_state, false },
    { "POST", "/admin/projects", add_project, true },
    { "GET", "/admin/requests", show_requests, false },
    { "DELETE", "/admin/requests", clear_requests, false },
    { "GET", "/admin/faults", show_faults, false },
    { "POST", "/admin/faults", add_fault, true },
    { "DELETE", "/admin/faults", clear_faults, false },
    { "POST", "/admin/settings", change_settings, true },
    { "DELETE", "/admin/credentials/", revoke, false },
};

static bool path_matches(const char *pattern, const char *path)
{
    size_t length = strlen(pattern);
    if (pattern[length - 1] != '/')
        return strcmp(pattern, path) == 0;
    return strncmp(pattern, path, length) == 0 && path[length] && !strchr(path + length, '/');
}

void admin_handle(struct emulator *emulator, const struct request *request, struct reply *reply)
{
    struct admin_call call = { .emulator = emulator, .request = request, .reply = reply };
    if (!request->from_loopback) {
        refuse(&call, 403, "loopback only");
        return;
    }
    for (size_t i = 0; i < sizeof endpoints / sizeof *endpoints; i++) {
        if (strcmp(endpoints[i].method, request->method) != 0 ||
            !path_matches(endpoints[i].path, request->path))
            continue;
        if (endpoints[i].needs_body && !cJSON_IsObject(request->json))
            refuse(&call, 400, "the body has to be a JSON object");
        else
            endpoints[i].handle(&call);
        return;
    }
    refuse(&call, 404, "no such admin endpoint");
}
