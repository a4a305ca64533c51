/* The world of one resource, gathered from caches and memory. Owns copies of all that it shows:
 * it stays valid while a step is under way, whatever the caches do meanwhile. (Inventory entries
 * are the exception: a step copies the id that it needs.)
 */
#ifndef OPERATOR_GATHER_H
#define OPERATOR_GATHER_H

#include "operator/runtime.h"

struct gathered {
    struct world world;
    struct resource *resource;
    struct memory *memory;       /* borrowed from memories */
    struct inventory *inventory; /* borrowed from inventories */
    cJSON *target;               /* metadata as cached, or NULL */
    cJSON *admin;                /* metadata as cached, or NULL */
    cJSON **secrets;             /* revision Secrets' metadata */
    struct revision *revisions;  /* read from them */
    size_t secret_count;
    cJSON *old_target; /* metadata as cached, or NULL */
    char *old_target_example;
    struct consumers *consumers;
    char *target_owner;
};

/* NULL when the resource doesn't exist in the cache. */
NODISCARD struct gathered *gather(struct runtime *runtime, enum resource_kind kind,
                                  const char *namespace, const char *name);
void gathered_free(struct gathered *gathered);

#endif
