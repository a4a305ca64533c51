/* A fault is two decisions: whether the request takes effect, and what the client gets to see.
 * What matters to a client are the pairs of both, so the kinds are named after those. */

#include "faults.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <utlist.h>

#include "fields.h"

enum {
    BIG_DEFAULT_BYTES = 50 * 1024 * 1024,
    SILENCE_DEFAULT_MS = 60 * 60 * 1000,
};

struct fault {
    int64_t id;
    bool any_operation;
    enum operation operation;
    char *project_id;  /* NULL: any */
    int64_t remaining; /* -1: until removed */
    double probability;
    enum fault_kind kind;
    int64_t delay_ms;
    int64_t size_bytes;
    int64_t status;
    int64_t fired;
    cJSON *description;
    struct fault *prev, *next;
};

static const struct {
    const char *name;
    bool carries_out;
} kinds[FAULT_KIND_COUNT] = {
    [FAULT_STATUS] = { "status", false },
    [FAULT_LOST] = { "lost", true },
    [FAULT_LATE] = { "late", false },
    [FAULT_RESET] = { "reset", false },
    [FAULT_CUT] = { "cut", true },
    [FAULT_HTML] = { "html", false },
    [FAULT_BIG] = { "big", false },
    [FAULT_REDIRECT] = { "redirect", false },
    [FAULT_SILENCE] = { "silence", false },
    [FAULT_GARBAGE] = { "garbage", false },
    [FAULT_NO_SECRET] = { "no_secret", true },
};

static void fault_free(struct fault *fault)
{
    free(fault->project_id);
    cJSON_Delete(fault->description);
    free(fault);
}

void faults_clear(struct faults *faults)
{
    struct fault *fault, *next;
    DL_FOREACH_SAFE(faults->first, fault, next)
        fault_free(fault);
    faults->first = NULL;
}

void faults_seed(struct faults *faults, uint64_t seed)
{
    faults->random_state = seed;
}

/* splitmix64, as a number from 0 up to and without 1. */
static double next_random(struct faults *faults)
{
    uint64_t z = faults->random_state += 0x9e3779b97f4a7c15u;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return (double)((z ^ (z >> 31)) >> 11) / 9007199254740992.0;
}

static bool parse_kind(const char *name, enum fault_kind *ret_kind)
{
    for (unsigned i = 0; i < FAULT_KIND_COUNT; i++) {
        if (strcmp(kinds[i].name, name) == 0) {
            *ret_kind = (enum fault_kind)i;
            return true;
        }
    }
    return false;
}

/* Returns the name of the first field that can't be read, NULL when all can. */
static const char *read_fault(struct fault *fault, const cJSON *from)
{
    const char *operation = "", *kind = "", *project_id = NULL, *location = NULL;
    const char *content_type = NULL;
    if (!fields_string(from, "operation", &operation))
        return "operation";
    fault->any_operation = strcmp(operation, "*") == 0;
    if (!fault->any_operation && !operation_parse(operation, &fault->operation))
        return "operation";
    if (!fields_string(from, "kind", &kind) || !parse_kind(kind, &fault->kind))
        return "kind";
    if (!fields_string(from, "project_id", &project_id))
        return "project_id";
    fault->project_id = mem_dup(project_id);
    if (!fields_integer(from, "count", -1, INT32_MAX, &fault->remaining))
        return "count";
    if (!fields_number(from, "probability", 0, 1, &fault->probability))
        return "probability";
    if (!fields_integer(from, "status", 200, 599, &fault->status))
        return "status";
    if (!fields_integer(from, "delay_ms", 0, INT32_MAX, &fault->delay_ms))
        return "delay_ms";
    if (!fields_integer(from, "size_bytes", 0, INT32_MAX, &fault->size_bytes))
        return "size_bytes";
    if (!fields_string(from, "content_type", &content_type))
        return "content_type";
    if (!fields_string(from, "location", &location) || (fault->kind == FAULT_REDIRECT && !location))
        return "location";
    const cJSON *header;
    cJSON_ArrayForEach(header, cJSON_GetObjectItemCaseSensitive(from, "headers"))
        if (!header->string || !cJSON_IsString(header))
            return "headers";
    return NULL;
}

char *faults_add(struct faults *faults, const cJSON *description)
{
    static const char *const known[] = { "operation", "project_id", "count",    "probability",
                                         "kind",      "status",     "body",     "content_type",
                                         "headers",   "delay_ms",   "location", "size_bytes",
                                         NULL };
    const char *unknown = fields_unknown(description, known);
    if (unknown)
        return mem_format("unknown field: %s", unknown);

    struct fault *fault = mem_alloc(sizeof *fault);
    *fault = (struct fault){
        .remaining = 1,
        .probability = 1,
        .status = 500,
        .delay_ms = -1,
        .size_bytes = BIG_DEFAULT_BYTES,
    };
    const char *bad = read_fault(fault, description);
    if (bad) {
        fault_free(fault);
        return mem_format("missing or wrong: %s", bad);
    }
    fault->id = ++faults->last_id;
    fault->description = cJSON_Duplicate(description, true);
    DL_APPEND(faults->first, fault);
    return NULL;
}

