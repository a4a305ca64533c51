#include "captured.h"

#include "plugin/command.h"
#include "plugin/plugin.h"

static struct command command;
static char out[16 * 1024];
static char err_text[4 * 1024];

/* Parses space-separated arguments; what was printed is in `out` and `err_text`. */
static enum command_result parse(const char *arguments)
{
    command_done(&command);
    auto_free char *text = mem_strdup(arguments);
    char program[] = "kubectl-deepgram";
    char *argv[CAPTURED_ARGUMENTS_MAX];
    int argc = captured_argv(program, text, argv);
    struct captured captured;
    captured_begin(&captured);
    enum command_result result = command_parse(argc, argv, &command);
    captured_end(&captured, out, sizeof out, err_text, sizeof err_text);
    return result;
}

static int teardown(void **state)
{
    (void)state;
    command_done(&command);
    command_done(&command);
    return 0;
}

static void test_defaults(void **state)
{
    (void)state;
    assert_int_equal(parse("status"), COMMAND_RUN);
    assert_int_equal(command.verb, COMMAND_STATUS);
    assert_null(command.name);
    assert_false(command.has_kind);
    assert_null(command.namespace);
    assert_null(command.context);
    assert_int_equal(command.timeout_ms, 600000);
    assert_string_equal(command.options.deepgram_url, "https://api.deepgram.com");
    assert_string_equal(command.operator_namespace, "deepgram-operator-system");
}

static void test_targets(void **state)
{
    (void)state;
    static const struct {
        const char *arguments;
        enum resource_kind kind;
        const char *name;
    } rows[] = {
        { "status dgkey/a", RESOURCE_API_KEY, "a" },
        { "status dgpull a", RESOURCE_PULL_SECRET, "a" },
        { "status DeepgramApiKey/a", RESOURCE_API_KEY, "a" },
        { "status deepgramapikeys/a", RESOURCE_API_KEY, "a" },
        { "status deepgrampullsecrets.deepgram.com a", RESOURCE_PULL_SECRET, "a" },
        { "status dgpull", RESOURCE_PULL_SECRET, NULL },
        { "rotate -n x dgkey/a --wait", RESOURCE_API_KEY, "a" },
    };
    for (size_t i = 0; i < ARRAY_LENGTH(rows); i++) {
        if (parse(rows[i].arguments) != COMMAND_RUN)
            fail_msg("%s: %s", rows[i].arguments, err_text);
        assert_true(command.has_kind);
        assert_int_equal(command.kind, rows[i].kind);
        assert_true(mem_streq(command.name, rows[i].name));
    }
}

static void test_flags_stand_anywhere(void **state)
{
    (void)state;
    assert_int_equal(parse("-n speech rotate --context=prod dgkey/a --timeout 90s -o json "
                           "--kubeconfig k"),
                     COMMAND_RUN);
    assert_int_equal(command.verb, COMMAND_ROTATE);
    assert_string_equal(command.namespace, "speech");
    assert_string_equal(command.context, "prod");
    assert_string_equal(command.options.kubeconfig, "k");
    assert_int_equal(command.timeout_ms, 90000);
    assert_true(command.json);
    assert_int_equal(parse("doctor -A --default-credentials ops/admin"), COMMAND_RUN);
    assert_true(command.all_namespaces);
    assert_string_equal(command.options.default_credentials_name, "admin");
}

static void test_mistakes_say_what_is_wrong(void **state)
{
    (void)state;
    static const struct {
        const char *arguments;
        const char *message;
    } rows[] = {
        { "stauts", "'stauts' is no command" },
        { "rotate", "rotate needs KIND/NAME" },
        { "rotate dgkey", "rotate needs KIND/NAME" },
        { "rotate key/a", "'key' is neither dgkey nor dgpull" },
        { "rotate dgkey/", "lacks a name after the slash" },
        { "status dgkey/a b", "unexpected argument 'b'" },
        { "status dgkey a b", "unexpected argument 'b'" },
        { "orphans x", "orphans takes no argument" },
        { "status -o yaml", "'yaml' is not json" },
        { "status --frob", "unknown flag --frob" },
        { "status -n", "-n needs a value" },
        { "status -A -n x", "exclude each other" },
        { "status -A dgkey/a", "a resource has one namespace" },
        { "rotate dgkey/a --timeout soon", "--timeout: 'soon' is not a duration" },
        { "doctor --deepgram-url http://api.example.com", "unencrypted" },
    };
    for (size_t i = 0; i < ARRAY_LENGTH(rows); i++) {
        assert_int_equal(parse(rows[i].arguments), COMMAND_EXIT_USAGE);
        if (!strstr(err_text, rows[i].message) || !strstr(err_text, "See kubectl deepgram help"))
            fail_msg("%s: %s", rows[i].arguments, err_text);
        assert_string_equal(out, "");
    }
}

static void test_help_and_version(void **state)
{
    (void)state;
    static const char *const helps[] = { "", "help", "--help", "-h", "status --help" };
    for (size_t i = 0; i < ARRAY_LENGTH(helps); i++) {
        assert_int_equal(parse(helps[i]), COMMAND_EXIT_OK);
        assert_non_null(strstr(out, "Usage: kubectl deepgram COMMAND"));
    }
    assert_int_equal(parse("--version"), COMMAND_EXIT_OK);
    assert_non_null(strstr(out, "kubectl-deepgram "));
    assert_int_equal(parse("version"), COMMAND_EXIT_OK);
}

static void test_the_name_of_the_program_decides(void **state)
{
    (void)state;
    assert_true(plugin_is_meant("kubectl-deepgram"));
    assert_true(plugin_is_meant("/usr/local/bin/kubectl-deepgram"));
    assert_false(plugin_is_meant("/usr/local/bin/deepgram-operator"));
    assert_false(plugin_is_meant("/opt/kubectl-deepgram/deepgram-operator"));
    assert_false(plugin_is_meant(NULL));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(test_defaults, teardown),
        cmocka_unit_test_teardown(test_targets, teardown),
        cmocka_unit_test_teardown(test_flags_stand_anywhere, teardown),
        cmocka_unit_test_teardown(test_mistakes_say_what_is_wrong, teardown),
        cmocka_unit_test_teardown(test_help_and_version, teardown),
        cmocka_unit_test(test_the_name_of_the_program_decides),
    };
    return test_run(tests);
}
