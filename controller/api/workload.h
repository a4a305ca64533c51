/* Workloads that consume a target Secret, and the marker by which the operator restarts them: an
 * annotation of the pod template with the revision as its value, one for each resource, so that
 * resources that feed one workload don't fight over it. Pure.
 */
#ifndef API_WORKLOAD_H
#define API_WORKLOAD_H

#include <stdint.h>

#include "base/mem.h"

enum workload_kind {
    WORKLOAD_DEPLOYMENT,
    WORKLOAD_STATEFUL_SET,
    WORKLOAD_DAEMON_SET,
    WORKLOAD_KINDS
};
/* "Deployment" and so on. */
const char *workload_kind_name(enum workload_kind kind);
NODISCARD bool workload_kind_parse(const char *name, enum workload_kind *ret_kind);

#define MARKER_PREFIX "revision.deepgram.com/"

/* The name of a resource's marker without the prefix: the resource's name, or where that is longer
 * than the 63 characters of an annotation's name, as much of it as leaves room for a hash. */
enum { MARKER_NAME_BYTES = 64 };
void marker_name(const char *resource_name, char ret_name[MARKER_NAME_BYTES]);

#endif
