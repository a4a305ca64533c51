#include "http_peer.h"

#include <sys/stat.h>

#include "base/json.h"
#include "kube/client.h"

/* A client against a scripted API server: each request gets the next answer of the script, the last
 * one for ever. Content-Length is added where it is missing. */
struct world {
    struct http_peer peer; /* first: the peer's callback finds the world through it */
    struct loop *loop;
    struct http *http;
    struct kube_config config;
    struct kube_client *client;
    const char *script[8];
    int answered;
    char directory[64];
    char token_path[96];
    char observed[256];
};

static const char OK_OBJECT[] =
    "HTTP/1.1 200 "
    "OK\r\n\r\n{\"metadata\":{\"name\":\"a\",\"managedFields\":[{\"manager\":\"x\"}]}}";
static const char UNAUTHORIZED[] =
    "HTTP/1.1 401 Unauthorized\r\n\r\n{\"reason\":\"Unauthorized\",\"message\":\"token expired\"}";
static const char CUT[] = "HTTP/1.1 200 OK\r\nContent-Length: 60\r\n\r\n{\"meta";
static const char SILENCE[] = "";

static void respond(struct http_peer_connection *connection, const char *request)
{
    (void)request;
    struct world *world = (struct world *)connection->peer;
    const char *answer = world->script[world->answered];
    if (world->script[world->answered + 1])
        world->answered++;
    const char *body = strstr(answer, "\r\n\r\n");
    if (!body || strstr(answer, "Transfer-Encoding") || strstr(answer, "Content-Length")) {
        http_peer_write(connection, answer);
    } else {
        auto_free char *whole = mem_printf("%.*s\r\nContent-Length: %zu%s", (int)(body - answer),
                                           answer, strlen(body) - 4, body);
        http_peer_write(connection, whole);
    }
    if (answer == CUT)
        http_peer_close(connection);
}

static void on_observe(void *context, const char *method, const char *plural, long code,
                       int64_t duration_ms)
{
    struct world *world = context;
    assert_true(duration_ms >= 0);
    auto_free char *line = mem_printf("%s %s %ld;", method, plural, code);
    strncat(world->observed, line, sizeof world->observed - strlen(world->observed) - 1);
}

static void write_file(const char *path, const char *text)
{
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
}

static int set_up(void **state)
{
    struct world *world = mem_alloc(sizeof *world);
    struct err err = ERR_INIT;
    world->loop = test_loop_new();
    http_peer_start(&world->peer, world->loop, respond);
    assert_true(http_new(world->loop, "test", 8, &world->http, &err));
    world->config.server = mem_strdup(http_peer_url(&world->peer, "/prefix"));
    strcpy(world->directory, "/tmp/test_client.XXXXXX");
    assert_non_null(mkdtemp(world->directory));
    snprintf(world->token_path, sizeof world->token_path, "%s/token", world->directory);
    world->script[0] = OK_OBJECT;
    *state = world;
    return 0;
}

static int tear_down(void **state)
{
    struct world *world = *state;
    kube_client_free(world->client);
    http_free(world->http);
    http_peer_stop(&world->peer);
    loop_free(world->loop);
    kube_config_done(&world->config);
    unlink(world->token_path);
    rmdir(world->directory);
    mem_free(world);
    return 0;
}

/* After the test has filled in the login. */
static void start_client(struct world *world)
{
    world->client = kube_client_new(world->loop, world->http, &world->config, on_observe, world);
}

struct result {
    bool done;
    cJSON *object;
    bool ok;
    struct err err;
};

static void on_done(void *context, cJSON **object, const struct err *err)
{
    struct result *result = context;
    assert_false(result->done);
    result->done = true;
    result->ok = !err;
    if (err)
        result->err = *err;
    result->object = take(*object);
}

static void result_done(struct result *result)
{
    cJSON_Delete(take(result->object));
}
#define auto_result __attribute__((cleanup(result_done)))

static struct result send_call(struct world *world, struct kube_call call)
{
    struct result result = { 0 };
    call.done = on_done;
    call.context = &result;
    (void)kube_send(world->client, &call);
    assert_false(result.done);
    assert_true(test_loop_until(world->loop, &result.done, 5000));
    return result;
}

static struct result get_secret(struct world *world)
{
    return send_call(world, (struct kube_call){
                                .verb = KUBE_GET,
                                .resource = &KUBE_SECRETS,
                                .namespace = "ns",
                                .name = "a",
                            });
}

