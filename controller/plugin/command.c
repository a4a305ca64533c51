/* Flags as kubectl has them, at any place of the line; those for Deepgram as the operator has them.
 */
#include "plugin/command.h"

#include <getopt.h>
#include <string.h>
#include <strings.h>

#include "operator/option_value.h"
#include "operator/url.h"
#include "operator/version.h"

static const char HELP[] =
    "kubectl deepgram shows and rotates the credentials of the Deepgram operator.\n"
    "\n"
    "Usage: kubectl deepgram COMMAND [flags]\n"
    "\n"
    "Commands:\n"
    "  status [KIND[/NAME]]  Resources with their revisions, Secrets, workloads and\n"
    "                        pods, and which revision each pod runs.\n"
    "  rotate KIND/NAME      Ask for a new credential; with --wait, until it is in use.\n"
    "  orphans               The operator's credentials at Deepgram that no resource\n"
    "                        of this cluster names. Changes nothing.\n"
    "  doctor                Look for what is wrong, and say what to do. Changes\n"
    "                        nothing; exit code 1 when there is a problem.\n"
    "  help, version\n"
    "\n"
    "KIND is dgkey (DeepgramApiKey) or dgpull (DeepgramPullSecret).\n"
    "\n"
    "Flags:\n"
    "  -n, --namespace NS         The namespace; without it, that of the context.\n"
    "  -A, --all-namespaces       All namespaces.\n"
    "      --context NAME         A context of the kubeconfig.\n"
    "      --kubeconfig PATH      Without it $KUBECONFIG, else ~/.kube/config.\n"
    "  -o, --output json          JSON in place of text.\n"
    "      --wait                 rotate: until no pod holds the old credential.\n"
    "      --timeout DURATION     rotate --wait: no longer than that (default 10m).\n"
    "\n"
    "Flags of orphans and doctor, which ask Deepgram with the resources' admin Secrets:\n"
    "      --deepgram-url URL     As the operator's (default https://api.deepgram.com).\n"
    "      --ca-file PATH         Trust these certificates there.\n"
    "      --allow-plain-http     Accept http:// for it.\n"
    "      --default-credentials NS/NAME\n"
    "                             The admin Secret of resources that name none.\n"
    "\n"
    "Flags of doctor:\n"
    "      --operator-namespace NS         Where the operator runs (default\n"
    "                                      deepgram-operator-system).\n"
    "      --operator-service-account NAME Its ServiceAccount (default\n"
    "                                      deepgram-operator).";

/* ---- flags ---- */

enum { ARGUMENTS_MAX = 3 };

static bool set_output(void *field, const char *value, struct err *err)
{
    if (strcmp(value, "json") != 0)
        return err_set(err, ERR_INVALID, "'%s' is not json", value);
    *(bool *)field = true;
    return true;
}

struct flag {
    const char *name;
    char letter; /* 0: none */
    bool has_value;
    option_set_fn *set;
    size_t field;
};

#define FIELD(name) offsetof(struct command, name)

static const struct flag flags[] = {
    { "namespace", 'n', true, option_set_text, FIELD(namespace) },
    { "all-namespaces", 'A', false, option_set_bool, FIELD(all_namespaces) },
    { "context", 0, true, option_set_text, FIELD(context) },
    { "kubeconfig", 0, true, option_set_text, FIELD(options.kubeconfig) },
    { "output", 'o', true, set_output, FIELD(json) },
    { "wait", 0, false, option_set_bool, FIELD(wait) },
    { "timeout", 0, true, option_set_duration, FIELD(timeout_ms) },
    { "deepgram-url", 0, true, option_set_url, FIELD(options.deepgram_url) },
    { "ca-file", 0, true, option_set_ca_file, FIELD(options.ca_pem) },
    { "allow-plain-http", 0, false, option_set_bool, FIELD(options.allow_plain_http) },
    { "default-credentials", 0, true, option_set_default_credentials, FIELD(options) },
    { "operator-namespace", 0, true, option_set_text, FIELD(operator_namespace) },
    { "operator-service-account", 0, true, option_set_text, FIELD(operator_account) },
};

