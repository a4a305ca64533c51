/* The queue in front of Deepgram, against a net/http that answers when it is told to. */
#include "test.h"

#include <string.h>

#include "fake_clock.h"
#include "operator/gateway.h"

/* ---- net/http, replaced at link time ---- */

enum { SENT_MAX = 16, MAX_IN_FLIGHT = 2 };

struct http_request {
    char path[64];
    char body[64];
    size_t max_body_bytes;
    http_may_send_fn *may_send;
    http_chunk_fn *chunk;
    http_done_fn *done;
    void *context;
    bool cancelled;
};

static struct http_request sent[SENT_MAX];
static size_t sent_count;

struct http_request *http_send(struct http *http, const struct http_call *call)
{
    assert_null(http);
    assert_int_equal(call->auth, HTTP_AUTH_TOKEN);
    assert_string_equal(secret_reveal(call->credential), "admin-key");
    assert_string_equal(call->tls->ca_pem, "pem");
    assert_int_equal(call->timeout_ms, 30000);
    assert_int_equal(strncmp(call->url, "https://deepgram/", 17), 0);
    assert_true(sent_count < SENT_MAX);
    struct http_request *request = &sent[sent_count++];
    *request = (struct http_request){ .max_body_bytes = call->max_body_bytes,
                                      .may_send = call->may_send,
                                      .chunk = call->chunk,
                                      .done = call->done,
                                      .context = call->context };
    snprintf(request->path, sizeof request->path, "%s", call->url + 16);
    snprintf(request->body, sizeof request->body, "%s %s %.*s", call->method,
             call->content_type ? call->content_type : "-", (int)call->body_length,
             call->body ? call->body : "");
    return request;
}

void http_cancel(struct http_request *request)
{
    assert_false(request->cancelled);
    request->cancelled = true;
}

static void answer_as(size_t index, enum http_outcome outcome, long status)
{
    struct buf body;
    buf_init(&body, 100);
    buf_printf(&body, "body of %s", sent[index].path);
    sent[index].done(sent[index].context, &(struct http_answer){ .outcome = outcome,
                                                                 .status = status,
                                                                 .retry_after = "7",
                                                                 .body = &body,
                                                                 .failure = "reset",
                                                                 .duration_ms = 1500 });
    buf_done(&body);
}

static void answer(size_t index)
{
    answer_as(index, HTTP_ANSWERED, 200);
}

/* ---- callers ---- */

struct caller {
    const char *path;
    bool refused; /* its may_send says no */
    unsigned asked;
    unsigned answers;
    struct deepgram_answer answer;
    char body[64];
    int64_t sent_ms;
    struct caller *then; /* sends that one from its own callback */
};

static char ca_pem[] = "pem";
static char deepgram_url[] = "https://deepgram";
static const struct options options = { .deepgram_url = deepgram_url,
                                        .ca_pem = ca_pem,
                                        .max_in_flight = MAX_IN_FLIGHT };
static struct metrics *metrics;
static struct gateway *gateway;
static struct secret admin_key;

static int setup(void **state)
{
    (void)state;
    sent_count = 0;
    secret_set(&admin_key, "admin-key", 9);
    metrics = metrics_new();
    gateway = gateway_new(NULL, &options, metrics);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    gateway_free(gateway);
    gateway_free(NULL);
    metrics_free(metrics);
    secret_done(&admin_key);
    return 0;
}

static bool may_send(void *context)
{
    struct caller *caller = context;
    caller->asked++;
    return !caller->refused;
}

static struct gateway_call *call(struct caller *caller);

static void done(void *context, const struct deepgram_answer *result)
{
    struct caller *caller = context;
    caller->answers++;
    caller->answer = *result;
    snprintf(caller->body, sizeof caller->body, "%.*s", (int)result->body_length, result->body);
    if (caller->then)
        call(caller->then);
}

static struct gateway_call *send_request(struct caller *caller, enum deepgram_operation operation,
                                         const char *method, const char *body)
{
    struct deepgram_request request = { .operation = operation,
                                        .method = method,
                                        .path = mem_strdup(caller->path),
                                        .body = mem_strdup(body) };
    struct gateway_call *result =
        gateway_send(gateway, &request, &admin_key, &caller->sent_ms, may_send, done, caller);
    assert_null(request.path); /* taken over */
    return result;
}

static struct gateway_call *call(struct caller *caller)
{
    return send_request(caller, DEEPGRAM_GET, "GET", NULL);
}

static void expect_sent(size_t count, const char *last_path)
{
    assert_int_equal(sent_count, count);
    assert_string_equal(sent[count - 1].path, last_path);
}

/* ---- tests ---- */

