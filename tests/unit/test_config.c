#include "test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/json.h"
#include "kube/kubeconfig.h"

/* A directory of its own for files that a kubeconfig refers to. */
struct directory {
    char path[64];
    char file[128];
};

static int set_up(void **state)
{
    struct directory *directory = mem_alloc(sizeof *directory);
    strcpy(directory->path, "/tmp/test_config.XXXXXX");
    assert_non_null(mkdtemp(directory->path));
    *state = directory;
    return 0;
}

static int tear_down(void **state)
{
    static const char *const names[] = { "ca.crt", "token", "namespace", "key", "config", "other" };
    struct directory *directory = *state;
    for (size_t i = 0; i < ARRAY_LENGTH(names); i++) {
        snprintf(directory->file, sizeof directory->file, "%s/%s", directory->path, names[i]);
        unlink(directory->file);
    }
    rmdir(directory->path);
    mem_free(directory);
    return 0;
}

static const char *path_of(struct directory *directory, const char *name)
{
    snprintf(directory->file, sizeof directory->file, "%s/%s", directory->path, name);
    return directory->file;
}

static void write_file(struct directory *directory, const char *name, const char *text)
{
    FILE *file = fopen(path_of(directory, name), "w");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
}

static bool parse_text(const char *text, const char *base_directory, const char *context,
                       struct kube_config *ret_config, struct err *err)
{
    auto_json cJSON *files = cJSON_CreateObject();
    return kubeconfig_add(files, text, strlen(text), base_directory, err) &&
           kubeconfig_choose(files, context, ret_config, err);
}

static struct kube_config parse(const char *text, const char *base_directory, const char *context)
{
    struct kube_config config = { 0 };
    struct err err = ERR_INIT;
    if (!parse_text(text, base_directory, context, &config, &err))
        fail_msg("%s", err.message);
    return config;
}

static void expect_refused(const char *text, const char *because)
{
    struct kube_config config = { 0 };
    struct err err = ERR_INIT;
    assert_false(parse_text(text, NULL, NULL, &config, &err));
    assert_int_equal(err.kind, ERR_INVALID);
    if (!strstr(err.message, because))
        fail_msg("\"%s\" doesn't say \"%s\"", err.message, because);
}

/* A kubeconfig whose one user is `user`, in flow style. */
static char *with_user(const char *user)
{
    return mem_printf("current-context: c\n"
                      "contexts: [{name: c, context: {cluster: k, user: u}}]\n"
                      "clusters: [{name: k, cluster: {server: 'https://h'}}]\n"
                      "users: [{name: u, user: %s}]\n",
                      user);
}

static void test_as_kind_writes_it(void **state)
{
    (void)state;
    static const char text[] = "apiVersion: v1\n"
                               "clusters:\n"
                               "- cluster:\n"
                               "    certificate-authority-data: Q0E=\n"
                               "    server: https://127.0.0.1:6443/\n"
                               "  name: kind-test\n"
                               "contexts:\n"
                               "- context:\n"
                               "    cluster: kind-test\n"
                               "    user: kind-test\n"
                               "  name: kind-test\n"
                               "current-context: kind-test\n"
                               "kind: Config\n"
                               "preferences: {}\n"
                               "users:\n"
                               "- name: kind-test\n"
                               "  user:\n"
                               "    client-certificate-data: Q0VSVA==\n"
                               "    client-key-data: S0VZ\n";
    struct kube_config config = parse(text, NULL, NULL);
    assert_string_equal(config.server, "https://127.0.0.1:6443");
    assert_string_equal(config.ca_pem, "CA");
    assert_string_equal(config.client_certificate_pem, "CERT");
    assert_string_equal(secret_reveal(&config.client_key_pem), "KEY");
    assert_string_equal(config.namespace, "default");
    assert_null(config.exec);
    assert_false(config.insecure_skip_verify);
    kube_config_done(&config);
    kube_config_done(&config);
}

