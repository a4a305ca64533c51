/* Paths of the Kubernetes API (API concepts: resource URIs). Pure.
 */
#ifndef KUBE_PATH_H
#define KUBE_PATH_H

#include "base/buf.h"

/* A resource type of the API server, e.g. {"apps", "v1", "deployments"}; group "" is the core. */
struct kube_resource {
    const char *group;
    const char *version;
    const char *plural;
    const char *kind;
};

/* The types that this program reads or writes. */
extern const struct kube_resource KUBE_API_KEYS;
extern const struct kube_resource KUBE_PULL_SECRETS;
extern const struct kube_resource KUBE_SECRETS;
extern const struct kube_resource KUBE_PODS;
extern const struct kube_resource KUBE_DEPLOYMENTS;
extern const struct kube_resource KUBE_STATEFUL_SETS;
extern const struct kube_resource KUBE_DAEMON_SETS;
extern const struct kube_resource KUBE_NAMESPACES;
extern const struct kube_resource KUBE_SERVICE_ACCOUNTS;
extern const struct kube_resource KUBE_EVENTS; /* events.k8s.io/v1 */
extern const struct kube_resource KUBE_LEASES;

/* "/apis/apps/v1/namespaces/NS/deployments/NAME/SUB": namespace NULL = all namespaces (or a
 * cluster-scoped type), name and subresource may be NULL. Free with mem_free. Each part is
 * encoded, but whoever passes names from elsewhere checks them first (name_is_subdomain): "" and
 * ".." would turn the path of one object into that of the whole collection. */
NODISCARD char *kube_path(const struct kube_resource *resource, const char *namespace,
                          const char *name, const char *subresource);

/* Appends "?name=value" or "&name=value", percent-encoded (RFC 3986). */
void kube_query_add(struct buf *url, const char *name, const char *value);

#endif
