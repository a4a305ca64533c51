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

static const cJSON *with_uid(const char *uid)
{
    for (size_t i = 0; i < sim.api.count; i++)
        if (mem_streq(json_string_at(sim.api.objects[i].json, "metadata.uid"), uid))
            return sim.api.objects[i].json;
    return NULL;
}

static bool waits_for_dependents(const cJSON *object)
{
    return json_at(object, "metadata.deletionTimestamp") &&
           api_has_finalizer(object, ACTORS_FOREGROUND);
}

/* Takes the references to owners that are gone or wait out of a copy; false when none is left. */
static bool keep_holders(cJSON *owners)
{
    for (cJSON *owner = owners->child; owner;) {
        cJSON *next = owner->next;
        const cJSON *object = with_uid(json_string_member(owner, "uid"));
        if (!object || waits_for_dependents(object))
            cJSON_Delete(cJSON_DetachItemViaPointer(owners, owner));
        owner = next;
    }
    return owners->child != NULL;
}

static void collect(const struct api_object *object)
{
    const cJSON *owners = json_at(object->json, "metadata.ownerReferences");
    if (cJSON_GetArraySize(owners) == 0 || json_at(object->json, "metadata.deletionTimestamp"))
        return;
    auto_json cJSON *kept = cJSON_Duplicate(owners, true);
    if (!keep_holders(kept)) {
        api_delete(object->type, object->namespace, object->name, NULL);
        return;
    }
    auto_free char *text = json_print(kept);
    if (!cJSON_Compare(kept, owners, true))
        api_merge(object->type, object->namespace, object->name,
                  "{\"metadata\":{\"ownerReferences\":%s}}", text);
}

static bool has_dependents(const char *uid)
{
    for (size_t i = 0; i < sim.api.count; i++) {
        const cJSON *owner = NULL;
        cJSON_ArrayForEach(owner, json_at(sim.api.objects[i].json, "metadata.ownerReferences"))
            if (mem_streq(json_string_member(owner, "uid"), uid))
                return true;
    }
    return false;
}

static void end_foreground(const struct api_object *object)
{
    if (!waits_for_dependents(object->json) ||
        has_dependents(json_string_at(object->json, "metadata.uid")))
        return;
    auto_json cJSON *others = cJSON_CreateArray();
    const cJSON *item = NULL;
    cJSON_ArrayForEach(item, json_at(object->json, "metadata.finalizers"))
        if (strcmp(item->valuestring, ACTORS_FOREGROUND) != 0)
            cJSON_AddItemToArray(others, cJSON_Duplicate(item, true));
    auto_free char *text = json_print(others);
    api_merge(object->type, object->namespace, object->name, "{\"metadata\":{\"finalizers\":%s}}",
              text);
}

/* Deleting moves another object into the place that became free. */
static void for_each_object(void perform(const struct api_object *object))
{
    for (size_t i = 0; i < sim.api.count;) {
        size_t before = sim.api.count;
        perform(&sim.api.objects[i]);
        if (sim.api.count == before)
            i++;
    }
}

static void collect_garbage(void)
{
    for_each_object(collect);
    for_each_object(end_foreground);
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
