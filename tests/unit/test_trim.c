/* What of foreign objects stays in memory. */
#include "fixture.h"

#include "operator/trim.h"

struct row {
    const char *name, *object, *kept;
};

static void expect(void trim(cJSON *object), const struct row *rows, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        auto_json cJSON *object = fixture_json(rows[i].object);
        trim(object);
        fixture_expect_json(rows[i].name, object, rows[i].kept);
        trim(object);
        fixture_expect_json(rows[i].name, object, rows[i].kept);
    }
}

static void test_secrets(void **state)
{
    (void)state;
    static const struct row rows[] = {
        { "of other people a name, a version and since when",
          "{\"kind\":\"Secret\",\"type\":\"Opaque\",\"data\":{\"a\":\"YQ==\"},"
          "\"stringData\":{\"a\":\"b\"},\"metadata\":{\"name\":\"s\",\"namespace\":\"ns\","
          "\"uid\":\"u\",\"resourceVersion\":\"7\",\"creationTimestamp\":\"t\",\"generation\":1,"
          "\"managedFields\":[{}],\"labels\":{\"app\":\"x\"},\"annotations\":{\"note\":\"long\"}}}",
          "{\"metadata\":{\"name\":\"s\",\"namespace\":\"ns\",\"uid\":\"u\","
          "\"resourceVersion\":\"7\",\"creationTimestamp\":\"t\",\"annotations\":{}}}" },
        { "our annotations on them, whether it goes, and who holds it",
          "{\"metadata\":{\"name\":\"s\",\"deletionTimestamp\":\"t\",\"finalizers\":"
          "[\"deepgram.com/in-use\"],\"labels\":{\"app\":\"x\"},\"annotations\":{\"note\":\"long\","
          "\"deepgram.com/adopt\":\"true\",\"deepgram.community/x\":\"y\"}}}",
          "{\"metadata\":{\"name\":\"s\",\"deletionTimestamp\":\"t\",\"finalizers\":"
          "[\"deepgram.com/in-use\"],\"annotations\":{\"deepgram.com/adopt\":\"true\"}}}" },
        { "the owner that controls it, and its namespace",
          "{\"metadata\":{\"name\":\"s\",\"ownerReferences\":[{\"uid\":\"a\"},{\"uid\":\"b\","
          "\"controller\":true},{\"uid\":\"c\",\"controller\":false},{\"uid\":\"d\","
          "\"kind\":\"Namespace\"}]}}",
          "{\"metadata\":{\"name\":\"s\",\"ownerReferences\":[{\"uid\":\"b\","
          "\"controller\":true},{\"uid\":\"d\",\"kind\":\"Namespace\"}]}}" },
        { "all labels and annotations of ours, by label",
          "{\"data\":{},\"metadata\":{\"name\":\"s\",\"labels\":{\"app.kubernetes.io/managed-by\":"
          "\"deepgram-operator\",\"team\":\"x\"},\"annotations\":{\"note\":\"y\"}}}",
          "{\"metadata\":{\"name\":\"s\",\"labels\":{\"app.kubernetes.io/managed-by\":"
          "\"deepgram-operator\",\"team\":\"x\"},\"annotations\":{\"note\":\"y\"}}}" },
        { "by annotation",
          "{\"metadata\":{\"name\":\"s\",\"labels\":{\"team\":\"x\"},\"annotations\":"
          "{\"deepgram.com/resource\":\"DeepgramApiKey/a\",\"note\":\"y\"},"
          "\"creationTimestamp\":\"t\"}}",
          "{\"metadata\":{\"name\":\"s\",\"labels\":{\"team\":\"x\"},\"annotations\":"
          "{\"deepgram.com/resource\":\"DeepgramApiKey/a\",\"note\":\"y\"}}}" },
        { "since when it is there, if it held another value before",
          "{\"metadata\":{\"name\":\"s\",\"annotations\":"
          "{\"deepgram.com/resource\":\"DeepgramApiKey/a\","
          "\"deepgram.com/published-at\":\"2026-06-01T12:00:06Z\"},"
          "\"creationTimestamp\":\"2026-06-01T12:00:00Z\"}}",
          "{\"metadata\":{\"name\":\"s\",\"annotations\":"
          "{\"deepgram.com/resource\":\"DeepgramApiKey/a\","
          "\"deepgram.com/published-at\":\"2026-06-01T12:00:06Z\"},"
          "\"creationTimestamp\":\"2026-06-01T12:00:00Z\"}}" },
        { "or if another Secret held this one before",
          "{\"metadata\":{\"name\":\"s\",\"annotations\":"
          "{\"deepgram.com/resource\":\"DeepgramApiKey/a\","
          "\"deepgram.com/published-at\":\"2026-06-01T11:59:54Z\"},"
          "\"creationTimestamp\":\"2026-06-01T12:00:00Z\"}}",
          "{\"metadata\":{\"name\":\"s\",\"annotations\":"
          "{\"deepgram.com/resource\":\"DeepgramApiKey/a\","
          "\"deepgram.com/published-at\":\"2026-06-01T11:59:54Z\"},"
          "\"creationTimestamp\":\"2026-06-01T12:00:00Z\"}}" },
        { "and when that was published, if the write that did it was carried out late",
          "{\"metadata\":{\"name\":\"s\",\"annotations\":"
          "{\"deepgram.com/resource\":\"DeepgramApiKey/a\","
          "\"deepgram.com/published-at\":\"2026-06-01T12:00:04Z\"},"
          "\"managedFields\":[{\"manager\":\"deepgram-operator-publication\","
          "\"time\":\"2026-06-01T12:00:34Z\"}],"
          "\"creationTimestamp\":\"2026-06-01T12:00:00Z\"}}",
          "{\"metadata\":{\"name\":\"s\",\"annotations\":"
          "{\"deepgram.com/resource\":\"DeepgramApiKey/a\","
          "\"deepgram.com/published-at\":\"2026-06-01T12:00:34Z\"},"
          "\"creationTimestamp\":\"2026-06-01T12:00:00Z\"}}" },
        { "not when it was made with the value that it holds",
          "{\"metadata\":{\"name\":\"s\",\"annotations\":"
          "{\"deepgram.com/resource\":\"DeepgramApiKey/a\","
          "\"deepgram.com/published-at\":\"2026-06-01T12:00:05Z\"},"
          "\"creationTimestamp\":\"2026-06-01T12:00:00Z\"}}",
          "{\"metadata\":{\"name\":\"s\",\"annotations\":"
          "{\"deepgram.com/resource\":\"DeepgramApiKey/a\","
          "\"deepgram.com/published-at\":\"2026-06-01T12:00:05Z\"}}}" },
        { "not by another manager",
          "{\"metadata\":{\"name\":\"s\",\"labels\":{\"app.kubernetes.io/managed-by\":\"Helm\"}}}",
          "{\"metadata\":{\"name\":\"s\"}}" },
        { "odd types",
          "{\"metadata\":{\"labels\":7,\"annotations\":[{}],\"ownerReferences\":\"x\"}}",
          "{\"metadata\":{\"annotations\":[],\"ownerReferences\":\"x\"}}" },
        { "no metadata", "{\"data\":{}}", "{}" },
    };
    expect(trim_secret, rows, ARRAY_LENGTH(rows));
}

