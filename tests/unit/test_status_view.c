#include "fixture.h"

#include "plugin/status_view.h"

/* Published at 10:00:00, revision 2. */
static const char SECRETS[] =
    "[{\"metadata\":{\"name\":\"voice\",\"ownerReferences\":[{\"controller\":true,\"uid\":"
    "\"" FIXTURE_UID "\"}],\"annotations\":{\"deepgram.com/revision\":\"2\","
    "\"deepgram.com/published-at\":\"2026-01-01T10:00:00Z\"}},"
    "\"data\":{\"DEEPGRAM_API_KEY\":\"" FIXTURE_KEY "\"}},"
    "{\"metadata\":{\"name\":\"voice-dgkey-r1\",\"labels\":{\"app.kubernetes.io/managed-by\":"
    "\"deepgram-operator\"},\"annotations\":{\"deepgram.com/resource\":\"DeepgramApiKey/voice\","
    "\"deepgram.com/revision\":\"1\",\"deepgram.com/id\":\"id-1\",\"deepgram.com/nonce\":"
    "\"" FIXTURE_NONCE "\"}}},"
    "{\"metadata\":{\"name\":\"voice-dgkey-r3\",\"labels\":{\"app.kubernetes.io/managed-by\":"
    "\"deepgram-operator\"},\"annotations\":{\"deepgram.com/resource\":\"DeepgramApiKey/voice\","
    "\"deepgram.com/revision\":\"3\",\"deepgram.com/id\":\"id-3\",\"deepgram.com/nonce\":"
    "\"" FIXTURE_NONCE "\"}}}]";

#define POD(name, created, more)                                                                   \
    "{\"metadata\":{\"name\":\"" name "\",\"creationTimestamp\":\"2026-01-01T" created "Z\"" more  \
    "},\"spec\":{\"containers\":[{\"envFrom\":[{\"secretRef\":{\"name\":\"voice\"}}]"              \
    "}]},\"status\":{\"phase\":\"Running\"}}"
#define OWNED(kind, name)                                                                          \
    ",\"ownerReferences\":[{\"controller\":true,\"kind\":\"" kind "\",\"name\":\"" name            \
    "\",\"uid\":\"uid-" name "\"}]"

static const char PODS[] = "[" POD("api-new", "10:01:00", OWNED("ReplicaSet", "api-1")) "," POD(
    "api-old", "09:00:00",
    OWNED("ReplicaSet", "api-1")) "," POD("engine", "09:00:00",
                                          OWNED("StatefulSet",
                                                "engine")) "," POD("bare", "10:00:05", "") "]";
static const char REPLICA_SETS[] =
    "[{\"metadata\":{\"name\":\"api-1\",\"uid\":\"uid-api-1\"" OWNED("Deployment", "api") "}}]";

static struct resource *with_status(const char *status)
{
    auto_free char *text = mem_printf(
        "{\"metadata\":{\"namespace\":\"team\",\"name\":\"voice\",\"uid\":\"" FIXTURE_UID "\"},"
        "\"spec\":{\"projectId\":\"" FIXTURE_PROJECT "\"},\"status\":%s}",
        status);
    return resource_new(RESOURCE_API_KEY, fixture_json(text));
}

static cJSON *view_of(const struct resource *resource, const char *pods)
{
    auto_json cJSON *secrets = fixture_json(SECRETS);
    auto_json cJSON *pod_list = pods ? fixture_json(pods) : NULL;
    auto_json cJSON *sets = fixture_json(REPLICA_SETS);
    return status_view(resource, &(struct status_sources){ secrets, pod_list, sets, NULL });
}

static const char STATUS[] =
    "{\"revision\":2,\"conditions\":[{\"type\":\"Ready\",\"status\":\"True\",\"reason\":"
    "\"Published\",\"message\":\"fine\"}],\"revisions\":[{\"revision\":2,\"id\":\"id-2\","
    "\"state\":\"Current\"},{\"revision\":1,\"id\":\"id-1\",\"state\":\"Retiring\","
    "\"revokeAfter\":\"2026-01-01T11:00:00Z\"}]}";

