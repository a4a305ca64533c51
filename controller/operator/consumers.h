/* Who uses the target Secret of a resource: its pods, and the workloads that they belong to, as the
 * caches show them.
 */
#ifndef OPERATOR_CONSUMERS_H
#define OPERATOR_CONSUMERS_H

#include "operator/caches.h"
#include "reconcile/world.h"

struct consumers {
    struct consumers_view view; /* borrows from the rest */
    struct workload_view *workloads;
    cJSON *objects; /* the workloads as cached */
    cJSON *texts;   /* of pods */
};

/* For a world that has been derived. Never NULL. */
NODISCARD struct consumers *consumers_gather(const struct caches *caches,
                                             const struct world *world);
void consumers_free(struct consumers *consumers);

#endif