#define POD(spec) "{\"metadata\":{\"name\":\"p\"},\"spec\":" spec "}"
#define KEPT(secrets) "{\"metadata\":{\"name\":\"p\"},\"finished\":false,\"secrets\":[" secrets "]}"

static void test_where_a_pod_names_a_secret(void **state)
{
    (void)state;
    static const struct row rows[] = {
        { "nowhere", POD("{\"containers\":[{\"name\":\"a\",\"env\":[{\"name\":\"A\"}]}]}"),
          KEPT("") },
        { "env",
          POD("{\"containers\":[{\"env\":[{\"valueFrom\":{\"secretKeyRef\":{\"name\":\"a\"}}},"
              "{\"valueFrom\":{\"configMapKeyRef\":{\"name\":\"c\"}}}]}]}"),
          KEPT("\"a\"") },
        { "envFrom",
          POD("{\"containers\":[{\"envFrom\":[{\"configMapRef\":{\"name\":\"c\"}},{\"secretRef\":"
              "{\"name\":\"a\"}}]}]}"),
          KEPT("\"a\"") },
        { "init containers",
          POD("{\"initContainers\":[{\"envFrom\":[{\"secretRef\":{\"name\":\"a\"}}]}]}"),
          KEPT("\"a\"") },
        { "ephemeral containers",
          POD("{\"ephemeralContainers\":[{\"envFrom\":[{\"secretRef\":{\"name\":\"a\"}}]}]}"),
          KEPT("\"a\"") },
        { "a volume", POD("{\"volumes\":[{\"emptyDir\":{}},{\"secret\":{\"secretName\":\"a\"}}]}"),
          KEPT("\"a\"") },
        { "a projected volume",
          POD("{\"volumes\":[{\"projected\":{\"sources\":[{\"configMap\":{\"name\":\"c\"}},"
              "{\"secret\":{\"name\":\"a\"}}]}}]}"),
          KEPT("\"a\"") },
        { "for pulling its image", POD("{\"imagePullSecrets\":[{\"name\":\"a\"}]}"),
          "{\"metadata\":{\"name\":\"p\"},\"finished\":false,\"secrets\":[\"a\"],\"pulls\":[\"a\"]"
          "}" },
        { "for that too",
          POD("{\"containers\":[{\"envFrom\":[{\"secretRef\":{\"name\":\"a\"}}]}],"
              "\"imagePullSecrets\":[{\"name\":\"b\"}]}"),
          "{\"metadata\":{\"name\":\"p\"},\"finished\":false,\"secrets\":[\"a\",\"b\"],\"pulls\":"
          "[\"b\"]}" },
        { "each once",
          POD("{\"containers\":[{\"envFrom\":[{\"secretRef\":{\"name\":\"a\"}}]},{\"envFrom\":"
              "[{\"secretRef\":{\"name\":\"b\"}},{\"secretRef\":{\"name\":\"a\"}}]}],"
              "\"imagePullSecrets\":[{\"name\":\"b\"}]}"),
          KEPT("\"a\",\"b\"") },
        { "odd types",
          POD("{\"containers\":7,\"volumes\":{\"a\":7},\"imagePullSecrets\":[7,{\"name\":7}]}"),
          KEPT("") },
    };
    for (size_t i = 0; i < ARRAY_LENGTH(rows); i++) {
        auto_json cJSON *pod = fixture_json(rows[i].object);
        trim_pod(pod);
        fixture_expect_json(rows[i].name, pod, rows[i].kept);
    }
}

