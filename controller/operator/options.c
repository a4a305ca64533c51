/* One table holds every flag with its default and its meaning: it parses the command line and the
 * environment, sets the defaults and prints the help, so that none of them can forget one. */
#include "operator/options.h"

#include <ctype.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "operator/option_value.h"
#include "operator/url.h"
#include "operator/version.h"

#define ENVIRONMENT_PREFIX "DEEPGRAM_OPERATOR_"

/* ---- the table ---- */

struct flag {
    const char *group; /* a heading before this flag, or NULL */
    const char *name;
    const char *argument; /* NULL: true or false, and true when it stands alone */
    const char *fallback; /* NULL: none */
    option_set_fn *set;
    size_t field;
    const char *help;
};

#define FIELD(name) offsetof(struct options, name)

static const struct flag flags[] = {
    { "Kubernetes", "kubeconfig", "PATH", NULL, option_set_text, FIELD(kubeconfig),
      "How to reach the API server. Without it: the pod's ServiceAccount, else\n"
      "$KUBECONFIG, else ~/.kube/config." },
    { NULL, "namespaces", "A,B", NULL, option_set_namespaces, FIELD(namespaces),
      "Work on the resources of these namespaces only. Without it: all." },
    { NULL, "watch-timeout", "DURATION", "5m", option_set_duration, FIELD(watch_timeout_ms),
      "Renew a watch that has been silent for this long." },

    { "Deepgram", "deepgram-url", "URL", "https://api.deepgram.com", option_set_url,
      FIELD(deepgram_url), "Deepgram's management API." },
    { NULL, "registry-url", "URL", "https://quay.io", option_set_url, FIELD(registry_url),
      "The registry at which pull credentials are verified." },
    { NULL, "ca-file", "PATH", NULL, option_set_ca_file, FIELD(ca_pem),
      "Trust the certificates in this PEM file, instead of the system's, for\n"
      "these two URLs." },
    { NULL, "allow-plain-http", NULL, "false", option_set_bool, FIELD(allow_plain_http),
      "Accept http:// for these two URLs. Loopback addresses need no such flag." },
    { NULL, "default-credentials", "NS/NAME", NULL, option_set_default_credentials, 0,
      "Secret with the Deepgram key for resources without spec.credentialsRef." },
    { NULL, "default-credentials-namespaces", "A,B", NULL, option_set_namespaces,
      FIELD(default_credentials_namespaces),
      "Namespaces that may use it. Without it: only the one that it is in." },
    { NULL, "max-role", "ROLE", "member", option_set_max_role, FIELD(max_role),
      "The highest role that may be issued with it: member, admin or owner." },
    { NULL, "max-in-flight", "N", "16", option_set_in_flight, FIELD(max_in_flight),
      "Requests to Deepgram at the same time." },
    { NULL, "inventory-interval", "DURATION", "10m", option_set_duration,
      FIELD(inventory_interval_ms),
      "How often each project's credentials are listed, to find those that were\n"
      "revoked or that nobody owns." },
    { NULL, "settle", "DURATION", "2m", option_set_duration, FIELD(settle_ms),
      "How long Deepgram may take to carry out a create whose answer was lost." },

    { "Process", "listen", "ADDR:PORT", ":8080", option_set_text, FIELD(listen),
      "Where /healthz, /readyz and /metrics are served." },
    { NULL, "leader-elect", NULL, "true", option_set_bool, FIELD(leader_elect),
      "Let one of several replicas work at a time, by a Lease." },
    { NULL, "lease-duration", "DURATION", "15s", option_set_duration, FIELD(lease_duration_ms),
      "How long the others wait for a leader that doesn't renew its Lease." },
    { NULL, "lease-renew", "DURATION", "10s", option_set_duration, FIELD(lease_renew_ms),
      "How long a leader tries to renew it; less than --lease-duration." },
    { NULL, "lease-retry", "DURATION", "2s", option_set_duration, FIELD(lease_retry_ms),
      "Time between two renewals; less than --lease-renew." },
    { NULL, "log-format", "FORMAT", "json", option_set_log_format, FIELD(log_format),
      "json or text." },
    { NULL, "log-level", "LEVEL", "info", option_set_log_level, FIELD(log_level),
      "debug, info, warn or error." },
};

/* ---- help ---- */