cJSON *faults_describe(const struct faults *faults)
{
    cJSON *list = cJSON_CreateArray();
    const struct fault *fault;
    DL_FOREACH(faults->first, fault) {
        cJSON *json = cJSON_Duplicate(fault->description, true);
        cJSON_AddNumberToObject(json, "id", (double)fault->id);
        cJSON_AddNumberToObject(json, "remaining", (double)fault->remaining);
        cJSON_AddNumberToObject(json, "fired", (double)fault->fired);
        cJSON_AddItemToArray(list, json);
    }
    return list;
}

static bool is_meant(const struct fault *fault, const struct route *route)
{
    if (fault->remaining == 0 || (!fault->any_operation && fault->operation != route->operation))
        return false;
    return !fault->project_id ||
           (route->project_id && strcasecmp(fault->project_id, route->project_id) == 0);
}

const struct fault *faults_take(struct faults *faults, const struct route *route)
{
    struct fault *fault;
    DL_FOREACH(faults->first, fault) {
        if (!is_meant(fault, route) || next_random(faults) >= fault->probability)
            continue;
        if (fault->remaining > 0)
            fault->remaining--;
        fault->fired++;
        return fault;
    }
    return NULL;
}

const char *fault_name(const struct fault *fault)
{
    return kinds[fault->kind].name;
}

bool fault_carries_out(const struct fault *fault)
{
    return kinds[fault->kind].carries_out;
}

static void default_error(struct reply *reply, int status)
{
    if (status == 429)
        reply_legacy_error(reply, status, "TOO_MANY_REQUESTS",
                           "Too many requests. Please try again later.");
    else
        reply_legacy_error(reply, status, "INJECTED_FAULT", "The emulator was told to fail.");
}

/* An answer that the test wrote itself, or this kind's own where it wrote none. */
static void answer_as_told(const struct fault *fault, struct reply *reply, int status,
                           const char *default_type, const char *default_body)
{
    const cJSON *told = fault->description;
    const cJSON *body = cJSON_GetObjectItemCaseSensitive(told, "body");
    const char *type = NULL;
    if (!fields_string(told, "content_type", &type) || !type)
        type = default_type;
    if (cJSON_IsString(body))
        reply_text(reply, status, type, body->valuestring);
    else if (body)
        reply_json(reply, status, cJSON_Duplicate(body, true));
    else if (default_body)
        reply_text(reply, status, type, default_body);
    else
        default_error(reply, status);
    const cJSON *header;
    cJSON_ArrayForEach(header, cJSON_GetObjectItemCaseSensitive(told, "headers"))
        reply_add_header(reply, header->string, header->valuestring);
}

static void redirect(const struct fault *fault, struct reply *reply)
{
    const cJSON *location = cJSON_GetObjectItemCaseSensitive(fault->description, "location");
    answer_as_told(fault, reply, 307, "text/plain", "");
    reply_add_header(reply, "Location", location->valuestring);
}

static void strip_secret(cJSON *answer)
{
    cJSON *nested = cJSON_GetObjectItemCaseSensitive(answer, "distribution_credentials");
    cJSON_DeleteItemFromObjectCaseSensitive(answer, "key");
    cJSON_DeleteItemFromObjectCaseSensitive(answer, "secret");
    cJSON_DeleteItemFromObjectCaseSensitive(nested, "secret");
}

void fault_shape(const struct fault *fault, struct plan *plan)
{
    struct reply *reply = &plan->reply;
    if (fault->delay_ms > 0)
        plan->delay_ms += fault->delay_ms;
    switch (fault->kind) {
    case FAULT_STATUS:
        answer_as_told(fault, reply, (int)fault->status, "text/plain", NULL);
        break;
    case FAULT_LOST:
        plan->ending = ENDING_CLOSE;
        break;
    case FAULT_LATE:
        plan->ending = ENDING_CLOSE;
        plan->delay_ms = 0;
        plan->late = true;
        plan->late_ms = fault->delay_ms < 0 ? 0 : fault->delay_ms;
        break;
    case FAULT_RESET:
        plan->ending = ENDING_RESET;
        break;
    case FAULT_CUT:
        plan->ending = ENDING_CUT;
        break;
    case FAULT_HTML:
        answer_as_told(fault, reply, 200, "text/html", "<!doctype html><title>Sign in</title>");
        break;
    case FAULT_BIG:
        answer_as_told(fault, reply, 200, "application/json", "{\"filler\":\"");
        plan->filler_bytes = fault->size_bytes;
        break;
    case FAULT_REDIRECT:
        redirect(fault, reply);
        break;
    case FAULT_SILENCE:
        plan->ending = ENDING_CLOSE;
        plan->delay_ms = fault->delay_ms < 0 ? SILENCE_DEFAULT_MS : fault->delay_ms;
        break;
    case FAULT_GARBAGE:
        answer_as_told(fault, reply, 200, "application/json", "{\"api_key_id\": <not JSON>");
        break;
    case FAULT_NO_SECRET:
        strip_secret(reply->json);
        break;
    case FAULT_KIND_COUNT:
        abort();
    }
}