static void expect_granted(struct world *world)
{
    auto_result struct result result = get_secret(world);
    assert_true(result.ok);
}

static void expect_in_request(const struct world *world, const char *text)
{
    if (!strstr(world->peer.last_request, text))
        fail_msg("\"%s\" isn't in\n%s", text, world->peer.last_request);
}

static void test_verbs(void **state)
{
    struct world *world = *state;
    start_client(world);
    static const char path[] = "/prefix/api/v1/namespaces/ns/secrets";
    static const struct {
        enum kube_verb verb;
        const char *start, *after_path, *content_type;
    } rows[] = {
        { KUBE_GET, "GET ", "/a?q=1 ", NULL },
        { KUBE_LIST, "GET ", "?q=1 ", NULL },
        { KUBE_CREATE, "POST ", "?fieldManager=deepgram-operator&q=1 ", "application/json" },
        { KUBE_UPDATE, "PUT ", "/a?fieldManager=deepgram-operator&q=1 ", "application/json" },
        { KUBE_MERGE_PATCH, "PATCH ", "/a?fieldManager=deepgram-operator&q=1 ",
          "application/merge-patch+json" },
        { KUBE_APPLY, "PATCH ", "/a?fieldManager=deepgram-operator-rollout&force=true&q=1 ",
          "application/apply-patch+yaml" },
        { KUBE_DELETE, "DELETE ", "/a?q=1 ", "application/json" },
    };
    for (size_t i = 0; i < ARRAY_LENGTH(rows); i++) {
        bool is_named = rows[i].verb != KUBE_LIST && rows[i].verb != KUBE_CREATE;
        auto_json cJSON *body = rows[i].content_type ? json_parse("{\"b\":1}", 7) : NULL;
        auto_result struct result result = send_call(world, (struct kube_call){
                                                                .verb = rows[i].verb,
                                                                .resource = &KUBE_SECRETS,
                                                                .namespace = "ns",
                                                                .name = is_named ? "a" : NULL,
                                                                .query = "q=1",
                                                                .body = body,
                                                            });
        assert_true(result.ok);
        auto_free char *line = mem_printf("%s%s%s", rows[i].start, path, rows[i].after_path);
        assert_memory_equal(world->peer.last_request, line, strlen(line));
        expect_in_request(world, "\r\nAccept: application/json\r\n");
        assert_int_equal(!rows[i].content_type, !strstr(world->peer.last_request, "{\"b\":1}"));
        if (rows[i].content_type) {
            auto_free char *header = mem_printf("\r\nContent-Type: %s\r\n", rows[i].content_type);
            expect_in_request(world, header);
        }
    }
}

static void test_another_field_manager(void **state)
{
    struct world *world = *state;
    start_client(world);
    auto_json cJSON *body = json_parse("{}", 2);
    struct kube_call call = { .verb = KUBE_MERGE_PATCH,
                              .resource = &KUBE_SECRETS,
                              .namespace = "ns",
                              .name = "a",
                              .field_manager = "somebody",
                              .body = body };
    auto_result struct result patched = send_call(world, call);
    assert_true(patched.ok);
    expect_in_request(world, "/secrets/a?fieldManager=somebody ");
    call.verb = KUBE_GET;
    call.body = NULL;
    auto_result struct result got = send_call(world, call);
    assert_true(got.ok);
    expect_in_request(world, "/secrets/a "); /* a read manages nothing */
}

static void test_a_path_that_is_no_resource(void **state)
{
    struct world *world = *state;
    start_client(world);
    static const struct kube_resource named = { "", "", "discovery", "" };
    auto_result struct result result =
        send_call(world, (struct kube_call){ .resource = &named, .path = "/version" });
    assert_true(result.ok);
    expect_in_request(world, "GET /prefix/version ");
}

static void test_metadata_only(void **state)
{
    struct world *world = *state;
    start_client(world);
    struct kube_call call = { .verb = KUBE_LIST, .resource = &KUBE_PODS, .metadata_only = true };
    auto_result struct result list = send_call(world, call);
    assert_true(list.ok);
    expect_in_request(world, "Accept: application/json;as=PartialObjectMetadataList;"
                             "g=meta.k8s.io;v=v1\r\n");
    call.verb = KUBE_GET;
    call.namespace = "ns";
    call.name = "a";
    auto_result struct result one = send_call(world, call);
    assert_true(one.ok);
    expect_in_request(world, "Accept: application/json;as=PartialObjectMetadata;g=");
}