static void print_indented(const char *text)
{
    fputs("        ", stdout);
    for (; *text; text++) {
        putchar(*text);
        if (*text == '\n')
            fputs("        ", stdout);
    }
}

static void print_flag(const struct flag *flag)
{
    if (flag->group)
        printf("\n%s:\n", flag->group);
    printf(flag->argument ? "  --%s %s" : "  --%s%s", flag->name,
           flag->argument ? flag->argument : "[=true|false]");
    if (flag->fallback)
        printf(" (default %s)", flag->fallback);
    putchar('\n');
    print_indented(flag->help);
    putchar('\n');
}

static void print_help(void)
{
    puts("deepgram-operator turns DeepgramApiKey and DeepgramPullSecret resources into\n"
         "live Deepgram credentials and Kubernetes Secrets, rotates and revokes them.\n"
         "\n"
         "Usage: deepgram-operator [--flag value]...\n"
         "       deepgram-operator doctor|leftovers [--flag value]...\n"
         "\n"
         "doctor, with the same flags and rights, looks whether all is there that is\n"
         "needed: the API server, the resource types, the rights, Deepgram. It changes\n"
         "nothing; its exit code is 1 when there is a problem. leftovers lists the\n"
         "resources there are, which an uninstallation with the CRDs would leave stuck;\n"
         "its exit code is 1 when there are any.");
    for (size_t i = 0; i < ARRAY_LENGTH(flags); i++)
        print_flag(&flags[i]);
    puts("\n"
         "Other:\n"
         "  --version\n"
         "        Print the version.\n"
         "  --help\n"
         "        Print this page.\n"
         "\n"
         "Every flag is also read from the environment: --log-level as\n"
         "DEEPGRAM_OPERATOR_LOG_LEVEL, and so on. A flag wins, and an empty variable\n"
         "counts as not set. Durations are written as 90s, 10m or 1h30m.");
}

/* ---- one flag ---- */

static char *variable_of(const struct flag *flag)
{
    char *name = mem_printf(ENVIRONMENT_PREFIX "%s", flag->name);
    for (char *p = name; *p; p++)
        *p = *p == '-' ? '_' : (char)toupper((unsigned char)*p);
    return name;
}

static bool is_known_variable(const char *name, size_t length)
{
    for (size_t i = 0; i < ARRAY_LENGTH(flags); i++) {
        auto_free char *variable = variable_of(&flags[i]);
        if (strlen(variable) == length && strncmp(variable, name, length) == 0)
            return true;
    }
    return false;
}

/* Kubernetes itself sets such variables in the pods beside a Service named deepgram-operator. */
static bool is_service_link(const char *name)
{
    const char *rest = name + strlen(ENVIRONMENT_PREFIX);
    return strncmp(rest, "SERVICE_", strlen("SERVICE_")) == 0 ||
           strncmp(rest, "PORT", strlen("PORT")) == 0;
}

static void warn_of_unknown_variables(void)
{
    for (char **variable = environ; *variable; variable++) {
        size_t length = strcspn(*variable, "=");
        if (strncmp(*variable, ENVIRONMENT_PREFIX, strlen(ENVIRONMENT_PREFIX)) == 0 &&
            !is_known_variable(*variable, length) && !is_service_link(*variable))
            fprintf(stderr, "deepgram-operator: warning: %.*s is no setting, see --help\n",
                    (int)length, *variable);
    }
}

/* The command line, else the environment, else the default. */
static bool set_flag(struct options *options, const struct flag *flag, const char *given,
                     struct err *err)
{
    void *field = (char *)options + flag->field;
    auto_free char *variable = variable_of(flag);
    const char *inherited = getenv(variable);
    if (given)
        return flag->set(field, given, err) || err_prefix(err, "--%s", flag->name);
    if (inherited && inherited[0])
        return flag->set(field, inherited, err) || err_prefix(err, "%s", variable);
    return !flag->fallback || flag->set(field, flag->fallback, err);
}

/* ---- the command line ---- */

enum { FLAGS = ARRAY_LENGTH(flags), OPTION_HELP = FLAGS, OPTION_VERSION, LONG_OPTIONS };