#define SINCE(status)                                                                              \
    "{\"metadata\":{\"name\":\"p\"},\"spec\":{\"imagePullSecrets\":[{\"name\":\"a\"}]},"           \
    "\"status\":{\"phase\":\"Pending\",\"conditions\":[" status "]}}"
#define SCHEDULED(is, at)                                                                          \
    "{\"type\":\"PodScheduled\",\"status\":\"" is "\",\"lastTransitionTime\":\"" at "\"}"

/* A pod that waited for a node hasn't failed meanwhile. */
static void test_since_when_a_pod_is_not_ready(void **state)
{
    (void)state;
    static const struct {
        const char *name, *pod, *since, *scheduled;
    } rows[] = {
        { "nobody has seen it", SINCE(""), NULL, NULL },
        { "no node yet", SINCE(SCHEDULED("False", "s")), NULL, NULL },
        { "a node, which hasn't said anything", SINCE(SCHEDULED("True", "s")), NULL, "s" },
        { "it says so",
          SINCE(SCHEDULED("True", "s") ",{\"type\":\"Ready\",\"status\":\"False\","
                                       "\"lastTransitionTime\":\"r\"}"),
          "r", "s" },
    };
    for (size_t i = 0; i < ARRAY_LENGTH(rows); i++) {
        auto_json cJSON *pod = fixture_json(rows[i].pod);
        trim_pod(pod);
        fixture_expect(rows[i].name, json_string_member(pod, "since"), rows[i].since);
        fixture_expect(rows[i].name, json_string_member(pod, "scheduled"), rows[i].scheduled);
    }
}

