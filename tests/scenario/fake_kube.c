/* kube/client.h in front of the simulated API server: an answer is what the real client would have
 * made of it (kube/status.h is the product's), a metadata-only one has nothing but metadata. */
#include "sim.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/json.h"
#include "kube/client.h"
#include "kube/status.h"

#define FORBIDDEN "serviceaccounts is forbidden"

enum { LATENCY_MS = 2 };

struct kube_detail {
    enum kube_verb verb;
    enum api_type type;
    char *namespace;
    char *name; /* NULL: CREATE, LIST */
    bool status;
    bool metadata_only;
    const char *manager; /* static */
    cJSON *body;
    struct kube_client *client;
    kube_done_fn *done;
    void *context;
    struct api_result result;
    cJSON *list; /* of a LIST */
};

static const char *const VERBS[] = {
    [KUBE_GET] = "get",       [KUBE_LIST] = "list",         [KUBE_CREATE] = "create",
    [KUBE_UPDATE] = "update", [KUBE_MERGE_PATCH] = "patch", [KUBE_APPLY] = "apply",
    [KUBE_DELETE] = "delete",
};

/* ---- carrying out ---- */

static struct api_result list(const struct kube_detail *detail, cJSON **ret_list)
{
    cJSON *answer = cJSON_CreateObject();
    cJSON *items = json_add_array(answer, "items");
    for (size_t i = 0; i < sim.api.count; i++)
        if (sim.api.objects[i].type == detail->type &&
            strcmp(sim.api.objects[i].namespace, detail->namespace) == 0)
            cJSON_AddItemToArray(items, cJSON_Duplicate(sim.api.objects[i].json, true));
    *ret_list = answer;
    return (struct api_result){ .code = 200, .reason = "", .message = "", .object = answer };
}

static struct api_result get(const struct kube_detail *detail)
{
    if (api_is_resource(detail->type))
        sim.looked_ms = time_now_ms();
    cJSON *object = api_get(detail->type, detail->namespace, detail->name);
    if (!object)
        return (struct api_result){ .code = 404, .reason = "NotFound", .message = "not found" };
    return (struct api_result){ .code = 200, .reason = "", .message = "", .object = object };
}

static struct api_result carry_out(struct kube_detail *detail)
{
    if (detail->type == API_ACCOUNTS && sim.accounts_forbidden)
        return (struct api_result){ .code = 403, .reason = "Forbidden", .message = FORBIDDEN };
    switch (detail->verb) {
    case KUBE_GET:
        return get(detail);
    case KUBE_LIST:
        return list(detail, &detail->list);
    case KUBE_CREATE:
        return api_create(detail->type, detail->namespace, detail->body, detail->manager);
    case KUBE_UPDATE:
        return api_update(detail->type, detail->namespace, detail->name, detail->body,
                          detail->manager);
    case KUBE_MERGE_PATCH:
        return api_patch(detail->type, detail->namespace, detail->name, detail->status,
                         detail->body);
    case KUBE_DELETE:
        return api_delete(detail->type, detail->namespace, detail->name, detail->body);
    case KUBE_APPLY:
        return api_apply(detail->type, detail->namespace, detail->name, detail->body);
    }
    abort();
}

/* What changes or goes is named by its version, or by its UID where nothing of it that counts can
 * change: it may be another one by now than what was decided on. */
static void check_fenced(const struct kube_detail *detail)
{
    const char *path = detail->verb == KUBE_DELETE ? "preconditions" : "metadata";
    const cJSON *named = json_member(detail->body, path);
    const cJSON *object = api_get(detail->type, detail->namespace, detail->name);
    bool is_fixed = detail->verb == KUBE_APPLY || /* of fields that nobody else owns */
                    (detail->verb == KUBE_DELETE && json_bool_at(object, "immutable", false));
    if (object && !json_string_member(named, is_fixed ? "uid" : "resourceVersion"))
        sim_broken(I7, "%s of %s/%s whatever it is by now", VERBS[detail->verb],
                   api_type_name(detail->type), detail->name);
}

/* The name of what is written: a CREATE has it in its body. */
static const char *object_name(const struct kube_detail *detail)
{
    return detail->name ? detail->name : json_string_at(detail->body, "metadata.name");
}

static void perform(struct request *request)
{
    struct kube_detail *detail = request->detail;
    if (!request->writes) {
        detail->result = carry_out(detail);
        return;
    }
    oracle_written_body(detail->type, detail->body);
    if (detail->verb != KUBE_CREATE)
        check_fenced(detail);
    if (sim.trace && getenv("BODIES")) {
        auto_free char *t = detail->body ? json_print(detail->body) : mem_strdup("-");
        sim_trace("      %s", t);
    }
    const char *name = object_name(detail);
    const cJSON *before = api_get(detail->type, detail->namespace, name);
    detail->result = carry_out(detail);
    if (detail->result.code >= 300)
        return;
    const cJSON *after = api_get(detail->type, detail->namespace, name);
    oracle_object_written(detail->type, before, after, detail->verb == KUBE_DELETE);
}

/* ---- answering ---- */

