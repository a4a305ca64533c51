/* Kubelets: a pod reads the target Secret once, when it starts, and holds its value until it is
 * gone; its status is told as a kubelet tells it. */
#include "kubelets.h"

#include <assert.h>
#include <string.h>

#include "api/timestamp.h"
#include "base/json.h"
#include "sim.h"

enum {
    PODS_MAX = 32,
    START_UP_MS = 3 * SECOND,
    RETRY_MS = 2 * SECOND,
    PULL_MS = 100 * SECOND,
    CRASH_MS = 150 * SECOND,     /* between two starts of a container that crashes */
    KUBELET_LAG_MS = 4 * SECOND, /* at most: it watches Secrets through a cache */
};

static struct {
    struct pod pods[PODS_MAX];
    size_t count;
    unsigned names;
    bool next_is_bad;
    char first_value[48]; /* the good one, when the next was to be bad */
} kubelets;

void kubelets_reset(void)
{
    memset(&kubelets, 0, sizeof kubelets);
}

struct pod *kubelets_pod(size_t index)
{
    return index < kubelets.count ? &kubelets.pods[index] : NULL;
}

/* ---- pods come and go ---- */

static struct pod *add(const char *secret, const char *spec, const char *controlled)
{
    assert(kubelets.count < PODS_MAX);
    char name[24];
    snprintf(name, sizeof name, "pod-%u", ++kubelets.names);
    api_make(API_PODS, TEAM,
             "{\"metadata\":{\"name\":\"%s\"%s},\"spec\":%s,\"status\":{\"phase\":\"Pending\"}}",
             name, controlled, spec);
    if (!api_get(API_PODS, TEAM, name))
        return NULL; /* nothing is created in a terminating namespace */
    struct pod *pod = &kubelets.pods[kubelets.count++];
    *pod = (struct pod){ .phase = STARTING, .until_ms = time_now_ms() + START_UP_MS };
    snprintf(pod->name, sizeof pod->name, "%s", name);
    snprintf(pod->secret, sizeof pod->secret, "%s", secret);
    actors_look_in(START_UP_MS);
    return pod;
}

void kubelets_add(const char *secret, const char *owner, const char *hash, const char *annotations)
{
    char controlled[512] = "";
    if (owner)
        snprintf(controlled, sizeof controlled,
                 ",\"labels\":{\"pod-template-hash\":\"%s\"},\"annotations\":%s,"
                 "\"ownerReferences\":[{\"controller\":true,\"kind\":\"ReplicaSet\","
                 "\"name\":\"%s-%s\",\"uid\":\"%s\"}]",
                 hash, annotations, owner, hash,
                 json_string_at(api_get(API_DEPLOYMENTS, TEAM, owner), "metadata.uid"));
    auto_free char *spec = mem_printf("{\"containers\":[{\"name\":\"api\",\"envFrom\":"
                                      "[{\"secretRef\":{\"name\":\"%s\"}}]}]}",
                                      secret);
    struct pod *pod = add(secret, spec, controlled);
    if (pod && owner)
        snprintf(pod->hash, sizeof pod->hash, "%s", hash);
}

void kubelets_add_pulling(const char *secret)
{
    auto_free char *spec = mem_printf("{\"containers\":[{\"name\":\"api\"}],"
                                      "\"imagePullSecrets\":[{\"name\":\"%s\"}]}",
                                      secret);
    struct pod *pod = add(secret, spec, "");
    if (pod)
        pod->pulls = true;
}

void kubelets_drain(struct pod *pod)
{
    if (pod->phase == DRAINING)
        return;
    pod->phase = DRAINING;
    pod->until_ms = time_now_ms() + DRAIN_MS;
    api_delete(API_PODS, TEAM, pod->name, NULL);
    actors_look_in(DRAIN_MS);
}

/* ---- what a container reads ---- */

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

static bool crashes_on(const char *value)
{
    struct credential_record *record = deepgram_by_value(value);
    if (kubelets.next_is_bad && record && strcmp(value, kubelets.first_value) != 0) {
        kubelets.next_is_bad = false;
        record->bad = true;
    }
    return record && record->bad;
}

