/* A rotation on time is spread by a hash of the UID over a tenth of its lead, so that resources
 * that were applied together don't rotate in the same second; the hash keeps it from moving. */
#include "reconcile/schedule.h"

#include <string.h>

#include "reconcile/rollout.h"

enum {
    SPREAD_PERMILLE = 100,
    EXPIRY_NEAR_MS = 60 * 1000,
    RETRY_MS = 10 * 60 * 1000, /* after the first failure; twice as long after each further one */
    RETRY_DOUBLINGS_MAX = 5,
};

static int64_t spread_ms(const char *uid, int64_t lead_ms)
{
    uint32_t hash = 2166136261U; /* FNV-1a */
    for (const char *p = uid; *p; p++)
        hash = (hash ^ (unsigned char)*p) * 16777619U;
    return lead_ms * SPREAD_PERMILLE / 1000 * (int64_t)(hash % 1000) / 1000;
}

/* With validFor only: a fixed expiresAt would give the next credential the same end. */
static int64_t expiry_rotation_ms(const struct world *world, const struct revision *current)
{
    const struct spec *spec = &world->resource->spec;
    if (spec->valid_for_ms == 0 || current->expires_at_ms == 0)
        return 0;
    int64_t lifetime = current->expires_at_ms - current->issued_at_ms;
    if (lifetime <= 0) /* a clock so far ahead of Deepgram's that every new credential seems dead */
        lifetime = spec->valid_for_ms;
    int64_t before = spec->rotation_before_ms;
    if (before < 0 || before >= lifetime)
        before = lifetime / 3;
    return current->issued_at_ms + lifetime - before - spread_ms(world->resource->uid, before);
}

static int64_t scheduled_rotation_ms(const struct world *world, const struct revision *current)
{
    int64_t every = world->resource->spec.rotation_every_ms;
    if (every == 0)
        return 0;
    return current->issued_at_ms + every - spread_ms(world->resource->uid, every);
}

/* What was taken back, unless its successor is there already. */
static const struct world_revision *taken_back(const struct world *world)
{
    const struct world_revision *failed = world_taken_back(world);
    const struct world_revision *newest = world_newest(world);
    return failed && newest && newest->number < failed->number ? failed : NULL;
}

int64_t schedule_retry_ms(const struct world *world)
{
    const struct world_revision *failed = taken_back(world);
    if (!failed)
        return 0;
    int64_t failed_at_ms = failed->secret ? failed->secret->failed_at_ms : 0;
    if (failed_at_ms == 0)
        failed_at_ms = failed->noted->failed_at_ms;
    int64_t doublings = failed->secret ? failed->secret->failed_count - 1 : 0;
    if (doublings < 0 || doublings > RETRY_DOUBLINGS_MAX)
        doublings = doublings < 0 ? 0 : RETRY_DOUBLINGS_MAX;
    return failed_at_ms + ((int64_t)RETRY_MS << doublings);
}

int64_t schedule_next_rotation_ms(const struct world *world)
{
    const struct world_revision *newest = world_newest(world);
    if (!newest)
        return 0;
    if (taken_back(world))
        return schedule_retry_ms(world);
    int64_t expiry = expiry_rotation_ms(world, newest->secret);
    int64_t scheduled = scheduled_rotation_ms(world, newest->secret);
    if (expiry == 0 || scheduled == 0)
        return expiry + scheduled;
    return expiry < scheduled ? expiry : scheduled;
}

static bool rotation_requested(const struct world *world, const struct revision *newest)
{
    const struct resource *resource = world->resource;
    return resource->rotate[0] != '\0' && strcmp(resource->rotate, newest->rotate) != 0 &&
           strcmp(resource->rotate, resource->status.last_handled_rotate) != 0;
}

/* A schedule that is faster than the roll-outs would begin each anew before it came to the
 * workloads that are last in the order, and no older key would ever be without pods: the last
 * rotation is brought to its end first, as far as that goes by itself. */
static bool last_is_unfinished(const struct world *world)
{
    struct rollout rollout;
    rollout_decide(world, &rollout);
    if (rollout.phase != ROLLOUT_DONE)
        return rollout.phase == ROLLOUT_RUNNING;
    for (size_t i = 0; i < world->revision_count; i++) {
        const struct world_revision *revision = &world->revisions[i];
        if (revision->noted && revision->noted->state == REVISION_RETIRING && !revision->gone)
            return true;
    }
    return false;
}

const char *schedule_due(const struct world *world)
{
    const struct world_revision *newest = world_newest(world);
    const struct world_revision *published = world_published(world);
    if (published && !published->secret && !published->failed)
        return world_is_useless(world) ? "Lost" : NULL;
    if (!newest)
        return world->resource->status.revision > 0 ? "Lost" : "Created";
    const struct world_revision *failed = taken_back(world);
    const struct revision *current = failed && failed->secret ? failed->secret : newest->secret;
    if (strcmp(current->spec_hash, world->resource->spec_hash) != 0)
        return "SpecChanged";
    if (rotation_requested(world, current))
        return "RotationRequested";
    if (failed)
        return world->now_ms >= schedule_retry_ms(world) ? "RolledBack" : NULL;
    int64_t expiry = expiry_rotation_ms(world, current);
    if (expiry != 0 && world->now_ms >= expiry)
        return "Expiring";
    int64_t scheduled = scheduled_rotation_ms(world, current);
    if (scheduled != 0 && world->now_ms >= scheduled && !last_is_unfinished(world))
        return "RotationScheduled";
    return NULL;
}

bool schedule_expiry_passed(const struct world *world)
{
    int64_t expires_at = world->resource->spec.expires_at_ms;
    return expires_at != 0 && expires_at <= world->now_ms;
}

bool schedule_expiry_near(const struct world *world)
{
    int64_t expires_at = world->resource->spec.expires_at_ms;
    return expires_at != 0 && expires_at <= world->now_ms + EXPIRY_NEAR_MS;
}
