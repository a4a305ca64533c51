/* What this process remembers of each resource (reconcile/world.h), by its name; another UID of the
 * same name begins anew.
 */
#ifndef OPERATOR_MEMORIES_H
#define OPERATOR_MEMORIES_H

#include "reconcile/world.h"

struct memories;

NODISCARD struct memories *memories_new(void);
void memories_free(struct memories *memories);

/* The memory of that resource, made when it is new; borrowed until the next memories_get() or
 * memories_forget() of that name. */
NODISCARD struct memory *memories_get(struct memories *memories, enum resource_kind kind,
                                      const char *namespace, const char *name, const char *uid,
                                      int64_t monotonic_ms);
/* The resource is gone. */
void memories_forget(struct memories *memories, enum resource_kind kind, const char *namespace,
                     const char *name);
/* That of the resource with this UID, or NULL; borrowed likewise. Looks through all of them. */
NODISCARD const struct memory *memories_find(const struct memories *memories, const char *uid);
/* Answers that are in memory only: a shutdown waits for them. */
size_t memories_unkept(const struct memories *memories);

#endif
