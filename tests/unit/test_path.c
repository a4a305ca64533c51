#include "test.h"

#include "kube/path.h"

static const struct kube_resource DEPLOYMENTS = { "apps", "v1", "deployments", "Deployment" };

static void test_paths(void **state)
{
    (void)state;
    static const struct {
        const struct kube_resource *resource;
        const char *namespace, *name, *subresource, *path;
    } rows[] = {
        { &KUBE_SECRETS, "ns", "a", NULL, "/api/v1/namespaces/ns/secrets/a" },
        { &KUBE_SECRETS, "ns", NULL, NULL, "/api/v1/namespaces/ns/secrets" },
        { &KUBE_PODS, NULL, NULL, NULL, "/api/v1/pods" },
        { &KUBE_NAMESPACES, NULL, "ns", NULL, "/api/v1/namespaces/ns" },
        { &DEPLOYMENTS, "ns", "a", "scale", "/apis/apps/v1/namespaces/ns/deployments/a/scale" },
        { &KUBE_API_KEYS, "ns", "a", "status",
          "/apis/deepgram.com/v1alpha1/namespaces/ns/deepgramapikeys/a/status" },
        { &KUBE_SECRETS, "a/b", "c?d=#e f%", NULL,
          "/api/v1/namespaces/a%2Fb/secrets/c%3Fd%3D%23e%20f%25" },
        { &KUBE_SECRETS, "ns", "\xC3\xA9", NULL, "/api/v1/namespaces/ns/secrets/%C3%A9" },
    };
    for (size_t i = 0; i < ARRAY_LENGTH(rows); i++) {
        auto_free char *path =
            kube_path(rows[i].resource, rows[i].namespace, rows[i].name, rows[i].subresource);
        assert_string_equal(path, rows[i].path);
    }
}

static void test_queries_are_joined_and_encoded(void **state)
{
    (void)state;
    auto_buf struct buf url;
    buf_init(&url, 256);
    buf_puts(&url, "/x");
    kube_query_add(&url, "labelSelector", "a=b,c!=d");
    kube_query_add(&url, "limit", "500");
    assert_string_equal(buf_text(&url), "/x?labelSelector=a%3Db%2Cc%21%3Dd&limit=500");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_paths),
        cmocka_unit_test(test_queries_are_joined_and_encoded),
    };
    return test_run(tests);
}
