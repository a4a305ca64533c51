#include "test.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/json.h"
#include "kube/command.h"
#include "kube/exec_credential.h"

#define V1 "client.authentication.k8s.io/v1"
#define HEAD "{\"kind\":\"ExecCredential\",\"apiVersion\":\"" V1 "\",\"status\":"

/* ---- the document ---- */

static void test_token_and_expiry(void **state)
{
    (void)state;
    static const char text[] =
        HEAD "{\"token\":\"t0ken\",\"expirationTimestamp\":\"2030-01-01T00:00:00Z\"}}\n";
    struct exec_credential credential = { 0 };
    struct err err = ERR_INIT;
    assert_true(exec_credential_parse(text, strlen(text), V1, &credential, &err));
    assert_string_equal(secret_reveal(&credential.token), "t0ken");
    assert_true(credential.expires_ms == 1893456000000);
    assert_null(credential.client_certificate_pem);
    exec_credential_done(&credential);
    exec_credential_done(&credential);
}

static void test_certificate_without_expiry(void **state)
{
    (void)state;
    static const char text[] = HEAD "{\"clientCertificateData\":\"C\",\"clientKeyData\":\"K\"}}";
    struct exec_credential credential = { 0 };
    struct err err = ERR_INIT;
    assert_true(exec_credential_parse(text, strlen(text), V1, &credential, &err));
    assert_string_equal(credential.client_certificate_pem, "C");
    assert_string_equal(secret_reveal(&credential.client_key_pem), "K");
    assert_true(credential.expires_ms == 0);
    exec_credential_done(&credential);
}

static void test_malformed_documents(void **state)
{
    (void)state;
    static const struct {
        const char *text, *because;
    } rows[] = {
        { "", "isn't an ExecCredential" },
        { "Please log in", "isn't an ExecCredential" },
        { "{\"kind\":\"Status\"}", "isn't an ExecCredential" },
        { "{\"kind\":\"ExecCredential\",\"apiVersion\":\"client.authentication.k8s.io/v1beta1\","
          "\"status\":{\"token\":\"t\"}}",
          "answers in apiVersion client.authentication.k8s.io/v1b" },
        { HEAD "{}}", "neither a token" },
        { HEAD "null}", "neither a token" },
        { HEAD "{\"token\":\"\"}}", "neither a token" },
        { HEAD "{\"clientKeyData\":\"K\"}}", "only one of" },
        { HEAD "{\"token\":\"t\",\"expirationTimestamp\":\"soon\"}}", "isn't a time" },
    };
    for (size_t i = 0; i < ARRAY_LENGTH(rows); i++) {
        struct exec_credential credential = { 0 };
        struct err err = ERR_INIT;
        assert_false(
            exec_credential_parse(rows[i].text, strlen(rows[i].text), V1, &credential, &err));
        assert_int_equal(err.kind, ERR_MALFORMED);
        if (!strstr(err.message, rows[i].because))
            fail_msg("\"%s\" doesn't say \"%s\"", err.message, rows[i].because);
    }
}

static void test_info(void **state)
{
    (void)state;
    struct kube_exec exec = { .api_version = (char[]){ V1 } };
    struct kube_config config = {
        .server = (char[]){ "https://h" },
        .ca_pem = (char[]){ "CA" },
        .exec = &exec,
    };
    auto_free char *plain = exec_credential_info(&config);
    assert_string_equal(plain, "{\"apiVersion\":\"" V1 "\",\"kind\":\"ExecCredential\","
                               "\"spec\":{\"interactive\":false}}");
    exec.provide_cluster_info = true;
    config.insecure_skip_verify = true;
    auto_free char *full = exec_credential_info(&config);
    assert_non_null(strstr(full, "\"cluster\":{\"server\":\"https://h\","
                                 "\"insecure-skip-tls-verify\":true,"
                                 "\"certificate-authority-data\":\"Q0E=\"}"));
}

/* ---- the plugin ---- */

struct outcome {
    bool done;
    bool ok;
    char token[128];
    struct err err;
};