static void test_as_aws_writes_it(void **state)
{
    (void)state;
    static const char text[] = "apiVersion: v1\n"
                               "clusters:\n"
                               "- cluster:\n"
                               "    server: https://X.gr7.eu-west-1.eks.amazonaws.com\n"
                               "  name: arn:aws:eks:eu-west-1:1:cluster/x\n"
                               "contexts:\n"
                               "- context:\n"
                               "    cluster: arn:aws:eks:eu-west-1:1:cluster/x\n"
                               "    user: arn:aws:eks:eu-west-1:1:cluster/x\n"
                               "    namespace: speech\n"
                               "  name: x\n"
                               "current-context: x\n"
                               "users:\n"
                               "- name: arn:aws:eks:eu-west-1:1:cluster/x\n"
                               "  user:\n"
                               "    exec:\n"
                               "      apiVersion: client.authentication.k8s.io/v1beta1\n"
                               "      args:\n"
                               "      - --region\n"
                               "      - eu-west-1\n"
                               "      - eks\n"
                               "      - get-token\n"
                               "      command: aws\n"
                               "      env:\n"
                               "      - name: AWS_PROFILE\n"
                               "        value: work\n"
                               "      interactiveMode: IfAvailable\n"
                               "      provideClusterInfo: false\n";
    struct kube_config config = parse(text, "/base", NULL);
    assert_string_equal(config.namespace, "speech");
    assert_null(config.ca_pem);
    assert_string_equal(config.exec->api_version, "client.authentication.k8s.io/v1beta1");
    assert_string_equal(config.exec->command, "aws");
    assert_string_equal(config.exec->args[3], "get-token");
    assert_null(config.exec->args[4]);
    assert_string_equal(config.exec->env[0], "AWS_PROFILE=work");
    assert_null(config.exec->env[1]);
    assert_null(config.exec->install_hint);
    kube_config_done(&config);
}

static void test_as_gcloud_writes_it(void **state)
{
    (void)state;
    auto_free char *text = with_user("{exec: {apiVersion: client.authentication.k8s.io/v1beta1, "
                                     "command: bin/gke-gcloud-auth-plugin, args: null, env: null, "
                                     "installHint: 'Install it', provideClusterInfo: true}}");
    struct kube_config config = parse(text, "/base", NULL);
    assert_string_equal(config.exec->command, "/base/bin/gke-gcloud-auth-plugin");
    assert_string_equal(config.exec->install_hint, "Install it");
    assert_true(config.exec->provide_cluster_info);
    assert_null(config.exec->args[0]);
    kube_config_done(&config);
}

static void test_json_is_yaml_too(void **state)
{
    (void)state;
    static const char text[] =
        "{\"current-context\":\"a\",\"contexts\":[{\"name\":\"a\",\"context\":{\"cluster\":\"k\"}},"
        "{\"name\":\"b\",\"context\":{\"cluster\":\"k\",\"user\":\"u\"}}],\n"
        "\"clusters\":[{\"name\":\"k\",\"cluster\":{\"server\":\"http:\\/\\/h:8001\\/prefix\","
        "\"insecure-skip-tls-verify\":true,\"tls-server-name\":\"n\","
        "\"proxy-url\":\"http://p:3128\"}}],\n"
        "\"users\":[{\"name\":\"u\",\"user\":{\"username\":\"me\",\"password\":\"pa:ss\"}}]}";
    struct kube_config config = parse(text, NULL, "b");
    assert_string_equal(config.server, "http://h:8001/prefix");
    assert_true(config.insecure_skip_verify);
    assert_string_equal(config.tls_server_name, "n");
    assert_string_equal(config.proxy_url, "http://p:3128");
    assert_string_equal(secret_reveal(&config.basic), "me:pa:ss");
    kube_config_done(&config);
    config = parse(text, NULL, NULL); /* a context without a user is anonymous */
    assert_true(secret_is_empty(&config.basic));
    kube_config_done(&config);
}

static void test_files_are_resolved_and_read(void **state)
{
    struct directory *directory = *state;
    write_file(directory, "ca.crt", "FILE CA");
    write_file(directory, "key", "FILE KEY");
    static const char text[] =
        "current-context: c\n"
        "contexts: [{name: c, context: {cluster: k, user: u}}]\n"
        "clusters: [{name: k, cluster: {server: 'https://h', certificate-authority: ca.crt}}]\n"
        "users: [{name: u, user: {client-certificate: ca.crt, client-certificate-data: Q0VSVA==,\n"
        "  client-key: key, tokenFile: token, token: ignored}}]\n";
    struct kube_config config = parse(text, directory->path, NULL);
    assert_string_equal(config.ca_pem, "FILE CA");
    assert_string_equal(config.client_certificate_pem, "CERT");
    assert_string_equal(secret_reveal(&config.client_key_pem), "FILE KEY");
    assert_string_equal(config.token_file, path_of(directory, "token"));
    assert_true(secret_is_empty(&config.token));
    kube_config_done(&config);
}

static void test_token_goes_before_other_logins(void **state)
{
    (void)state;
    auto_free char *text = with_user("{token: t0ken, username: me, password: p, "
                                     "exec: {apiVersion: nonsense}}");
    struct kube_config config = parse(text, NULL, NULL);
    assert_string_equal(secret_reveal(&config.token), "t0ken");
    assert_true(secret_is_empty(&config.basic));
    assert_null(config.exec);
    kube_config_done(&config);
}

