/* A plugin may ask a cloud's login service, which takes seconds: it runs beside the loop, and
 * requests wait for it (kube/login). */
#include "kube/exec_credential.h"

#include <string.h>
#include <unistd.h>

#include "api/timestamp.h"
#include "base/base64.h"
#include "base/json.h"
#include "kube/command.h"

enum {
    PLUGIN_TIMEOUT_MS = 60 * 1000,
    OUTPUT_BYTES_MAX = 1024 * 1024,
    LINE_BYTES_MAX = 200,
};

static const char INFO_VARIABLE[] = "KUBERNETES_EXEC_INFO";

struct exec_credential_run {
    const struct kube_config *config;
    struct command *command;
    exec_credential_fn *done;
    void *context;
};

void exec_credential_done(struct exec_credential *credential)
{
    if (!credential)
        return;
    secret_done(&credential->token);
    mem_free(credential->client_certificate_pem);
    secret_done(&credential->client_key_pem);
    *credential = (struct exec_credential){ 0 };
}

/* ---- what the plugin is told ---- */

static void add_cluster(cJSON *spec, const struct kube_config *config)
{
    cJSON *cluster = json_add_object(spec, "cluster");
    json_add_string(cluster, "server", config->server);
    json_add_string(cluster, "tls-server-name", config->tls_server_name);
    json_add_string(cluster, "proxy-url", config->proxy_url);
    if (config->insecure_skip_verify)
        cJSON_AddTrueToObject(cluster, "insecure-skip-tls-verify");
    if (config->ca_pem) {
        auto_free char *data = base64_encode(config->ca_pem, strlen(config->ca_pem));
        json_add_string(cluster, "certificate-authority-data", data);
    }
}

char *exec_credential_info(const struct kube_config *config)
{
    auto_json cJSON *info = cJSON_CreateObject();
    json_add_string(info, "apiVersion", config->exec->api_version);
    json_add_string(info, "kind", "ExecCredential");
    cJSON *spec = json_add_object(info, "spec");
    cJSON_AddFalseToObject(spec, "interactive");
    if (config->exec->provide_cluster_info)
        add_cluster(spec, config);
    return json_print(info);
}

/* ---- what the plugin answers ---- */

static void set_secret(struct secret *secret, const char *text)
{
    if (text)
        secret_set(secret, text, strlen(text));
}

static bool parse_status(const cJSON *status, struct exec_credential *credential, struct err *err)
{
    const char *expires = json_string_member(status, "expirationTimestamp");
    const char *certificate = json_string_member(status, "clientCertificateData");
    const char *key = json_string_member(status, "clientKeyData");
    set_secret(&credential->token, json_string_member(status, "token"));
    set_secret(&credential->client_key_pem, key);
    credential->client_certificate_pem = mem_strdup(certificate);
    if (!certificate != !key)
        return err_set(err, ERR_MALFORMED, "only one of clientCertificateData and clientKeyData");
    if (!certificate && secret_is_empty(&credential->token))
        return err_set(err, ERR_MALFORMED, "neither a token nor a client certificate");
    if (expires && !timestamp_parse(expires, &credential->expires_ms))
        return err_set(err, ERR_MALFORMED, "expirationTimestamp isn't a time");
    return true;
}

bool exec_credential_parse(const char *text, size_t length, const char *api_version,
                           struct exec_credential *ret_credential, struct err *err)
{
    auto_json cJSON *json = json_parse(text, length);
    if (!mem_streq(json_string_member(json, "kind"), "ExecCredential"))
        return err_set(err, ERR_MALFORMED, "its output isn't an ExecCredential");
    const char *answered = json_string_member(json, "apiVersion");
    if (!mem_streq(answered, api_version))
        return err_set(err, ERR_MALFORMED, "it answers in apiVersion %s, the kubeconfig says %s",
                       answered ? answered : "(none)", api_version);
    __attribute__((cleanup(exec_credential_done))) struct exec_credential credential = { 0 };
    if (!parse_status(json_member(json, "status"), &credential, err))
        return false;
    *ret_credential = credential;
    credential = (struct exec_credential){ 0 };
    return true;
}

