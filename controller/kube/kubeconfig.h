/* The kubeconfig file format (v1 Config, YAML or JSON), as kubectl, kind and the cloud tools write
 * it.
 *
 * Impersonation (`as`) and the auth-provider plugins that kubectl has removed are refused with a
 * message that says so. The cluster extension that a credential plugin may be given isn't passed.
 */
#ifndef KUBE_KUBECONFIG_H
#define KUBE_KUBECONFIG_H

#include <cjson/cJSON.h>

#include "kube/config.h"

/* Adds a file to `files`, an object that was empty at first. Of several entries of one name, and of
 * several current-contexts, the one that was added first counts, whole. base_directory (NULL: the
 * working directory) resolves the relative file names in this file. */
NODISCARD bool kubeconfig_add(cJSON *files, const char *text, size_t length,
                              const char *base_directory, struct err *err);

/* What a context of these files means; NULL: current-context. Certificates and keys are read, a
 * token file isn't yet. Where a user has several logins, the first of token file, token, password,
 * exec is taken, as client-go does. INVALID names the entry and what to do. */
NODISCARD bool kubeconfig_choose(const cJSON *files, const char *context,
                                 struct kube_config *ret_config, struct err *err);

#endif