static void test_refused_users(void **state)
{
    (void)state;
    static const struct {
        const char *user, *because;
    } rows[] = {
        { "{auth-provider: {name: gcp}}", "auth-provider was removed" },
        { "{token: t, as: admin}", "impersonation" },
        { "{client-certificate-data: Q0E=}", "belong together" },
        { "{client-key-data: Q0E=}", "belong together" },
        { "{client-certificate-data: '***', client-key-data: Q0E=}",
          "user u: client-certificate-data isn't base64" },
        { "{client-certificate: /nowhere/cert, client-key-data: Q0E=}", "/nowhere/cert" },
        { "{exec: {command: x, apiVersion: client.authentication.k8s.io/v1alpha1}}", "v1alpha1" },
        { "{exec: {command: x}}", "exec.apiVersion" },
        { "{exec: {apiVersion: client.authentication.k8s.io/v1}}", "exec.command is missing" },
        { "{exec: {apiVersion: client.authentication.k8s.io/v1, command: x, "
          "interactiveMode: Always}}",
          "interactiveMode" },
        { "{exec: {apiVersion: client.authentication.k8s.io/v1, command: x, args: [[]]}}",
          "exec.args" },
        { "{exec: {apiVersion: client.authentication.k8s.io/v1, command: x, env: [{value: v}]}}",
          "exec.env" },
        { "null", "context c: there is no user named \"u\"" },
    };
    for (size_t i = 0; i < ARRAY_LENGTH(rows); i++) {
        auto_free char *text = with_user(rows[i].user);
        expect_refused(text, rows[i].because);
    }
}

static void test_refused_files(void **state)
{
    (void)state;
    static const struct {
        const char *text, *because;
    } rows[] = {
        { "", "no current-context" },
        { "a text", "no current-context" },
        { "kind: Config\n", "kubectl config use-context" },
        { "current-context: c\n", "there is no context named \"c\"" },
        { "current-context: c\ncontexts: [{name: c, context: {cluster: k}}]\n",
          "context c: there is no cluster named \"k\"" },
        { "current-context: c\ncontexts: [{name: c, context: {}}]\n", "no cluster named \"\"" },
        { "current-context: c\ncontexts: [{name: c, context: {cluster: k}}]\n"
          "clusters: [{name: k, cluster: {server: 'h:6443'}}]\n",
          "cluster k: server is \"h:6443\"" },
        { "current-context: c\ncontexts: [{name: c, context: {cluster: k}}]\n"
          "clusters: [{name: k, cluster: {}}]\n",
          "cluster k: server is \"\"" },
        { "current-context: c\ncontexts: {c: d}\nusers: 7\n", "there is no context" },
        { "a:\n  - b\n c: d\n", "line 3: not YAML" },
        { "? [a, b]\n: c\n", "a key isn't plain text" },
        { "a: &x [*x]\n", "nested too deeply" },
    };
    for (size_t i = 0; i < ARRAY_LENGTH(rows); i++)
        expect_refused(rows[i].text, rows[i].because);
}

static void test_aliases_are_followed(void **state)
{
    (void)state;
    struct kube_config config = parse("x: &name c\n"
                                      "current-context: *name\n"
                                      "contexts: [{name: *name, context: {cluster: k}}]\n"
                                      "clusters: [{name: k, cluster: {server: 'https://h'}}]\n",
                                      NULL, NULL);
    assert_string_equal(config.server, "https://h");
    kube_config_done(&config);
}

/* Each level names the one before nine times: 9^9 nodes if nothing bounded it. */
static void test_alias_bomb_is_refused(void **state)
{
    (void)state;
    auto_buf struct buf text;
    buf_init(&text, 4096);
    buf_puts(&text, "l0: &l0 [x]\n");
    for (int i = 1; i < 10; i++) {
        buf_printf(&text, "l%d: &l%d [", i, i);
        for (int j = 0; j < 9; j++)
            buf_printf(&text, "*l%d,", i - 1);
        buf_puts(&text, "]\n");
    }
    expect_refused(buf_text(&text), "too large");
}

static void test_large_scalars_are_not_multiplied(void **state)
{
    (void)state;
    auto_buf struct buf text;
    buf_init(&text, 1024 * 1024);
    buf_puts(&text, "a: &a ");
    for (int i = 0; i < 100 * 1000; i++)
        buf_putc(&text, 'x');
    buf_puts(&text, "\nb: [");
    for (int i = 0; i < 10 * 1000; i++)
        buf_puts(&text, "*a,");
    buf_puts(&text, "]\n");
    expect_refused(buf_text(&text), "too large");
}

