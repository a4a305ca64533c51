/* Worlds for tests of decisions: a base and small changes to it, so that a row of a table reads
 * like a sentence.
 *
 * The base is a new DeepgramApiKey team/voice whose admin Secret can be used and is marked, in a
 * project that was listed 100 s ago. world_fixture_new() applies the changes, and then reads
 * resource and revision Secrets from their JSON as the operator does. world_changes.h holds the
 * changes that several tests need.
 */
#ifndef TESTS_UNIT_WORLD_FIXTURE_H
#define TESTS_UNIT_WORLD_FIXTURE_H

#include "base/fingerprint.h"
#include "fixture.h"

#include "reconcile/credential.h"

enum {
    SECOND_MS = 1000,
    MINUTE_MS = 60 * SECOND_MS,
    HOUR_MS = 60 * MINUTE_MS,
    SETTLE_MS = 2 * MINUTE_MS,
    LISTED_AGO_MS = 100 * SECOND_MS,
    LIST_EVERY_MS = 10 * MINUTE_MS,
};
static const int64_t DAY_MS = 24 * HOUR_MS;
static const int64_t NOW_MS = 1780315200000; /* 2026-06-01T12:00:00Z */
static const int64_t MONOTONIC_MS = 100 * HOUR_MS;

#define FIXTURE_OTHER_UID "ffffffff-0b0a-0908-0706-050403020100"
#define FIXTURE_TARGET_VERSION "70"
#define FIXTURE_ADMIN_VERSION "9"
#define FIXTURE_MENDS fingerprint_add(fingerprint(FIXTURE_ADMIN_VERSION), "")

enum {
    FIXTURE_SECRETS_MAX = 40,
    FIXTURE_ENTRIES_MAX = 4,
    FIXTURE_CHANGES_MAX = 10,
    FIXTURE_WORKLOADS_MAX = 4,
};

struct world_fixture {
    enum resource_kind kind;
    cJSON *json; /* of the resource, until it is read */
    cJSON *secrets[FIXTURE_SECRETS_MAX];
    size_t secret_count;
    struct revision revisions[FIXTURE_SECRETS_MAX];
    struct inventory_entry entries[FIXTURE_ENTRIES_MAX];
    const char *unlisted_id; /* not in the last list */
    struct resource *resource;
    struct memory *memory;
    struct workload_view workloads[FIXTURE_WORKLOADS_MAX];
    struct world world;
};

typedef void world_change_fn(struct world_fixture *fixture);

/* ---- JSON ---- */

/* Sets a member by a dotted path to a JSON text; objects on the way are made. */
static inline void world_put(cJSON *object, const char *path, const char *text)
{
    for (size_t length = strcspn(path, "."); path[length] != '\0'; length = strcspn(path, ".")) {
        auto_free char *name = mem_strndup(path, length);
        cJSON *member = cJSON_GetObjectItemCaseSensitive(object, name);
        object = member ? member : json_add_object(object, name);
        path += length + 1;
    }
    cJSON_DeleteItemFromObjectCaseSensitive(object, path);
    cJSON_AddItemToObject(object, path, fixture_json(text));
}

static inline void world_annotate(cJSON *object, const char *name, const char *value)
{
    cJSON *metadata = cJSON_GetObjectItemCaseSensitive(object, "metadata");
    cJSON *annotations = cJSON_GetObjectItemCaseSensitive(metadata, "annotations");
    if (!annotations)
        annotations = json_add_object(metadata, "annotations");
    cJSON_DeleteItemFromObjectCaseSensitive(annotations, name);
    json_add_string(annotations, name, value);
}

/* A revision Secret of this resource with the credential key-<number> and the nonce n<number>; made
 * from the spec as it is unless a spec hash is put into it. */
static inline cJSON *world_add_secret(struct world_fixture *fixture, int number,
                                      const char *issued_at)
{
    auto_free char *text = mem_printf(
        "{\"metadata\":{\"name\":\"voice-dgkey-r%d\",\"namespace\":\"team\",\"uid\":\"secret-%d\","
        "\"resourceVersion\":\"6%d\",\"labels\":{\"" LABEL_MANAGED_BY "\":\"" MANAGED_BY "\"},"
        "\"annotations\":{\"" ANNOTATION_RESOURCE "\":\"DeepgramApiKey/voice\","
        "\"" ANNOTATION_REVISION "\":\"%d\",\"" ANNOTATION_ID "\":\"key-%d\","
        "\"" ANNOTATION_NONCE "\":\"n%d\",\"" ANNOTATION_PROJECT "\":\"" FIXTURE_PROJECT "\","
        "\"" ANNOTATION_ISSUED_AT "\":\"%s\"},\"ownerReferences\":[{\"controller\":true,"
        "\"kind\":\"DeepgramApiKey\",\"name\":\"voice\",\"uid\":\"" FIXTURE_UID "\"}]}}",
        number, number, number, number, number, number, issued_at);
    cJSON *secret = fixture_json(text);
    fixture->secrets[fixture->secret_count++] = secret;
    return secret;
}

