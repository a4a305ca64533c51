/* `kubectl deepgram orphans`: the operator's credentials at Deepgram that no resource of this
 * cluster names. Reads only. */
#ifndef PLUGIN_ORPHANS_H
#define PLUGIN_ORPHANS_H

#include "plugin/command.h"
#include "plugin/session.h"

/* The projects are those of the resources in the namespace (NULL: all). Returns the exit code: 1
 * when a project couldn't be listed. */
NODISCARD int orphans_run(struct session *session, const struct command *command,
                          const char *namespace);

#endif