static void test_a_request_is_passed_on_as_it_is(void **state)
{
    (void)state;
    struct caller create = { .path = "/create" };
    send_request(&create, DEEPGRAM_CREATE, "POST", "{\"a\":1}");
    expect_sent(1, "/create");
    assert_string_equal(sent[0].body, "POST application/json {\"a\":1}");
    assert_int_equal(sent[0].max_body_bytes, 1 << 20);
    assert_int_equal(create.sent_ms, fake_clock_ms);
    assert_null(sent[0].chunk);
    answer(0);
    assert_int_equal(create.answers, 1);
    assert_int_equal(create.answer.transport, DEEPGRAM_ANSWERED);
    assert_int_equal(create.answer.status, 200);
    assert_string_equal(create.body, "body of /create");
    assert_string_equal(create.answer.retry_after, "7");
    assert_int_equal(create.answer.now_ms, clock_wall_ms());
}

static void take_list(void *context, const struct deepgram_answer *result)
{
    struct deepgram_list list;
    assert_true(deepgram_listing_take(result->listing, &list));
    assert_int_equal(list.foreign, 2);
    deepgram_list_done(&list);
    done(context, result);
}

static void test_a_list_is_read_while_it_comes(void **state)
{
    (void)state;
    static const char *const pieces[] = { "{\"api_keys\":[{},", "{}", "]}" };
    struct caller caller = { .path = "/list" };
    struct deepgram_request request;
    deepgram_list(RESOURCE_API_KEY, "p", &request);
    gateway_send(gateway, &request, &admin_key, &caller.sent_ms, may_send, take_list, &caller);
    assert_null(request.listing); /* taken over */
    expect_sent(1, "/v1/projects/p/keys?status=active");
    assert_string_equal(sent[0].body, "GET - ");
    assert_int_equal(sent[0].max_body_bytes, 1 << 20);
    for (size_t i = 0; i < ARRAY_LENGTH(pieces); i++)
        assert_true(sent[0].chunk(sent[0].context, pieces[i], strlen(pieces[i])));
    answer(0);
    assert_int_equal(caller.answers, 1);
    assert_int_equal(caller.answer.transport, DEEPGRAM_ANSWERED);
}

static void test_outcomes(void **state)
{
    (void)state;
    static const struct {
        enum http_outcome outcome;
        enum deepgram_transport transport;
    } rows[] = {
        { HTTP_ANSWERED, DEEPGRAM_ANSWERED },   { HTTP_NOT_SENT, DEEPGRAM_NOT_SENT },
        { HTTP_BROKEN, DEEPGRAM_BROKEN },       { HTTP_STOPPED, DEEPGRAM_TOO_LARGE },
        { HTTP_TOO_LARGE, DEEPGRAM_TOO_LARGE },
    };
    for (size_t i = 0; i < ARRAY_LENGTH(rows); i++) {
        struct caller caller = { .path = "/get" };
        call(&caller);
        answer_as(i, rows[i].outcome, 0);
        assert_int_equal(caller.answers, 1);
        assert_int_equal(caller.answer.transport, rows[i].transport);
        assert_string_equal(caller.answer.failure, "reset");
    }
}

static void test_so_many_at_once_and_the_others_in_order(void **state)
{
    (void)state;
    struct caller callers[5] = {
        { .path = "/a" }, { .path = "/b" }, { .path = "/c" }, { .path = "/d" }, { .path = "/e" }
    };
    for (size_t i = 0; i < ARRAY_LENGTH(callers); i++)
        call(&callers[i]);
    expect_sent(2, "/b");
    assert_int_equal(callers[2].sent_ms, 0);
    fake_clock_pause(500);
    answer(1);
    expect_sent(3, "/c");
    assert_int_equal(callers[2].sent_ms, fake_clock_ms);
    answer(0);
    answer(2);
    expect_sent(5, "/e");
    answer(3);
    answer(4);
    for (size_t i = 0; i < ARRAY_LENGTH(callers); i++)
        assert_int_equal(callers[i].answers, 1);
}

static void test_whoever_waited_is_asked_again(void **state)
{
    (void)state;
    struct caller callers[4] = { { .path = "/a" },
                                 { .path = "/b", .refused = true },
                                 { .path = "/c", .refused = true },
                                 { .path = "/d" } };
    for (size_t i = 0; i < ARRAY_LENGTH(callers); i++)
        call(&callers[i]);
    expect_sent(2, "/b");
    assert_int_equal(callers[1].asked, 0); /* it need not wait */
    answer(0);
    expect_sent(3, "/d");
    assert_int_equal(callers[2].asked, 1);
    assert_int_equal(callers[2].answers, 1);
    assert_int_equal(callers[2].answer.transport, DEEPGRAM_NOT_SENT);
    assert_int_equal(callers[2].sent_ms, 0);
    assert_int_equal(callers[3].asked, 1);
    /* and once more when it is sent a second time on another connection */
    assert_false(sent[1].may_send(sent[1].context));
    assert_true(sent[2].may_send(sent[2].context));
}

