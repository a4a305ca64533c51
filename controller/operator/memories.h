/* What this process remembers of each resource (reconcile/world.h), by UID. */
#ifndef OPERATOR_MEMORIES_H
#define OPERATOR_MEMORIES_H

#include "reconcile/world.h"

struct memories;

NODISCARD struct memories *memories_new(void);
void memories_free(struct memories *memories);

/* The memory of that UID, made when it is new; borrowed until memories_forget(). */
NODISCARD struct memory *memories_get(struct memories *memories, const char *uid,
                                      int64_t monotonic_ms);
/* NULL when unknown. */
NODISCARD struct memory *memories_find(struct memories *memories, const char *uid);
void memories_forget(struct memories *memories, const char *uid);
/* Answers that are in memory only: a shutdown waits for them. */
size_t memories_unkept(const struct memories *memories);

#endif
