/* Any world, also one that people and other programs have written into: a decision never crashes,
 * is the same each time, and brings all that its step needs.
 *
 * The input is a JSON document {"kind": 0 or 1, "resource": …, "secrets": […], "target": …,
 * "admin": …, "world": {…}, "inventory": […], "workloads": […], "accounts": {…}, "memory": {…}};
 * what is missing is as in a new world.
 */
#include <assert.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/name.h"
#include "api/revision_number.h"
#include "api/target.h"
#include "base/fingerprint.h"
#include "base/json.h"
#include "reconcile/credential.h"
#include "reconcile/failure.h"
#include "reconcile/report.h"
#include "reconcile/rollout.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

enum { SECRETS_MAX = 64, ENTRIES_MAX = 8, WORKLOADS_MAX = 6, ACCOUNTS_MAX = 16 };
static const int64_t NOW_MS = 1780315200000; /* 2026-06-01T12:00:00Z */
static const int64_t MONOTONIC_MS = 360000000;

struct input {
    const cJSON *json;
    struct resource *resource;
    struct memory *memory;
    struct revision revisions[SECRETS_MAX];
    struct inventory_entry entries[ENTRIES_MAX];
    struct workload_view workloads[WORKLOADS_MAX];
    struct account_view accounts[ACCOUNTS_MAX];
    struct world world;
};

/* ---- reading a world ---- */

static const char *string_at(const cJSON *json, const char *path)
{
    const char *text = json_string_at(json, path);
    return text ? text : "";
}

/* Relative to now, and no further away than a process can remember. */
static int64_t time_at(const cJSON *json, const char *path, int64_t fallback)
{
    if (!json_at(json, path))
        return fallback;
    return MONOTONIC_MS + json_int_at(json, path, 0) % MONOTONIC_MS;
}

/* How long before now. */
static int64_t time_back(const cJSON *json, const char *path)
{
    return json_int_at(json, path, 0) % MONOTONIC_MS;
}

static size_t count_at(const cJSON *json, const char *path)
{
    return (size_t)json_int_at(json, path, 0) & 0xff;
}

static void read_secrets(struct input *input)
{
    const cJSON *secret = NULL;
    struct world *world = &input->world;
    cJSON_ArrayForEach(secret, json_member(input->json, "secrets"))
        if (world->secret_count < SECRETS_MAX &&
            revision_parse(secret, &input->revisions[world->secret_count]))
            world->secret_count++;
    world->secrets = input->revisions;
}

/* As operator/gather reads it from the cache. */
static void read_target(struct input *input)
{
    const cJSON *target = json_member(input->json, "target");
    const cJSON *facts = json_member(input->json, "world");
    const cJSON *annotations = json_at(target, "metadata.annotations");
    const char *id = json_string_member(annotations, ANNOTATION_ID);
    struct target_view *view = &input->world.target;
    view->exists = target != NULL;
    view->ours = owned_by(target, input->resource->uid);
    view->owner = string_at(facts, "owner");
    view->lost = view->exists && !view->ours && json_bool_at(facts, "lost", false);
    view->adopt = view->exists && !view->ours && json_bool_at(facts, "adopt", false);
    view->deleting = json_at(target, "metadata.deletionTimestamp") != NULL;
    view->resource_version = string_at(target, "metadata.resourceVersion");
    view->uid = string_at(target, "metadata.uid");
    view->revision = revision_number_parse(json_string_member(annotations, ANNOTATION_REVISION));
    view->id = name_is_credential_id(id) ? id : "";
    view->metadata_current = json_bool_at(facts, "current", false) ||
                             target_metadata_current(input->resource, view->revision, target);
}

static void read_old_target(struct input *input)
{
    const cJSON *facts = json_member(input->json, "world");
    struct old_target_view *view = &input->world.old_target;
    view->example = "";
    view->name = json_string_at(facts, "oldTarget");
    if (!view->name)
        return;
    view->exists = json_bool_at(facts, "oldTargetExists", false);
    view->pods = count_at(facts, "oldTargetPods");
    view->uid = "old-uid";
    view->resource_version = "1";
}

