/* The stamp is the theoretical arrival time: each taking moves it on by one interval, and one is
 * allowed while the stamp is less than a burst ahead of the clock. */
#include "reconcile/limiter.h"

enum { HOUR_MS = 3600 * 1000, PROJECT_RESERVE = 20 };

const struct limit MINT_LIMIT_RESOURCE = { .burst = 10, .interval_ms = 30 * 1000 };
const struct limit HEAL_LIMIT = { .burst = 5, .interval_ms = 30 * 1000 };
const struct limit REPORT_LIMIT = { .burst = 10, .interval_ms = 2 * 1000 };
const struct limit PROGRESS_LIMIT = { .burst = 1, .interval_ms = 2 * 1000 };

struct limit mint_limit_project(size_t resources)
{
    int64_t burst = PROJECT_RESERVE + 2 * (int64_t)resources;
    return (struct limit){ .burst = burst, .interval_ms = HOUR_MS / burst };
}

struct limit account_limit(size_t entries)
{
    return (struct limit){ .burst = 4 + 2 * (int64_t)entries, .interval_ms = 30 * 1000 };
}

int64_t limiter_allowed_ms(struct limit limit, int64_t stamp_ms)
{
    return stamp_ms - (limit.burst - 1) * limit.interval_ms;
}

int64_t limiter_taken(struct limit limit, int64_t stamp_ms, int64_t now_ms)
{
    return (stamp_ms > now_ms ? stamp_ms : now_ms) + limit.interval_ms;
}

int64_t limiter_moved(struct limit from, struct limit to, int64_t stamp_ms, int64_t now_ms)
{
    if (stamp_ms <= now_ms)
        return stamp_ms;
    return now_ms + (stamp_ms - now_ms) * to.interval_ms / from.interval_ms;
}

int64_t mint_earliest_ms(const struct world *world)
{
    int64_t resource = limiter_allowed_ms(MINT_LIMIT_RESOURCE, world->memory->mint_at_ms);
    return resource > world->project_mint_at_ms ? resource : world->project_mint_at_ms;
}