static void test_pods(void **state)
{
    (void)state;
    static const struct {
        const char *phase;
        bool finished;
    } phases[] = { { "Pending", false },
                   { "Running", false },
                   { "Unknown", false },
                   { "Succeeded", true },
                   { "Failed", true } };
    for (size_t i = 0; i < ARRAY_LENGTH(phases); i++) {
        auto_free char *text =
            mem_printf("{\"metadata\":{},\"status\":{\"phase\":\"%s\"}}", phases[i].phase);
        auto_json cJSON *pod = fixture_json(text);
        trim_pod(pod);
        if (json_bool_at(pod, "finished", !phases[i].finished) != phases[i].finished)
            fail_msg("%s", phases[i].phase);
    }
    auto_json cJSON *pod = fixture_json(
        "{\"kind\":\"Pod\",\"metadata\":{\"name\":\"p\",\"namespace\":\"ns\",\"uid\":\"u\","
        "\"resourceVersion\":\"7\",\"creationTimestamp\":\"t\",\"deletionTimestamp\":\"d\","
        "\"labels\":{},\"annotations\":{},\"ownerReferences\":[]},\"spec\":{},\"status\":{}}");
    trim_pod(pod);
    fixture_expect_json("pod", pod,
                        "{\"metadata\":{\"name\":\"p\",\"namespace\":\"ns\","
                        "\"creationTimestamp\":\"t\",\"deletionTimestamp\":\"d\"},"
                        "\"finished\":false,\"secrets\":[]}");
}

/* One that uses a Secret; name, namespace and secrets are cut off what it is trimmed to. */
static void expect_pods(const struct row *rows, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        auto_json cJSON *pod = fixture_json(rows[i].object);
        cJSON *spec = json_add_object(pod, "spec");
        cJSON_AddItemToObject(
            spec, "containers",
            fixture_json("[{\"name\":\"a\",\"envFrom\":[{\"secretRef\":{\"name\":\"s\"}}]}]"));
        trim_pod(pod);
        static const char *const TAKEN[] = { "metadata", "secrets", "finished" };
        for (size_t t = 0; t < ARRAY_LENGTH(TAKEN); t++)
            cJSON_DeleteItemFromObjectCaseSensitive(pod, TAKEN[t]);
        fixture_expect_json(rows[i].name, pod, rows[i].kept);
    }
}

#define OWNED(kind, name, more)                                                                    \
    "{\"metadata\":{\"name\":\"p\"," more                                                          \
    "\"ownerReferences\":[{\"kind\":\"Other\",\"name\":\"x\"},"                                    \
    "{\"controller\":true,\"kind\":\"" kind "\",\"name\":\"" name "\"}]}}"

static void test_whose_a_pod_is(void **state)
{
    (void)state;
    static const struct row rows[] = {
        { "nobody's", "{\"metadata\":{\"name\":\"p\"}}", "{}" },
        { "a Deployment's, by its ReplicaSet's name",
          OWNED("ReplicaSet", "api-6d9", "\"labels\":{\"pod-template-hash\":\"6d9\"},"),
          "{\"owner\":\"Deployment/api\"}" },
        { "a ReplicaSet's without a hash", OWNED("ReplicaSet", "api-6d9", ""),
          "{\"owner\":\"ReplicaSet/api-6d9\"}" },
        { "or with another one",
          OWNED("ReplicaSet", "api-6d9", "\"labels\":{\"pod-template-hash\":\"d9\"},"),
          "{\"owner\":\"ReplicaSet/api-6d9\"}" },
        { "a name that is nothing but the hash",
          OWNED("ReplicaSet", "-6d9", "\"labels\":{\"pod-template-hash\":\"6d9\"},"),
          "{\"owner\":\"ReplicaSet/-6d9\"}" },
        { "a StatefulSet's", OWNED("StatefulSet", "api", ""), "{\"owner\":\"StatefulSet/api\"}" },
        { "a Job's", OWNED("Job", "once", ""), "{\"owner\":\"Job/once\"}" },
        { "our markers, and no other annotation",
          "{\"metadata\":{\"name\":\"p\",\"annotations\":{\"a\":\"b\",\"revision.deepgram.com/"
          "voice\":"
          "\"7\",\"revision.deepgram.com/x\":7}}}",
          "{\"revisions\":{\"voice\":\"7\"}}" },
    };
    expect_pods(rows, ARRAY_LENGTH(rows));
}

#define STATUS(conditions, containers)                                                             \
    "{\"status\":{\"conditions\":[" conditions "],\"containerStatuses\":[" containers "]}}"
