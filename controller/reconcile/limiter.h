/* The mint limiter: a bug can never spray keys. Per resource and per project, as a token bucket in
 * the form of the generic cell rate algorithm (ITU-T I.371): one time stamp each. Pure.
 */
#ifndef RECONCILE_LIMITER_H
#define RECONCILE_LIMITER_H

#include "reconcile/world.h"

/* A bucket of `burst` creates that gets one back every interval_ms. */
struct mint_limit {
    int64_t burst;
    int64_t interval_ms;
};

/* For one resource. */
extern const struct mint_limit MINT_LIMIT_RESOURCE;
/* For a project whose resources are `resources` many: a rotation of them all fits twice an hour. */
struct mint_limit mint_limit_project(size_t resources);

/* Monotonic time at which the next create is allowed, of a bucket with this stamp. */
int64_t mint_allowed_ms(struct mint_limit limit, int64_t stamp_ms);
/* The stamp after a create at now_ms. */
int64_t mint_taken(struct mint_limit limit, int64_t stamp_ms, int64_t now_ms);

/* Both buckets of a world. */
int64_t mint_earliest_ms(const struct world *world);

#endif
