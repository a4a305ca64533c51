/* `kubectl deepgram rotate`. */
#ifndef PLUGIN_ROTATE_H
#define PLUGIN_ROTATE_H

#include "plugin/command.h"
#include "plugin/session.h"

/* Returns the exit code: 1 too when --wait ended before the rotation did. */
NODISCARD int rotate_run(struct session *session, const struct command *command,
                         const char *namespace);

#endif