#define READY(status) "{\"type\":\"Ready\",\"status\":\"" status "\",\"lastTransitionTime\":\"t1\"}"
#define RUNS(started) "{\"state\":{\"running\":{\"startedAt\":\"" started "\"}}}"
#define WAITS(reason) "{\"state\":{\"waiting\":{\"reason\":\"" reason "\",\"message\":\"m\"}}}"

static void test_how_a_pod_is(void **state)
{
    (void)state;
    static const struct row rows[] = {
        { "new", "{\"metadata\":{\"name\":\"p\"}}", "{}" },
        { "ready", STATUS(READY("True"), RUNS("t0")), "{\"started\":\"t0\",\"ready\":true}" },
        { "not ready", STATUS(READY("False"), RUNS("t0")),
          "{\"started\":\"t0\",\"since\":\"t1\"}" },
        { "started last", STATUS(READY("True"), RUNS("t2") "," RUNS("t0")),
          "{\"started\":\"t2\",\"ready\":true}" },
        { "one container has still to start",
          STATUS(READY("False"), RUNS("t2") "," WAITS("ContainerCreating")), "{\"since\":\"t1\"}" },
        { "it crashes", STATUS(READY("False"), RUNS("t2") "," WAITS("CrashLoopBackOff")),
          "{\"since\":\"t1\",\"trouble\":{\"reason\":\"CrashLoopBackOff\",\"message\":\"m\"}}" },
        { "its image is missing", STATUS("", WAITS("ImagePullBackOff")),
          "{\"trouble\":{\"reason\":\"ImagePullBackOff\",\"message\":\"m\"}}" },
        { "that of an init container",
          "{\"status\":{\"initContainerStatuses\":[" WAITS(
              "ErrImagePull") "],\"containerStatuses\":[" WAITS("PodInitializing") "]}}",
          "{\"trouble\":{\"reason\":\"ErrImagePull\",\"message\":\"m\"}}" },
        { "no node takes it",
          STATUS("{\"type\":\"PodScheduled\",\"status\":\"False\",\"reason\":\"Unschedulable\","
                 "\"message\":\"0/1 nodes\"}",
                 ""),
          "{\"trouble\":{\"reason\":\"Unschedulable\",\"message\":\"0/1 nodes\"}}" },
        { "finished", "{\"status\":{\"phase\":\"Failed\",\"conditions\":[" READY("False") "]}}",
          "{}" },
        { "odd types",
          "{\"status\":{\"conditions\":[7,{\"type\":7}],\"containerStatuses\":{\"a\":7}}}", "{}" },
    };
    expect_pods(rows, ARRAY_LENGTH(rows));
}

static void test_long_messages_are_cut_between_two_characters(void **state)
{
    (void)state;
    char message[301];
    memset(message, 'x', 300);
    message[300] = '\0';
    memcpy(message + 254, "\xf0\x9f\xa6\x9c", 4);
    auto_free char *text =
        mem_printf("{\"metadata\":{},\"spec\":{\"imagePullSecrets\":[{\"name\":\"s\"}]},\"status\":"
                   "{\"containerStatuses\":[{\"state\":{\"waiting\":{\"reason\":\"ErrImagePull\","
                   "\"message\":\"%s\"}}}]}}",
                   message);
    auto_json cJSON *pod = fixture_json(text);
    trim_pod(pod);
    assert_int_equal(strlen(json_string_at(pod, "trouble.message")), 254);
}

/* ---- workloads ---- */

#define TEMPLATE(metadata)                                                                         \
    "\"template\":{\"metadata\":{" metadata                                                        \
    "},\"spec\":{\"containers\":[{\"envFrom\":[{\"secretRef\":"                                    \
    "{\"name\":\"s\"}}]}]}}"
#define DEPLOYMENT(generation, spec, status)                                                       \
    "{\"metadata\":{\"name\":\"w\",\"generation\":" generation                                     \
    "},\"spec\":{" spec TEMPLATE("") "},\"status\":{" status "}}"
#define DONE "\"observedGeneration\":2,\"replicas\":3,\"updatedReplicas\":3"

