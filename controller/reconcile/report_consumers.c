/* True means that no pod holds an older key. That it is one word in a condition makes `kubectl
 * wait` wait for a roll-out. */
#include "reconcile/report_consumers.h"

#include "api/condition.h"
#include "base/json.h"
#include "reconcile/rollout.h"

#define CONDITION "ConsumersUpdated"

enum { CONSUMERS_WRITTEN = 32 };

static const struct {
    const char *status;
    const char *reason;
} PHASES[] = {
    [ROLLOUT_NONE] = { NULL, NULL },
    [ROLLOUT_IGNORED] = { "Unknown", "Ignored" },
    [ROLLOUT_DONE] = { "True", "Updated" },
    [ROLLOUT_RUNNING] = { "False", "RollingOut" },
    [ROLLOUT_BLOCKED] = { "False", "RolloutBlocked" },
    [ROLLOUT_WAITING] = { "False", "WaitingForPods" },
    [ROLLOUT_TAKEN_BACK] = { "False", "RolledBack" },
};

void report_consumers_condition(cJSON *conditions, const struct world *world)
{
    struct rollout rollout;
    rollout_decide(world, &rollout);
    if (rollout.phase == ROLLOUT_NONE) {
        condition_remove(conditions, CONDITION);
        return;
    }
    condition_set(conditions,
                  &(struct condition){ .type = CONDITION,
                                       .status = PHASES[rollout.phase].status,
                                       .reason = PHASES[rollout.phase].reason,
                                       .message = rollout.message },
                  world->resource->generation, world->now_ms);
}

const char *report_taken_back(const cJSON *conditions)
{
    const cJSON *condition = condition_find(conditions, CONDITION);
    bool taken_back =
        mem_streq(json_string_member(condition, "reason"), PHASES[ROLLOUT_TAKEN_BACK].reason);
    return taken_back ? json_string_member(condition, "message") : NULL;
}

static const char *state_of(const struct world *world, const struct workload_view *workload,
                            bool all_done)
{
    if (!workload->uid)
        return "Missing";
    if (!workload->refers)
        return "Unrelated";
    if (all_done || rollout_is_done(world, workload))
        return "Updated";
    if (workload->held || workload->unschedulable.name)
        return "Blocked";
    const struct world_revision *published = world_published(world);
    return rollout_marked(workload) == published->number ? "Updating" : "Waiting";
}

/* all_done: also what was there before the first revision, which replaced none. */
static void add_consumer(cJSON *consumers, const struct world *world,
                         const struct workload_view *workload, bool all_done)
{
    size_t old_pods = all_done ? 0 : workload->old_pods;
    cJSON *consumer = cJSON_CreateObject();
    cJSON_AddItemToArray(consumers, consumer);
    json_add_string(consumer, "kind", workload_kind_name(workload->kind));
    json_add_string(consumer, "name", workload->name);
    if (old_pods == 0 && workload->refers && !world_taken_back(world))
        json_add_int(consumer, "revision", world_published(world)->number);
    else if (rollout_marked(workload) > 0)
        json_add_int(consumer, "revision", rollout_marked(workload));
    json_add_int(consumer, "pods", (int64_t)workload->pods);
    json_add_int(consumer, "updatedPods", (int64_t)(workload->pods - old_pods));
    json_add_string(consumer, "state", state_of(world, workload, all_done));
    if (workload->unschedulable.name)
        json_add_string(consumer, "message", workload->unschedulable.message);
    else if (workload->failing.name && !rollout_is_starting(world, workload))
        json_add_string(consumer, "message", workload->failing.reason);
}

void report_consumers(cJSON *status, const struct world *world)
{
    struct rollout rollout;
    rollout_decide(world, &rollout);
    const struct consumers_view *view = &world->consumers;
    if (rollout.phase == ROLLOUT_NONE || view->workload_count == 0)
        return;
    cJSON *consumers = json_add_array(status, "consumers");
    for (size_t i = 0; i < view->workload_count && i < CONSUMERS_WRITTEN; i++)
        add_consumer(consumers, world, &view->workloads[i], rollout.phase == ROLLOUT_DONE);
}

void report_forget_progress(cJSON *status)
{
    cJSON_DeleteItemFromObjectCaseSensitive(status, "consumers");
    cJSON *condition = NULL;
    cJSON_ArrayForEach(condition, json_member(status, "conditions"))
        if (mem_streq(json_string_member(condition, "type"), CONDITION))
            cJSON_DeleteItemFromObjectCaseSensitive(condition, "message");
}