static void fill_long_options(struct option ret_long[LONG_OPTIONS + 1])
{
    for (int i = 0; i < FLAGS; i++)
        ret_long[i] = (struct option){
            .name = flags[i].name,
            .has_arg = flags[i].argument ? required_argument : optional_argument,
            .val = i,
        };
    ret_long[OPTION_HELP] = (struct option){ .name = "help", .val = OPTION_HELP };
    ret_long[OPTION_VERSION] = (struct option){ .name = "version", .val = OPTION_VERSION };
    ret_long[LONG_OPTIONS] = (struct option){ .name = NULL };
}

static enum options_result usage_error(const char *message)
{
    fprintf(stderr, "deepgram-operator: %s\nSee deepgram-operator --help.\n", message);
    return OPTIONS_EXIT_USAGE;
}

/* Fills in the value of each flag that was given; a flag without one is "true". */
static enum options_result read_arguments(int argc, char **argv, const char *ret_given[FLAGS])
{
    struct option long_options[LONG_OPTIONS + 1];
    fill_long_options(long_options);
    optind = 0; /* from the start, whoever used it before */
    opterr = 0;
    int option = 0;
    while ((option = getopt_long(argc, argv, ":", long_options, NULL)) != -1) {
        if (option == OPTION_HELP)
            print_help();
        if (option == OPTION_VERSION)
            puts("deepgram-operator " DEEPGRAM_OPERATOR_VERSION);
        if (option == OPTION_HELP || option == OPTION_VERSION)
            return OPTIONS_EXIT_OK;
        if (option >= FLAGS) {
            auto_free char *message = mem_printf(
                option == ':' ? "%s needs a value" : "unknown flag %s", argv[optind - 1]);
            return usage_error(message);
        }
        ret_given[option] = optarg ? optarg : "true";
    }
    if (optind == argc)
        return OPTIONS_RUN;
    auto_free char *message = mem_printf("unexpected argument '%s'", argv[optind]);
    return usage_error(message);
}

/* ---- what one flag alone can't tell ---- */

static bool check_url(const struct options *options, const char *flag, const char *url,
                      struct err *err)
{
    if (options->allow_plain_http || url_is_private(url))
        return true;
    return err_set(
        err, ERR_INVALID,
        "--%s: credentials would go to %s unencrypted; use https://, or --allow-plain-http", flag,
        url);
}

static bool check(const struct options *options, struct err *err)
{
    if (!check_url(options, "deepgram-url", options->deepgram_url, err) ||
        !check_url(options, "registry-url", options->registry_url, err))
        return false;
    if (options->lease_renew_ms >= options->lease_duration_ms)
        return err_set(err, ERR_INVALID, "--lease-renew must be less than --lease-duration");
    if (options->lease_retry_ms >= options->lease_renew_ms)
        return err_set(err, ERR_INVALID, "--lease-retry must be less than --lease-renew");
    return true;
}

/* ---- the interface ---- */

enum options_result options_parse(int argc, char **argv, struct options *ret_options)
{
    const char *given[FLAGS] = { NULL };
    enum options_result result = read_arguments(argc, argv, given);
    if (result != OPTIONS_RUN)
        return result;
    struct options options = { 0 };
    struct err err = ERR_INIT;
    bool ok = true;
    for (int i = 0; i < FLAGS && ok; i++)
        ok = set_flag(&options, &flags[i], given[i], &err);
    if (!ok || !check(&options, &err)) {
        options_done(&options);
        return usage_error(err.message);
    }
    warn_of_unknown_variables();
    *ret_options = options;
    return OPTIONS_RUN;
}

void options_done(struct options *options)
{
    if (!options)
        return;
    mem_free(options->kubeconfig);
    option_free_names(options->namespaces);
    mem_free(options->deepgram_url);
    mem_free(options->registry_url);
    mem_free(options->default_credentials_namespace);
    mem_free(options->default_credentials_name);
    option_free_names(options->default_credentials_namespaces);
    mem_free(options->listen);
    mem_free(options->ca_pem);
    *options = (struct options){ 0 };
}

static bool contains(char *const *names, const char *name)
{
    for (; names && *names; names++)
        if (strcmp(*names, name) == 0)
            return true;
    return false;
}

bool options_default_credentials_allowed(const struct options *options, const char *namespace)
{
    if (!options->default_credentials_namespace)
        return false;
    return strcmp(options->default_credentials_namespace, namespace) == 0 ||
           contains(options->default_credentials_namespaces, namespace);
}

bool options_namespace_watched(const struct options *options, const char *namespace)
{
    return !options->namespaces || contains(options->namespaces, namespace);
}
