/* The command line of `kubectl deepgram`.
 */
#ifndef PLUGIN_COMMAND_H
#define PLUGIN_COMMAND_H

#include "operator/options.h"

enum command_verb { COMMAND_STATUS, COMMAND_ROTATE, COMMAND_ORPHANS, COMMAND_DOCTOR };

/* Strings are owned. */
struct command {
    enum command_verb verb;
    bool has_kind;
    enum resource_kind kind;
    char *name; /* NULL: all */
    char *context;
    char *namespace; /* NULL: the context's */
    bool all_namespaces;
    bool json;
    bool wait;
    int64_t timeout_ms;
    char *operator_namespace;
    char *operator_account;
    struct options options; /* kubeconfig, Deepgram's URL, CA, default credentials */
};

enum command_result { COMMAND_RUN, COMMAND_EXIT_OK, COMMAND_EXIT_USAGE };

/* Help and version go to stdout (EXIT_OK); a mistake prints to stderr what is wrong and what to do.
 */
NODISCARD enum command_result command_parse(int argc, char **argv, struct command *ret_command);
void command_done(struct command *command);

#endif
