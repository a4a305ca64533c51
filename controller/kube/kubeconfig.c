/* client-go's rules for which entry counts when several are set are kept, because a kubeconfig that
 * works with kubectl has to mean the same here. */
#include "kube/kubeconfig.h"

#include <string.h>

#include "base/base64.h"
#include "base/json.h"
#include "kube/file.h"
#include "kube/yaml.h"

#define auto_config __attribute__((cleanup(kube_config_done)))

/* ---- values and files ---- */

/* A member's text; NULL when absent or empty. */
static const char *text_member(const cJSON *object, const char *name)
{
    const char *text = json_string_member(object, name);
    return text && text[0] ? text : NULL;
}

static bool is_true(const cJSON *object, const char *name)
{
    return cJSON_IsTrue(json_member(object, name));
}

static char *resolve(const char *base_directory, const char *path)
{
    if (path[0] == '/' || !base_directory)
        return mem_strdup(path);
    return mem_printf("%s/%s", base_directory, path);
}

/* `NAME-data` in base64 or else the file `NAME`, as kubectl reads them; *ret stays NULL when there
 * is neither. */
static bool load_pem(const cJSON *entry, const char *name, const char *base_directory,
                     char **ret_pem, struct err *err)
{
    auto_free char *data_name = mem_printf("%s-data", name);
    const char *data = text_member(entry, data_name);
    const char *path = text_member(entry, name);
    if (data) {
        size_t length = 0;
        char *pem = base64_decode(data, &length);
        if (!pem)
            return err_set(err, ERR_INVALID, "%s isn't base64", data_name);
        *ret_pem = pem;
    } else if (path) {
        auto_free char *resolved = resolve(base_directory, path);
        if (!file_read_text(resolved, ret_pem, err))
            return err_prefix(err, "%s", name);
    }
    return true;
}

/* ---- users ---- */

static bool copy_strings(const cJSON *array, char ***ret_strings, struct err *err)
{
    int count = cJSON_GetArraySize(array);
    char **strings = mem_calloc((size_t)count + 1, sizeof *strings);
    const cJSON *item = NULL;
    size_t length = 0;
    *ret_strings = strings;
    cJSON_ArrayForEach(item, array) {
        if (!cJSON_IsString(item))
            return err_set(err, ERR_INVALID, "exec.args has an entry that isn't text");
        strings[length++] = mem_strdup(item->valuestring);
    }
    return true;
}

static bool copy_environment(const cJSON *array, char ***ret_strings, struct err *err)
{
    int count = cJSON_GetArraySize(array);
    char **strings = mem_calloc((size_t)count + 1, sizeof *strings);
    const cJSON *item = NULL;
    size_t length = 0;
    *ret_strings = strings;
    cJSON_ArrayForEach(item, array) {
        const char *name = text_member(item, "name");
        const char *value = json_string_member(item, "value");
        if (!name)
            return err_set(err, ERR_INVALID, "exec.env has an entry without a name");
        strings[length++] = mem_printf("%s=%s", name, value ? value : "");
    }
    return true;
}

static bool check_exec(const cJSON *json, struct err *err)
{
    const char *version = text_member(json, "apiVersion");
    if (!mem_streq(version, "client.authentication.k8s.io/v1") &&
        !mem_streq(version, "client.authentication.k8s.io/v1beta1"))
        return err_set(err, ERR_INVALID,
                       "exec.apiVersion is \"%s\"; client.authentication.k8s.io/v1 and v1beta1 "
                       "are supported: update the tool that wrote it",
                       version ? version : "");
    if (!text_member(json, "command"))
        return err_set(err, ERR_INVALID, "exec.command is missing");
    if (mem_streq(json_string_member(json, "interactiveMode"), "Always"))
        return err_set(err, ERR_INVALID,
                       "exec.interactiveMode is Always: a credential plugin "
                       "that asks a person can't be used here");
    return true;
}

static bool parse_exec(const cJSON *json, const char *base_directory, struct kube_config *config,
                       struct err *err)
{
    if (!check_exec(json, err))
        return false;
    struct kube_exec *exec = config->exec = mem_alloc(sizeof *exec);
    const char *command = text_member(json, "command");
    exec->api_version = mem_strdup(text_member(json, "apiVersion"));
    exec->command = strchr(command, '/') ? resolve(base_directory, command) : mem_strdup(command);
    exec->install_hint = mem_strdup(text_member(json, "installHint"));
    exec->provide_cluster_info = is_true(json, "provideClusterInfo");
    return copy_strings(json_member(json, "args"), &exec->args, err) &&
           copy_environment(json_member(json, "env"), &exec->env, err);
}

static bool parse_login(const cJSON *user, const char *base_directory, struct kube_config *config,
                        struct err *err)
{
    const char *token_file = text_member(user, "tokenFile");
    const char *token = text_member(user, "token");
    const char *username = text_member(user, "username");
    const cJSON *exec = json_member(user, "exec");
    if (token_file) {
        config->token_file = resolve(base_directory, token_file);
    } else if (token) {
        secret_set(&config->token, token, strlen(token));
    } else if (username) {
        const char *password = text_member(user, "password");
        auto_free char *basic = mem_printf("%s:%s", username, password ? password : "");
        secret_set(&config->basic, basic, strlen(basic));
    } else if (cJSON_IsObject(exec)) {
        return parse_exec(exec, base_directory, config, err);
    } else if (cJSON_IsObject(json_member(user, "auth-provider"))) {
        return err_set(err, ERR_INVALID,
                       "auth-provider was removed from Kubernetes in 1.26: use an exec credential "
                       "plugin such as gke-gcloud-auth-plugin or kubelogin");
    }
    return true;
}

