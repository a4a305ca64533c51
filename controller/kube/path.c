/* Every segment is encoded: a slash or a question mark in a name reaches no other path. */
#include "kube/path.h"

#include <assert.h>
#include <string.h>

enum { PATH_BYTES_MAX = 16 * 1024 }; /* a name has 253 characters at most */

const struct kube_resource KUBE_API_KEYS = {
    "deepgram.com",
    "v1alpha1",
    "deepgramapikeys",
    "DeepgramApiKey",
};
const struct kube_resource KUBE_PULL_SECRETS = {
    "deepgram.com",
    "v1alpha1",
    "deepgrampullsecrets",
    "DeepgramPullSecret",
};
const struct kube_resource KUBE_SECRETS = { "", "v1", "secrets", "Secret" };
const struct kube_resource KUBE_PODS = { "", "v1", "pods", "Pod" };
const struct kube_resource KUBE_DEPLOYMENTS = { "apps", "v1", "deployments", "Deployment" };
const struct kube_resource KUBE_STATEFUL_SETS = { "apps", "v1", "statefulsets", "StatefulSet" };
const struct kube_resource KUBE_DAEMON_SETS = { "apps", "v1", "daemonsets", "DaemonSet" };
const struct kube_resource KUBE_NAMESPACES = { "", "v1", "namespaces", "Namespace" };
const struct kube_resource KUBE_SERVICE_ACCOUNTS = {
    "",
    "v1",
    "serviceaccounts",
    "ServiceAccount",
};
const struct kube_resource KUBE_EVENTS = { "events.k8s.io", "v1", "events", "Event" };
const struct kube_resource KUBE_LEASES = { "coordination.k8s.io", "v1", "leases", "Lease" };

static bool is_unreserved(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '.' || c == '_' || c == '~';
}

static void append_encoded(struct buf *url, const char *text)
{
    for (const char *p = text; *p; p++)
        if (is_unreserved(*p))
            buf_putc(url, *p);
        else
            buf_printf(url, "%%%02X", (unsigned)(unsigned char)*p);
}

static void append_segment(struct buf *url, const char *text)
{
    buf_putc(url, '/');
    append_encoded(url, text);
}

char *kube_path(const struct kube_resource *resource, const char *namespace, const char *name,
                const char *subresource)
{
    auto_buf struct buf path;
    buf_init(&path, PATH_BYTES_MAX);
    buf_puts(&path, resource->group[0] ? "/apis" : "/api");
    if (resource->group[0])
        append_segment(&path, resource->group);
    append_segment(&path, resource->version);
    if (namespace) {
        buf_puts(&path, "/namespaces");
        append_segment(&path, namespace);
    }
    append_segment(&path, resource->plural);
    if (name)
        append_segment(&path, name);
    if (subresource)
        append_segment(&path, subresource);
    assert(!path.failed); /* a cut path would name something else */
    return buf_take(&path);
}

void kube_query_add(struct buf *url, const char *name, const char *value)
{
    buf_putc(url, strchr(buf_text(url), '?') ? '&' : '?');
    append_encoded(url, name);
    buf_putc(url, '=');
    append_encoded(url, value);
}
