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
        { "of other people a name and a version",
          "{\"kind\":\"Secret\",\"type\":\"Opaque\",\"data\":{\"a\":\"YQ==\"},"
          "\"stringData\":{\"a\":\"b\"},\"metadata\":{\"name\":\"s\",\"namespace\":\"ns\","
          "\"uid\":\"u\",\"resourceVersion\":\"7\",\"creationTimestamp\":\"t\",\"generation\":1,"
          "\"managedFields\":[{}],\"labels\":{\"app\":\"x\"},\"annotations\":{\"note\":\"long\"}}}",
          "{\"metadata\":{\"name\":\"s\",\"namespace\":\"ns\",\"uid\":\"u\","
          "\"resourceVersion\":\"7\",\"annotations\":{}}}" },
        { "our annotations on them, whether it goes, and who holds it",
          "{\"metadata\":{\"name\":\"s\",\"deletionTimestamp\":\"t\",\"finalizers\":"
          "[\"deepgram.com/in-use\"],\"labels\":{\"app\":\"x\"},\"annotations\":{\"note\":\"long\","
          "\"deepgram.com/adopt\":\"true\",\"deepgram.community/x\":\"y\"}}}",
          "{\"metadata\":{\"name\":\"s\",\"deletionTimestamp\":\"t\",\"finalizers\":"
          "[\"deepgram.com/in-use\"],\"annotations\":{\"deepgram.com/adopt\":\"true\"}}}" },
        { "the owner that controls it",
          "{\"metadata\":{\"name\":\"s\",\"ownerReferences\":[{\"uid\":\"a\"},{\"uid\":\"b\","
          "\"controller\":true},{\"uid\":\"c\",\"controller\":false}]}}",
          "{\"metadata\":{\"name\":\"s\",\"ownerReferences\":[{\"uid\":\"b\","
          "\"controller\":true}]}}" },
        { "all labels and annotations of ours, by label",
          "{\"data\":{},\"metadata\":{\"name\":\"s\",\"labels\":{\"app.kubernetes.io/managed-by\":"
          "\"deepgram-operator\",\"team\":\"x\"},\"annotations\":{\"note\":\"y\"}}}",
          "{\"metadata\":{\"name\":\"s\",\"labels\":{\"app.kubernetes.io/managed-by\":"
          "\"deepgram-operator\",\"team\":\"x\"},\"annotations\":{\"note\":\"y\"}}}" },
        { "by annotation",
          "{\"metadata\":{\"name\":\"s\",\"labels\":{\"team\":\"x\"},\"annotations\":"
          "{\"deepgram.com/resource\":\"DeepgramApiKey/a\",\"note\":\"y\"}}}",
          "{\"metadata\":{\"name\":\"s\",\"labels\":{\"team\":\"x\"},\"annotations\":"
          "{\"deepgram.com/resource\":\"DeepgramApiKey/a\",\"note\":\"y\"}}}" },
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
          "{\"metadata\":{\"name\":\"p\"},\"finished\":false,\"secrets\":[\"a\"],\"pulls\":true}" },
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_secrets),
        cmocka_unit_test(test_where_a_pod_names_a_secret),
        cmocka_unit_test(test_since_when_a_pod_is_not_ready),
        cmocka_unit_test(test_pods),
        cmocka_unit_test(test_namespaces),
    };
    return fixture_run(tests);
}