static void test_deep_nesting_is_refused(void **state)
{
    (void)state;
    auto_buf struct buf text;
    buf_init(&text, 1024 * 1024);
    for (int i = 0; i < 2000; i++)
        buf_putc(&text, '[');
    for (int i = 0; i < 2000; i++)
        buf_putc(&text, ']');
    expect_refused(buf_text(&text), "nested too deeply");
}

/* As kubectl documents it: the first to set a value or a key of a map counts, and of an entry
 * nothing else. */
static void test_several_files_count_together(void **state)
{
    (void)state;
    static const char first[] = "contexts: [{name: c, context: {cluster: k, user: u}}]\n"
                                "clusters: [{name: k, cluster: {server: 'https://first'}}]\n"
                                "users: [{name: u, user: {tokenFile: token}}]\n";
    static const char second[] =
        "current-context: c\n"
        "contexts: [{name: c, context: {cluster: k, user: other, namespace: speech}},"
        " {name: d, context: {cluster: l, user: v}}]\n"
        "clusters: [{name: k, cluster: {server: 'https://second', proxy-url: 'http://p'}},"
        " {name: l, cluster: {server: 'https://third'}}]\n"
        "users: [{name: v, user: {tokenFile: token}, origin: /elsewhere}]\n";
    static const char third[] = "current-context: d\n";
    auto_json cJSON *files = cJSON_CreateObject();
    struct err err = ERR_INIT;
    assert_true(kubeconfig_add(files, first, strlen(first), "/a", &err));
    assert_true(kubeconfig_add(files, second, strlen(second), "/b", &err));
    assert_true(kubeconfig_add(files, third, strlen(third), "/c", &err));

    struct kube_config config = { 0 };
    assert_true(kubeconfig_choose(files, NULL, &config, &err));
    assert_string_equal(config.server, "https://first");
    assert_null(config.proxy_url);
    assert_string_equal(config.namespace, "default");
    assert_string_equal(config.token_file, "/a/token");
    kube_config_done(&config);
    assert_true(kubeconfig_choose(files, "d", &config, &err));
    assert_string_equal(config.server, "https://third");
    assert_string_equal(config.token_file, "/b/token"); /* relative to its own file */
    kube_config_done(&config);
}

static void test_in_cluster(void **state)
{
    struct directory *directory = *state;
    struct kube_config config = { 0 };
    struct err err = ERR_INIT;
    assert_false(kube_config_in_cluster(directory->path, "10.0.0.1", "443", &config, &err));
    assert_non_null(strstr(err.message, "automountServiceAccountToken"));

    write_file(directory, "ca.crt", "CA");
    assert_true(kube_config_in_cluster(directory->path, "fd00::1", "6443", &config, &err));
    assert_string_equal(config.server, "https://[fd00::1]:6443");
    assert_string_equal(config.namespace, "default");
    kube_config_done(&config);

    write_file(directory, "namespace", "speech\n");
    assert_true(kube_config_in_cluster(directory->path, "10.0.0.1", "443", &config, &err));
    assert_string_equal(config.server, "https://10.0.0.1:443");
    assert_string_equal(config.namespace, "speech");
    assert_string_equal(config.ca_pem, "CA");
    assert_string_equal(config.token_file, path_of(directory, "token"));
    kube_config_done(&config);
}

static void expect_loaded(const char *path, const char *server)
{
    struct kube_config config = { 0 };
    struct err err = ERR_INIT;
    if (!kube_config_load(path, &config, &err))
        fail_msg("%s", err.message);
    assert_string_equal(config.server, server);
    kube_config_done(&config);
}

