/* Reduces foreign objects to what the cache keeps. Pure. */
#ifndef OPERATOR_TRIM_H
#define OPERATOR_TRIM_H

#include <cjson/cJSON.h>

#include "base/mem.h"

/* Secrets (metadata): identity, deletion, finalizers, the controlling owner, the
 * annotations of deepgram.com; labels and all annotations only where the Secret is ours; the
 * creation time where it isn't, or where it held another value before. */
void trim_secret(cJSON *secret);
/* Namespaces: name and deletion. */
void trim_namespace(cJSON *namespace);

/* ServiceAccounts: identity and imagePullSecrets. */
void trim_account(cJSON *account);

/* Of an object or a part of one, only the members with these names stay. */
void trim_keep_only(cJSON *object, const char *const *names, size_t count);

/* ---- trim_pod.c: those that use Secrets; of others the name stays ---- */

/* Pods: name, times, `finished`, and
 *   secrets    names of all Secrets that it refers to (env, envFrom, volumes, projected volumes,
 *              imagePullSecrets; init containers too)
 *   pulls      of these, those that it refers to for pulling images alone
 *   owner      "Deployment/name": the workload behind its ReplicaSet, or whatever controls it
 *   revisions  our markers, by the name behind the prefix
 *   ready      true when it is
 *   since      not ready: since when
 *   started    when the last of its containers started; absent until all have
 *   trouble    {reason, message}: why a container waits, or why no node takes it ("Unschedulable")
 */
void trim_pod(cJSON *pod);

/* Deployments, StatefulSets, DaemonSets: identity, secrets and revisions (of the template) as
 * above, and
 *   rank      in which order they are restarted: License Proxy 0, Engine 1, API 2, others 3
 *   settled   no roll-out is under way: the last template was seen and all pods are of it
 *   held      why a new template restarts nothing: "paused", "OnDelete" or "partition"
 */
void trim_workload(cJSON *workload);

#endif