static void test_a_callback_may_send(void **state)
{
    (void)state;
    struct caller last = { .path = "/last" };
    struct caller next = { .path = "/next", .then = &last };
    struct caller callers[3] = { { .path = "/a", .then = &next },
                                 { .path = "/b" },
                                 { .path = "/c" } };
    for (size_t i = 0; i < ARRAY_LENGTH(callers); i++)
        call(&callers[i]);
    answer(0);
    expect_sent(3, "/c"); /* who waited comes first */
    answer(1);
    expect_sent(4, "/next");
    answer(3);
    expect_sent(5, "/last");
    answer(2);
    answer(4);
    assert_int_equal(last.answers, 1);
}

static void test_cancelling(void **state)
{
    (void)state;
    struct caller callers[4] = {
        { .path = "/a" }, { .path = "/b" }, { .path = "/c" }, { .path = "/d" }
    };
    struct gateway_call *calls[4];
    for (size_t i = 0; i < ARRAY_LENGTH(callers); i++)
        calls[i] = call(&callers[i]);
    gateway_cancel(calls[2]); /* waits */
    expect_sent(2, "/b");
    gateway_cancel(calls[0]); /* is in flight, and leaves its place to the next */
    assert_true(sent[0].cancelled);
    expect_sent(3, "/d");
    answer(1);
    answer(2);
    assert_int_equal(callers[0].answers + callers[2].answers, 0);
    assert_int_equal(callers[1].answers + callers[3].answers, 2);
}

static void test_the_end_cancels_everything(void **state)
{
    (void)state;
    struct caller callers[3] = { { .path = "/a" }, { .path = "/b" }, { .path = "/c" } };
    for (size_t i = 0; i < ARRAY_LENGTH(callers); i++)
        call(&callers[i]);
    gateway_free(gateway);
    gateway = NULL;
    assert_true(sent[0].cancelled && sent[1].cancelled);
    assert_int_equal(sent_count, 2);
    for (size_t i = 0; i < ARRAY_LENGTH(callers); i++)
        assert_int_equal(callers[i].answers, 0);
}

static void test_every_request_is_counted_and_timed(void **state)
{
    (void)state;
    struct caller caller = { .path = "/get" };
    call(&caller);
    answer_as(0, HTTP_ANSWERED, 429);
    call(&caller);
    answer_as(1, HTTP_ANSWERED, 429);
    call(&caller);
    answer_as(2, HTTP_BROKEN, 200);
    send_request(&caller, DEEPGRAM_CREATE, "POST", "{}");
    answer_as(3, HTTP_ANSWERED, 200);
    struct gateway_call *cancelled = call(&caller);
    gateway_cancel(cancelled);
    assert_true(metrics_value(metrics, METRIC_DEEPGRAM_REQUESTS, "get", "429", NULL) == 2);
    assert_true(metrics_value(metrics, METRIC_DEEPGRAM_REQUESTS, "get", "0", NULL) == 1);
    assert_true(metrics_value(metrics, METRIC_DEEPGRAM_REQUESTS, "get", "200", NULL) == 0);
    assert_true(metrics_value(metrics, METRIC_DEEPGRAM_REQUESTS, "create", "200", NULL) == 1);
    assert_true(metrics_value(metrics, METRIC_DEEPGRAM_SECONDS, "get", NULL) == 3);
    struct buf text;
    buf_init(&text, 1 << 20);
    metrics_render(metrics, &text);
    assert_non_null(strstr(buf_text(&text), "request_duration_seconds_sum{operation=\"get\"} 4.5"));
    buf_done(&text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_a_request_is_passed_on_as_it_is, setup, teardown),
        cmocka_unit_test_setup_teardown(test_a_list_is_read_while_it_comes, setup, teardown),
        cmocka_unit_test_setup_teardown(test_outcomes, setup, teardown),
        cmocka_unit_test_setup_teardown(test_so_many_at_once_and_the_others_in_order, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(test_whoever_waited_is_asked_again, setup, teardown),
        cmocka_unit_test_setup_teardown(test_a_callback_may_send, setup, teardown),
        cmocka_unit_test_setup_teardown(test_cancelling, setup, teardown),
        cmocka_unit_test_setup_teardown(test_the_end_cancels_everything, setup, teardown),
        cmocka_unit_test_setup_teardown(test_every_request_is_counted_and_timed, setup, teardown),
    };
    return test_run(tests);
}
