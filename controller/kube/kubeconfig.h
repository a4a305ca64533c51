/* The kubeconfig file format (v1 Config, YAML or JSON), as kubectl, kind and the cloud tools write
 * it.
 *
 * Impersonation (`as`) and the auth-provider plugins that kubectl has removed are refused with a
 * message that says so. The cluster extension that a credential plugin may be given isn't passed.
 */
#ifndef KUBE_KUBECONFIG_H
#define KUBE_KUBECONFIG_H

#include "kube/config.h"

/* base_directory (NULL: the working directory) resolves relative file names; certificates and keys
 * are read, a token file isn't yet. context NULL = current-context. Where a user has several
 * logins, the first of token file, token, password, exec is taken, as client-go does. INVALID names
 * the entry and what to do. */
NODISCARD bool kubeconfig_parse(const char *text, size_t length, const char *base_directory,
                                const char *context, struct kube_config *ret_config,
                                struct err *err);

#endif
