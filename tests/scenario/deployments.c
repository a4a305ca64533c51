#include "deployments.h"

#include <string.h>

#include "api/workload.h"
#include "base/fingerprint.h"
#include "base/json.h"
#include "kubelets.h"
#include "sim.h"

enum { REPLICAS = 2 };

static const cJSON *engine(void)
{
    return api_get(API_DEPLOYMENTS, TEAM, ENGINE);
}

/* The hash of a template names its ReplicaSet. */
static void hash_of(const cJSON *deployment, char ret_hash[16])
{
    auto_free char *text = json_print(json_at(deployment, "spec.template"));
    snprintf(ret_hash, 16, "%08x", (unsigned)fingerprint(text));
}

struct census {
    size_t updated; /* from the template as it is, and not on their way out */
    size_t ready;   /* of those */
    size_t older;
};

static struct census count(const char *hash)
{
    struct census census = { 0 };
    const struct pod *pod = NULL;
    for (size_t i = 0; (pod = kubelets_pod(i)) != NULL; i++) {
        if (pod->hash[0] == '\0' || pod->phase == DRAINING)
            continue;
        bool updated = strcmp(pod->hash, hash) == 0;
        census.updated += updated;
        census.ready += updated && pod->phase == RUNNING && !pod->crashing;
        census.older += !updated;
    }
    return census;
}

/* One that never became ready goes first. */
static void drain_older(const char *hash)
{
    struct pod *chosen = NULL;
    struct pod *pod = NULL;
    for (size_t i = 0; (pod = kubelets_pod(i)) != NULL; i++) {
        if (pod->hash[0] == '\0' || pod->phase == DRAINING || strcmp(pod->hash, hash) == 0)
            continue;
        if (!chosen || pod->crashing)
            chosen = pod;
    }
    if (chosen)
        kubelets_drain(chosen);
}

static bool older_crashes(const char *hash)
{
    const struct pod *pod = NULL;
    for (size_t i = 0; (pod = kubelets_pod(i)) != NULL; i++)
        if (pod->hash[0] != '\0' && pod->crashing && pod->phase != DRAINING &&
            strcmp(pod->hash, hash) != 0)
            return true;
    return false;
}

static void tell_status(const cJSON *deployment, const struct census *census)
{
    int64_t total = (int64_t)(census->updated + census->older);
    int64_t generation = json_int_at(deployment, "metadata.generation", 0);
    if (json_int_at(deployment, "status.observedGeneration", 0) == generation &&
        json_int_at(deployment, "status.replicas", -1) == total &&
        json_int_at(deployment, "status.updatedReplicas", -1) == (int64_t)census->updated)
        return;
    api_merge(
        API_DEPLOYMENTS, TEAM, ENGINE,
        "{\"status\":{\"observedGeneration\":%lld,\"replicas\":%lld,\"updatedReplicas\":%zu}}",
        (long long)generation, (long long)total, census->updated);
}

static void step(const cJSON *deployment, const char *hash, const struct census *census)
{
    auto_free char *annotations =
        json_print(json_at(deployment, "spec.template.metadata.annotations"));
    const char *secret = json_string_at(
        cJSON_GetArrayItem(json_at(deployment, "spec.template.spec.containers"), 0), "note");
    if (older_crashes(hash))
        drain_older(hash);
    else if (census->updated < REPLICAS && census->updated + census->older <= REPLICAS)
        kubelets_add(secret, ENGINE, hash, annotations);
    else if (census->older > 0 && census->ready + census->older > REPLICAS)
        drain_older(hash);
}

void deployments_run(void)
{
    const cJSON *deployment = engine();
    if (!deployment || json_at(deployment, "metadata.deletionTimestamp"))
        return;
    char hash[16];
    hash_of(deployment, hash);
    struct census census = count(hash);
    bool paused = json_bool_at(deployment, "spec.paused", false);
    if (!paused || census.updated + census.older < REPLICAS)
        step(deployment, hash, &census);
    census = count(hash);
    tell_status(engine(), &census);
    if (census.older == 0) /* through, as its status tells */
        sim.foreign_rollout = false;
}

/* ---- what people do ---- */

void deployments_make(const char *secret)
{
    api_make(
        API_DEPLOYMENTS, TEAM,
        "{\"metadata\":{\"name\":\"" ENGINE "\",\"generation\":1},\"spec\":{\"replicas\":%d,"
        "\"template\":{\"metadata\":{\"annotations\":{}},\"spec\":{\"containers\":[{"
        "\"name\":\"api\",\"note\":\"%s\",\"envFrom\":[{\"secretRef\":{\"name\":\"%s\"}}]}]}}}}",
        REPLICAS, secret, secret);
}

void deployments_restart(void)
{
    sim.foreign_rollout = engine() != NULL;
    api_merge(API_DEPLOYMENTS, TEAM, ENGINE,
              "{\"spec\":{\"template\":{\"metadata\":{\"annotations\":{"
              "\"kubectl.kubernetes.io/restartedAt\":\"%lld\"}}}}}",
              (long long)time_server_ms());
}

/* As `kubectl replace` does it. */
void deployments_strip(void)
{
    const cJSON *deployment = engine();
    auto_json cJSON *annotations = cJSON_CreateObject();
    const cJSON *annotation = NULL;
    cJSON_ArrayForEach(annotation, json_at(deployment, "spec.template.metadata.annotations"))
        if (strncmp(annotation->string, MARKER_PREFIX, strlen(MARKER_PREFIX)) == 0)
            cJSON_AddNullToObject(annotations, annotation->string);
    if (!annotations->child)
        return;
    sim.foreign_rollout = true;
    auto_free char *text = json_print(annotations);
    api_merge(API_DEPLOYMENTS, TEAM, ENGINE,
              "{\"spec\":{\"template\":{\"metadata\":{\"annotations\":%s}}}}", text);
}

void deployments_pause(bool paused)
{
    api_merge(API_DEPLOYMENTS, TEAM, ENGINE, "{\"spec\":{\"paused\":%s}}",
              paused ? "true" : "false");
}

bool deployments_complete(void)
{
    const cJSON *deployment = engine();
    if (!deployment)
        return true;
    char hash[16];
    hash_of(deployment, hash);
    struct census census = count(hash);
    return census.ready == REPLICAS && census.older == 0;
}

bool deployments_own_all(void)
{
    const struct pod *pod = NULL;
    for (size_t i = 0; (pod = kubelets_pod(i)) != NULL; i++)
        if (pod->hash[0] == '\0')
            return false;
    return true;
}

/* What was abandoned stays alive, and nobody has to leave it. */
static bool is_to_go(const char *value)
{
    const struct credential_record *record = deepgram_by_value(value);
    return record && !oracle_excused(record->uid);
}

const char *deployments_other_holder(const char *value)
{
    const struct pod *pod = NULL;
    for (size_t i = 0; (pod = kubelets_pod(i)) != NULL; i++)
        if (pod->hash[0] != '\0' && pod->phase == RUNNING && !mem_streq(pod->value, value) &&
            is_to_go(pod->value))
            return pod->name;
    return NULL;
}

bool deployments_crash(void)
{
    const struct pod *pod = NULL;
    for (size_t i = 0; (pod = kubelets_pod(i)) != NULL; i++)
        if (pod->hash[0] != '\0' && pod->crashing)
            return true;
    return false;
}
