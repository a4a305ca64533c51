/* Callbacks of libcurl may not call libcurl's multi functions, but our users may send and cancel
 * from theirs. So both only set the request's timer to "now", and the real work is done from the
 * loop, outside of libcurl.
 *
 * The pre-request callback is the witness of what was sent: libcurl calls it on an open connection
 * just before each sending of the request. Until it was called nothing can have reached the peer;
 * and libcurl's silent second sending (when a reused connection dies without an answer, though the
 * peer may have carried the first one out) is stopped there for methods that aren't idempotent. */
#define CURL_DISABLE_DEPRECATION /* of curl_multi_socket_all, which drive() explains */
#include "net/http.h"

#include <assert.h>
#include <curl/curl.h>
#include <signal.h>
#include <string.h>
#include <utlist.h>

#include "base/clock.h"
#include "net/failpoint.h"
#include "net/http_options.h"

enum {
    DEADLINE_GRACE_MS = 250, /* libcurl's own time-out, which explains itself, goes first */
    /* Peers drop idle connections after a minute or more; a request must not meet that moment. */
    IDLE_CONNECTION_MAX_S = 50,
};

struct http {
    struct loop *loop;
    CURLM *multi;
    CURLSH *tls_sessions;
    char *user_agent;
    struct loop_timer timer; /* libcurl's */
    bool run_again;
    int64_t silence_ms; /* when a peer was last found silent; 0: never */
    struct http_request *requests;
};

struct http_request {
    struct http *http;
    struct http_request *prev, *next;
    CURL *easy;
    CURLcode setup;
    struct http_options options;
    char error[CURL_ERROR_SIZE];
    struct buf body;
    struct loop_timer timer; /* starts the transfer, then is its deadline; or cancels it */
    int64_t started_ms;
    int64_t timeout_ms;
    bool idempotent;
    bool sent;
    bool too_large;
    bool stopped;
    bool cancelled;
    http_may_send_fn *may_send;
    http_chunk_fn *chunk;
    http_done_fn *done;
    void *context;
};

/* ---- one request's end ---- */

static void request_free(struct http_request *request)
{
    loop_timer_stop(&request->timer);
    curl_multi_remove_handle(request->http->multi, request->easy);
    curl_easy_cleanup(request->easy);
    http_options_done(&request->options);
    buf_done(&request->body);
    DL_DELETE(request->http->requests, request);
    mem_free(request);
}

static enum http_outcome outcome_of(const struct http_request *request, CURLcode code)
{
    if (request->stopped)
        return HTTP_STOPPED;
    if (request->too_large)
        return HTTP_TOO_LARGE;
    if (code == CURLE_OK)
        return HTTP_ANSWERED;
    return request->sent ? HTTP_BROKEN : HTTP_NOT_SENT;
}

static const char *header(CURL *easy, const char *name)
{
    struct curl_header *found = NULL;
    return curl_easy_header(easy, name, 0, CURLH_HEADER, -1, &found) == CURLHE_OK ? found->value
                                                                                  : NULL;
}

static const char *failure_of(const struct http_request *request, enum http_outcome outcome,
                              CURLcode code)
{
    switch (outcome) {
    case HTTP_ANSWERED:
        return "";
    case HTTP_STOPPED:
        return "stopped by the reader";
    case HTTP_TOO_LARGE:
        return "the answer is too large";
    case HTTP_NOT_SENT:
    case HTTP_BROKEN:
        if (code == CURLE_ABORTED_BY_CALLBACK)
            return request->sent ? "the connection was lost before an answer came"
                                 : "it was no longer to be sent";
        break;
    }
    return request->error[0] ? request->error : curl_easy_strerror(code);
}

/* libcurl can't be told to close what is idle, but how long a connection may have been idle to be
 * used again. */
static long max_idle_s(const struct http *http)
{
    int64_t since_s = (clock_monotonic_ms() - http->silence_ms) / 1000;
    if (http->silence_ms == 0 || since_s > IDLE_CONNECTION_MAX_S)
        return IDLE_CONNECTION_MAX_S;
    return since_s > 0 ? (long)since_s : 1;
}

static void note_silence(struct http *http)
{
    http->silence_ms = clock_monotonic_ms();
}

static void finish(struct http_request *request, CURLcode code)
{
    if (code == CURLE_OPERATION_TIMEDOUT && request->sent)
        note_silence(request->http);
    /* Now, because the answer borrows from the easy handle and the callback may send anew. */
    curl_multi_remove_handle(request->http->multi, request->easy);
    if (!request->cancelled) {
        enum http_outcome outcome = outcome_of(request, code);
        struct http_answer answer = {
            .outcome = outcome,
            .content_type = header(request->easy, "Content-Type"),
            .retry_after = header(request->easy, "Retry-After"),
            .date = header(request->easy, "Date"),
            .body = &request->body,
            .failure = failure_of(request, outcome, code),
            .duration_ms = clock_monotonic_ms() - request->started_ms,
        };
        curl_easy_getinfo(request->easy, CURLINFO_RESPONSE_CODE, &answer.status);
        failpoint_answered(request);
        request->done(request->context, &answer);
    }
    request_free(request);
}

