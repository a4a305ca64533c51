/* After a first issue the trial waits for pods, as the API that it would ask may not run yet. After
 * a rotation it waits until no pod holds the old key, and the old key waits for it. */
#include "reconcile/verify.h"

#include <string.h>

#include "base/json.h"
#include "reconcile/failure.h"

static const char TYPE[] = "Verified";

char *verify_prefix(const struct world *world, int64_t revision)
{
    return mem_printf("Revision %lld: %s answered", (long long)revision,
                      world->resource->spec.verify_url);
}

static bool begins_with(const char *text, const char *prefix)
{
    return text && strncmp(text, prefix, strlen(prefix)) == 0;
}

/* NULL when none is there, or one that isn't ours. */
static const cJSON *noted(const struct world *world)
{
    const cJSON *condition =
        condition_find(json_member(world->resource->status.json, "conditions"), TYPE);
    bool whole = json_string_member(condition, "status") &&
                 json_string_member(condition, "reason") &&
                 json_string_member(condition, "message");
    return whole ? condition : NULL;
}

static bool worked(const struct world *world, int64_t revision)
{
    auto_free char *prefix = verify_prefix(world, revision);
    const cJSON *condition = noted(world);
    return begins_with(world->memory->verified, prefix) ||
           (mem_streq(json_string_member(condition, "status"), "True") &&
            begins_with(json_string_member(condition, "message"), prefix));
}

bool verify_is_done(const struct world *world)
{
    const struct world_revision *published = world_published(world);
    return !world->resource->spec.verify_url || (published && worked(world, published->number));
}

static bool is_first(const struct world *world)
{
    for (size_t i = 0; i < world->revision_count; i++)
        if (world->revisions[i].noted && world->revisions[i].noted->state == REVISION_RETIRING)
            return false;
    return true;
}

/* With rollout.mode Ignore pods may hold the old key for ever: nobody waits for them. */
static bool waits_for_pods(const struct world *world)
{
    if (is_first(world))
        return world->consumers.pods == 0;
    return world->consumers.old_pods > 0 && world->resource->spec.rollout_mode != ROLLOUT_IGNORE;
}

int64_t verify_at_ms(const struct world *world)
{
    const struct world_revision *published = world_published(world);
    if (verify_is_done(world) || !published || !published->secret ||
        published->number != world->resource->status.revision || waits_for_pods(world))
        return INT64_MAX;
    return failure_holds(world, FAILURE_VERIFY)
               ? world->memory->failures[FAILURE_VERIFY]->retry_at_ms
               : world->monotonic_ms;
}

static void set(const struct world *world, cJSON *conditions, const char *status,
                const char *reason, const char *message)
{
    condition_set(
        conditions,
        &(struct condition){ .type = TYPE, .status = status, .reason = reason, .message = message },
        world->resource->generation, world->now_ms);
}

/* What stands there is the last trial's result until there is another one. */
static void keep(const struct world *world, cJSON *conditions)
{
    const cJSON *before = noted(world);
    set(world, conditions, json_string_member(before, "status"),
        json_string_member(before, "reason"), json_string_member(before, "message"));
}

void verify_report(const struct world *world, cJSON *conditions)
{
    const struct world_revision *published = world_published(world);
    const struct failure *failure = world->memory->failures[FAILURE_VERIFY];
    if (!world->resource->spec.verify_url || world->resource->deleting) {
        condition_remove(conditions, TYPE);
        return;
    }
    if (published && world->memory->verified && worked(world, published->number)) {
        set(world, conditions, "True", "Answered", world->memory->verified);
    } else if (failure_holds(world, FAILURE_VERIFY)) {
        set(world, conditions, "False", failure->reason, failure->message);
    } else if (noted(world)) {
        keep(world, conditions);
    } else {
        set(world, conditions, "Unknown", "AwaitingConsumers",
            "The key is tried out once pods use the Secret, and none of them an older key");
    }
}
