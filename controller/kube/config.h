/* Where the API server is and how to log in: the in-cluster ServiceAccount or a kubeconfig.
 */
#ifndef KUBE_CONFIG_H
#define KUBE_CONFIG_H

#include "base/err.h"
#include "base/secret.h"

struct kube_exec {      /* users[].user.exec */
    char *api_version;  /* client.authentication.k8s.io/v1 or v1beta1 */
    char *command;      /* a bare name is looked for in PATH */
    char **args;        /* NULL-terminated */
    char **env;         /* NULL-terminated "NAME=value" */
    char *install_hint; /* NULL when there is none */
    bool provide_cluster_info;
};

struct kube_config {
    char *server;          /* https://host:port[/prefix], no trailing slash */
    char *ca_pem;          /* NULL: the system's CAs */
    char *tls_server_name; /* NULL: from the URL */
    char *proxy_url;       /* NULL: from the environment */
    bool insecure_skip_verify;
    struct secret token; /* at most one of token, token_file, basic, exec */
    char *token_file;    /* read again at least once a minute: projected tokens rotate */
    struct secret basic; /* user:password */
    char *client_certificate_pem;
    struct secret client_key_pem;
    struct kube_exec *exec; /* NULL: none */
    char *namespace;        /* the context's, or the pod's; "default" when not told */
};

/* Wipes and frees what the config holds; callable twice. */
void kube_config_done(struct kube_config *config);

/* A pod's ServiceAccount: token, ca.crt and namespace in `directory`. An IPv6 host needs no
 * brackets. */
NODISCARD bool kube_config_in_cluster(const char *directory, const char *host, const char *port,
                                      struct kube_config *ret_config, struct err *err);

/* The order of the flag --kubeconfig: path when not NULL, else in-cluster when
 * KUBERNETES_SERVICE_HOST is set, else $KUBECONFIG, else ~/.kube/config. Where $KUBECONFIG lists
 * several files they count together, as for kubectl: of each entry the first (kube/kubeconfig). */
NODISCARD bool kube_config_load(const char *path, struct kube_config *ret_config, struct err *err);

/* The same for a person's command, in kubectl's order: path, $KUBECONFIG, ~/.kube/config, else
 * in-cluster. context NULL: the current one. */
NODISCARD bool kube_config_load_for_person(const char *path, const char *context,
                                           struct kube_config *ret_config, struct err *err);

#endif
