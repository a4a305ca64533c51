/* The recorder against an API server that only keeps what it is sent. */
#include "test.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/json.h"
#include "fake_clock.h"
#include "operator/recorder.h"

enum { EVENTS_MAX = 4096 };

struct kube_call_handle {
    kube_done_fn *done;
    void *context;
    cJSON *body;
    bool under_way;
};

struct kube_client {
    struct kube_call_handle events[EVENTS_MAX];
    size_t count;
    size_t cancelled;
};

static struct kube_client server;
static struct metrics *metrics;
static struct recorder *recorder;
static struct resource *resource;

struct kube_call_handle *kube_send(struct kube_client *client, const struct kube_call *call)
{
    assert_ptr_equal(call->resource, &KUBE_EVENTS);
    assert_int_equal(call->verb, KUBE_CREATE);
    assert_null(call->name);
    assert_string_equal(call->namespace, "team");
    struct kube_call_handle *event = &client->events[client->count++];
    *event = (struct kube_call_handle){
        .done = call->done,
        .context = call->context,
        .body = cJSON_Duplicate(call->body, true),
        .under_way = true,
    };
    return event;
}

void kube_cancel(struct kube_call_handle *event)
{
    assert_true(event->under_way);
    event->under_way = false;
    server.cancelled++;
}

static void answer(size_t index, const struct err *err)
{
    struct kube_call_handle *event = &server.events[index];
    cJSON *object = NULL;
    event->under_way = false;
    event->done(event->context, &object, err);
}

static struct resource *parse_resource(const char *name, const char *uid)
{
    auto_free char *text =
        mem_printf("{\"metadata\":{\"namespace\":\"team\",\"name\":\"%s\",\"uid\":\"%s\","
                   "\"resourceVersion\":\"17\"},\"spec\":{\"projectId\":\"p\"}}",
                   name, uid);
    return resource_new(RESOURCE_API_KEY, json_parse(text, strlen(text)));
}

static int setup(void **state)
{
    (void)state;
    memset(&server, 0, sizeof server);
    metrics = metrics_new();
    recorder = recorder_new(&server, metrics);
    resource = parse_resource("speech", "uid-1");
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    recorder_free(recorder);
    metrics_free(metrics);
    resource_free(resource);
    for (size_t i = 0; i < server.count; i++) {
        assert_false(server.events[i].under_way);
        cJSON_Delete(server.events[i].body);
    }
    return 0;
}

static void record(const char *reason, const char *note)
{
    recorder_event(recorder, resource, EVENT_NORMAL, reason, "Issue", note);
}

static const char *sent(size_t index, const char *path)
{
    assert_true(index < server.count);
    const char *text = json_string_at(server.events[index].body, path);
    assert_non_null(text);
    return text;
}

static int failures(void)
{
    return (int)metrics_value(metrics, METRIC_EVENTS_FAILED, NULL);
}

static void test_what_an_event_says(void **state)
{
    (void)state;
    recorder_event(recorder, resource, EVENT_WARNING, "Refused", "Issue", "no such project");
    static const struct {
        const char *path;
        const char *text;
    } rows[] = {
        { "apiVersion", "events.k8s.io/v1" },
        { "kind", "Event" },
        { "metadata.namespace", "team" },
        { "reportingController", "deepgram.com/operator" },
        { "regarding.apiVersion", "deepgram.com/v1alpha1" },
        { "regarding.kind", "DeepgramApiKey" },
        { "regarding.namespace", "team" },
        { "regarding.name", "speech" },
        { "regarding.uid", "uid-1" },
        { "regarding.resourceVersion", "17" },
        { "type", "Warning" },
        { "reason", "Refused" },
        { "action", "Issue" },
        { "note", "no such project" },
    };
    for (size_t i = 0; i < ARRAY_LENGTH(rows); i++)
        assert_string_equal(sent(0, rows[i].path), rows[i].text);
    char host[65] = "";
    gethostname(host, sizeof host - 1);
    assert_string_equal(sent(0, "reportingInstance"), host);
    assert_int_equal(strlen(sent(0, "eventTime")), strlen("2026-01-01T00:16:40.000000Z"));
    assert_int_equal(strncmp(sent(0, "metadata.name"), "speech.", strlen("speech.")), 0);

    record("Issued", "");
    assert_string_equal(sent(1, "type"), "Normal");
    assert_string_not_equal(sent(0, "metadata.name"), sent(1, "metadata.name"));
}

static void test_the_same_is_written_once_in_ten_minutes(void **state)
{
    (void)state;
    record("Issued", "a");
    record("Issued", "a");
    assert_int_equal(server.count, 1);
    fake_clock_pause(10 * 60 * 1000 - 1);
    record("Issued", "a");
    assert_int_equal(server.count, 1);
    fake_clock_pause(1);
    record("Issued", "a");
    assert_int_equal(server.count, 2);
    record("Issued", "a");
    assert_int_equal(server.count, 2);
}