static bool parse_user(const cJSON *user, const char *base_directory, struct kube_config *config,
                       struct err *err)
{
    if (text_member(user, "as") || text_member(user, "as-uid") || json_member(user, "as-groups"))
        return err_set(err, ERR_INVALID, "impersonation (as, as-uid, as-groups) isn't supported");
    auto_free char *key = NULL;
    if (!load_pem(user, "client-certificate", base_directory, &config->client_certificate_pem,
                  err) ||
        !load_pem(user, "client-key", base_directory, &key, err))
        return false;
    if (!config->client_certificate_pem != !key)
        return err_set(err, ERR_INVALID,
                       "client-certificate and client-key belong together, "
                       "and one is missing");
    if (key)
        secret_set(&config->client_key_pem, key, strlen(key));
    return parse_login(user, base_directory, config, err);
}

/* ---- clusters ---- */

static bool parse_cluster(const cJSON *cluster, const char *base_directory,
                          struct kube_config *config, struct err *err)
{
    const char *server = text_member(cluster, "server");
    if (!server || (strncmp(server, "https://", 8) != 0 && strncmp(server, "http://", 7) != 0))
        return err_set(err, ERR_INVALID, "server is \"%s\", not an https:// URL",
                       server ? server : "");
    size_t length = strlen(server);
    while (server[length - 1] == '/')
        length--;
    config->server = mem_strndup(server, length);
    config->tls_server_name = mem_strdup(text_member(cluster, "tls-server-name"));
    config->proxy_url = mem_strdup(text_member(cluster, "proxy-url"));
    config->insecure_skip_verify = is_true(cluster, "insecure-skip-tls-verify");
    return load_pem(cluster, "certificate-authority", base_directory, &config->ca_pem, err);
}

/* ---- the files ---- */

static const char *const LISTS[] = { "clusters", "contexts", "users" };
/* Member of an entry: the directory of its file. */
static const char ORIGIN[] = "origin";

/* The body of the entry of that name in one of the three lists ("users" → "user"): the first. */
static const cJSON *find_entry(const cJSON *files, const char *list, const char *body,
                               const char *name, const char **ret_directory, struct err *err)
{
    const cJSON *entry = NULL;
    cJSON_ArrayForEach(entry, json_member(files, list)) {
        if (mem_streq(json_string_member(entry, "name"), name) &&
            cJSON_IsObject(json_member(entry, body))) {
            *ret_directory = json_string_member(entry, ORIGIN);
            return json_member(entry, body);
        }
    }
    err_set(err, ERR_INVALID, "there is no %s named \"%s\"", body, name);
    return NULL;
}

static bool parse_context(const cJSON *files, const char *name, struct kube_config *config,
                          struct err *err)
{
    const char *directory = NULL;
    const cJSON *context = find_entry(files, "contexts", "context", name, &directory, err);
    if (!context)
        return false;
    const char *namespace = text_member(context, "namespace");
    const char *cluster_name = text_member(context, "cluster");
    const char *user_name = text_member(context, "user");
    config->namespace = mem_strdup(namespace ? namespace : "default");

    const cJSON *cluster =
        find_entry(files, "clusters", "cluster", cluster_name ? cluster_name : "", &directory, err);
    if (!cluster)
        return err_prefix(err, "context %s", name);
    if (!parse_cluster(cluster, directory, config, err))
        return err_prefix(err, "cluster %s", cluster_name);
    if (!user_name)
        return true;
    const cJSON *user = find_entry(files, "users", "user", user_name, &directory, err);
    if (!user)
        return err_prefix(err, "context %s", name);
    return parse_user(user, directory, config, err) || err_prefix(err, "user %s", user_name);
}

static void add_entries(cJSON *files, const char *list, cJSON *entries, const char *base_directory)
{
    cJSON *all = cJSON_GetObjectItemCaseSensitive(files, list);
    if (!all)
        all = json_add_array(files, list);
    for (cJSON *entry; (entry = cJSON_DetachItemFromArray(entries, 0)) != NULL;) {
        cJSON_DeleteItemFromObjectCaseSensitive(entry, ORIGIN);
        if (cJSON_IsObject(entry))
            json_add_string(entry, ORIGIN, base_directory);
        cJSON_AddItemToArray(all, entry);
    }
}

bool kubeconfig_add(cJSON *files, const char *text, size_t length, const char *base_directory,
                    struct err *err)
{
    auto_json cJSON *root = NULL;
    if (!yaml_to_json(text, length, &root, err))
        return false;
    for (size_t i = 0; i < ARRAY_LENGTH(LISTS); i++)
        add_entries(files, LISTS[i], cJSON_GetObjectItemCaseSensitive(root, LISTS[i]),
                    base_directory);
    if (!text_member(files, "current-context"))
        json_add_string(files, "current-context", text_member(root, "current-context"));
    return true;
}

bool kubeconfig_choose(const cJSON *files, const char *context, struct kube_config *ret_config,
                       struct err *err)
{
    auto_config struct kube_config config = { 0 };
    const char *name = context ? context : text_member(files, "current-context");
    if (!name)
        return err_set(err, ERR_INVALID,
                       "there is no current-context: set one with `kubectl "
                       "config use-context NAME`");
    if (!parse_context(files, name, &config, err))
        return false;
    *ret_config = config;
    config = (struct kube_config){ 0 };
    return true;
}