static void on_credential(void *context, struct exec_credential *credential, const struct err *err)
{
    struct outcome *outcome = context;
    outcome->done = true;
    outcome->ok = !err;
    if (err)
        outcome->err = *err;
    else
        strncpy(outcome->token, secret_reveal(&credential->token), sizeof outcome->token - 1);
}

/* The plugin is a shell script given as text. */
static struct outcome run_script(const char *script, const char *hint)
{
    struct kube_exec exec = {
        .api_version = (char[]){ V1 },
        .command = (char[]){ "sh" },
        .args = (char *[]){ (char[]){ "-c" }, mem_strdup(script), NULL },
        .env = (char *[]){ (char[]){ "FLAVOUR=mine" }, NULL },
        .install_hint = mem_strdup(hint),
    };
    struct kube_config config = { .server = (char[]){ "https://h" }, .exec = &exec };
    struct loop *loop = test_loop_new();
    struct outcome outcome = { 0 };
    (void)exec_credential_start(loop, &config, on_credential, &outcome);
    assert_false(outcome.done);
    assert_true(test_loop_until(loop, &outcome.done, 10000));
    loop_free(loop);
    mem_free(exec.args[1]);
    mem_free(exec.install_hint);
    return outcome;
}

static void test_a_plugin_gives_a_token(void **state)
{
    (void)state;
    setenv("FLAVOUR", "inherited", 1);
    setenv("INHERITED", "kept", 1);
    struct outcome outcome = run_script("test -n \"$KUBERNETES_EXEC_INFO\" || exit 1\n"
                                        "echo '" HEAD "{\"token\":\"'$FLAVOUR-$INHERITED'\"}}'",
                                        NULL);
    if (!outcome.ok)
        fail_msg("%s", outcome.err.message);
    assert_string_equal(outcome.token, "mine-kept");
}

static void test_a_failing_plugin_is_quoted(void **state)
{
    (void)state;
    struct outcome outcome =
        run_script("echo; echo 'profile not found' >&2; echo more >&2; exit 7", "See the docs");
    assert_false(outcome.ok);
    assert_int_equal(outcome.err.kind, ERR_TRANSIENT);
    assert_string_equal(outcome.err.message, "credential plugin sh: exited with status 7: "
                                             "profile not found (See the docs)");
}

static void test_nonsense_from_a_plugin(void **state)
{
    (void)state;
    struct outcome outcome = run_script("echo nonsense", NULL);
    assert_false(outcome.ok);
    assert_int_equal(outcome.err.kind, ERR_MALFORMED);
    assert_non_null(strstr(outcome.err.message, "credential plugin sh: its output"));
}

static void test_a_plugin_that_never_stops_writing(void **state)
{
    (void)state;
    struct outcome outcome = run_script("exec yes", NULL);
    assert_false(outcome.ok);
    assert_non_null(strstr(outcome.err.message, "more than 1048576 bytes"));
}

static void test_a_missing_plugin(void **state)
{
    (void)state;
    struct kube_exec exec = {
        .api_version = (char[]){ V1 },
        .command = (char[]){ "no-such-plugin" },
        .install_hint = (char[]){ "Install it" },
    };
    struct kube_config config = { .server = (char[]){ "https://h" }, .exec = &exec };
    struct loop *loop = test_loop_new();
    struct outcome outcome = { 0 };
    (void)exec_credential_start(loop, &config, on_credential, &outcome);
    assert_false(outcome.done);
    assert_true(test_loop_until(loop, &outcome.done, 2000));
    assert_int_equal(outcome.err.kind, ERR_INVALID);
    assert_string_equal(outcome.err.message, "credential plugin no-such-plugin: No such file or "
                                             "directory (Install it)");
    loop_free(loop);
}

