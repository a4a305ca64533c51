/* Reduces foreign objects to what the cache keeps. Pure. */
#ifndef OPERATOR_TRIM_H
#define OPERATOR_TRIM_H

#include <cjson/cJSON.h>

#include "base/mem.h"

/* Secrets (metadata): identity, deletion, finalizers, the controlling owner, the
 * annotations of deepgram.com; labels and all annotations only where the Secret is ours. */
void trim_secret(cJSON *secret);
/* Pods: identity, times, whether it is finished, and `secrets`: the names of all Secrets that it
 * refers to (env, envFrom, volumes, projected volumes, imagePullSecrets; init containers too). */
void trim_pod(cJSON *pod);
/* Namespaces: name and deletion. */
void trim_namespace(cJSON *namespace);

#endif
