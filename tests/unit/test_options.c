#include "captured.h"

#include "operator/options.h"

static struct options options;
static char out[32 * 1024];
static char err_text[32 * 1024];

/* Parses space-separated arguments; what was printed is in `out` and `err_text`. */
static enum options_result parse(const char *arguments)
{
    options_done(&options);
    auto_free char *text = mem_strdup(arguments);
    char program[] = "deepgram-operator";
    char *argv[CAPTURED_ARGUMENTS_MAX];
    int argc = captured_argv(program, text, argv);
    struct captured captured;
    captured_begin(&captured);
    enum options_result result = options_parse(argc, argv, &options);
    captured_end(&captured, out, sizeof out, err_text, sizeof err_text);
    return result;
}

static int teardown(void **state)
{
    (void)state;
    options_done(&options);
    options_done(&options);
    static const char *const variables[] = { "LOG_LEVEL", "NAMESPACES",   "SETTLE",
                                             "LOGLEVEL",  "SERVICE_HOST", "PORT_8080_TCP",
                                             "LISTEN",    "LEADER_ELECT" };
    for (size_t i = 0; i < ARRAY_LENGTH(variables); i++) {
        auto_free char *name = mem_printf("DEEPGRAM_OPERATOR_%s", variables[i]);
        unsetenv(name);
    }
    return 0;
}

static void test_defaults(void **state)
{
    (void)state;
    assert_int_equal(parse(""), OPTIONS_RUN);
    assert_string_equal(out, "");
    assert_string_equal(err_text, "");
    assert_null(options.kubeconfig);
    assert_null(options.namespaces);
    assert_string_equal(options.deepgram_url, "https://api.deepgram.com");
    assert_string_equal(options.registry_url, "https://quay.io");
    assert_null(options.default_credentials_name);
    assert_null(options.default_credentials_namespaces);
    assert_int_equal(options.max_role, ROLE_MEMBER);
    assert_string_equal(options.listen, ":8080");
    assert_true(options.leader_elect);
    assert_int_equal(options.lease_duration_ms, 15000);
    assert_int_equal(options.lease_renew_ms, 10000);
    assert_int_equal(options.lease_retry_ms, 2000);
    assert_int_equal(options.watch_timeout_ms, 300000);
    assert_int_equal(options.max_in_flight, 16);
    assert_int_equal(options.inventory_interval_ms, 600000);
    assert_int_equal(options.settle_ms, 120000);
    assert_int_equal(options.log_format, LOG_JSON);
    assert_int_equal(options.log_level, LOG_INFO);
    assert_null(options.ca_pem);
    assert_false(options.allow_plain_http);
}

static void test_every_flag_is_read(void **state)
{
    (void)state;
    assert_int_equal(parse("--kubeconfig /k --namespaces a,b --deepgram-url=https://d/p// "
                           "--registry-url https://r:8443 --listen 127.0.0.1:0"),
                     OPTIONS_RUN);
    assert_string_equal(options.kubeconfig, "/k");
    assert_string_equal(options.namespaces[0], "a");
    assert_string_equal(options.namespaces[1], "b");
    assert_null(options.namespaces[2]);
    assert_string_equal(options.deepgram_url, "https://d/p");
    assert_string_equal(options.registry_url, "https://r:8443");
    assert_string_equal(options.listen, "127.0.0.1:0");

    assert_int_equal(parse("--default-credentials=ns/dg.key --max-role=owner "
                           "--default-credentials-namespaces=c --leader-elect=false "
                           "--lease-duration=1m --lease-renew=40s --lease-retry=5s"),
                     OPTIONS_RUN);
    assert_string_equal(options.default_credentials_namespace, "ns");
    assert_string_equal(options.default_credentials_name, "dg.key");
    assert_string_equal(options.default_credentials_namespaces[0], "c");
    assert_int_equal(options.max_role, ROLE_OWNER);
    assert_false(options.leader_elect);
    assert_int_equal(options.lease_duration_ms, 60000);
    assert_int_equal(options.lease_renew_ms, 40000);
    assert_int_equal(options.lease_retry_ms, 5000);

    assert_int_equal(parse("--watch-timeout=90s --max-in-flight=3 --inventory-interval=1h30m "
                           "--settle=5s --log-format=text --log-level=debug --leader-elect "
                           "--allow-plain-http"),
                     OPTIONS_RUN);
    assert_int_equal(options.watch_timeout_ms, 90000);
    assert_int_equal(options.max_in_flight, 3);
    assert_int_equal(options.inventory_interval_ms, 5400000);
    assert_int_equal(options.settle_ms, 5000);
    assert_int_equal(options.log_format, LOG_TEXT);
    assert_int_equal(options.log_level, LOG_DEBUG);
    assert_true(options.leader_elect);
    assert_true(options.allow_plain_http);
}