/* A Deployment of three pods, all newer than the publication, that refers to the target. */
static inline struct workload_view *world_add_workload(struct world_fixture *fixture,
                                                       const char *name)
{
    struct consumers_view *consumers = &fixture->world.consumers;
    struct workload_view *workload = &fixture->workloads[consumers->workload_count++];
    *workload = (struct workload_view){ .kind = WORKLOAD_DEPLOYMENT,
                                        .name = name,
                                        .uid = "workload-uid",
                                        .refers = true,
                                        .chosen = true,
                                        .settled = true,
                                        .marker = "",
                                        .pods = 3 };
    consumers->pods += workload->pods;
    consumers->workloads = fixture->workloads;
    return workload;
}

/* The target as this resource made it for that revision. */
static inline void world_hold(struct world_fixture *fixture, int64_t number, const char *id)
{
    fixture->world.target = (struct target_view){
        .exists = true,
        .ours = true,
        .resource_version = FIXTURE_TARGET_VERSION,
        .uid = "target-uid",
        .owner = "DeepgramApiKey/voice",
        .revision = number,
        .id = id,
        .published_at_ms = NOW_MS - DAY_MS,
        .metadata_current = true,
    };
}

static inline void world_add_entry(struct world_fixture *fixture, const char *id, int64_t number,
                                   const char *nonce)
{
    struct inventory_view *inventory = &fixture->world.inventory;
    fixture->entries[inventory->count++] =
        (struct inventory_entry){ .id = id, .revision = number, .nonce = nonce };
    inventory->entries = fixture->entries;
}

/* ---- the whole ---- */

static inline struct world world_fixture_base(void)
{
    return (struct world){
        .now_ms = NOW_MS,
        .monotonic_ms = MONOTONIC_MS,
        .checkable = true,
        .target = { .resource_version = "", .uid = "", .owner = "", .id = "" },
        .old_target = { .example = "" },
        .admin = { .state = ADMIN_USABLE,
                   .marked = true,
                   .namespace = "team",
                   .name = "admin",
                   .key = "token",
                   .resource_version = FIXTURE_ADMIN_VERSION },
        .inventory = { .listed_at_ms = MONOTONIC_MS - LISTED_AGO_MS,
                       .due_ms = MONOTONIC_MS - LISTED_AGO_MS + LIST_EVERY_MS },
        .consumers = { .example = "", .old_example = "", .loose_example = "" },
        .settle_ms = SETTLE_MS,
    };
}

static inline void world_fixture_read(struct world_fixture *fixture)
{
    struct world *world = &fixture->world;
    fixture->resource = resource_new(fixture->kind, take(fixture->json));
    world->resource = fixture->resource;
    world->memory = fixture->memory;
    for (size_t i = 0; i < fixture->secret_count; i++) {
        cJSON *secret = fixture->secrets[i];
        if (!json_member(json_at(secret, "metadata.annotations"), ANNOTATION_SPEC_HASH))
            world_annotate(secret, ANNOTATION_SPEC_HASH, fixture->resource->spec_hash);
        if (!revision_parse(secret, &fixture->revisions[i]))
            fail_msg("revision Secret %zu can't be read", i);
    }
    struct mint *mint = fixture->memory->mint;
    if (mint && mint->attempt.spec_hash[0] == '\0')
        memcpy(mint->attempt.spec_hash, fixture->resource->spec_hash, SPEC_HASH_BYTES);
    world->secrets = fixture->revisions;
    world->secret_count = fixture->secret_count;
    world_derive(world);
    for (size_t i = 0; i < world->revision_count; i++)
        world->revisions[i].listed = !mem_streq(world->revisions[i].id, fixture->unlisted_id);
}

/* The base with up to FIXTURE_CHANGES_MAX changes, in order; a NULL ends them. */
NODISCARD static inline struct world_fixture *world_fixture_new(world_change_fn *const *changes)
{
    struct world_fixture *fixture = mem_alloc(sizeof *fixture);
    fixture->kind = RESOURCE_API_KEY;
    fixture->json = fixture_json(
        "{\"metadata\":{\"namespace\":\"team\",\"name\":\"voice\",\"uid\":\"" FIXTURE_UID "\","
        "\"resourceVersion\":\"42\",\"generation\":3,\"annotations\":{},"
        "\"finalizers\":[\"" FINALIZER_REVOKE "\"]},"
        "\"spec\":{\"projectId\":\"" FIXTURE_PROJECT "\",\"credentialsRef\":{\"name\":\"admin\","
        "\"key\":\"token\"}}}");
    fixture->memory = memory_new(FIXTURE_UID, MONOTONIC_MS - HOUR_MS);
    fixture->memory->first_mends = FIXTURE_MENDS;
    fixture->memory->target_looked = true;
    fixture->world = world_fixture_base();
    for (size_t i = 0; i < FIXTURE_CHANGES_MAX && changes[i]; i++)
        changes[i](fixture);
    world_fixture_read(fixture);
    return fixture;
}
#define WORLD(...) world_fixture_new((world_change_fn *const[FIXTURE_CHANGES_MAX]){ __VA_ARGS__ })