static void test_what_differs_is_written(void **state)
{
    (void)state;
    record("Issued", "a");
    record("Issued", "b");
    record("Revoked", "a");
    struct resource *first = take(resource);
    resource = parse_resource("speech", "uid-2");
    record("Issued", "a");
    assert_int_equal(server.count, 4);
    resource_free(first);
}

static void test_the_memory_of_events_is_bounded(void **state)
{
    (void)state;
    char note[16];
    for (int i = 0; i < 1500; i++) {
        snprintf(note, sizeof note, "n%d", i);
        record("Issued", note);
        answer(server.count - 1, NULL);
    }
    assert_int_equal(server.count, 1500);
    record("Issued", "n1499");
    assert_int_equal(server.count, 1500);
    record("Issued", "n0");
    assert_int_equal(server.count, 1501);
}

static void test_a_long_note_is_cut_between_characters(void **state)
{
    (void)state;
    char note[3000];
    memset(note, 'x', sizeof note);
    memcpy(note + 1023, "\xC3\xBC", 2); /* would end at 1025 */
    note[sizeof note - 1] = '\0';
    record("Issued", note);
    assert_int_equal(strlen(sent(0, "note")), 1023);
    note[0] = '\xC3';
    memcpy(note, "\xC3\xBC", 2);
    memset(note + 1023, 'x', 2);
    record("Issued", note);
    assert_int_equal(strlen(sent(1, "note")), 1024);
}

static void test_the_longest_name_fits(void **state)
{
    (void)state;
    char name[254];
    memset(name, 'a', sizeof name - 1);
    name[sizeof name - 1] = '\0';
    resource_free(take(resource));
    resource = parse_resource(name, "uid-1");
    record("Issued", "a");
    assert_true(strlen(sent(0, "metadata.name")) <= 253);
    assert_string_equal(sent(0, "regarding.name"), name);
}

static void test_an_event_that_fails_is_counted(void **state)
{
    (void)state;
    record("Issued", "a");
    record("Issued", "b");
    struct err err = ERR_INIT;
    err_set(&err, ERR_FORBIDDEN, "namespace team is being terminated");
    answer(0, &err);
    assert_int_equal(failures(), 1);
    answer(1, NULL);
    assert_int_equal(failures(), 1);
}

/* What was logged while the answer came. */
static void answer_and_read_log(size_t index, const struct err *err, char *ret_log, size_t size)
{
    FILE *file = tmpfile();
    assert_non_null(file);
    int saved = dup(STDERR_FILENO);
    dup2(fileno(file), STDERR_FILENO);
    answer(index, err);
    dup2(saved, STDERR_FILENO);
    close(saved);
    rewind(file);
    ret_log[fread(ret_log, 1, size - 1, file)] = '\0';
    fclose(file);
}

static void test_a_missing_right_is_logged_once(void **state)
{
    (void)state;
    char log[4096];
    record("Issued", "a");
    record("Issued", "b");
    record("Issued", "c");
    struct err going = ERR_INIT;
    err_set(&going, ERR_FORBIDDEN, "no, because it is being terminated");
    answer_and_read_log(0, &going, log, sizeof log);
    assert_string_equal(log, "");
    struct err right = ERR_INIT;
    err_set(&right, ERR_FORBIDDEN, "cannot create resource \"events\"");
    answer_and_read_log(1, &right, log, sizeof log);
    assert_non_null(strstr(log, "cannot create resource"));
    answer_and_read_log(2, &right, log, sizeof log);
    assert_string_equal(log, "");
    assert_int_equal(failures(), 3);
}

static void test_a_flood_is_dropped_and_counted(void **state)
{
    (void)state;
    char note[16];
    for (int i = 0; i < 1000; i++) {
        snprintf(note, sizeof note, "n%d", i);
        record("Issued", note);
    }
    assert_in_range(server.count, 100, 999);
    assert_int_equal(server.count + (size_t)failures(), 1000);
    size_t before = server.count;
    answer(0, NULL);
    record("Issued", "n999");
    assert_int_equal(server.count, before + 1);
}

static void test_freed_while_events_are_under_way(void **state)
{
    (void)state;
    record("Issued", "a");
    record("Issued", "b");
    answer(0, NULL);
    recorder_free(recorder);
    recorder = NULL;
    assert_int_equal(server.cancelled, 1);
    recorder_free(NULL);
}

#define recorder_test(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
    json_setup();
    const struct CMUnitTest tests[] = {
        recorder_test(test_what_an_event_says),
        recorder_test(test_the_same_is_written_once_in_ten_minutes),
        recorder_test(test_what_differs_is_written),
        recorder_test(test_the_memory_of_events_is_bounded),
        recorder_test(test_a_long_note_is_cut_between_characters),
        recorder_test(test_the_longest_name_fits),
        recorder_test(test_an_event_that_fails_is_counted),
        recorder_test(test_a_missing_right_is_logged_once),
        recorder_test(test_a_flood_is_dropped_and_counted),
        recorder_test(test_freed_while_events_are_under_way),
    };
    return test_run(tests);
}
