/* `deepgram-operator doctor` and `kubectl deepgram doctor`: is everything there that is needed?
 * Reads and asks, but writes and mints nothing. The exit code is 1 when there is a problem.
 */
#ifndef PLUGIN_DOCTOR_H
#define PLUGIN_DOCTOR_H

#include "plugin/command.h"
#include "plugin/session.h"

/* With the operator's own flags, as its ServiceAccount: what `helm test` runs. */
NODISCARD int doctor_of_operator(const struct options *options);
/* As a person, who looks at the operator and at the resources of a namespace (NULL: of all). */
NODISCARD int doctor_of_person(struct session *session, const struct command *command,
                               const struct kube_config *config, const char *namespace);

#endif
