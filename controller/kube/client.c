/* A request lives in its handle until it is answered: the wait for a login and the repetition after
 * a 401 need the whole of it again. 401 means that nothing was carried out, so repeating is safe
 * for every verb. */
#include "kube/client.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <utlist.h>

#include "api/http_date.h"
#include "api/name.h"
#include "base/clock.h"
#include "base/json.h"
#include "kube/answer.h"
#include "kube/login.h"

enum {
    TIMEOUT_MS = 30 * 1000,
    LIST_BYTES_MAX = 64 * 1024 * 1024,
    OBJECT_BYTES_MAX = 4 * 1024 * 1024,
    URL_BYTES_MAX = 64 * 1024,
    CLOCK_FRESH_MS = 1000,
    CLOCK_TOLERANCE_MS = 1500,
};

static const char JSON[] = "application/json";
static const char PARTIAL_OBJECT[] = "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1";
static const char PARTIAL_LIST[] =
    "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1";

struct verb {
    const char *method;
    const char *content_type; /* of the body, if there is one */
    const char *query;        /* NULL: none */
};

static const struct verb VERBS[] = {
    [KUBE_GET] = { "GET", NULL, NULL },
    [KUBE_LIST] = { "GET", NULL, NULL },
    [KUBE_CREATE] = { "POST", JSON, "fieldManager=deepgram-operator" },
    [KUBE_UPDATE] = { "PUT", JSON, "fieldManager=deepgram-operator" },
    [KUBE_MERGE_PATCH] = { "PATCH", "application/merge-patch+json",
                           "fieldManager=deepgram-operator" },
    [KUBE_APPLY] = { "PATCH", "application/apply-patch+yaml",
                     "fieldManager=deepgram-operator-rollout&force=true" },
    [KUBE_DELETE] = { "DELETE", JSON, NULL },
};

struct kube_client {
    struct loop *loop;
    struct http *http;
    const struct kube_config *config;
    struct kube_login *login;
    kube_observe_fn *observe;
    void *observe_context;
    struct kube_call_handle *handles;
    int64_t clock_offset_ms; /* to be added to our monotonic clock, once it is known */
    bool clock_known;
};

struct kube_call_handle {
    struct kube_client *client;
    struct kube_call_handle *prev;
    struct kube_call_handle *next;
    const char *method;
    char *plural;
    char *url;
    const char *accept;
    const char *content_type;
    char *body; /* NULL: none */
    int64_t timeout_ms;
    size_t max_body_bytes;

    struct kube_login_waiter waiter;
    bool waiting;
    struct http_request *request;
    unsigned credential; /* number of the one that was sent */
    bool repeated;
    struct loop_timer timer; /* refuses a call that can't be sent */
    struct err refusal;

    kube_done_fn *done; /* NULL: a stream */
    kube_chunk_fn *chunk;
    kube_stream_done_fn *stream_done;
    void *context;
};

/* ---- the end of a request ---- */

static void handle_free(struct kube_call_handle *handle)
{
    DL_DELETE(handle->client->handles, handle);
    loop_timer_stop(&handle->timer);
    mem_free(handle->plural);
    mem_free(handle->url);
    mem_free(handle->body);
    mem_free(handle);
}

/* The handle is gone when the callback runs, so that it may send the next request or none. */
static void finish(struct kube_call_handle *handle, cJSON *object, const struct err *err)
{
    kube_done_fn *done = handle->done;
    kube_stream_done_fn *stream_done = handle->stream_done;
    void *context = handle->context;
    handle_free(handle);
    if (done)
        done(context, &object, err);
    else
        stream_done(context, err);
    cJSON_Delete(object);
}

/* ---- sending ---- */

static void start(struct kube_call_handle *handle);

int64_t kube_now_ms(const struct kube_client *client)
{
    return client->clock_known ? clock_monotonic_ms() + client->clock_offset_ms : clock_wall_ms();
}

/* A stream's date is that of its beginning, and a slow answer's is out of date as well. Differences
 * within the header's resolution are left alone, so that the clock doesn't jitter. */
