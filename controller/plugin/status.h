/* `kubectl deepgram status`. */
#ifndef PLUGIN_STATUS_H
#define PLUGIN_STATUS_H

#include "plugin/command.h"
#include "plugin/session.h"

/* namespace NULL: all. Returns the exit code. */
NODISCARD int status_run(struct session *session, const struct command *command,
                         const char *namespace);

#endif