static void test_revisions_are_those_of_status_and_secrets(void **state)
{
    (void)state;
    auto_resource struct resource *resource = with_status(STATUS);
    auto_json cJSON *view = view_of(resource, NULL);
    fixture_expect_json(
        "revisions", json_member(view, "revisions"),
        "[{\"revision\":3,\"state\":\"Kept\",\"id\":\"id-3\",\"secret\":"
        "\"voice-dgkey-r3\"},{\"revision\":2,\"state\":\"Current\",\"id\":\"id-2\"},"
        "{\"revision\":1,\"state\":\"Retiring\",\"id\":\"id-1\",\"revokeAfter\":"
        "\"2026-01-01T11:00:00Z\",\"secret\":\"voice-dgkey-r1\"}]");
    fixture_expect_json("target", json_member(view, "target"),
                        "{\"name\":\"voice\",\"exists\":true,\"owned\":true,\"revision\":2,"
                        "\"publishedAt\":\"2026-01-01T10:00:00Z\"}");
    assert_null(json_member(view, "consumers"));
}

/* Five seconds are what a kubelet's cache may lag behind. */
static void test_pods_by_workload_with_what_they_run(void **state)
{
    (void)state;
    auto_resource struct resource *resource = with_status(STATUS);
    auto_json cJSON *view = view_of(resource, PODS);
    static const struct {
        const char *kind, *name, *pod;
        int64_t revision, older_than;
    } rows[] = {
        { "Deployment", "api", "api-new", 2, 0 },
        { "Deployment", "api", "api-old", 0, 2 },
        { "StatefulSet", "engine", "engine", 0, 2 },
        { "Pod", "bare", "bare", 0, 2 },
    };
    size_t row = 0;
    const cJSON *consumer = NULL;
    cJSON_ArrayForEach(consumer, json_member(view, "consumers")) {
        const cJSON *pod = NULL;
        cJSON_ArrayForEach(pod, json_member(consumer, "pods")) {
            assert_true(row < ARRAY_LENGTH(rows));
            fixture_expect("kind", json_string_member(consumer, "kind"), rows[row].kind);
            fixture_expect("workload", json_string_member(consumer, "name"), rows[row].name);
            fixture_expect("pod", json_string_member(pod, "name"), rows[row].pod);
            assert_int_equal(json_int_at(pod, "revision", 0), rows[row].revision);
            assert_int_equal(json_int_at(pod, "olderThan", 0), rows[row].older_than);
            row++;
        }
    }
    assert_int_equal(row, ARRAY_LENGTH(rows));
}

static void test_the_marker_tells_an_older_revision(void **state)
{
    (void)state;
    auto_resource struct resource *resource = with_status(STATUS);
    auto_json cJSON *view =
        view_of(resource, "[" POD("p", "09:00:00",
                                  ",\"annotations\":{\"revision.deepgram.com/voice\":\"1\"}") "]");
    const cJSON *consumer = cJSON_GetArrayItem(json_member(view, "consumers"), 0);
    const cJSON *pod = cJSON_GetArrayItem(json_member(consumer, "pods"), 0);
    assert_int_equal(json_int_at(pod, "revision", 0), 1);
}

static void test_finished_and_unrelated_pods_are_left_out(void **state)
{
    (void)state;
    auto_resource struct resource *resource = with_status(STATUS);
    auto_json cJSON *view = view_of(
        resource, "[{\"metadata\":{\"name\":\"other\"},\"spec\":{\"containers\":[{}]}},"
                  "{\"metadata\":{\"name\":\"done\"},\"spec\":{\"imagePullSecrets\":[{\"name\":"
                  "\"voice\"}]},\"status\":{\"phase\":\"Succeeded\"}}]");
    assert_int_equal(cJSON_GetArraySize(json_member(view, "consumers")), 0);
}