static struct pod_note read_note(const cJSON *workload, const char *name)
{
    const cJSON *note = json_member(workload, name);
    return (struct pod_note){ .name = json_string_member(note, "name"),
                              .reason = string_at(note, "reason"),
                              .message = json_string_member(note, "message"),
                              .since_ms = NOW_MS - time_back(note, "since") };
}

/* As operator/consumers gathers it: the numbers are consistent. */
static void read_workload(struct input *input, const cJSON *json)
{
    struct consumers_view *consumers = &input->world.consumers;
    struct workload_view *view = &input->workloads[consumers->workload_count++];
    *view = (struct workload_view){
        .kind = (enum workload_kind)(count_at(json, "kind") % WORKLOAD_KINDS),
        .name = string_at(json, "name"),
        .uid = json_string_member(json, "uid"),
        .refers = json_bool_at(json, "refers", true),
        .chosen = json_bool_at(json, "chosen", true),
        .rank = (int64_t)count_at(json, "rank"),
        .settled = json_bool_at(json, "settled", true),
        .held = json_string_member(json, "held"),
        .marker = string_at(json, "marker"),
        .published_at_ms = NOW_MS - time_back(json, "published"),
        .old_pods = count_at(json, "oldPods"),
        .unready_pods = count_at(json, "unreadyPods"),
        .failing = read_note(json, "failing"),
        .unschedulable = read_note(json, "unschedulable"),
    };
    view->pods = view->old_pods + view->unready_pods + count_at(json, "readyPods");
    view->leaving_pods = count_at(json, "leavingPods") % (view->old_pods + 1);
    consumers->pods += view->pods;
    consumers->old_pods += view->old_pods;
}

static void read_workloads(struct input *input)
{
    struct consumers_view *consumers = &input->world.consumers;
    consumers->workloads = input->workloads;
    consumers->failed_pods = count_at(json_member(input->json, "world"), "failedPods");
    const cJSON *workload = NULL;
    cJSON_ArrayForEach(workload, json_member(input->json, "workloads"))
        if (consumers->workload_count < WORKLOADS_MAX)
            read_workload(input, workload);
    rollout_sort(input->workloads, consumers->workload_count, &input->resource->spec);
}

/* held: a number, a bit for each note of the status. */
static void read_accounts(struct input *input)
{
    const cJSON *json = json_member(input->json, "accounts");
    struct accounts_view *view = &input->world.accounts;
    view->state = (enum accounts_state)(count_at(json, "state") % (ACCOUNTS_KNOWN + 1));
    view->refusal = json_string_member(json, "refusal");
    for (size_t i = 0; i < STATUS_ACCOUNTS_MAX; i++)
        view->held[i] = count_at(json, "held") >> i & 1;
    view->items = input->accounts;
    const cJSON *account = NULL;
    cJSON_ArrayForEach(account, json_member(json, "items"))
        if (view->count < ACCOUNTS_MAX && json_string_member(account, "name"))
            input->accounts[view->count++] =
                (struct account_view){ .name = json_string_member(account, "name"),
                                       .uid = json_string_member(account, "uid"),
                                       .listed = json_bool_at(account, "listed", false) };
}

static void read_admin(struct input *input)
{
    const cJSON *facts = json_member(input->json, "world");
    input->world.admin = (struct admin_view){
        .state = (enum admin_state)(count_at(facts, "admin") % (ADMIN_ROLE_TOO_HIGH + 1)),
        .marked = json_bool_at(facts, "marked", true),
        .namespace = "team",
        .name = "admin",
        .key = "token",
        .resource_version = string_at(facts, "adminVersion"),
    };
}

