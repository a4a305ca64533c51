/* What is due is done then, and not only when the next event or list comes by: judged each time
 * that things settled in a schedule without faults. */
#include "oracle.h"

#include "api/timestamp.h"
#include "base/json.h"
#include "deepgram.h"
#include "oracle_accounts.h"
#include "oracle_facts.h"
#include "people.h"
#include "sim.h"

static int64_t time_at(const cJSON *json, const char *path)
{
    return timestamp_or(json_string_at(json, path), 0);
}

/* Nobody who lacks a right is waited for without end. */
static void judge_deletion(const struct api_object *object)
{
    enum { PATIENCE_MS = 30 * MINUTE };
    int64_t deleted_ms = time_at(object->json, "metadata.deletionTimestamp");
    if (sim.accounts_forbidden && time_server_ms() > deleted_ms + PATIENCE_MS &&
        !actors_refer(VOICE_KEY))
        sim_broken(WEDGED, "%s waits for a right for ever", object->name);
}

static void judge_failed(const cJSON *revision)
{
    enum { PATIENCE_MS = 3 * MINUTE };
    const char *id = json_string_member(revision, "id");
    const struct credential_record *record = id ? deepgram_find(id) : NULL;
    int64_t failed_ms = time_at(revision, "failedAt");
    if (failed_ms != 0 && time_server_ms() > failed_ms + PATIENCE_MS && record &&
        deepgram_alive(record) && !actors_holder(record->value))
        sim_broken(I1, "pods failed on %s long ago, and it is alive", id);
}

static void judge_published(const cJSON *resource)
{
    const char *id = json_string_at(resource, "status.id");
    const struct credential_record *record = id ? deepgram_find(id) : NULL;
    if (record && record->death == BY_PERSON &&
        time_now_ms() > record->died_ms + INVENTORY_MS + MINUTE)
        sim_broken(I3, "%s was revoked long ago, and is published", id);
}

void oracle_judge_in_time(void)
{
    if (sim.schedule->fault_count > 0)
        return;
    for (size_t i = 0; i < sim.api.count; i++) {
        const struct api_object *object = &sim.api.objects[i];
        if (!api_is_resource(object->type))
            continue;
        if (json_at(object->json, "metadata.deletionTimestamp")) {
            judge_deletion(object);
            continue;
        }
        if (oracle_is_left_alone(object->json))
            continue;
        const cJSON *revision = NULL;
        cJSON_ArrayForEach(revision, json_at(object->json, "status.revisions"))
            judge_failed(revision);
        judge_published(object->json);
    }
    oracle_judge_accounts_in_time();
}