static void test_workloads(void **state)
{
    (void)state;
    static const struct row rows[] = {
        { "without Secrets a name stays",
          "{\"kind\":\"Deployment\",\"metadata\":{\"name\":\"w\",\"namespace\":\"ns\",\"uid\":"
          "\"u\","
          "\"resourceVersion\":\"7\",\"labels\":{}},\"spec\":{\"replicas\":3,\"template\":{}},"
          "\"status\":{\"replicas\":3}}",
          "{\"metadata\":{\"name\":\"w\",\"uid\":\"u\"}}" },
        { "with Secrets",
          "{\"metadata\":{\"name\":\"w\",\"namespace\":\"ns\",\"uid\":\"u\",\"resourceVersion\":"
          "\"7\","
          "\"labels\":{},\"annotations\":{}},\"spec\":{" TEMPLATE(
              "\"annotations\":{\"a\":\"b\",\"revision.deepgram.com/voice\":\"7\"}") "}}",
          "{\"metadata\":{\"name\":\"w\",\"namespace\":\"ns\",\"uid\":\"u\",\"resourceVersion\":"
          "\"7\"},"
          "\"secrets\":[\"s\"],\"revisions\":{\"voice\":\"7\"},\"rank\":3,\"settled\":true}" },
    };
    for (size_t i = 0; i < ARRAY_LENGTH(rows); i++) {
        auto_json cJSON *workload = fixture_json(rows[i].object);
        trim_workload(workload);
        fixture_expect_json(rows[i].name, workload, rows[i].kept);
    }
}

static void test_whether_a_roll_out_is_under_way(void **state)
{
    (void)state;
    static const struct {
        const char *name, *workload;
        bool settled;
    } rows[] = {
        { "none", DEPLOYMENT("2", "\"replicas\":3,", DONE), true },
        { "of a template that wasn't seen yet", DEPLOYMENT("3", "\"replicas\":3,", DONE), false },
        { "older pods are left",
          DEPLOYMENT("2", "\"replicas\":3,",
                     "\"observedGeneration\":2,\"replicas\":3,\"updatedReplicas\":2"),
          false },
        { "there is one more pod than there should be",
          DEPLOYMENT("2", "\"replicas\":3,",
                     "\"observedGeneration\":2,\"replicas\":4,\"updatedReplicas\":4"),
          false },
        { "fewer pods than wanted, but all of the last template",
          DEPLOYMENT("2", "\"replicas\":5,", DONE), true },
        { "scaled to nothing", DEPLOYMENT("2", "\"replicas\":0,", "\"observedGeneration\":2"),
          true },
        { "a StatefulSet",
          DEPLOYMENT("2", "\"replicas\":3,",
                     "\"observedGeneration\":2,\"replicas\":3,\"updatedReplicas\":1,"
                     "\"currentRevision\":\"a\",\"updateRevision\":\"b\""),
          false },
        { "a StatefulSet that is done with it",
          DEPLOYMENT("2", "\"replicas\":3,",
                     "\"observedGeneration\":2,\"replicas\":3,\"currentRevision\":\"b\","
                     "\"updateRevision\":\"b\""),
          true },
        { "a DaemonSet",
          DEPLOYMENT("2", "",
                     "\"observedGeneration\":2,\"desiredNumberScheduled\":3,"
                     "\"updatedNumberScheduled\":2"),
          false },
        { "a DaemonSet that is done with it",
          DEPLOYMENT("2", "",
                     "\"observedGeneration\":2,\"desiredNumberScheduled\":3,"
                     "\"updatedNumberScheduled\":3"),
          true },
    };
    for (size_t i = 0; i < ARRAY_LENGTH(rows); i++) {
        auto_json cJSON *workload = fixture_json(rows[i].workload);
        trim_workload(workload);
        if (json_bool_at(workload, "settled", !rows[i].settled) != rows[i].settled)
            fail_msg("%s", rows[i].name);
    }
}

static void test_what_holds_a_roll_out(void **state)
{
    (void)state;
    static const struct {
        const char *name, *spec, *held;
    } rows[] = {
        { "nothing", "\"updateStrategy\":{\"type\":\"RollingUpdate\"},", NULL },
        { "a pause", "\"paused\":true,", "paused" },
        { "OnDelete", "\"updateStrategy\":{\"type\":\"OnDelete\"},", "OnDelete" },
        { "a partition", "\"updateStrategy\":{\"rollingUpdate\":{\"partition\":1}},", "partition" },
        { "a partition of all", "\"updateStrategy\":{\"rollingUpdate\":{\"partition\":0}},", NULL },
    };
    for (size_t i = 0; i < ARRAY_LENGTH(rows); i++) {
        auto_free char *text = mem_printf(
            "{\"metadata\":{\"name\":\"w\"},\"spec\":{%s" TEMPLATE("") "}}", rows[i].spec);
        auto_json cJSON *workload = fixture_json(text);
        trim_workload(workload);
        fixture_expect(rows[i].name, json_string_member(workload, "held"), rows[i].held);
    }
}