static void test_managed_fields_are_dropped(void **state)
{
    struct world *world = *state;
    start_client(world);
    auto_result struct result one = get_secret(world);
    assert_string_equal(json_string_at(one.object, "metadata.name"), "a");
    assert_null(json_at(one.object, "metadata.managedFields"));

    world->script[0] =
        "HTTP/1.1 200 OK\r\n\r\n"
        "{\"metadata\":{},\"items\":[{\"metadata\":{\"name\":\"b\",\"managedFields\":[1]}}, "
        "7]}";
    auto_result struct result list =
        send_call(world, (struct kube_call){ .verb = KUBE_LIST, .resource = &KUBE_PODS });
    auto_free char *text = json_print(list.object);
    assert_string_equal(text, "{\"metadata\":{},\"items\":[{\"metadata\":{\"name\":\"b\"}},7]}");
}

static void test_errors(void **state)
{
    struct world *world = *state;
    start_client(world);
    static const struct {
        const char *answer;
        enum err_kind kind;
        long retry_after_ms;
        const char *message;
    } rows[] = {
        { "HTTP/1.1 403 Forbidden\r\n\r\n"
          "{\"reason\":\"Forbidden\",\"message\":\"cannot patch resource\"}",
          ERR_FORBIDDEN, -1, "Forbidden: cannot patch resource" },
        { "HTTP/1.1 429 X\r\nRetry-After: 3\r\nContent-Type: text/plain; charset=utf-8\r\n"
          "\r\nToo many\n",
          ERR_THROTTLED, 3000, "HTTP 429: Too many" },
        { "HTTP/1.1 503 X\r\nRetry-After: soon\r\n\r\n", ERR_TRANSIENT, -1, "HTTP 503" },
        { "HTTP/1.1 502 X\r\nContent-Type: text/html\r\n\r\n<html>", ERR_TRANSIENT, -1,
          "the API server answered HTTP 502" },
        { "HTTP/1.1 200 OK\r\n\r\n<html>", ERR_MALFORMED, -1, "isn't JSON" },
        { CUT, ERR_TRANSIENT, -1, "no complete answer" },
    };
    for (size_t i = 0; i < ARRAY_LENGTH(rows); i++) {
        world->script[0] = rows[i].answer;
        auto_result struct result result = get_secret(world);
        assert_false(result.ok);
        assert_null(result.object);
        assert_int_equal(result.err.kind, rows[i].kind);
        assert_int_equal(result.err.retry_after_ms, rows[i].retry_after_ms);
        if (!strstr(result.err.message, rows[i].message))
            fail_msg("\"%s\" doesn't say \"%s\"", result.err.message, rows[i].message);
    }
    assert_non_null(strstr(world->observed, "GET secrets 403;GET secrets 429;GET secrets 503;"));
}

static void test_nobody_listens(void **state)
{
    struct world *world = *state;
    int port = 0;
    close(http_peer_listen(&port));
    mem_free(world->config.server);
    world->config.server = mem_printf("http://127.0.0.1:%d", port);
    start_client(world);
    auto_result struct result result = get_secret(world);
    assert_int_equal(result.err.kind, ERR_TRANSIENT);
    assert_non_null(strstr(result.err.message, world->config.server));
    assert_string_equal(world->observed, "GET secrets 0;");
}

static void test_what_is_no_name_is_never_sent(void **state)
{
    struct world *world = *state;
    start_client(world);
    static const char *const rows[] = { "", ".", "..", "a/b", "a%2Fb", "A", "a b" };
    for (size_t i = 0; i < ARRAY_LENGTH(rows); i++) {
        struct kube_call call = {
            .verb = KUBE_DELETE,
            .resource = &KUBE_SECRETS,
            .namespace = "ns",
            .name = rows[i],
        };
        auto_result struct result name = send_call(world, call);
        assert_int_equal(name.err.kind, ERR_INVALID);
        call.namespace = rows[i];
        call.name = "a";
        auto_result struct result namespace = send_call(world, call);
        assert_int_equal(namespace.err.kind, ERR_INVALID);
    }
    assert_int_equal(world->peer.requests, 0);
}