enum { FLAGS = ARRAY_LENGTH(flags), OPTION_HELP = 1000, OPTION_VERSION, OPTION_FIRST };

static const struct flag *find_flag(int option)
{
    for (size_t i = 0; i < FLAGS; i++)
        if (option == OPTION_FIRST + (int)i || (flags[i].letter && option == flags[i].letter))
            return &flags[i];
    return NULL;
}

static void fill_long_options(struct option ret_long[FLAGS + 3])
{
    for (int i = 0; i < FLAGS; i++)
        ret_long[i] = (struct option){
            .name = flags[i].name,
            .has_arg = flags[i].has_value ? required_argument : optional_argument,
            .val = OPTION_FIRST + i,
        };
    ret_long[FLAGS] = (struct option){ .name = "help", .val = OPTION_HELP };
    ret_long[FLAGS + 1] = (struct option){ .name = "version", .val = OPTION_VERSION };
    ret_long[FLAGS + 2] = (struct option){ .name = NULL };
}

static enum command_result usage_error(const char *message)
{
    fprintf(stderr, "kubectl-deepgram: %s\nSee kubectl deepgram help.\n", message);
    return COMMAND_EXIT_USAGE;
}

static enum command_result help(void)
{
    puts(HELP);
    return COMMAND_EXIT_OK;
}

static enum command_result version(void)
{
    puts("kubectl-deepgram " DEEPGRAM_OPERATOR_VERSION);
    return COMMAND_EXIT_OK;
}

/* Flags into *command; what isn't one stays at the end of argv, from optind on. */
static enum command_result read_flags(int argc, char **argv, struct command *command)
{
    struct option long_options[FLAGS + 3];
    fill_long_options(long_options);
    optind = 0; /* from the start, whoever used it before */
    opterr = 0;
    int option = 0;
    while ((option = getopt_long(argc, argv, ":n:Ao:h", long_options, NULL)) != -1) {
        if (option == OPTION_HELP || option == 'h')
            return help();
        if (option == OPTION_VERSION)
            return version();
        const struct flag *flag = find_flag(option);
        if (!flag) {
            auto_free char *message = mem_printf(
                option == ':' ? "%s needs a value" : "unknown flag %s", argv[optind - 1]);
            return usage_error(message);
        }
        struct err err = ERR_INIT;
        if (!flag->set((char *)command + flag->field, optarg ? optarg : "true", &err)) {
            err_prefix(&err, "--%s", flag->name);
            return usage_error(err.message);
        }
    }
    return COMMAND_RUN;
}

/* ---- what isn't a flag ---- */

/* dgkey, deepgramapikey, deepgramapikeys, DeepgramApiKey, also with ".deepgram.com". */
static bool parse_kind(const char *text, size_t length, enum resource_kind *ret_kind)
{
    static const char GROUP[] = "." RESOURCE_GROUP;
    size_t suffix = strlen(GROUP);
    if (length > suffix && strncasecmp(text + length - suffix, GROUP, suffix) == 0)
        length -= suffix;
    for (enum resource_kind kind = 0; kind < RESOURCE_KINDS; kind++) {
        const char *name = resource_kind_name(kind);
        const char *short_name = resource_kind_short_name(kind);
        size_t name_length = strlen(name);
        bool plural = length == name_length + 1 && (text[length - 1] | 32) == 's';
        if ((length == strlen(short_name) && strncasecmp(text, short_name, length) == 0) ||
            ((length == name_length || plural) && strncasecmp(text, name, name_length) == 0)) {
            *ret_kind = kind;
            return true;
        }
    }
    return false;
}

