/* Everything that can be read or checked at start is, so that a wrong entry is reported once and by
 * name instead of failing every request later. Only what rotates (tokens) is left to kube/login. */
#include "kube/config.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/json.h"
#include "kube/file.h"
#include "kube/kubeconfig.h"

static const char SERVICE_ACCOUNT_DIRECTORY[] = "/var/run/secrets/kubernetes.io/serviceaccount";

#define auto_config __attribute__((cleanup(kube_config_done)))

/* ---- release ---- */

static void free_strings(char **strings)
{
    for (char **p = strings; p && *p; p++)
        mem_free(*p);
    mem_free(strings);
}

static void exec_free(struct kube_exec *exec)
{
    if (!exec)
        return;
    mem_free(exec->api_version);
    mem_free(exec->command);
    free_strings(exec->args);
    free_strings(exec->env);
    mem_free(exec->install_hint);
    mem_free(exec);
}

void kube_config_done(struct kube_config *config)
{
    if (!config)
        return;
    mem_free(config->server);
    mem_free(config->ca_pem);
    mem_free(config->tls_server_name);
    mem_free(config->proxy_url);
    secret_done(&config->token);
    mem_free(config->token_file);
    secret_done(&config->basic);
    mem_free(config->client_certificate_pem);
    secret_done(&config->client_key_pem);
    exec_free(config->exec);
    mem_free(config->namespace);
    *config = (struct kube_config){ 0 };
}

/* ---- where it comes from ---- */

bool kube_config_in_cluster(const char *directory, const char *host, const char *port,
                            struct kube_config *ret_config, struct err *err)
{
    auto_config struct kube_config config = { 0 };
    auto_free char *ca_path = mem_printf("%s/ca.crt", directory);
    auto_free char *namespace_path = mem_printf("%s/namespace", directory);
    config.token_file = mem_printf("%s/token", directory);
    if (!file_read_text(ca_path, &config.ca_pem, err))
        return err_prefix(err, "the pod has no usable ServiceAccount token (is "
                               "automountServiceAccountToken false?)");
    struct err ignored = ERR_INIT;
    if (file_read_text(namespace_path, &config.namespace, &ignored))
        config.namespace[strcspn(config.namespace, " \r\n")] = '\0';
    if (!config.namespace || !config.namespace[0])
        mem_replace(&config.namespace, "default");
    bool is_ipv6 = strchr(host, ':') && host[0] != '[';
    config.server = mem_printf(is_ipv6 ? "https://[%s]:%s" : "https://%s:%s", host, port);

    *ret_config = config;
    config = (struct kube_config){ 0 };
    return true;
}

static bool add_file(cJSON *files, const char *path, struct err *err)
{
    auto_free char *text = NULL;
    if (!file_read_text(path, &text, err))
        return false;
    const char *slash = strrchr(path, '/');
    size_t directory_length = slash == path ? 1 : (size_t)(slash ? slash - path : 0);
    auto_free char *directory = slash ? mem_strndup(path, directory_length) : NULL;
    return kubeconfig_add(files, text, strlen(text), directory, err) ||
           err_prefix(err, "kubeconfig %s", path);
}

static bool load_file(const char *path, const char *context, struct kube_config *ret_config,
                      struct err *err)
{
    auto_json cJSON *files = cJSON_CreateObject();
    if (!add_file(files, path, err))
        return false;
    return kubeconfig_choose(files, context, ret_config, err) ||
           err_prefix(err, "kubeconfig %s", path);
}

/* Those of the list that exist. */
static bool load_list(const char *list, const char *context, struct kube_config *ret_config,
                      struct err *err)
{
    auto_json cJSON *files = cJSON_CreateObject();
    bool any = false;
    for (const char *next = list; *next;) {
        size_t length = strcspn(next, ":");
        auto_free char *path = mem_strndup(next, length);
        next += length + (next[length] == ':');
        if (length == 0 || access(path, F_OK) != 0)
            continue;
        if (!add_file(files, path, err))
            return false;
        any = true;
    }
    if (!any)
        return err_set(err, ERR_INVALID, "no file of KUBECONFIG=%s exists", list);
    return kubeconfig_choose(files, context, ret_config, err) ||
           err_prefix(err, "KUBECONFIG=%s", list);
}

static bool load_from_pod(struct kube_config *ret_config, struct err *err)
{
    const char *port = getenv("KUBERNETES_SERVICE_PORT");
    return kube_config_in_cluster(SERVICE_ACCOUNT_DIRECTORY, getenv("KUBERNETES_SERVICE_HOST"),
                                  port ? port : "443", ret_config, err);
}

static bool is_pod(void)
{
    const char *host = getenv("KUBERNETES_SERVICE_HOST");
    return host && host[0];
}

/* $KUBECONFIG, else ~/.kube/config. */
static bool load_from_home(const char *context, struct kube_config *ret_config, struct err *err)
{
    const char *list = getenv("KUBECONFIG");
    if (list && list[0])
        return load_list(list, context, ret_config, err);
    const char *home = getenv("HOME");
    auto_free char *usual = mem_printf("%s/.kube/config", home ? home : "");
    if (access(usual, F_OK) != 0)
        return err_set(err, ERR_NOT_FOUND,
                       "this isn't a pod and %s doesn't exist: give "
                       "--kubeconfig or set KUBECONFIG",
                       usual);
    return load_file(usual, context, ret_config, err);
}

bool kube_config_load(const char *path, struct kube_config *ret_config, struct err *err)
{
    if (path)
        return load_file(path, NULL, ret_config, err);
    return is_pod() ? load_from_pod(ret_config, err) : load_from_home(NULL, ret_config, err);
}

bool kube_config_load_for_person(const char *path, const char *context,
                                 struct kube_config *ret_config, struct err *err)
{
    if (path)
        return load_file(path, context, ret_config, err);
    if (load_from_home(context, ret_config, err))
        return true;
    return err->kind == ERR_NOT_FOUND && is_pod() && load_from_pod(ret_config, err);
}
