/* What is pending is counted; the loop runs until nothing is. */
#include "plugin/session.h"

#include <errno.h>
#include <poll.h>

#include "base/clock.h"
#include "base/json.h"
#include "operator/gateway.h"
#include "operator/version.h"

enum {
    CONNECTIONS_PER_HOST = 32,
    DEEPGRAM_TIMEOUT_MS = 30 * 1000,
    ANSWER_BYTES_MAX = 64 * 1024,
    QUERY_BYTES_MAX = 16 * 1024,
};

struct session {
    const struct options *options;
    struct loop *loop;
    struct http *http;
    struct kube_client *kube;
    struct gateway *gateway;
    struct metrics *metrics;
    size_t pending;
};

bool session_new(const struct options *options, const struct kube_config *config,
                 struct session **ret_session, struct err *err)
{
    auto_session struct session *session = mem_alloc(sizeof *session);
    session->options = options;
    if (!loop_new(&session->loop, err) ||
        !http_new(session->loop, "kubectl-deepgram/" DEEPGRAM_OPERATOR_VERSION,
                  CONNECTIONS_PER_HOST, &session->http, err))
        return false;
    session->metrics = metrics_new();
    session->kube = kube_client_new(session->loop, session->http, config, NULL, NULL);
    session->gateway = gateway_new(session->http, options, session->metrics);
    *ret_session = take(session);
    return true;
}

void session_free(struct session *session)
{
    if (!session)
        return;
    gateway_free(session->gateway);
    kube_client_free(session->kube);
    http_free(session->http);
    loop_free(session->loop);
    metrics_free(session->metrics);
    mem_free(session);
}

void session_free_indirect(struct session **session)
{
    session_free(*session);
}

/* ---- waiting ---- */

static void dispatch(struct session *session)
{
    struct pollfd wait = { .fd = loop_fd(session->loop), .events = POLLIN };
    if (poll(&wait, 1, -1) >= 0 || errno == EINTR)
        loop_dispatch(session->loop);
}

void session_wait(struct session *session)
{
    while (session->pending > 0)
        dispatch(session);
}

static void woken(void *context)
{
    struct session *session = context;
    session->pending--;
}

void session_sleep(struct session *session, int64_t ms)
{
    struct loop_timer timer = { 0 };
    session->pending++;
    loop_timer_start(session->loop, &timer, ms, woken, session);
    session_wait(session);
}

/* ---- the API server ---- */

struct asking {
    struct session *session;
    struct reply *reply;
};

static void answered(void *context, cJSON **object, const struct err *err)
{
    struct asking *asking = context;
    asking->session->pending--;
    asking->reply->failed = err != NULL;
    if (err)
        asking->reply->err = *err;
    else
        asking->reply->object = take(*object);
    mem_free(asking);
}

void session_start(struct session *session, const struct kube_call *call, struct reply *reply)
{
    struct asking *asking = mem_alloc(sizeof *asking);
    *asking = (struct asking){ session, reply };
    *reply = (struct reply){ .err = ERR_INIT };
    struct kube_call copy = *call;
    copy.field_manager = "kubectl-deepgram";
    copy.done = answered;
    copy.context = asking;
    session->pending++;
    kube_send(session->kube, &copy);
}

bool session_ask(struct session *session, const struct kube_call *call, cJSON **ret_object,
                 struct err *err)
{
    struct reply reply = { 0 };
    session_start(session, call, &reply);
    session_wait(session);
    if (reply.failed)
        *err = reply.err;
    else
        *ret_object = reply.object;
    return !reply.failed;
}

bool session_get_path(struct session *session, const char *path, cJSON **ret_object,
                      struct err *err)
{
    static const struct kube_resource DISCOVERY = { "", "", "discovery", "" };
    return session_ask(session, &(struct kube_call){ .resource = &DISCOVERY, .path = path },
                       ret_object, err);
}

static void move_items(cJSON *page, cJSON *items)
{
    cJSON *from = cJSON_GetObjectItemCaseSensitive(page, "items");
    while (from && from->child)
        cJSON_AddItemToArray(items, cJSON_DetachItemViaPointer(from, from->child));
}

bool session_list(struct session *session, const struct kube_resource *resource,
                  const char *namespace, bool metadata_only, cJSON **ret_items, struct err *err)
{
    auto_json cJSON *items = cJSON_CreateArray();
    auto_free char *more = mem_strdup("");
    do {
        auto_buf struct buf query;
        buf_init(&query, QUERY_BYTES_MAX);
        kube_query_add(&query, "limit", "500");
        if (more[0])
            kube_query_add(&query, "continue", more);
        auto_json cJSON *page = NULL;
        if (!session_ask(session,
                         &(struct kube_call){ .verb = KUBE_LIST,
                                              .resource = resource,
                                              .namespace = namespace,
                                              .metadata_only = metadata_only,
                                              .query = buf_text(&query) + 1 },
                         &page, err))
            return false;
        move_items(page, items);
        const char *token = json_string_at(page, "metadata.continue");
        mem_replace(&more, token ? token : "");
    } while (more[0]);
    *ret_items = take(items);
    return true;
}

/* ---- Deepgram ---- */

struct asking_deepgram {
    struct session *session;
    session_answer_fn *fn;
    void *context;
};

static void deepgram_answered(void *context, const struct deepgram_answer *answer)
{
    struct asking_deepgram *asking = context;
    asking->session->pending--;
    asking->fn(asking->context, answer);
}

void session_deepgram(struct session *session, struct deepgram_request *request,
                      const struct secret *key, session_answer_fn *fn, void *context)
{
    struct asking_deepgram asking = { session, fn, context };
    session->pending++;
    gateway_send(session->gateway, request, key, NULL, NULL, deepgram_answered, &asking);
    session_wait(session);
}

static void anonymous_answered(void *context, const struct http_answer *answer)
{
    const struct deepgram_answer result = {
        .transport = answer->outcome == HTTP_ANSWERED ? DEEPGRAM_ANSWERED : DEEPGRAM_BROKEN,
        .status = answer->status,
        .body = buf_text(answer->body),
        .body_length = answer->body->length,
        .failure = answer->failure,
        .now_ms = clock_wall_ms(),
    };
    deepgram_answered(context, &result);
}

void session_deepgram_anonymous(struct session *session, const char *path, session_answer_fn *fn,
                                void *context)
{
    struct asking_deepgram asking = { session, fn, context };
    auto_free char *url = mem_printf("%s%s", session->options->deepgram_url, path);
    const struct http_tls tls = { .ca_pem = session->options->ca_pem };
    session->pending++;
    http_send(session->http, &(struct http_call){ .method = "GET",
                                                  .url = url,
                                                  .tls = &tls,
                                                  .timeout_ms = DEEPGRAM_TIMEOUT_MS,
                                                  .max_body_bytes = ANSWER_BYTES_MAX,
                                                  .done = anonymous_answered,
                                                  .context = &asking });
    session_wait(session);
}