/* ---- logins ---- */

static void test_fixed_token(void **state)
{
    struct world *world = *state;
    secret_set(&world->config.token, "t0ken", 5);
    start_client(world);
    auto_result struct result granted = get_secret(world);
    assert_true(granted.ok);
    expect_in_request(world, "\r\nAuthorization: Bearer t0ken\r\n");
    world->script[0] = UNAUTHORIZED;
    auto_result struct result refused = get_secret(world);
    assert_int_equal(refused.err.kind, ERR_UNAUTHORIZED);
    assert_int_equal(world->peer.requests, 2); /* a fixed token gets no better by asking again */
}

static void test_password(void **state)
{
    struct world *world = *state;
    secret_set(&world->config.basic, "me:pw", 5);
    start_client(world);
    expect_granted(world);
    expect_in_request(world, "\r\nAuthorization: Basic bWU6cHc=\r\n");
}

static void test_token_file_is_read_again_after_401(void **state)
{
    struct world *world = *state;
    world->config.token_file = mem_strdup(world->token_path);
    write_file(world->token_path, "first\n");
    start_client(world);
    expect_granted(world);
    expect_in_request(world, "Bearer first\r\n");

    write_file(world->token_path, "second\n");
    expect_granted(world);
    expect_in_request(world, "Bearer first\r\n");

    world->script[0] = UNAUTHORIZED;
    world->script[1] = OK_OBJECT;
    auto_result struct result repeated = get_secret(world);
    assert_true(repeated.ok);
    expect_in_request(world, "Bearer second\r\n");
    assert_int_equal(world->peer.requests, 4);
    assert_string_equal(world->observed + strlen("GET secrets 200;GET secrets 200;"),
                        "GET secrets 401;GET secrets 200;");
}

static void test_a_request_is_repeated_once_only(void **state)
{
    struct world *world = *state;
    world->config.token_file = mem_strdup(world->token_path);
    write_file(world->token_path, "wrong");
    world->script[0] = UNAUTHORIZED;
    start_client(world);
    auto_result struct result result = get_secret(world);
    assert_int_equal(result.err.kind, ERR_UNAUTHORIZED);
    assert_non_null(strstr(result.err.message, "token expired"));
    assert_int_equal(world->peer.requests, 2);
}

static void test_no_usable_token_file(void **state)
{
    struct world *world = *state;
    world->config.token_file = mem_strdup(world->token_path);
    start_client(world);
    auto_result struct result missing = get_secret(world);
    assert_non_null(strstr(missing.err.message, world->token_path));
    write_file(world->token_path, "\n");
    auto_result struct result empty = get_secret(world);
    assert_non_null(strstr(empty.err.message, "holds no token"));
    assert_int_equal(world->peer.requests, 0);
}

struct retry {
    struct world *world;
    struct kube_call call;
    struct result result; /* of the second request */
};

static void on_failed_then_retry(void *context, cJSON **object, const struct err *err)
{
    struct retry *retry = context;
    assert_null(*object);
    assert_non_null(err);
    write_file(retry->world->token_path, "t");
    retry->call.done = on_done;
    retry->call.context = &retry->result;
    (void)kube_send(retry->world->client, &retry->call);
}

static void test_a_request_from_a_callback_gets_a_fresh_login(void **state)
{
    struct world *world = *state;
    world->config.token_file = mem_strdup(world->token_path);
    start_client(world);
    struct retry retry = {
        .world = world,
        .call = { .verb = KUBE_LIST,
                  .resource = &KUBE_PODS,
                  .done = on_failed_then_retry,
                  .context = &retry },
    };
    (void)kube_send(world->client, &retry.call);
    assert_true(test_loop_until(world->loop, &retry.result.done, 5000));
    assert_true(retry.result.ok);
    result_done(&retry.result);
}

/* A plugin that counts its runs in the token file: token "run1", "run2", … */
static void use_plugin(struct world *world, const char *expiry)
{
    struct kube_exec *exec = world->config.exec = mem_alloc(sizeof *exec);
    exec->api_version = mem_strdup("client.authentication.k8s.io/v1");
    exec->command = mem_strdup("sh");
    exec->args = mem_calloc(3, sizeof *exec->args);
    exec->args[0] = mem_strdup("-c");
    exec->args[1] = mem_printf(
        "n=$(cat %s 2>/dev/null || echo 0); n=$((n + 1)); echo $n > %s; test $n -lt 9 || exit 1; "
        "echo '{\"kind\":\"ExecCredential\",\"apiVersion\":\"client.authentication.k8s.io/v1\","
        "\"status\":{\"token\":\"run'$n'\"%s}}'",
        world->token_path, world->token_path, expiry);
    exec->env = mem_calloc(1, sizeof *exec->env);
}