static bool fail(enum reply_kind reply, const struct api_result *result, struct err *err)
{
    static const struct api_result OF_FAULTS[] = {
        [REPLY_FAILED] = { .code = 500, .reason = "InternalError", .message = "etcd timed out" },
        [REPLY_CONFLICT] = { .code = 409, .reason = "Conflict", .message = "modified" },
        [REPLY_THROTTLED] = { .code = 429, .reason = "TooManyRequests", .message = "busy" },
    };
    if (reply == REPLY_LOST || reply == REPLY_CUT || reply == REPLY_NOT_SENT)
        return err_set(err, ERR_TRANSIENT, "no answer from the API server");
    if (reply != REPLY_OWN)
        result = &OF_FAULTS[reply];
    if (result->code < 300)
        return true;
    auto_json cJSON *status = cJSON_CreateObject();
    json_add_string(status, "reason", result->reason);
    json_add_string(status, "message", result->message);
    if (result->code == 429)
        json_add_int(json_add_object(status, "details"), "retryAfterSeconds",
                     API_PAUSE_MS / SECOND);
    return kube_status_error(result->code, status, err);
}

static cJSON *picture(const struct kube_detail *detail)
{
    if (!detail->metadata_only || detail->verb == KUBE_LIST)
        return cJSON_Duplicate(detail->result.object, true);
    cJSON *object = cJSON_CreateObject();
    json_add_string(object, "kind", "PartialObjectMetadata");
    cJSON_AddItemToObject(object, "metadata",
                          cJSON_Duplicate(json_member(detail->result.object, "metadata"), true));
    return object;
}

int64_t kube_now_ms(const struct kube_client *client)
{
    return client->clock_known ? clock_monotonic_ms() + client->clock_offset_ms : clock_wall_ms();
}

/* By the Date header of an answer that came soon. */
static void learn_clock(const struct request *request, struct kube_client *client)
{
    bool answered = request->reply_kind != REPLY_LOST && request->reply_kind != REPLY_NOT_SENT;
    int64_t date_ms = time_server_ms() / SECOND * SECOND;
    int64_t offset_ms = date_ms + SECOND / 2 - clock_monotonic_ms();
    if (!answered || time_now_ms() - request->began_ms > SECOND)
        return;
    if (!client->clock_known || llabs(offset_ms - client->clock_offset_ms) > 3 * SECOND / 2)
        client->clock_offset_ms = offset_ms;
    client->clock_known = true;
}

static void note_pause(const struct request *request)
{
    sim.api.paused = request->process;
    sim.api.paused_ms = time_now_ms();
    sim.api.asked_ms = request->began_ms;
    snprintf(sim.api.paused_what, sizeof sim.api.paused_what, "%s", request->what);
}

static void answer(struct request *request)
{
    const struct kube_detail *detail = request->detail;
    learn_clock(request, detail->client);
    struct err err = ERR_INIT;
    bool fine = fail(request->reply_kind, &detail->result, &err);
    if (request->reply_kind == REPLY_THROTTLED)
        note_pause(request);
    cJSON *object = fine ? picture(detail) : NULL;
    detail->done(detail->context, &object, fine ? NULL : &err);
    cJSON_Delete(object);
}

static void release(struct request *request)
{
    struct kube_detail *detail = request->detail;
    cJSON_Delete(detail->body);
    cJSON_Delete(detail->list);
    mem_free(detail->namespace);
    mem_free(detail->name);
}

/* ---- kube/client.h ---- */

struct kube_call_handle *kube_send(struct kube_client *client, const struct kube_call *call)
{
    assert(!call->name == (call->verb == KUBE_LIST || call->verb == KUBE_CREATE));
    assert(!call->query);
    struct kube_detail *detail = NULL;
    struct request *request = request_new(sizeof *detail);
    struct process *process = memory_enter(NULL);
    detail = request->detail;
    *detail = (struct kube_detail){
        .verb = call->verb,
        .type = api_type_of(call->resource),
        .namespace = mem_strdup(call->namespace),
        .name = mem_strdup(call->name),
        .status = call->subresource != NULL,
        .metadata_only = call->metadata_only,
        .manager = call->field_manager,
        .body = cJSON_Duplicate(call->body, true),
        .client = client,
        .done = call->done,
        .context = call->context,
    };
    const char *name = call->verb == KUBE_LIST ? "" : object_name(detail);
    snprintf(request->what, sizeof request->what, "%s %s/%s%s", VERBS[call->verb],
             api_type_name(detail->type), name, detail->status ? "/status" : "");
    request->writes = call->verb != KUBE_GET && call->verb != KUBE_LIST;
    request->perform = perform;
    request->answer = answer;
    request->release = release;
    oracle_asking_kube(process, request->what);
    if (call->verb == KUBE_GET && api_is_resource(detail->type))
        process_look(process);
    memory_enter(process);
    request_start(request, LATENCY_MS);
    return (struct kube_call_handle *)request;
}

void kube_cancel(struct kube_call_handle *handle)
{
    if (handle)
        request_cancel((struct request *)handle);
}
