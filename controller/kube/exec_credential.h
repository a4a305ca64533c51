/* client-go credential plugins (client.authentication.k8s.io v1 and v1beta1, ExecCredential):
 * `aws eks get-token`, gke-gcloud-auth-plugin, kubelogin and the like. The plugin is told about
 * the call in KUBERNETES_EXEC_INFO and answers with a token, a client certificate, or both.
 */
#ifndef KUBE_EXEC_CREDENTIAL_H
#define KUBE_EXEC_CREDENTIAL_H

#include "kube/config.h"
#include "net/loop.h"

struct exec_credential {
    struct secret token;          /* empty when there is none */
    char *client_certificate_pem; /* NULL when there is none, then the key is empty */
    struct secret client_key_pem;
    int64_t expires_ms; /* wall clock; 0: not told, good until it is refused */
};

void exec_credential_done(struct exec_credential *credential);

/* Pure: the text for KUBERNETES_EXEC_INFO; free with mem_free. config->exec is not NULL. */
NODISCARD char *exec_credential_info(const struct kube_config *config);

/* Pure: a plugin's output. api_version is what the kubeconfig asked for. MALFORMED otherwise. */
NODISCARD bool exec_credential_parse(const char *text, size_t length, const char *api_version,
                                     struct exec_credential *ret_credential, struct err *err);

struct exec_credential_run;

/* err is NULL on success; the callback may move the credential's parts out. */
typedef void exec_credential_fn(void *context, struct exec_credential *credential,
                                const struct err *err);

/* Runs the plugin of config->exec (time-out 60 s). done is called once, from the loop. The error
 * quotes the first line that the plugin wrote and the kubeconfig's install hint. */
struct exec_credential_run *exec_credential_start(struct loop *loop,
                                                  const struct kube_config *config,
                                                  exec_credential_fn *done, void *context);
/* Kills the plugin; no callback. NULL is fine. */
void exec_credential_cancel(struct exec_credential_run *run);

#endif
