/* Who else works in a cluster: kubelets with pods that read the target Secret once and hold its
 * value until they are gone, the garbage collector, and the controller that empties namespaces. All
 * of them look around a moment after something changed. */
#include "actors.h"

#include <assert.h>
#include <string.h>

#include "base/json.h"
#include "sim.h"

enum {
    PODS_MAX = 32,
    LOOK_MS = 300,
    START_UP_MS = 3 * SECOND,
    RETRY_MS = 2 * SECOND,
    KUBELET_LAG_MS = 4 * SECOND, /* at most: it watches Secrets through a cache */
};

enum phase { PULLING, RUNNING, DRAINING };

struct pod {
    char name[24];
    char secret[64];
    char *value; /* NULL before it has read one */
    enum phase phase;
    int64_t until_ms; /* PULLING: reads the Secret then; DRAINING: is gone then */
};

static struct {
    struct pod pods[PODS_MAX];
    size_t count;
    unsigned names;
    struct loop_timer look;
} actors;

static void look(void *context);

static void look_in(int64_t delay_ms)
{
    int64_t due_ms = time_now_ms() + delay_ms;
    if (!loop_timer_armed(&actors.look) || actors.look.due_ms_ > due_ms)
        loop_timer_start(&sim.loop, &actors.look, delay_ms, look, NULL);
}

void actors_wake(void)
{
    look_in(LOOK_MS);
}

void actors_reset(void)
{
    memset(&actors, 0, sizeof actors);
}

/* ---- kubelets ---- */

static void add_pod(const char *secret)
{
    assert(actors.count < PODS_MAX);
    char name[24];
    snprintf(name, sizeof name, "pod-%u", ++actors.names);
    api_make(
        API_PODS, TEAM,
        "{\"metadata\":{\"name\":\"%s\"},\"spec\":{\"containers\":[{\"name\":\"api\","
        "\"envFrom\":[{\"secretRef\":{\"name\":\"%s\"}}]}]},\"status\":{\"phase\":\"Pending\"}}",
        name, secret);
    if (!api_get(API_PODS, TEAM, name))
        return; /* nothing is created in a terminating namespace */
    struct pod *pod = &actors.pods[actors.count++];
    *pod = (struct pod){ .phase = PULLING, .until_ms = time_now_ms() + START_UP_MS };
    snprintf(pod->name, sizeof pod->name, "%s", name);
    snprintf(pod->secret, sizeof pod->secret, "%s", secret);
    look_in(START_UP_MS);
}

static void drain(struct pod *pod)
{
    if (pod->phase == DRAINING)
        return;
    pod->phase = DRAINING;
    pod->until_ms = time_now_ms() + DRAIN_MS;
    api_delete(API_PODS, TEAM, pod->name, NULL);
    look_in(DRAIN_MS);
}

/* What the kubelet's cache shows: the Secret as it is, or as it was shortly before. */
static const cJSON *seen_secret(const char *name)
{
    int64_t as_of_ms = time_now_ms() - time_vary(0, KUBELET_LAG_MS);
    for (size_t i = sim.api.event_count; i > 0; i--) {
        const struct api_event *event = &sim.api.events[i - 1];
        if (event->type == API_SECRETS && event->at_ms <= as_of_ms &&
            mem_streq(json_string_at(event->json, "metadata.name"), name))
            return event->deleted ? NULL : event->json;
    }
    return NULL;
}

static void read_secret(struct pod *pod)
{
    char *value = deepgram_value_in(seen_secret(pod->secret));
    if (!value) {
        pod->until_ms = time_now_ms() + RETRY_MS;
        look_in(RETRY_MS);
        return;
    }
    mem_free(pod->value);
    pod->value = value;
    pod->phase = RUNNING;
    sim_trace("    %s reads %s from %s", pod->name, value + strlen(value) - 3, pod->secret);
}

static void run_pods(void)
{
    for (size_t i = 0; i < actors.count;) {
        struct pod *pod = &actors.pods[i];
        const cJSON *json = api_get(API_PODS, TEAM, pod->name);
        if (json_at(json, "metadata.deletionTimestamp"))
            drain(pod);
        bool due = time_now_ms() >= pod->until_ms;
        if (pod->phase == PULLING && due)
            read_secret(pod);
        if (pod->phase == DRAINING && due) {
            api_purge(API_PODS, TEAM, pod->name);
            mem_free(pod->value);
            *pod = actors.pods[--actors.count];
            continue;
        }
        if (pod->phase != RUNNING)
            look_in(pod->until_ms > time_now_ms() ? pod->until_ms - time_now_ms() : RETRY_MS);
        i++;
    }
}

void actors_deploy(const char *secret, size_t pods)
{
    for (size_t i = 0; i < pods; i++)
        add_pod(secret);
}

void actors_undeploy(void)
{
    for (size_t i = 0; i < actors.count; i++)
        drain(&actors.pods[i]);
}

void actors_roll(void)
{
    size_t count = actors.count;
    for (size_t i = 0; i < count; i++) {
        if (actors.pods[i].phase == DRAINING)
            continue;
        add_pod(actors.pods[i].secret);
        drain(&actors.pods[i]);
    }
}

void actors_restart(void)
{
    for (size_t i = 0; i < actors.count; i++)
        if (actors.pods[i].phase == RUNNING)
            read_secret(&actors.pods[i]);
}

const char *actors_holder(const char *value)
{
    for (size_t i = 0; i < actors.count; i++)
        if (mem_streq(actors.pods[i].value, value))
            return actors.pods[i].name;
    return NULL;
}

bool actors_refer(const char *secret)
{
    for (size_t i = 0; i < actors.count; i++)
        if (strcmp(actors.pods[i].secret, secret) == 0)
            return true;
    return false;
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
        look_in(5 * SECOND);
}

static void look(void *context)
{
    (void)context;
    run_pods();
    collect_garbage();
    if (json_at(api_get(API_NAMESPACES, NULL, TEAM), "metadata.deletionTimestamp"))
        empty_namespace();
}
