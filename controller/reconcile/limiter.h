/* What may not happen without end: creates (a bug can never spray keys; per resource and per
 * project), the healing of what somebody else keeps writing, and the writing of status. A token
 * bucket in the form of the generic cell rate algorithm (ITU-T I.371): one time stamp each. Pure.
 */
#ifndef RECONCILE_LIMITER_H
#define RECONCILE_LIMITER_H

#include "reconcile/world.h"

/* A bucket of `burst` that gets one back every interval_ms. */
struct limit {
    int64_t burst;
    int64_t interval_ms;
};

/* Creates of one resource. */
extern const struct limit MINT_LIMIT_RESOURCE;
/* Of a project whose resources are `resources` many: a rotation of them all fits twice an hour. */
struct limit mint_limit_project(size_t resources);

/* Heals of one resource's target. */
extern const struct limit HEAL_LIMIT;

/* Writes of one resource's status, and those that only tell how far consumers are: one bucket. */
extern const struct limit REPORT_LIMIT;
extern const struct limit PROGRESS_LIMIT;

/* Changes of the ServiceAccounts of one resource, which has to do with so many entries. */
struct limit account_limit(size_t entries);

/* Monotonic time at which the next one is allowed, of a bucket with this stamp. */
int64_t limiter_allowed_ms(struct limit limit, int64_t stamp_ms);
/* The stamp after one at now_ms. */
int64_t limiter_taken(struct limit limit, int64_t stamp_ms, int64_t now_ms);

/* The stamp under `to` of a bucket that was used under `from`: as many are taken as before. */
int64_t limiter_moved(struct limit from, struct limit to, int64_t stamp_ms, int64_t now_ms);

/* The next create, by both buckets of a world. */
int64_t mint_earliest_ms(const struct world *world);

#endif