static void test_which_product_a_workload_is(void **state)
{
    (void)state;
    static const struct {
        const char *name, *app, *image;
        int rank;
    } rows[] = {
        { "deepgram-license-proxy", "x", "x", 0 },
        { "deepgram-engine", "x", "x", 1 },
        { "deepgram-api", "x", "x", 2 },
        { "speech", "deepgram-engine", "x", 1 },
        { "speech", "x", "mirror/deepgram/self-hosted-license-proxy:1", 0 },
        { "speech", "x", "quay.io/deepgram/self-hosted-engine:release-1", 1 },
        { "engine", "api", "nginx", 3 },
    };
    for (size_t i = 0; i < ARRAY_LENGTH(rows); i++) {
        auto_free char *text = mem_printf("{\"metadata\":{\"name\":\"%s\"},\"spec\":{\"template\":{"
                                          "\"metadata\":{\"labels\":{\"app\":"
                                          "\"%s\"}},\"spec\":{\"containers\":[{\"image\":\"%s\"}],"
                                          "\"imagePullSecrets\":[{\"name\":"
                                          "\"s\"}]}}}}",
                                          rows[i].name, rows[i].app, rows[i].image);
        auto_json cJSON *workload = fixture_json(text);
        trim_workload(workload);
        assert_int_equal(json_int_at(workload, "rank", -1), rows[i].rank);
    }
}

static void test_namespaces(void **state)
{
    (void)state;
    static const struct row rows[] = {
        { "name and deletion",
          "{\"kind\":\"Namespace\",\"metadata\":{\"name\":\"ns\",\"uid\":\"u\",\"resourceVersion\":"
          "\"7\",\"deletionTimestamp\":\"d\",\"labels\":{},\"annotations\":{}},\"spec\":{},"
          "\"status\":{}}",
          "{\"metadata\":{\"name\":\"ns\",\"uid\":\"u\",\"resourceVersion\":\"7\","
          "\"deletionTimestamp\":\"d\"}}" },
    };
    expect(trim_namespace, rows, ARRAY_LENGTH(rows));
}

static void test_service_accounts(void **state)
{
    (void)state;
    static const struct row rows[] = {
        { "who it is, and with what its pods pull images",
          "{\"kind\":\"ServiceAccount\",\"metadata\":{\"name\":\"s\",\"namespace\":\"ns\","
          "\"uid\":\"u\",\"resourceVersion\":\"7\",\"labels\":{\"app\":\"x\"},"
          "\"managedFields\":[{}]},\"secrets\":[{\"name\":\"token\"}],"
          "\"automountServiceAccountToken\":false,\"imagePullSecrets\":[{\"name\":\"a\"}]}",
          "{\"metadata\":{\"name\":\"s\",\"namespace\":\"ns\",\"uid\":\"u\","
          "\"resourceVersion\":\"7\"},\"imagePullSecrets\":[{\"name\":\"a\"}]}" },
    };
    expect(trim_account, rows, ARRAY_LENGTH(rows));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_secrets),
        cmocka_unit_test(test_service_accounts),
        cmocka_unit_test(test_where_a_pod_names_a_secret),
        cmocka_unit_test(test_since_when_a_pod_is_not_ready),
        cmocka_unit_test(test_pods),
        cmocka_unit_test(test_whose_a_pod_is),
        cmocka_unit_test(test_how_a_pod_is),
        cmocka_unit_test(test_long_messages_are_cut_between_two_characters),
        cmocka_unit_test(test_workloads),
        cmocka_unit_test(test_whether_a_roll_out_is_under_way),
        cmocka_unit_test(test_what_holds_a_roll_out),
        cmocka_unit_test(test_which_product_a_workload_is),
        cmocka_unit_test(test_namespaces),
    };
    return fixture_run(tests);
}