static void test_plugin_is_run_once_for_all(void **state)
{
    struct world *world = *state;
    use_plugin(world, ",\"expirationTimestamp\":\"2999-01-01T00:00:00Z\"");
    start_client(world);
    struct result results[3] = { 0 };
    for (size_t i = 0; i < ARRAY_LENGTH(results); i++)
        (void)kube_send(world->client, &(struct kube_call){
                                           .verb = KUBE_LIST,
                                           .resource = &KUBE_PODS,
                                           .done = on_done,
                                           .context = &results[i],
                                       });
    for (size_t i = 0; i < ARRAY_LENGTH(results); i++) {
        assert_true(test_loop_until(world->loop, &results[i].done, 5000));
        assert_true(results[i].ok);
        result_done(&results[i]);
    }
    expect_granted(world);
    expect_in_request(world, "Bearer run1\r\n");
}

static void test_plugin_is_run_again_when_expired(void **state)
{
    struct world *world = *state;
    use_plugin(world, ",\"expirationTimestamp\":\"2001-01-01T00:00:00Z\"");
    start_client(world);
    expect_granted(world);
    expect_in_request(world, "Bearer run1\r\n");
    expect_granted(world);
    expect_in_request(world, "Bearer run2\r\n");
}

static void test_plugin_is_run_again_after_401(void **state)
{
    struct world *world = *state;
    use_plugin(world, "");
    world->script[0] = OK_OBJECT;
    world->script[1] = UNAUTHORIZED;
    world->script[2] = OK_OBJECT;
    start_client(world);
    expect_granted(world);
    auto_result struct result second = get_secret(world);
    assert_true(second.ok);
    expect_in_request(world, "Bearer run2\r\n");
}

static void test_plugin_that_fails(void **state)
{
    struct world *world = *state;
    use_plugin(world, "");
    write_file(world->token_path, "8");
    start_client(world);
    auto_result struct result result = get_secret(world);
    assert_non_null(strstr(result.err.message, "credential plugin sh: exited with status 1"));
    assert_int_equal(world->peer.requests, 0);
}

/* ---- cancelling ---- */

static void test_cancelled_requests_are_silent(void **state)
{
    struct world *world = *state;
    use_plugin(world, "");
    world->script[0] = SILENCE;
    start_client(world);
    struct result result = { 0 };
    struct kube_call call = {
        .verb = KUBE_LIST,
        .resource = &KUBE_PODS,
        .done = on_done,
        .context = &result,
    };
    struct kube_call_handle *waits_for_login = kube_send(world->client, &call);
    call.namespace = "..";
    struct kube_call_handle *refused = kube_send(world->client, &call);
    call.namespace = NULL;
    struct kube_call_handle *in_flight = kube_send(world->client, &call);
    kube_cancel(waits_for_login);
    kube_cancel(refused);
    kube_cancel(NULL);
    bool sent = false;
    for (int i = 0; i < 100 && world->peer.requests == 0; i++)
        (void)test_loop_until(world->loop, &sent, 20);
    assert_int_equal(world->peer.requests, 1);
    kube_cancel(in_flight);
    (void)kube_send(world->client, &call); /* cancelled by kube_client_free() */
    assert_false(test_loop_until(world->loop, &result.done, 50));
}

/* ---- streams ---- */

struct stream {
    bool done;
    bool ok;
    struct err err;
    char text[256];
    bool stop;
};

static bool on_chunk(void *context, const char *bytes, size_t length)
{
    struct stream *stream = context;
    strncat(stream->text, bytes, length);
    return !stream->stop;
}

static void on_stream_done(void *context, const struct err *err)
{
    struct stream *stream = context;
    stream->done = true;
    stream->ok = !err;
    if (err)
        stream->err = *err;
}

static void run_stream(struct world *world, struct stream *stream, int64_t timeout_ms)
{
    (void)kube_stream(world->client, &KUBE_PODS, NULL, "watch=true", true, timeout_ms, on_chunk,
                      on_stream_done, stream);
    assert_true(test_loop_until(world->loop, &stream->done, 5000));
}