static void test_a_cancelled_plugin_is_killed_and_silent(void **state)
{
    (void)state;
    struct kube_exec exec = {
        .api_version = (char[]){ V1 },
        .command = (char[]){ "sleep" },
        .args = (char *[]){ (char[]){ "60" }, NULL },
    };
    struct kube_config config = { .server = (char[]){ "https://h" }, .exec = &exec };
    struct loop *loop = test_loop_new();
    struct outcome outcome = { 0 };
    struct exec_credential_run *run = exec_credential_start(loop, &config, on_credential, &outcome);
    exec_credential_cancel(run);
    exec_credential_cancel(NULL);
    assert_false(test_loop_until(loop, &outcome.done, 50));
    loop_free(loop);
}

/* ---- the runner ---- */

struct ending {
    bool done;
    char failure[128];
    char output[64];
};

static void on_command_done(void *context, const struct command_result *result)
{
    struct ending *ending = context;
    ending->done = true;
    strncpy(ending->failure, result->failure, sizeof ending->failure - 1);
    strncpy(ending->output, buf_text(result->output), sizeof ending->output - 1);
}

static struct ending run_program(char *const *argv, int64_t timeout_ms)
{
    struct loop *loop = test_loop_new();
    struct ending ending = { 0 };
    (void)command_start(loop, argv, environ, timeout_ms, 4096, on_command_done, &ending);
    assert_true(test_loop_until(loop, &ending.done, 10000));
    loop_free(loop);
    return ending;
}

static struct ending run_command(const char *script, int64_t timeout_ms)
{
    auto_free char *copy = mem_strdup(script);
    char *argv[] = { (char[]){ "sh" }, (char[]){ "-c" }, copy, NULL };
    return run_program(argv, timeout_ms);
}

static void test_a_silent_command_is_ended_with_its_children(void **state)
{
    (void)state;
    struct ending ending = run_command("sleep 60 & sleep 60", 100);
    assert_string_equal(ending.failure, "gave no answer in time");
}

static void test_a_grandchild_does_not_hold_the_pipes(void **state)
{
    (void)state;
    int64_t before = clock_monotonic_ms();
    struct ending ending = run_command("sleep 2 & echo done", 10000);
    assert_string_equal(ending.failure, "");
    assert_string_equal(ending.output, "done\n");
    assert_true(clock_monotonic_ms() - before < 1500);
}

static void test_a_signal_is_named(void **state)
{
    (void)state;
    struct ending ending = run_command("kill -9 $$", 10000);
    assert_string_equal(ending.failure, "was ended by signal 9");
}

static void test_no_input(void **state)
{
    (void)state;
    struct ending ending = run_command("cat; echo end", 10000);
    assert_string_equal(ending.output, "end\n");
}

static void test_no_blocked_signals(void **state)
{
    (void)state;
    char *argv[] = { (char[]){ "grep" }, (char[]){ "SigBlk" }, (char[]){ "/proc/self/status" },
                     NULL };
    sigset_t blocked;
    sigemptyset(&blocked);
    sigaddset(&blocked, SIGTERM);
    sigprocmask(SIG_BLOCK, &blocked, NULL);
    struct ending ending = run_program(argv, 10000);
    sigprocmask(SIG_UNBLOCK, &blocked, NULL);
    assert_string_equal(ending.output, "SigBlk:\t0000000000000000\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_token_and_expiry),
        cmocka_unit_test(test_certificate_without_expiry),
        cmocka_unit_test(test_malformed_documents),
        cmocka_unit_test(test_info),
        cmocka_unit_test(test_a_plugin_gives_a_token),
        cmocka_unit_test(test_a_failing_plugin_is_quoted),
        cmocka_unit_test(test_nonsense_from_a_plugin),
        cmocka_unit_test(test_a_plugin_that_never_stops_writing),
        cmocka_unit_test(test_a_missing_plugin),
        cmocka_unit_test(test_a_cancelled_plugin_is_killed_and_silent),
        cmocka_unit_test(test_a_silent_command_is_ended_with_its_children),
        cmocka_unit_test(test_a_grandchild_does_not_hold_the_pipes),
        cmocka_unit_test(test_a_signal_is_named),
        cmocka_unit_test(test_no_input),
        cmocka_unit_test(test_no_blocked_signals),
    };
    json_setup();
    return test_run(tests);
}