static void read_inventory(struct input *input)
{
    const cJSON *facts = json_member(input->json, "world");
    struct inventory_view *view = &input->world.inventory;
    view->listed_at_ms = time_at(facts, "listed", NEVER);
    view->due_ms = time_at(facts, "listDue", 0);
    view->blocked_until_ms = time_at(facts, "listBlocked", 0);
    view->entries = input->entries;
    const cJSON *entry = NULL;
    cJSON_ArrayForEach(entry, json_member(input->json, "inventory"))
        if (view->count < ENTRIES_MAX && name_is_credential_id(json_string_at(entry, "id")))
            input->entries[view->count++] =
                (struct inventory_entry){ .id = string_at(entry, "id"),
                                          .revision = revision_number_at(entry, "revision"),
                                          .nonce = string_at(entry, "nonce") };
}

static void read_world(struct input *input)
{
    const cJSON *facts = json_member(input->json, "world");
    struct world *world = &input->world;
    world->now_ms = NOW_MS;
    world->monotonic_ms = MONOTONIC_MS;
    world->settle_ms = 120000;
    world->checkable = input->resource->kind == RESOURCE_API_KEY;
    world->namespace_terminating = json_bool_at(facts, "namespaceTerminating", false);
    world->project_mint_at_ms = time_at(facts, "projectMint", 0);
    world->project_blocked_until_ms = time_at(facts, "projectBlocked", 0);
    world->target.published_at_ms = NOW_MS - time_back(facts, "published");
    world->consumers = (struct consumers_view){ .pods = count_at(facts, "pods"),
                                                .old_pods = count_at(facts, "oldPods"),
                                                .example = "",
                                                .old_example = "",
                                                .loose_example = "" };
}

/* ---- reading a memory ---- */

static bool announce(struct memory *memory, const cJSON *json, const char *path)
{
    auto_json cJSON *array = cJSON_CreateArray();
    struct attempt attempts[ATTEMPTS_MAX];
    const cJSON *attempt = json_at(json, path);
    if (!attempt)
        return false;
    cJSON_AddItemReferenceToArray(array, (cJSON *)attempt);
    if (attempts_parse(array, attempts) != 1)
        return false;
    attempts[0].rotate = "";
    memory_announce(memory, &attempts[0], time_at(json, "announcedAt", 0));
    return true;
}

static void read_failure(struct input *input, const char *path, enum failure_side side)
{
    const cJSON *json = json_at(json_member(input->json, "memory"), path);
    if (!json)
        return;
    struct err err = ERR_INIT;
    err_set(&err, (enum err_kind)(1 + count_at(json, "kind") % ERR_MALFORMED), "it failed");
    failure_set(&input->world, input->memory, side,
                json_bool_at(json, "admin", false) ? "CredentialsUnusable" : NULL,
                json_bool_at(json, "reporting", false), &err, count_at(json, "random"));
}

static void read_memory(struct input *input)
{
    const cJSON *json = json_member(input->json, "memory");
    struct memory *memory = input->memory;
    memory->deleting_since_ms = input->resource->deleting ? time_at(json, "deleting", 0) : NEVER;
    memory->door_closed_ms = time_at(json, "door", NEVER);
    memory->unknown_ms = time_at(json, "unknown", NEVER);
    memory->mint_at_ms = time_at(json, "mint", 0);
    memory->heal_at_ms = time_at(json, "heal", 0);
    memory->accounts_at_ms = time_at(json, "accounts", 0);
    memory->confirmed_revision = revision_number_at(json, "confirmed");
    memory->checked_revision = revision_number_at(json, "checked");
    memory->refused_revision = revision_number_at(json, "refused");
    memory->absent_revision = revision_number_at(json, "absent");
    memory->asked_deepgram = json_bool_at(json, "asked", false);
    announce(memory, json, "announced");
    if (announce(memory, json, "issued"))
        memory_issue(memory, &(struct credential){ .id = mem_strdup("issued-id") });
    if (json_at(json, "discard"))
        memory->discard_id = mem_strdup("discarded-id");
    if (json_at(json, "verified"))
        mem_replace(&memory->verified, string_at(json, "verified"));
    mem_replace(&memory->adoption_problem, "there is no key in it");
    memory->target_useless = fingerprint(string_at(json, "useless"));
    memory->adopt_at_ms = INT64_MAX;
    memory->target_same = fingerprint(string_at(json, "same"));
    memory->target_differs = fingerprint(string_at(json, "differs"));
    const cJSON *id = NULL;
    cJSON_ArrayForEach(id, json_member(json, "gone"))
        if (cJSON_IsString(id))
            memory_add_gone(memory, id->valuestring, MONOTONIC_MS);
}