/* ---- running it ---- */

static size_t count_strings(char *const *strings)
{
    size_t count = 0;
    while (strings && strings[count])
        count++;
    return count;
}

static bool names_same_variable(const char *a, const char *b)
{
    size_t length = strcspn(a, "=");
    return strncmp(a, b, length) == 0 && b[length] == '=';
}

static bool is_overridden(const char *variable, char *const *overrides)
{
    for (; *overrides; overrides++)
        if (names_same_variable(variable, *overrides))
            return true;
    return false;
}

/* The process's environment with the kubeconfig's variables and `info` in front; strings are
 * borrowed, the array isn't. */
static char **make_environment(const struct kube_exec *exec, char *info)
{
    size_t own = count_strings(exec->env);
    char **list = mem_calloc(own + count_strings(environ) + 2, sizeof *list);
    size_t length = 0;
    list[length++] = info;
    for (size_t i = 0; i < own; i++)
        list[length++] = exec->env[i];
    auto_free char **overrides = mem_calloc(length + 1, sizeof *overrides);
    memcpy(overrides, list, length * sizeof *list);
    for (char **p = environ; *p; p++)
        if (!is_overridden(*p, overrides))
            list[length++] = *p;
    return list;
}

static char **make_arguments(const struct kube_exec *exec)
{
    size_t count = count_strings(exec->args);
    char **list = mem_calloc(count + 2, sizeof *list);
    list[0] = exec->command;
    for (size_t i = 0; i < count; i++)
        list[i + 1] = exec->args[i];
    return list;
}

static bool refuse(const struct kube_exec *exec, const struct command_result *result,
                   struct err *err)
{
    size_t space = strspn(result->error_text, " \r\n\t");
    const char *line = result->error_text + space;
    int length = (int)strcspn(line, "\r\n");
    err_set(err, result->not_found ? ERR_INVALID : ERR_TRANSIENT, "credential plugin %s: %s%s%.*s",
            exec->command, result->failure, length > 0 ? ": " : "",
            length < LINE_BYTES_MAX ? length : LINE_BYTES_MAX, line);
    if (!exec->install_hint)
        return false;
    struct err first = *err;
    return err_set(err, first.kind, "%s (%s)", first.message, exec->install_hint);
}

static bool read_result(const struct kube_exec *exec, const struct command_result *result,
                        struct exec_credential *credential, struct err *err)
{
    if (result->failure[0])
        return refuse(exec, result, err);
    return exec_credential_parse(buf_text(result->output), result->output->length,
                                 exec->api_version, credential, err) ||
           err_prefix(err, "credential plugin %s", exec->command);
}

static void on_command_done(void *context, const struct command_result *result)
{
    struct exec_credential_run *run = context;
    struct exec_credential credential = { 0 };
    struct err err = ERR_INIT;
    bool ok = read_result(run->config->exec, result, &credential, &err);
    exec_credential_fn *done = run->done;
    void *done_context = run->context;
    mem_free(run);
    done(done_context, &credential, ok ? NULL : &err);
    exec_credential_done(&credential);
}

struct exec_credential_run *exec_credential_start(struct loop *loop,
                                                  const struct kube_config *config,
                                                  exec_credential_fn *done, void *context)
{
    struct exec_credential_run *run = mem_alloc(sizeof *run);
    *run = (struct exec_credential_run){ .config = config, .done = done, .context = context };
    auto_free char *text = exec_credential_info(config);
    auto_free char *info = mem_printf("%s=%s", INFO_VARIABLE, text);
    auto_free char **environment = make_environment(config->exec, info);
    auto_free char **arguments = make_arguments(config->exec);
    run->command = command_start(loop, arguments, environment, PLUGIN_TIMEOUT_MS, OUTPUT_BYTES_MAX,
                                 on_command_done, run);
    return run;
}

void exec_credential_cancel(struct exec_credential_run *run)
{
    if (!run)
        return;
    command_cancel(run->command);
    mem_free(run);
}