static void learn_clock(struct kube_client *client, const struct http_answer *answer)
{
    int64_t date_ms = 0;
    if (!answer->date || answer->duration_ms > CLOCK_FRESH_MS ||
        !http_date_parse(answer->date, strlen(answer->date), &date_ms))
        return;
    int64_t offset = date_ms + 500 - clock_monotonic_ms();
    if (!client->clock_known || llabs(offset - client->clock_offset_ms) > CLOCK_TOLERANCE_MS)
        client->clock_offset_ms = offset;
    client->clock_known = true;
}

static void on_answer(void *context, const struct http_answer *answer)
{
    struct kube_call_handle *handle = context;
    struct kube_client *client = handle->client;
    handle->request = NULL;
    if (handle->done)
        learn_clock(client, answer);
    if (client->observe)
        client->observe(client->observe_context, handle->method, handle->plural, answer->status,
                        answer->duration_ms);
    if (answer->status == 401 && !handle->repeated &&
        kube_login_refused(client->login, handle->credential)) {
        handle->repeated = true;
        start(handle);
        return;
    }
    struct err err = ERR_INIT;
    cJSON *object = NULL;
    const char *server = client->config->server;
    bool ok = handle->done ? kube_answer_read(answer, server, &object, &err)
                           : kube_answer_check(answer, server, &err);
    finish(handle, object, ok ? NULL : &err);
}

static bool on_chunk(void *context, const char *bytes, size_t length)
{
    struct kube_call_handle *handle = context;
    return handle->chunk(handle->context, bytes, length);
}

static void send_with(struct kube_call_handle *handle, const struct kube_credential *credential)
{
    handle->credential = credential->number;
    handle->request = http_send(handle->client->http,
                                &(struct http_call){
                                    .method = handle->method,
                                    .url = handle->url,
                                    .accept = handle->accept,
                                    .content_type = handle->body ? handle->content_type : NULL,
                                    .body = handle->body,
                                    .body_length = handle->body ? strlen(handle->body) : 0,
                                    .auth = credential->auth,
                                    .credential = &credential->secret,
                                    .tls = &credential->tls,
                                    .timeout_ms = handle->timeout_ms,
                                    .max_body_bytes = handle->max_body_bytes,
                                    .chunk = handle->chunk ? on_chunk : NULL,
                                    .done = on_answer,
                                    .context = handle,
                                });
}

static void on_login(void *context, const struct kube_credential *credential, const struct err *err)
{
    struct kube_call_handle *handle = context;
    handle->waiting = false;
    if (credential)
        send_with(handle, credential);
    else
        finish(handle, NULL, err);
}

static void start(struct kube_call_handle *handle)
{
    struct kube_login *login = handle->client->login;
    const struct kube_credential *credential = kube_login_current(login);
    if (credential) {
        send_with(handle, credential);
        return;
    }
    handle->waiting = true;
    kube_login_wait(login, &handle->waiter, on_login, handle);
}

static void on_refusal(void *context)
{
    struct kube_call_handle *handle = context;
    struct err refusal = handle->refusal;
    finish(handle, NULL, &refusal);
}

static const char *first_invalid(const char *namespace, const char *name)
{
    if (namespace && !name_is_subdomain(namespace))
        return namespace;
    return name && !name_is_subdomain(name) ? name : NULL;
}

static void append_query(struct buf *url, const char *query)
{
    if (!query)
        return;
    buf_putc(url, strchr(buf_text(url), '?') ? '&' : '?');
    buf_puts(url, query);
}

static void start_at(struct kube_call_handle *handle, const char *path,
                     const char *const queries[2])
{
    auto_buf struct buf url;
    buf_init(&url, URL_BYTES_MAX);
    buf_puts(&url, handle->client->config->server);
    buf_puts(&url, path);
    append_query(&url, queries[0]);
    append_query(&url, queries[1]);
    assert(!url.failed); /* names are bounded, queries and the server are the operator's own */
    handle->url = buf_take(&url);
    start(handle);
}