static void test_mistakes_are_explained(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        const char *arguments;
        const char *message;
    } rows[] = {
        { "unknown flag", "--colour", "unknown flag --colour" },
        { "short flag", "-x", "unknown flag -x" },
        { "ambiguous flag", "--lease 3s", "unknown flag --lease" },
        { "missing value", "--listen", "--listen needs a value" },
        { "left over word", "--leader-elect false", "unexpected argument 'false'" },
        { "empty text", "--listen=", "--listen: must not be empty" },
        { "neither true nor false", "--leader-elect=yes", "--leader-elect: 'yes'" },
        { "duration without unit", "--settle 10", "--settle: '10' is not a duration such as" },
        { "duration of nothing", "--settle 0s", "--settle: '0s'" },
        { "negative duration", "--settle -5s", "--settle: '-5s'" },
        { "no number", "--max-in-flight x", "--max-in-flight: 'x' is not a number from 1 to" },
        { "number with rest", "--max-in-flight 3x", "'3x'" },
        { "none at all", "--max-in-flight 0", "'0'" },
        { "far too many", "--max-in-flight 99999999999999999999", "'99999999999999999999'" },
        { "no namespace", "--namespaces a,,b", "--namespaces: '' is not the name of a namespace" },
        { "bad namespace", "--namespaces a,B", "'B' is not the name" },
        { "path as namespace", "--namespaces ../x", "'../x' is not the name" },
        { "no slash", "--default-credentials key", "'key' is not NAMESPACE/NAME" },
        { "no name", "--default-credentials ns/", "'ns/' is not NAMESPACE/NAME" },
        { "two slashes", "--default-credentials a/b/c", "'a/b/c' is not NAMESPACE/NAME" },
        { "role none", "--max-role none", "'none' is not one of member, admin, owner" },
        { "unknown role", "--max-role king", "'king'" },
        { "unknown format", "--log-format xml", "'xml' is neither json nor text" },
        { "unknown level", "--log-level loud", "'loud' is not one of debug" },
        { "missing CA file", "--ca-file /nowhere/ca.pem", "--ca-file: can't read /nowhere/ca.pem" },
        { "CA file without certificate", "--ca-file /proc/self/status", "holds no certificate" },
        { "renew as long as the lease", "--lease-renew 15s", "--lease-renew must be less" },
        { "retry as long as renew", "--lease-retry 10s", "--lease-retry must be less" },
        { "lease shorter than renew", "--lease-duration 5s", "--lease-renew must be less" },
    };
    for (size_t i = 0; i < ARRAY_LENGTH(rows); i++) {
        enum options_result result = parse(rows[i].arguments);
        if (result != OPTIONS_EXIT_USAGE || !strstr(err_text, rows[i].message) ||
            !strstr(err_text, "--help"))
            fail_msg("%s: %s", rows[i].name, err_text);
        assert_string_equal(out, "");
        assert_null(options.listen);
    }
}