static void read_input(struct input *input)
{
    const cJSON *resource = json_member(input->json, "resource");
    enum resource_kind kind =
        json_int_at(input->json, "kind", 0) == 1 ? RESOURCE_PULL_SECRET : RESOURCE_API_KEY;
    input->resource = resource_new(kind, cJSON_Duplicate(resource, true));
    input->memory = memory_new(input->resource->uid, MONOTONIC_MS - 60000);
    input->world.resource = input->resource;
    input->world.memory = input->memory;
    read_world(input);
    read_admin(input);
    read_secrets(input);
    read_target(input);
    read_old_target(input);
    read_inventory(input);
    read_memory(input);
    world_derive(&input->world);
    read_workloads(input);
    read_accounts(input);
    world_count_markers(&input->world);
    read_failure(input, "kubernetes", FAILURE_KUBERNETES);
    read_failure(input, "deepgram", FAILURE_DEEPGRAM);
    read_failure(input, "check", FAILURE_CHECK);
    read_failure(input, "verify", FAILURE_VERIFY);
    read_failure(input, "accountsFailed", FAILURE_ACCOUNTS);
    for (size_t i = 0; i < input->world.revision_count; i++)
        input->world.revisions[i].listed = !json_bool_at(input->json, "unlisted", false);
}

/* ---- what a step must bring ---- */

static bool has_secret(const struct world *world, int64_t number)
{
    const struct world_revision *revision = world_revision(world, number);
    return revision && revision->secret;
}

static bool is_text(const char *text)
{
    return text && *text;
}

static bool is_announced(const struct world *world)
{
    for (size_t i = 0; i < world->resource->attempt_count; i++)
        if (memory_announces(world->memory, world->resource->attempts[i].nonce))
            return true;
    return false;
}

/* What the executor relies on without asking. */
static bool is_complete(const struct world *world, const struct step *step)
{
    switch (step->kind) {
    case STEP_ANNOUNCE:
        return step->revision > world->highest_revision && is_text(step->why) &&
               world->admin.state == ADMIN_USABLE && !world->resource->deleting &&
               !memory_issued(world->memory);
    case STEP_CREATE:
        return is_announced(world) && world->admin.state == ADMIN_USABLE;
    case STEP_KEEP:
        return memory_issued(world->memory) != NULL;
    case STEP_LOOK_FOR_REVISION:
        return step->revision > 0 && !has_secret(world, step->revision);
    case STEP_KEEP_AGAIN:
        return step->revision > 0 && !has_secret(world, step->revision) && world->target.ours;
    case STEP_ADOPT:
        return step->revision > world->highest_revision && world->target.adopt;
    case STEP_CHECK:
        return has_secret(world, step->revision);
    case STEP_PUBLISH:
        return has_secret(world, step->revision) && (!world->target.exists || world->target.ours);
    case STEP_RESTART:
    case STEP_PUT_BACK:
        return has_secret(world, step->revision) && step->workload && step->workload->uid;
    case STEP_TAKE_BACK:
        return has_secret(world, step->revision) && world_fallback(world);
    case STEP_VERIFY:
        return has_secret(world, step->revision) && world->resource->spec.verify_url;
    case STEP_COMPARE_TARGET:
        return has_secret(world, step->revision) && world->target.ours;
    case STEP_LOOK_AT_TARGET:
        return world->memory->target_unsure || !world->memory->target_looked;
    case STEP_CONFIRM:
        return world_revision(world, step->revision) && is_text(step->id);
    case STEP_REVOKE:
        return is_text(step->id) && is_text(step->why);
    case STEP_DROP_REVISION:
        return has_secret(world, step->revision) && is_text(step->secret_name);
    case STEP_DELETE_TARGET:
    case STEP_CLAIM:
    case STEP_ANCHOR:
    case STEP_RELEASE:
        return is_text(step->secret_name);
    case STEP_WATCH_ACCOUNTS:
        return world->accounts.state == ACCOUNTS_UNWATCHED;
    case STEP_NOTE_ACCOUNT:
    case STEP_ADD_TO_ACCOUNT:
    case STEP_TAKE_FROM_ACCOUNT:
        return is_text(step->account) && is_text(step->account_uid) && is_text(step->secret_name);
    case STEP_DROP_FINALIZER:
        return world->resource->deleting && world->resource->has_finalizer;
    case STEP_CLOSE_ATTEMPTS:
        return world->resource->attempt_count > 0;
    case STEP_MARK_ADMIN:
        return !world->admin.marked && world->admin.state == ADMIN_USABLE;
    case STEP_WAIT:
        return step->wait_until_ms > world->monotonic_ms;
    case STEP_REPORT:
        return step->verdict.kind != VERDICT_NONE;
    case STEP_PROTECT:
        return !world->resource->has_finalizer;
    case STEP_LIST:
    case STEP_KINDS:
        break;
    }
    return step->kind < STEP_KINDS;
}

