/* Who uses a target Secret: pods, by the workload that they belong to, with the revision that each
 * runs. Pure.
 */
#ifndef PLUGIN_POD_VIEW_H
#define PLUGIN_POD_VIEW_H

#include <cjson/cJSON.h>
#include <stdint.h>

#include "plugin/layout.h"

struct pod_view_target {
    const char *secret;
    const char *resource;
    int64_t revision;        /* that it holds; 0: not told */
    int64_t published_at_ms; /* 0: not told */
};

/* Array of {kind, name, state, message, pods: [{name, phase, createdAt, terminating, revision or
 * olderThan}]}; a pod of no workload is one of kind "Pod" itself. State and message are those of
 * `noted` (status.consumers), whose workloads without pods come last. Finished pods hold no key.
 * replica_sets and noted may be NULL. The caller deletes it. */
NODISCARD cJSON *pod_view(const cJSON *pods, const cJSON *replica_sets, const cJSON *noted,
                          const struct pod_view_target *target);
/* Appends their rows at that depth. */
void pod_view_rows(const cJSON *consumers, size_t depth, struct layout *layout);

#endif