static void test_urls(void **state)
{
    (void)state;
    static const struct {
        const char *url;
        const char *refused; /* NULL: accepted */
    } rows[] = {
        { "https://api.example.com", NULL },
        { "HTTPS://api.example.com:8443/v1", NULL },
        { "http://localhost:8080", NULL },
        { "http://127.0.0.1:8080/x", NULL },
        { "http://127.1.2.3", NULL },
        { "http://[::1]:8080", NULL },
        { "http://api.example.com", "unencrypted" },
        { "http://127.0.0.1.example.com", "unencrypted" },
        { "http://localhost.example.com", "unencrypted" },
        { "http://10.0.0.1", "unencrypted" },
        { "http://0.0.0.0", "unencrypted" },
        { "http://[2001:db8::1]", "unencrypted" },
        { "http://[::1].example.com", "no valid host" },
        { "http://localhost@example.com", "user name" },
        { "https://user:secret@example.com", "user name" },
        { "https://example.com?x=1", "a query" },
        { "https://example.com#x", "fragment" },
        { "https://", "no valid host" },
        { "https:///path", "no valid host" },
        { "api.example.com", "is not a URL" },
        { "ftp://example.com", "is not a URL" },
        { "https://ex\xC3\xA4mple.com", "only ASCII" },
    };
    static const char *const flags[] = { "deepgram-url", "registry-url" };
    for (size_t i = 0; i < 2 * ARRAY_LENGTH(rows); i++) {
        const char *refused = rows[i / 2].refused;
        auto_free char *argument = mem_printf("--%s=%s", flags[i % 2], rows[i / 2].url);
        enum options_result result = parse(argument);
        bool ok = refused ? result == OPTIONS_EXIT_USAGE && strstr(err_text, refused) &&
                                strstr(err_text, flags[i % 2])
                          : result == OPTIONS_RUN;
        if (!ok)
            fail_msg("%s: %s", argument, err_text);
        assert_null(strstr(err_text, "secret"));
    }
    assert_int_equal(parse("--allow-plain-http --deepgram-url http://dg.example"), OPTIONS_RUN);
    assert_int_equal(parse("--deepgram-url http://dg.example --allow-plain-http"), OPTIONS_RUN);
}

static void test_the_environment(void **state)
{
    (void)state;
    setenv("DEEPGRAM_OPERATOR_LOG_LEVEL", "warn", 1);
    setenv("DEEPGRAM_OPERATOR_NAMESPACES", "", 1);
    setenv("DEEPGRAM_OPERATOR_LISTEN", "", 1);
    setenv("DEEPGRAM_OPERATOR_LEADER_ELECT", "false", 1);
    assert_int_equal(parse("--settle 3s"), OPTIONS_RUN);
    assert_int_equal(options.log_level, LOG_WARN);
    assert_null(options.namespaces);
    assert_string_equal(options.listen, ":8080");
    assert_false(options.leader_elect);
    assert_string_equal(err_text, "");

    assert_int_equal(parse("--log-level error"), OPTIONS_RUN);
    assert_int_equal(options.log_level, LOG_ERROR);

    setenv("DEEPGRAM_OPERATOR_LOG_LEVEL", "loud", 1);
    assert_int_equal(parse(""), OPTIONS_EXIT_USAGE);
    assert_non_null(strstr(err_text, "DEEPGRAM_OPERATOR_LOG_LEVEL: 'loud'"));
    assert_int_equal(parse("--log-level error"), OPTIONS_RUN);
    assert_int_equal(parse("--help"), OPTIONS_EXIT_OK);
}

static void test_misspelt_variables_are_named(void **state)
{
    (void)state;
    setenv("DEEPGRAM_OPERATOR_LOGLEVEL", "not-shown", 1);
    setenv("DEEPGRAM_OPERATOR_SETTLE", "1m", 1);
    setenv("DEEPGRAM_OPERATOR_SERVICE_HOST", "10.0.0.1", 1);
    setenv("DEEPGRAM_OPERATOR_PORT_8080_TCP", "tcp://10.0.0.1:8080", 1);
    assert_int_equal(parse(""), OPTIONS_RUN);
    assert_non_null(strstr(err_text, "DEEPGRAM_OPERATOR_LOGLEVEL"));
    assert_null(strstr(err_text, "not-shown"));
    assert_null(strstr(err_text, "SETTLE"));
    assert_null(strstr(err_text, "SERVICE"));
    assert_null(strstr(err_text, "PORT"));
}