static void finish_completed(struct http *http)
{
    int left = 0;
    for (const CURLMsg *message; (message = curl_multi_info_read(http->multi, &left)) != NULL;) {
        struct http_request *request = NULL;
        curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &request);
        finish(request, message->data.result);
    }
}

/* ---- what libcurl calls during a transfer ---- */

static int on_prerequest(void *context, char *peer_ip, char *local_ip, int peer_port,
                         int local_port)
{
    (void)peer_ip, (void)local_ip, (void)peer_port, (void)local_port;
    struct http_request *request = context;
    if (request->cancelled || (request->sent && !request->idempotent) ||
        (request->may_send && !request->may_send(request->context)))
        return CURL_PREREQFUNC_ABORT;
    request->sent = true;
    failpoint_sending(request);
    return CURL_PREREQFUNC_OK;
}

static size_t on_body(char *bytes, size_t size, size_t count, void *context)
{
    struct http_request *request = context;
    size_t length = size * count;
    if (request->cancelled)
        return CURL_WRITEFUNC_ERROR;
    long status = 0;
    curl_easy_getinfo(request->easy, CURLINFO_RESPONSE_CODE, &status);
    if (request->chunk && status >= 200 && status < 300)
        request->stopped = !request->chunk(request->context, bytes, length);
    else
        request->too_large = !buf_append(&request->body, bytes, length);
    return request->stopped || request->too_large ? CURL_WRITEFUNC_ERROR : length;
}

/* ---- libcurl on the loop ---- */

/* When one address of a peer refuses, libcurl 7.88 drops the socket and tries the next address only
 * when it is run again, which could take seconds: so it is run again at once. */
static void drive(struct http *http, curl_socket_t fd, int events)
{
    int running = 0;
    http->run_again = false;
    curl_multi_socket_action(http->multi, fd, events, &running);
    while (http->run_again) {
        http->run_again = false;
        curl_multi_socket_all(http->multi, &running);
    }
    failpoint_sent();
    finish_completed(http);
}

static void on_socket_ready(void *context, int fd, unsigned events)
{
    drive(context, fd,
          (events & LOOP_READ ? CURL_CSELECT_IN : 0) |
              (events & LOOP_WRITE ? CURL_CSELECT_OUT : 0));
}

static void on_timeout(void *context)
{
    drive(context, CURL_SOCKET_TIMEOUT, 0);
}

static bool is_connecting(CURL *easy)
{
    const struct http_request *request = NULL;
    curl_easy_getinfo(easy, CURLINFO_PRIVATE, &request);
    return request && !request->sent;
}

static int on_socket_wanted(CURL *easy, curl_socket_t fd, int what, void *context,
                            void *socket_context)
{
    struct http *http = context;
    struct loop_fd_watch *watch = socket_context;
    if (what == CURL_POLL_REMOVE) {
        http->run_again = http->run_again || is_connecting(easy);
        loop_unwatch_fd(watch);
        curl_multi_assign(http->multi, fd, NULL);
        return 0;
    }
    unsigned events =
        (what & CURL_POLL_IN ? LOOP_READ : 0U) | (what & CURL_POLL_OUT ? LOOP_WRITE : 0U);
    if (watch)
        loop_watch_update(watch, events);
    else
        curl_multi_assign(http->multi, fd,
                          loop_watch_fd(http->loop, fd, events, on_socket_ready, http));
    return 0;
}

static int on_timeout_wanted(CURLM *multi, long timeout_ms, void *context)
{
    (void)multi;
    struct http *http = context;
    if (timeout_ms < 0)
        loop_timer_stop(&http->timer);
    else
        loop_timer_start(http->loop, &http->timer, timeout_ms, on_timeout, http);
    return 0;
}

/* ---- sending and cancelling ---- */

static void on_deadline(void *context)
{
    finish(context, CURLE_OPERATION_TIMEDOUT);
}

static void on_start(void *context)
{
    struct http_request *request = context;
    if (request->setup != CURLE_OK) {
        finish(request, request->setup);
        return;
    }
    loop_timer_start(request->http->loop, &request->timer, request->timeout_ms + DEADLINE_GRACE_MS,
                     on_deadline, request);
    CURLMcode code = curl_multi_add_handle(request->http->multi, request->easy);
    assert(code == CURLM_OK);
}

static void on_cancelled(void *context)
{
    request_free(context);
}

static bool is_idempotent(const char *method) /* RFC 9110, section 9.2.2 */
{
    static const char *const methods[] = { "GET", "HEAD", "PUT", "DELETE" };
    for (size_t i = 0; i < ARRAY_LENGTH(methods); i++)
        if (strcmp(method, methods[i]) == 0)
            return true;
    return false;
}

