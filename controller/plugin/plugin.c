/* From the command line to the command. */
#include "plugin/plugin.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "plugin/doctor.h"
#include "plugin/orphans.h"
#include "plugin/rotate.h"
#include "plugin/status.h"

bool plugin_is_meant(const char *program)
{
    const char *slash = program ? strrchr(program, '/') : NULL;
    return program && strcmp(slash ? slash + 1 : program, "kubectl-deepgram") == 0;
}

static int run(struct session *session, const struct command *command,
               const struct kube_config *config)
{
    const char *namespace = command->namespace ? command->namespace : config->namespace;
    if (command->all_namespaces)
    namespace = NULL;
    switch (command->verb) {
    case COMMAND_STATUS:
        return status_run(session, command, namespace);
    case COMMAND_ROTATE:
        return rotate_run(session, command, namespace);
    case COMMAND_ORPHANS:
        return orphans_run(session, command, namespace);
    case COMMAND_DOCTOR:
        break;
    }
    return doctor_of_person(session, command, config, namespace);
}

int plugin_main(int argc, char **argv)
{
    struct command command = { 0 };
    enum command_result result = command_parse(argc, argv, &command);
    if (result != COMMAND_RUN)
        return result == COMMAND_EXIT_OK ? EXIT_SUCCESS : 2;
    log_setup(LOG_TEXT, LOG_WARN);
    struct kube_config config = { 0 };
    auto_session struct session *session = NULL;
    struct err err = ERR_INIT;
    int code = EXIT_FAILURE;
    if (kube_config_load_for_person(command.options.kubeconfig, command.context, &config, &err) &&
        session_new(&command.options, &config, &session, &err))
        code = run(session, &command, &config);
    else
        fprintf(stderr, "kubectl-deepgram: %s\n", err.message);
    session_free(take(session));
    kube_config_done(&config);
    command_done(&command);
    return code;
}