static void test_the_ca_file_is_read(void **state)
{
    (void)state;
    static const char pem[] = "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n";
    char path[] = "/tmp/test-options-XXXXXX";
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, pem, sizeof pem - 1), sizeof pem - 1);
    auto_free char *argument = mem_printf("--ca-file %s", path);
    assert_int_equal(parse(argument), OPTIONS_RUN);
    assert_string_equal(options.ca_pem, pem);

    static const char filler[1024] = { '\n' };
    for (int i = 0; i < 1025; i++)
        assert_int_equal(write(fd, filler, sizeof filler), sizeof filler);
    assert_int_equal(parse(argument), OPTIONS_EXIT_USAGE);
    assert_non_null(strstr(err_text, "larger than 1048576 bytes"));
    close(fd);
    unlink(path);
}

static void test_help_names_every_flag(void **state)
{
    (void)state;
    assert_int_equal(parse("--help"), OPTIONS_EXIT_OK);
    assert_string_equal(err_text, "");
    static const char *const flags[] = {
        "kubeconfig",
        "namespaces",
        "deepgram-url",
        "registry-url",
        "default-credentials",
        "default-credentials-namespaces",
        "max-role",
        "listen",
        "leader-elect",
        "lease-duration",
        "lease-renew",
        "lease-retry",
        "watch-timeout",
        "max-in-flight",
        "inventory-interval",
        "settle",
        "log-format",
        "log-level",
        "ca-file",
        "allow-plain-http",
        "version",
        "help",
    };
    for (size_t i = 0; i < ARRAY_LENGTH(flags); i++) {
        auto_free char *line = mem_printf("\n  --%s", flags[i]);
        if (!strstr(out, line))
            fail_msg("--%s isn't in the help", flags[i]);
    }
    for (const char *line = out; *line; line += strcspn(line, "\n") + 1)
        assert_true(strcspn(line, "\n") <= 80);
    assert_null(strstr(out, " \n"));
}

static void test_version(void **state)
{
    (void)state;
    assert_int_equal(parse("--version"), OPTIONS_EXIT_OK);
    static const char program[] = "deepgram-operator ";
    assert_int_equal(strncmp(out, program, strlen(program)), 0);
    assert_true(strcspn(out + strlen(program), " \n") > 0);
    assert_ptr_equal(strchr(out, '\n'), out + strlen(out) - 1);
}

static void test_who_may_use_the_default_credentials(void **state)
{
    (void)state;
    assert_int_equal(parse(""), OPTIONS_RUN);
    assert_false(options_default_credentials_allowed(&options, "a"));
    assert_int_equal(parse("--default-credentials-namespaces=a"), OPTIONS_RUN);
    assert_false(options_default_credentials_allowed(&options, "a"));
    assert_int_equal(parse("--default-credentials=ns/key"), OPTIONS_RUN);
    assert_true(options_default_credentials_allowed(&options, "ns"));
    assert_false(options_default_credentials_allowed(&options, "n"));
    assert_int_equal(parse("--default-credentials=ns/key --default-credentials-namespaces=a,b"),
                     OPTIONS_RUN);
    assert_true(options_default_credentials_allowed(&options, "ns"));
    assert_true(options_default_credentials_allowed(&options, "b"));
    assert_false(options_default_credentials_allowed(&options, "c"));
}

static void test_which_namespaces_are_watched(void **state)
{
    (void)state;
    assert_int_equal(parse(""), OPTIONS_RUN);
    assert_true(options_namespace_watched(&options, "anything"));
    assert_int_equal(parse("--namespaces=a,b"), OPTIONS_RUN);
    assert_true(options_namespace_watched(&options, "b"));
    assert_false(options_namespace_watched(&options, "c"));
}

#define options_test(test) cmocka_unit_test_setup_teardown(test, NULL, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        options_test(test_defaults),
        options_test(test_every_flag_is_read),
        options_test(test_mistakes_are_explained),
        options_test(test_urls),
        options_test(test_the_environment),
        options_test(test_misspelt_variables_are_named),
        options_test(test_the_ca_file_is_read),
        options_test(test_help_names_every_flag),
        options_test(test_version),
        options_test(test_who_may_use_the_default_credentials),
        options_test(test_which_namespaces_are_watched),
    };
    return test_run(tests);
}
