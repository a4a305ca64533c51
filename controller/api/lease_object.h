/* A coordination.k8s.io/v1 Lease as client-go's leader election reads and writes it. Pure.
 */
#ifndef API_LEASE_OBJECT_H
#define API_LEASE_OBJECT_H

#include <cjson/cJSON.h>
#include <stdint.h>

#include "base/mem.h"

/* "" when nobody holds it, or lease is NULL; borrowed. */
NODISCARD const char *lease_object_holder(const cJSON *lease);
/* As written by its holder; 0 when it doesn't say. */
NODISCARD int64_t lease_object_duration_ms(const cJSON *lease);

/* What to write to hold `seen`, the lease as last read: its resourceVersion makes the write
 * conditional, and whatever others put into it stays. seen NULL: a new lease of that name.
 * The caller deletes the result. */
NODISCARD cJSON *lease_object_held(const cJSON *seen, const char *namespace, const char *name,
                                   const char *identity, int64_t duration_ms, int64_t now_ms);
/* What to write to give `seen` up. The caller deletes it. */
NODISCARD cJSON *lease_object_released(const cJSON *seen, int64_t now_ms);

#endif