static bool is_same(const struct step *a, const struct step *b)
{
    return a->kind == b->kind && a->wait_until_ms == b->wait_until_ms &&
           a->revision == b->revision && a->id == b->id && a->secret_name == b->secret_name &&
           a->why == b->why && a->needed == b->needed && a->keep_open == b->keep_open &&
           a->judged == b->judged && a->heals == b->heals && a->verdict.kind == b->verdict.kind &&
           a->verdict.reason == b->verdict.reason &&
           strcmp(a->verdict.message, b->verdict.message) == 0;
}

/* The schema of the CRDs wants a reason and a message in each. */
static void check_patch(const struct world *world, const struct verdict *verdict)
{
    auto_json cJSON *patch = report_patch(world, verdict);
    auto_json cJSON *again = report_patch(world, verdict);
    auto_free char *text = json_print(patch);
    auto_free char *text_again = json_print(again);
    assert(strcmp(text, text_again) == 0);
    const cJSON *condition = NULL;
    cJSON_ArrayForEach(condition, json_at(patch, "status.conditions")) {
        const char *type = json_string_at(condition, "type");
        if (mem_streq(type, "Ready") || mem_streq(type, "Reconciling") ||
            mem_streq(type, "Stalled") || mem_streq(type, "ConsumersUpdated"))
            assert(is_text(json_string_at(condition, "reason")) &&
                   json_string_at(condition, "message"));
    }
}

static void check_decision(const struct world *world)
{
    struct step step = decide(world);
    struct step again = decide(world);
    if (!is_same(&step, &again) || !is_complete(world, &step)) {
        fprintf(stderr, "%s r%lld until %lld\n", step_name(step.kind), (long long)step.revision,
                (long long)step.wait_until_ms);
        abort();
    }
    bool needs_reason = step.verdict.kind != VERDICT_NONE && step.verdict.kind != VERDICT_READY;
    assert(!needs_reason || (is_text(step.verdict.reason) && is_text(step.verdict.message)));
    if (step.verdict.kind != VERDICT_NONE)
        check_patch(world, &step.verdict);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    json_setup();
    auto_json cJSON *json = json_parse((const char *)bytes, length);
    if (!json)
        return 0;
    struct input input = { .json = json };
    read_input(&input);
    if (name_is_subdomain(input.resource->name)) /* what is stored has one */
        check_decision(&input.world);
    memory_free(input.memory);
    resource_free(input.resource);
    return 0;
}
