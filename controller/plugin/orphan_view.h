/* Is a credential at Deepgram named by a resource? Pure.
 */
#ifndef PLUGIN_ORPHAN_VIEW_H
#define PLUGIN_ORPHAN_VIEW_H

#include "api/credential.h"
#include "deepgram/request.h"

enum orphan_state {
    ORPHAN_NAMED,     /* no orphan: a resource names it */
    ORPHAN_IN_FLIGHT, /* announced: it is on its way into a Secret, or was left by a lost answer */
    ORPHAN_UNNAMED,   /* its resource exists, but doesn't name it: the operator revokes it */
    ORPHAN_STRANGER   /* its resource isn't here: never touched by the operator */
};

/* resources: all of the cluster; secrets: metadata of the Secrets of their namespaces, which may
 * name what a status doesn't (yet). *ret_resource: whose it is, NULL for a stranger. */
NODISCARD enum orphan_state orphan_view(const struct inventory_entry *entry,
                                        struct resource *const *resources, size_t count,
                                        const cJSON *secrets, const struct resource **ret_resource);

#endif