static CURLcode set_callbacks(struct http_request *request)
{
    CURL *easy = request->easy;
    CURLcode code = curl_easy_setopt(easy, CURLOPT_PRIVATE, request);
    if (code == CURLE_OK)
        code = curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, request->error);
    if (code == CURLE_OK)
        code = curl_easy_setopt(easy, CURLOPT_PREREQFUNCTION, on_prerequest);
    if (code == CURLE_OK)
        code = curl_easy_setopt(easy, CURLOPT_PREREQDATA, request);
    if (code == CURLE_OK)
        code = curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body);
    if (code == CURLE_OK)
        code = curl_easy_setopt(easy, CURLOPT_WRITEDATA, request);
    if (code == CURLE_OK)
        code = curl_easy_setopt(easy, CURLOPT_SHARE, request->http->tls_sessions);
    return code;
}

struct http_request *http_send(struct http *http, const struct http_call *call)
{
    assert(call->timeout_ms > 0 && call->done);
    struct http_request *request = mem_alloc(sizeof *request);
    *request = (struct http_request){
        .http = http,
        .easy = curl_easy_init(),
        .started_ms = clock_monotonic_ms(),
        .timeout_ms = call->timeout_ms,
        .idempotent = is_idempotent(call->method),
        .may_send = call->may_send,
        .chunk = call->chunk,
        .done = call->done,
        .context = call->context,
    };
    assert(request->easy);
    buf_init(&request->body, call->max_body_bytes);
    request->setup = set_callbacks(request);
    if (request->setup == CURLE_OK)
        request->setup = http_options_set(request->easy, call, http->user_agent, max_idle_s(http),
                                          &request->options);
    failpoint_new_request(request, call);
    DL_APPEND(http->requests, request);
    loop_timer_start(http->loop, &request->timer, 0, on_start, request);
    return request;
}

void http_cancel(struct http_request *request)
{
    if (!request)
        return;
    request->cancelled = true;
    loop_timer_start(request->http->loop, &request->timer, 0, on_cancelled, request);
}

void http_give_up(struct http_request *request)
{
    if (request)
        note_silence(request->http);
    http_cancel(request);
}

/* ---- the pool ---- */

static CURLMcode set_up_multi(struct http *http, long max_connections_per_host)
{
    CURLM *multi = http->multi;
    CURLMcode code = curl_multi_setopt(multi, CURLMOPT_SOCKETFUNCTION, on_socket_wanted);
    if (code == CURLM_OK)
        code = curl_multi_setopt(multi, CURLMOPT_SOCKETDATA, http);
    if (code == CURLM_OK)
        code = curl_multi_setopt(multi, CURLMOPT_TIMERFUNCTION, on_timeout_wanted);
    if (code == CURLM_OK)
        code = curl_multi_setopt(multi, CURLMOPT_TIMERDATA, http);
    if (code == CURLM_OK)
        code = curl_multi_setopt(multi, CURLMOPT_MAX_HOST_CONNECTIONS, max_connections_per_host);
    if (code == CURLM_OK)
        code = curl_multi_setopt(multi, CURLMOPT_MAXCONNECTS, 2 * max_connections_per_host);
    return code;
}

bool http_new(struct loop *loop, const char *user_agent, long max_connections_per_host,
              struct http **ret_http, struct err *err)
{
    /* Counted by libcurl: only the first call of a process sets anything up. */
    CURLcode code = curl_global_init_mem(CURL_GLOBAL_DEFAULT, mem_alloc_raw, mem_free, mem_realloc,
                                         mem_strdup, mem_calloc);
    if (code != CURLE_OK)
        return err_set(err, ERR_TRANSIENT, "libcurl: %s", curl_easy_strerror(code));
    signal(SIGPIPE, SIG_IGN); /* libcurl is told to leave signals alone */

    struct http *http = mem_alloc(sizeof *http);
    http->loop = loop;
    http->user_agent = mem_strdup(user_agent);
    http->multi = curl_multi_init();
    http->tls_sessions = curl_share_init();
    assert(http->multi && http->tls_sessions);
    CURLSHcode shared =
        curl_share_setopt(http->tls_sessions, CURLSHOPT_SHARE, CURL_LOCK_DATA_SSL_SESSION);
    CURLMcode multi = set_up_multi(http, max_connections_per_host);
    if (shared != CURLSHE_OK || multi != CURLM_OK) {
        http_free(http);
        return err_set(err, ERR_INVALID, "libcurl: %s",
                       multi != CURLM_OK ? curl_multi_strerror(multi)
                                         : curl_share_strerror(shared));
    }
    *ret_http = http;
    return true;
}

void http_free(struct http *http)
{
    if (!http)
        return;
    while (http->requests)
        request_free(http->requests);
    curl_multi_cleanup(http->multi);
    loop_timer_stop(&http->timer);
    curl_share_cleanup(http->tls_sessions);
    mem_free(http->user_agent);
    mem_free(http);
    curl_global_cleanup();
}
