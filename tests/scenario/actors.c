/* Who else works in a cluster: kubelets, the Deployment controller, the garbage collector, and the
 * controller that empties namespaces. All of them look around a moment after something changed. */
#include "actors.h"

#include <string.h>

#include "base/json.h"
#include "deployments.h"
#include "kubelets.h"
#include "sim.h"

enum { LOOK_MS = 300 };

static struct loop_timer look_timer;

static void look(void *context);

void actors_look_in(int64_t delay_ms)
{
    int64_t due_ms = time_now_ms() + delay_ms;
    if (!loop_timer_armed(&look_timer) || look_timer.due_ms_ > due_ms)
        loop_timer_start(&sim.loop, &look_timer, delay_ms, look, NULL);
}

void actors_wake(void)
{
    actors_look_in(LOOK_MS);
}

void actors_reset(void)
{
    memset(&look_timer, 0, sizeof look_timer);
    kubelets_reset();
}

/* ---- the garbage collector ---- */

static bool uid_exists(const char *uid)
{
    for (size_t i = 0; i < sim.api.count; i++)
        if (mem_streq(json_string_at(sim.api.objects[i].json, "metadata.uid"), uid))
            return true;
    return false;
}

static bool is_orphan(const cJSON *json)
{
    const cJSON *owners = json_at(json, "metadata.ownerReferences");
    const cJSON *owner = NULL;
    cJSON_ArrayForEach(owner, owners)
        if (uid_exists(json_string_member(owner, "uid")))
            return false;
    return cJSON_GetArraySize(owners) > 0;
}

/* Deleting moves another object into the place that became free. */
static void collect_garbage(void)
{
    for (size_t i = 0; i < sim.api.count;) {
        const struct api_object *object = &sim.api.objects[i];
        size_t before = sim.api.count;
        if (is_orphan(object->json) && !json_at(object->json, "metadata.deletionTimestamp"))
            api_delete(object->type, object->namespace, object->name, NULL);
        if (sim.api.count == before)
            i++;
    }
}

/* ---- the namespace controller ---- */

static void empty_namespace(void)
{
    bool left = false;
    for (size_t i = 0; i < sim.api.count;) {
        const struct api_object *object = &sim.api.objects[i];
        size_t before = sim.api.count;
        bool inside = strcmp(object->namespace, TEAM) == 0;
        left = left || inside;
        if (inside && !json_at(object->json, "metadata.deletionTimestamp"))
            api_delete(object->type, object->namespace, object->name, NULL);
        if (sim.api.count == before)
            i++;
    }
    if (!left)
        api_purge(API_NAMESPACES, NULL, TEAM);
    else
        actors_look_in(5 * SECOND);
}

static void look(void *context)
{
    (void)context;
    kubelets_run();
    deployments_run();
    collect_garbage();
    if (json_at(api_get(API_NAMESPACES, NULL, TEAM), "metadata.deletionTimestamp"))
        empty_namespace();
}
