/* What the watches keep: one store per resource type, reduced to what decisions need, with the
 * indexes by which an event finds the resources that it concerns. Every change ends in the queue
 * as keys, never as objects: a missing or doubled event is harmless.
 */
#ifndef OPERATOR_CACHES_H
#define OPERATOR_CACHES_H

#include "api/resource.h"
#include "api/workload.h"
#include "kube/store.h"
#include "operator/options.h"
#include "operator/queue.h"
#include "operator/resource_series.h"
#include "reconcile/world.h"

struct caches {
    struct store *resources[RESOURCE_KINDS];
    struct store *secrets; /* metadata only */
    struct store *pods;
    struct store *workloads[WORKLOAD_KINDS];
    struct store *namespaces; /* empty when only some namespaces are watched */
    struct store *accounts;   /* ServiceAccounts: empty until somebody needs them */
    enum accounts_state accounts_state;
    char *accounts_refusal;         /* why the API server doesn't show them; NULL */
    size_t ready[RESOURCE_KINDS];   /* how many of them are Ready: counted, never searched for */
    struct resource_series *series; /* what each of them shows in the metrics */
    struct queue *queue;            /* borrowed */
    const struct options *options;
};

NODISCARD struct caches *caches_new(struct queue *queue, const struct options *options);
void caches_free(struct caches *caches);

/* Puts every resource, and every marked admin Secret, into the queue. */
void caches_enqueue_all(struct caches *caches);
/* Puts the resources that name this Secret as their target into the queue. */
void caches_enqueue_target_users(struct caches *caches, const char *namespace, const char *secret);

/* What is known of ServiceAccounts; those who need them are put into the queue when that is news.
 */
void caches_set_accounts(struct caches *caches, enum accounts_state state, const char *refusal);

/* Is that the Secret with the default credentials, which serve several namespaces? */
NODISCARD bool caches_is_default_credentials(const struct caches *caches, const char *namespace,
                                             const char *name);
/* It bears the finalizer deepgram.com/in-use. */
NODISCARD bool caches_is_marked(const cJSON *secret);

/* ---- index keys; free with mem_free ---- */

/* resources: by target Secret */
NODISCARD char *caches_target_key(const char *namespace, const char *secret);
/* resources: by admin Secret; name NULL: those on default credentials */
NODISCARD char *caches_admin_key(const char *namespace, const char *name);
/* resources: by a ServiceAccount that is named in spec or status; name NULL: those with any */
NODISCARD char *caches_account_key(const char *namespace, const char *name);
/* Secrets: revision Secrets of a resource */
NODISCARD char *caches_revision_key(enum resource_kind kind, const char *namespace,
                                    const char *resource);
/* Secrets: revision Secrets of an adopted credential, of whichever resource */
NODISCARD char *caches_adopted_key(const char *id);
/* Secrets: targets that were made for a resource */
NODISCARD char *caches_owned_key(enum resource_kind kind, const char *namespace,
                                 const char *resource);
/* pods: by a Secret that they refer to, or by the namespace when they refer to any */
NODISCARD char *caches_pod_key(const char *namespace, const char *secret);
NODISCARD char *caches_pods_key(const char *namespace);
/* workloads: by a Secret that their pod template refers to */
NODISCARD char *caches_workload_key(const char *namespace, const char *secret);

bool caches_namespace_terminating(const struct caches *caches, const char *namespace);

/* The queue's name for a resource kind, and back. */
enum queue_kind caches_queue_kind(enum resource_kind kind);
/* The resource that the Secret's annotation deepgram.com/resource names: a share, which the caller
 * drops; NULL when there is none. */
NODISCARD const cJSON *caches_resource_named(const struct caches *caches, const cJSON *secret);

#endif