static void tell_status(struct pod *pod)
{
    if (pod->hash[0] == '\0' && !pod->pulls)
        return; /* nobody waits for it */
    char now[TIMESTAMP_BYTES];
    timestamp_format(time_server_ms(), now);
    char container[128];
    snprintf(container, sizeof container,
             pod->crashing ? "{\"waiting\":{\"reason\":\"CrashLoopBackOff\"}}"
                           : "{\"running\":{\"startedAt\":\"%s\"}}",
             now);
    api_merge(API_PODS, TEAM, pod->name,
              "{\"status\":{\"phase\":\"Running\",\"conditions\":["
              "{\"type\":\"PodScheduled\",\"status\":\"True\",\"lastTransitionTime\":\"%s\"},"
              "{\"type\":\"Ready\",\"status\":\"%s\",\"lastTransitionTime\":\"%s\"}],"
              "\"containerStatuses\":[{\"name\":\"api\",\"state\":%s}]}}",
              now, pod->crashing ? "False" : "True", now, container);
}

/* With what it reads when it begins. */
static void pull(struct pod *pod)
{
    if (pod->value) {
        mem_free(take(pod->value));
        pod->phase = RUNNING;
        tell_status(pod);
        return;
    }
    pod->value = deepgram_value_in(seen_secret(pod->secret));
    pod->until_ms = time_now_ms() + (pod->value ? PULL_MS : RETRY_MS);
    actors_look_in(pod->until_ms - time_now_ms());
}

static void read_secret(struct pod *pod)
{
    char *value = deepgram_value_in(seen_secret(pod->secret));
    if (!value) {
        pod->until_ms = time_now_ms() + RETRY_MS;
        actors_look_in(RETRY_MS);
        return;
    }
    bool as_before = pod->crashing && mem_streq(pod->value, value);
    mem_free(pod->value);
    pod->value = value;
    pod->phase = RUNNING;
    pod->crashing = crashes_on(value);
    pod->until_ms = time_now_ms() + CRASH_MS;
    sim_trace("    %s reads %s from %s%s", pod->name, value + strlen(value) - 3, pod->secret,
              pod->crashing ? " and crashes" : "");
    if (!as_before)
        tell_status(pod);
}

void kubelets_run(void)
{
    for (size_t i = 0; i < kubelets.count;) {
        struct pod *pod = &kubelets.pods[i];
        const cJSON *json = api_get(API_PODS, TEAM, pod->name);
        if (json_at(json, "metadata.deletionTimestamp"))
            kubelets_drain(pod);
        bool due = time_now_ms() >= pod->until_ms;
        if (due && pod->phase == STARTING && pod->pulls)
            pull(pod);
        else if (due && (pod->phase == STARTING || (pod->phase == RUNNING && pod->crashing)))
            read_secret(pod);
        if (pod->phase == DRAINING && due) {
            api_purge(API_PODS, TEAM, pod->name);
            mem_free(pod->value);
            *pod = kubelets.pods[--kubelets.count];
            continue;
        }
        if (pod->phase != RUNNING || pod->crashing)
            actors_look_in(pod->until_ms > time_now_ms() ? pod->until_ms - time_now_ms()
                                                         : RETRY_MS);
        i++;
    }
}

/* ---- what people do with them ---- */

void actors_deploy(const char *secret, size_t pods)
{
    for (size_t i = 0; i < pods; i++)
        kubelets_add(secret, NULL, NULL, NULL);
}

void actors_undeploy(void)
{
    for (size_t i = 0; i < kubelets.count; i++)
        kubelets_drain(&kubelets.pods[i]);
}

void actors_roll(void)
{
    size_t count = kubelets.count;
    for (size_t i = 0; i < count; i++) {
        if (kubelets.pods[i].phase == DRAINING)
            continue;
        if (kubelets.pods[i].pulls)
            kubelets_add_pulling(kubelets.pods[i].secret);
        else if (kubelets.pods[i].hash[0] == '\0')
            kubelets_add(kubelets.pods[i].secret, NULL, NULL, NULL);
        kubelets_drain(&kubelets.pods[i]);
    }
}

/* A container that crashes starts again and again anyway. */
void actors_restart(void)
{
    for (size_t i = 0; i < kubelets.count; i++)
        if (kubelets.pods[i].phase == RUNNING && !kubelets.pods[i].pulls)
            read_secret(&kubelets.pods[i]);
}

void actors_fail_next(const char *good)
{
    kubelets.next_is_bad = true;
    snprintf(kubelets.first_value, sizeof kubelets.first_value, "%s", good ? good : "");
}

const char *actors_holder(const char *value)
{
    for (size_t i = 0; i < kubelets.count; i++)
        if (mem_streq(kubelets.pods[i].value, value))
            return kubelets.pods[i].name;
    return NULL;
}

bool actors_refer(const char *secret)
{
    for (size_t i = 0; i < kubelets.count; i++)
        if (strcmp(kubelets.pods[i].secret, secret) == 0)
            return true;
    return false;
}