static void test_rows(void **state)
{
    (void)state;
    auto_resource struct resource *resource = with_status(STATUS);
    auto_json cJSON *view = view_of(resource, PODS);
    auto_layout struct layout layout = { 0 };
    auto_buf struct buf text;
    buf_init(&text, 8192);
    status_view_rows(view, &layout);
    layout_render(&layout, &text);
    assert_string_equal(
        buf_text(&text),
        "DeepgramApiKey team/voice  2   Ready      Published: fine\n"
        "├─ Secret voice-dgkey-r3   3   Kept       id id-3\n"
        "├─ (no Secret)             2   Current    id id-2\n"
        "├─ Secret voice-dgkey-r1   1   Retiring   id id-1, to be revoked after "
        "2026-01-01T11:00:00Z\n"
        "└─ Secret voice            2   Published  what pods read, published 2026-01-01T10:00:00Z\n"
        "   ├─ Deployment api           2 pods\n"
        "   │  ├─ Pod api-new       2   Running    created 2026-01-01T10:01:00Z\n"
        "   │  └─ Pod api-old       <2  Running    created 2026-01-01T09:00:00Z\n"
        "   ├─ StatefulSet engine       1 pod\n"
        "   │  └─ Pod engine        <2  Running    created 2026-01-01T09:00:00Z\n"
        "   └─ Pod bare             <2  Running    created 2026-01-01T10:00:05Z\n");
    assert_null(strstr(buf_text(&text), FIXTURE_KEY));
}

static void test_workloads_as_the_operator_notes_them(void **state)
{
    (void)state;
    auto_resource struct resource *resource =
        with_status("{\"consumers\":[{\"kind\":\"Deployment\",\"name\":\"api\",\"state\":"
                    "\"Blocked\",\"message\":\"no node\"},{\"kind\":\"DaemonSet\",\"name\":"
                    "\"gone\",\"state\":\"Missing\"}]}");
    auto_json cJSON *view = view_of(resource, PODS);
    auto_layout struct layout layout = { 0 };
    auto_buf struct buf text;
    buf_init(&text, 8192);
    status_view_rows(view, &layout);
    layout_render(&layout, &text);
    const char *api = strstr(buf_text(&text), "├─ Deployment api ");
    const char *gone = strstr(buf_text(&text), "└─ DaemonSet gone ");
    assert_non_null(api);
    assert_non_null(gone);
    const char *blocked = strstr(api, "  Blocked: no node\n");
    assert_true(blocked && blocked < strchr(api, '\n'));
    assert_non_null(strstr(gone, "  0 pods"));
    assert_non_null(strstr(gone, "  Missing\n"));
}

static void test_a_resource_that_nobody_has_seen(void **state)
{
    (void)state;
    auto_resource struct resource *resource = with_status("{}");
    auto_json cJSON *view = status_view(resource, &(struct status_sources){ 0 });
    auto_layout struct layout layout = { 0 };
    auto_buf struct buf text;
    buf_init(&text, 8192);
    status_view_rows(view, &layout);
    layout_render(&layout, &text);
    assert_string_equal(buf_text(&text),
                        "DeepgramApiKey team/voice  -  Not ready  Pending\n"
                        "└─ Secret voice            -  Unknown    what pods read\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_revisions_are_those_of_status_and_secrets),
        cmocka_unit_test(test_pods_by_workload_with_what_they_run),
        cmocka_unit_test(test_the_marker_tells_an_older_revision),
        cmocka_unit_test(test_finished_and_unrelated_pods_are_left_out),
        cmocka_unit_test(test_rows),
        cmocka_unit_test(test_workloads_as_the_operator_notes_them),
        cmocka_unit_test(test_a_resource_that_nobody_has_seen),
    };
    return fixture_run(tests);
}