/* "KIND/NAME", "KIND NAME" or "KIND". */
static bool read_target(int argc, char **argv, struct command *command, struct err *err)
{
    const char *target = argv[0];
    size_t length = strcspn(target, "/");
    if (!parse_kind(target, length, &command->kind))
        return err_set(err, ERR_INVALID, "'%.*s' is neither dgkey nor dgpull", (int)length, target);
    command->has_kind = true;
    const char *name = target[length] ? target + length + 1 : argc > 1 ? argv[1] : NULL;
    if (name && !name[0])
        return err_set(err, ERR_INVALID, "'%s' lacks a name after the slash", target);
    mem_replace(&command->name, name);
    if (argc > (target[length] || !name ? 1 : 2))
        return err_set(err, ERR_INVALID, "unexpected argument '%s'", argv[argc - 1]);
    return true;
}

static bool read_verb(const char *text, enum command_verb *ret_verb)
{
    static const char *const VERBS[] = {
        [COMMAND_STATUS] = "status",
        [COMMAND_ROTATE] = "rotate",
        [COMMAND_ORPHANS] = "orphans",
        [COMMAND_DOCTOR] = "doctor",
    };
    for (size_t i = 0; i < ARRAY_LENGTH(VERBS); i++) {
        if (strcmp(text, VERBS[i]) == 0) {
            *ret_verb = (enum command_verb)i;
            return true;
        }
    }
    return false;
}

static bool read_words(int argc, char **argv, struct command *command, struct err *err)
{
    if (!read_verb(argv[0], &command->verb))
        return err_set(err, ERR_INVALID, "'%s' is no command", argv[0]);
    bool takes_target = command->verb == COMMAND_STATUS || command->verb == COMMAND_ROTATE;
    if (argc > 1 && !takes_target)
        return err_set(err, ERR_INVALID, "%s takes no argument, but there is '%s'", argv[0],
                       argv[1]);
    if (argc > 1 && !read_target(argc - 1, argv + 1, command, err))
        return false;
    if (command->verb == COMMAND_ROTATE && !command->name)
        return err_set(err, ERR_INVALID, "rotate needs KIND/NAME, such as dgkey/my-key");
    return true;
}

static bool check(const struct command *command, struct err *err)
{
    if (command->all_namespaces && command->namespace)
        return err_set(err, ERR_INVALID, "--namespace and --all-namespaces exclude each other");
    if (command->all_namespaces && command->name)
        return err_set(err, ERR_INVALID,
                       "a resource has one namespace: give --namespace in place of "
                       "--all-namespaces");
    if (!command->options.allow_plain_http && !url_is_private(command->options.deepgram_url))
        return err_set(err, ERR_INVALID,
                       "--deepgram-url: keys would go to %s unencrypted; use https://, or "
                       "--allow-plain-http",
                       command->options.deepgram_url);
    return true;
}

/* ---- the interface ---- */

static void set_defaults(struct command *command)
{
    *command = (struct command){ .timeout_ms = 10 * 60 * 1000 };
    mem_replace(&command->operator_namespace, "deepgram-operator-system");
    mem_replace(&command->operator_account, "deepgram-operator");
    mem_replace(&command->options.deepgram_url, "https://api.deepgram.com");
    command->options.max_in_flight = 16;
}

enum command_result command_parse(int argc, char **argv, struct command *ret_command)
{
    struct command command;
    set_defaults(&command);
    struct err err = ERR_INIT;
    enum command_result result = read_flags(argc, argv, &command);
    if (result == COMMAND_RUN && (optind == argc || strcmp(argv[optind], "help") == 0))
        result = help();
    else if (result == COMMAND_RUN && strcmp(argv[optind], "version") == 0)
        result = version();
    else if (result == COMMAND_RUN &&
             (!read_words(argc - optind, argv + optind, &command, &err) || !check(&command, &err)))
        result = usage_error(err.message);
    if (result == COMMAND_RUN)
        *ret_command = command;
    else
        command_done(&command);
    return result;
}

void command_done(struct command *command)
{
    mem_free(command->name);
    mem_free(command->context);
    mem_free(command->namespace);
    mem_free(command->operator_namespace);
    mem_free(command->operator_account);
    options_done(&command->options);
    *command = (struct command){ 0 };
}