static const char STREAM[] = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
                             "3\r\none\r\n3\r\ntwo\r\n";
static const char WHOLE_STREAM[] = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
                                   "3\r\none\r\n3\r\ntwo\r\n0\r\n\r\n";

static void test_stream_to_its_end(void **state)
{
    struct world *world = *state;
    world->config.token_file = mem_strdup(world->token_path);
    write_file(world->token_path, "t");
    world->script[0] = UNAUTHORIZED; /* is repeated like any other request */
    world->script[1] = WHOLE_STREAM;
    start_client(world);
    struct stream stream = { 0 };
    run_stream(world, &stream, 5000);
    assert_true(stream.ok);
    assert_string_equal(stream.text, "onetwo");
    expect_in_request(world, "GET /prefix/api/v1/pods?watch=true HTTP/1.1\r\n");
    expect_in_request(world, "Accept: application/json;as=PartialObjectMetadata;g=");
}

static void test_stream_stopped_by_its_reader(void **state)
{
    struct world *world = *state;
    world->script[0] = STREAM;
    start_client(world);
    struct stream stream = { .stop = true };
    run_stream(world, &stream, 5000);
    assert_true(stream.ok);
}

static void test_stream_that_breaks(void **state)
{
    struct world *world = *state;
    world->script[0] = STREAM; /* and then nothing more */
    start_client(world);
    struct stream frozen = { 0 };
    run_stream(world, &frozen, 300);
    assert_int_equal(frozen.err.kind, ERR_TRANSIENT);
    assert_string_equal(frozen.text, "onetwo");

    world->script[0] = CUT;
    struct stream cut = { 0 };
    run_stream(world, &cut, 5000);
    assert_int_equal(cut.err.kind, ERR_TRANSIENT);
    assert_string_equal(cut.text, "{\"meta");
}

static void test_stream_that_is_refused(void **state)
{
    struct world *world = *state;
    world->script[0] = "HTTP/1.1 410 Gone\r\n\r\n"
                       "{\"reason\":\"Expired\",\"message\":\"too old\"}";
    start_client(world);
    struct stream stream = { 0 };
    run_stream(world, &stream, 5000);
    assert_int_equal(stream.err.kind, ERR_GONE);
    assert_string_equal(stream.text, "");
}

static void test_a_frozen_stream_does_not_hurt_others(void **state)
{
    struct world *world = *state;
    world->script[0] = STREAM;
    world->script[1] = OK_OBJECT;
    start_client(world);
    struct stream stream = { 0 };
    struct kube_call_handle *handle = kube_stream(world->client, &KUBE_PODS, NULL, "watch=true",
                                                  false, 60000, on_chunk, on_stream_done, &stream);
    bool never = false;
    for (int i = 0; i < 100 && strcmp(stream.text, "onetwo") != 0; i++)
        (void)test_loop_until(world->loop, &never, 20);
    auto_result struct result result = get_secret(world);
    assert_true(result.ok);
    assert_false(stream.done);
    kube_cancel(handle);
}

#define in_world(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        in_world(test_verbs),
        in_world(test_another_field_manager),
        in_world(test_a_path_that_is_no_resource),
        in_world(test_metadata_only),
        in_world(test_managed_fields_are_dropped),
        in_world(test_errors),
        in_world(test_nobody_listens),
        in_world(test_what_is_no_name_is_never_sent),
        in_world(test_fixed_token),
        in_world(test_password),
        in_world(test_token_file_is_read_again_after_401),
        in_world(test_a_request_is_repeated_once_only),
        in_world(test_no_usable_token_file),
        in_world(test_a_request_from_a_callback_gets_a_fresh_login),
        in_world(test_plugin_is_run_once_for_all),
        in_world(test_plugin_is_run_again_when_expired),
        in_world(test_plugin_is_run_again_after_401),
        in_world(test_plugin_that_fails),
        in_world(test_cancelled_requests_are_silent),
        in_world(test_stream_to_its_end),
        in_world(test_stream_stopped_by_its_reader),
        in_world(test_stream_that_breaks),
        in_world(test_stream_that_is_refused),
        in_world(test_a_frozen_stream_does_not_hurt_others),
    };
    json_setup();
    return test_run(tests);
}