static void test_where_the_kubeconfig_is_looked_for(void **state)
{
    struct directory *directory = *state;
    static const char format[] = "current-context: c\n"
                                 "contexts: [{name: c, context: {cluster: k}}]\n"
                                 "clusters: [{name: k, cluster: {server: 'https://%s'}}]\n";
    auto_free char *first = mem_printf(format, "first");
    auto_free char *other = mem_printf(format, "other");
    write_file(directory, "config", first);
    write_file(directory, "other", other);
    auto_free char *list = mem_printf("%s/missing::%s/config:%s/other", directory->path,
                                      directory->path, directory->path);
    auto_free char *explicit = mem_printf("%s/other", directory->path);
    unsetenv("KUBERNETES_SERVICE_HOST");
    setenv("KUBECONFIG", list, 1);
    expect_loaded(NULL, "https://first");
    expect_loaded(explicit, "https://other");
    write_file(directory, "config", "current-context: c\n");
    expect_loaded(NULL, "https://other"); /* what the first doesn't have, the next one may */
    write_file(directory, "config", "}");
    assert_false(kube_config_load(NULL, &(struct kube_config){ 0 }, &ERR_INIT));

    struct kube_config config = { 0 };
    struct err err = ERR_INIT;
    setenv("KUBECONFIG", "/nowhere", 1);
    assert_false(kube_config_load(NULL, &config, &err));
    assert_non_null(strstr(err.message, "KUBECONFIG=/nowhere"));
    unsetenv("KUBECONFIG");
    setenv("HOME", directory->path, 1);
    assert_false(kube_config_load(NULL, &config, &err));
    assert_non_null(strstr(err.message, "--kubeconfig"));
    setenv("KUBERNETES_SERVICE_HOST", "10.0.0.1", 1);
    assert_false(kube_config_load(NULL, &config, &err));
    assert_non_null(strstr(err.message, "ServiceAccount"));
    unsetenv("KUBERNETES_SERVICE_HOST");
}

static void expect_loaded_for_person(const char *path, const char *context, const char *server)
{
    struct kube_config config = { 0 };
    struct err err = ERR_INIT;
    if (!kube_config_load_for_person(path, context, &config, &err))
        fail_msg("%s", err.message);
    assert_string_equal(config.server, server);
    kube_config_done(&config);
}

/* kubectl's order, also in a pod, and with a context by name. */
static void test_where_a_persons_kubeconfig_is_looked_for(void **state)
{
    struct directory *directory = *state;
    write_file(directory, "config",
               "current-context: c\n"
               "contexts: [{name: c, context: {cluster: k}}, {name: d, context: {cluster: l}}]\n"
               "clusters: [{name: k, cluster: {server: 'https://first'}},"
               " {name: l, cluster: {server: 'https://second'}}]\n");
    auto_free char *path = mem_printf("%s/config", directory->path);
    setenv("KUBERNETES_SERVICE_HOST", "10.0.0.1", 1);
    setenv("KUBECONFIG", path, 1);
    expect_loaded_for_person(NULL, NULL, "https://first");
    expect_loaded_for_person(NULL, "d", "https://second");
    unsetenv("KUBECONFIG");
    expect_loaded_for_person(path, "d", "https://second");

    struct kube_config config = { 0 };
    struct err err = ERR_INIT;
    assert_false(kube_config_load_for_person(path, "e", &config, &err));
    assert_non_null(strstr(err.message, "e"));
    setenv("HOME", "/nowhere", 1);
    assert_false(kube_config_load_for_person(NULL, NULL, &config, &err));
    assert_non_null(strstr(err.message, "ServiceAccount")); /* it is a pod, so that is tried */
    unsetenv("KUBERNETES_SERVICE_HOST");
    assert_false(kube_config_load_for_person(NULL, NULL, &config, &err));
    assert_non_null(strstr(err.message, "--kubeconfig"));
}

static void test_errors_name_the_file(void **state)
{
    struct directory *directory = *state;
    struct kube_config config = { 0 };
    struct err err = ERR_INIT;
    write_file(directory, "config", "current-context: gone\n");
    assert_false(kube_config_load(path_of(directory, "config"), &config, &err));
    assert_non_null(strstr(err.message, directory->file));
    assert_non_null(strstr(err.message, "\"gone\""));
    assert_false(kube_config_load(directory->path, &config, &err)); /* a directory */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_as_kind_writes_it),
        cmocka_unit_test(test_as_aws_writes_it),
        cmocka_unit_test(test_as_gcloud_writes_it),
        cmocka_unit_test(test_json_is_yaml_too),
        cmocka_unit_test_setup_teardown(test_files_are_resolved_and_read, set_up, tear_down),
        cmocka_unit_test(test_token_goes_before_other_logins),
        cmocka_unit_test(test_refused_users),
        cmocka_unit_test(test_refused_files),
        cmocka_unit_test(test_aliases_are_followed),
        cmocka_unit_test(test_alias_bomb_is_refused),
        cmocka_unit_test(test_large_scalars_are_not_multiplied),
        cmocka_unit_test(test_deep_nesting_is_refused),
        cmocka_unit_test(test_several_files_count_together),
        cmocka_unit_test_setup_teardown(test_in_cluster, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_where_the_kubeconfig_is_looked_for, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_where_a_persons_kubeconfig_is_looked_for, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(test_errors_name_the_file, set_up, tear_down),
    };
    json_setup();
    return test_run(tests);
}