static inline void world_fixture_free(struct world_fixture **fixture)
{
    for (size_t i = 0; i < (*fixture)->secret_count; i++)
        cJSON_Delete((*fixture)->secrets[i]);
    resource_free((*fixture)->resource);
    memory_free((*fixture)->memory);
    mem_free(*fixture);
}
#define auto_world __attribute__((cleanup(world_fixture_free)))

/* ---- decisions as text ---- */

static inline void world_append(char **text, const char *word)
{
    char *longer = mem_printf("%s%s%s", *text ? *text : "", *text ? " " : "", word);
    mem_free(*text);
    *text = longer;
}

static inline const char *world_verdict_name(enum verdict_kind kind)
{
    switch (kind) {
    case VERDICT_NONE:
        break;
    case VERDICT_READY:
        return "Ready";
    case VERDICT_PROGRESSING:
        return "Progressing";
    case VERDICT_STALLED:
        return "Stalled";
    case VERDICT_SUSPENDED:
        return "Suspended";
    case VERDICT_TERMINATING:
        return "Terminating";
    }
    return NULL;
}

static inline bool world_step_names_revision(enum step_kind kind)
{
    return kind == STEP_ANNOUNCE || kind == STEP_CREATE || kind == STEP_KEEP ||
           kind == STEP_LOOK_FOR_REVISION || kind == STEP_KEEP_AGAIN || kind == STEP_ADOPT ||
           kind == STEP_CHECK || kind == STEP_VERIFY || kind == STEP_PUBLISH ||
           kind == STEP_COMPARE_TARGET || kind == STEP_CONFIRM || kind == STEP_DROP_REVISION ||
           kind == STEP_RESTART || kind == STEP_PUT_BACK || kind == STEP_TAKE_BACK;
}

static inline void world_append_verdict(char **text, const struct verdict *verdict)
{
    const char *kind = world_verdict_name(verdict->kind);
    if (!kind)
        return;
    world_append(text, kind);
    if (verdict->reason)
        world_append(text, verdict->reason);
    bool told = verdict->message[0] != '\0';
    if ((verdict->kind == VERDICT_READY) == told)
        world_append(text, told ? "WITH A MESSAGE" : "WITHOUT A MESSAGE");
}

static inline void world_append_wait(char **text, const struct world *world, int64_t until_ms)
{
    if (until_ms == INT64_MAX) {
        world_append(text, "for an event");
        return;
    }
    auto_free char *wait = mem_printf("for %g s", (double)(until_ms - world->monotonic_ms) / 1000);
    world_append(text, wait);
}

static inline void world_append_parameters(char **text, const struct step *step)
{
    auto_free char *revision = mem_printf("r%lld", (long long)step->revision);
    auto_free char *why = step->why ? mem_printf("(%s)", step->why) : NULL;
    if (world_step_names_revision(step->kind))
        world_append(text, revision);
    if (step->workload)
        world_append(text, step->workload->name);
    if (step->id)
        world_append(text, step->id);
    if (step->secret_name)
        world_append(text, step->secret_name);
    if (step->account)
        world_append(text, step->account);
    if (why)
        world_append(text, why);
    if (step->needed)
        world_append(text, "needed");
    if (step->keep_open)
        world_append(text, "keep-open");
    if (step->judged)
        world_append(text, "judged");
    if (step->heals)
        world_append(text, "heals");
}

/* Such as "announce r2 (SpecChanged)", "wait Ready for 500 s", "report Stalled Forbidden for an
 * event"; the caller frees it. */
NODISCARD static inline char *world_describe(const struct world *world, const struct step *step)
{
    char *text = mem_strdup(step_name(step->kind));
    if (step->kind == STEP_WAIT || step->kind == STEP_REPORT) {
        world_append_verdict(&text, &step->verdict);
        world_append_wait(&text, world, step->wait_until_ms);
    } else {
        world_append_parameters(&text, step);
    }
    return text;
}

struct world_row {
    const char *name;
    world_change_fn *with[FIXTURE_CHANGES_MAX];
    const char *step; /* as world_describe() tells it */
};

static inline void world_expect_steps(const struct world_row *rows, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        auto_world struct world_fixture *fixture = world_fixture_new(rows[i].with);
        struct step step = decide(&fixture->world);
        auto_free char *text = world_describe(&fixture->world, &step);
        fixture_expect(rows[i].name, text, rows[i].step);
    }
}

#endif
