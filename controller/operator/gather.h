/* The world of one resource, gathered from caches and memory. Holds all that it shows:
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
    const cJSON *json;           /* the resource; this and what follows are shares */
    const cJSON *target;         /* metadata as cached, or NULL */
    const cJSON *admin;          /* metadata as cached, or NULL */
    const cJSON **secrets;       /* revision Secrets' metadata */
    struct revision *revisions;  /* read from them */
    size_t secret_count;
    const cJSON *old_target; /* metadata as cached, or NULL */
    char *lost_target_name;  /* of an earlier name, and nobody's */
    char *old_target_example;
    struct consumers *consumers;
    struct accounts *accounts;
    char *target_owner;
};

/* NULL when the resource doesn't exist in the cache. before: of an earlier look at it, or NULL; it
 * is good for nothing but gathered_free() afterwards. */
NODISCARD struct gathered *gather(struct runtime *runtime, enum resource_kind kind,
                                  const char *namespace, const char *name, struct gathered *before);
void gathered_free(struct gathered *gathered);

#endif