static void start_checked(struct kube_call_handle *handle, const struct kube_resource *resource,
                          const char *namespace, const char *name, const char *subresource,
                          const char *const queries[2])
{
    const char *invalid = first_invalid(namespace, name);
    handle->refusal = ERR_INIT;
    if (invalid) {
        err_set(&handle->refusal, ERR_INVALID, "\"%s\" can't be a name in Kubernetes", invalid);
        loop_timer_start(handle->client->loop, &handle->timer, 0, on_refusal, handle);
        return;
    }
    auto_free char *path = kube_path(resource, namespace, name, subresource);
    start_at(handle, path, queries);
}

static struct kube_call_handle *handle_new(struct kube_client *client,
                                           const struct kube_resource *resource)
{
    struct kube_call_handle *handle = mem_alloc(sizeof *handle);
    handle->client = client;
    handle->plural = mem_strdup(resource->plural);
    handle->max_body_bytes = OBJECT_BYTES_MAX;
    DL_APPEND(client->handles, handle);
    return handle;
}

struct kube_call_handle *kube_send(struct kube_client *client, const struct kube_call *call)
{
    bool is_list = call->verb == KUBE_LIST;
    assert(call->path || !call->name == (is_list || call->verb == KUBE_CREATE));
    const struct verb *verb = &VERBS[call->verb];
    struct kube_call_handle *handle = handle_new(client, call->resource);
    handle->method = verb->method;
    handle->content_type = verb->content_type;
    handle->accept = JSON;
    if (call->metadata_only)
        handle->accept = is_list ? PARTIAL_LIST : PARTIAL_OBJECT;
    handle->body = call->body ? json_print(call->body) : NULL;
    handle->timeout_ms = TIMEOUT_MS;
    if (is_list)
        handle->max_body_bytes = LIST_BYTES_MAX;
    handle->done = call->done;
    handle->context = call->context;
    bool named = call->field_manager && verb->query;
    auto_free char *manager = named ? mem_printf("fieldManager=%s", call->field_manager) : NULL;
    const char *const queries[] = { manager ? manager : verb->query, call->query };
    if (call->path)
        start_at(handle, call->path, queries);
    else
        start_checked(handle, call->resource, call->namespace, call->name, call->subresource,
                      queries);
    return handle;
}

struct kube_call_handle *kube_stream(struct kube_client *client,
                                     const struct kube_resource *resource, const char *namespace,
                                     const char *query, bool metadata_only, int64_t timeout_ms,
                                     kube_chunk_fn *chunk, kube_stream_done_fn *done, void *context)
{
    struct kube_call_handle *handle = handle_new(client, resource);
    handle->method = "GET";
    handle->accept = metadata_only ? PARTIAL_OBJECT : JSON;
    handle->timeout_ms = timeout_ms;
    handle->chunk = chunk;
    handle->stream_done = done;
    handle->context = context;
    start_checked(handle, resource, namespace, NULL, NULL, (const char *const[]){ query, NULL });
    return handle;
}

static void end_call(struct kube_call_handle *handle, void end_request(struct http_request *))
{
    if (!handle)
        return;
    if (handle->waiting)
        kube_login_stop_waiting(handle->client->login, &handle->waiter);
    end_request(handle->request);
    handle_free(handle);
}

void kube_cancel(struct kube_call_handle *handle)
{
    end_call(handle, http_cancel);
}

void kube_give_up(struct kube_call_handle *handle)
{
    end_call(handle, http_give_up);
}

/* ---- the client ---- */

struct kube_client *kube_client_new(struct loop *loop, struct http *http,
                                    const struct kube_config *config, kube_observe_fn *observe,
                                    void *observe_context)
{
    struct kube_client *client = mem_alloc(sizeof *client);
    *client = (struct kube_client){
        .loop = loop,
        .http = http,
        .config = config,
        .login = kube_login_new(loop, config),
        .observe = observe,
        .observe_context = observe_context,
    };
    return client;
}

void kube_client_free(struct kube_client *client)
{
    if (!client)
        return;
    while (client->handles)
        kube_cancel(client->handles);
    kube_login_free(client->login);
    mem_free(client);
}
