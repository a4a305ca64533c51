/* The roll-out: whose turn it is, what is waited for, and when a key is taken back. */
#include "reconcile/rollout.h"
#include "reconcile/schedule.h"
#include "world_changes.h"

/* ---- worlds: revision 2 is published, r1 is its predecessor ---- */

static struct workload_view *last(struct world_fixture *fixture)
{
    return &fixture->workloads[fixture->world.consumers.workload_count - 1];
}

static void old_pods(struct world_fixture *fixture, size_t count)
{
    last(fixture)->old_pods = count;
    fixture->world.consumers.old_pods += count;
}

static void proxy(struct world_fixture *fixture)
{
    world_add_workload(fixture, "proxy");
}

static void engine(struct world_fixture *fixture)
{
    world_add_workload(fixture, "engine")->rank = 1;
}

static void all_old(struct world_fixture *fixture)
{
    old_pods(fixture, 3);
}

static void one_old(struct world_fixture *fixture)
{
    old_pods(fixture, 1);
}

static void leaving(struct world_fixture *fixture)
{
    last(fixture)->leaving_pods = last(fixture)->old_pods;
}

static void marked(struct world_fixture *fixture)
{
    last(fixture)->marker = "2";
}

static void marked_1(struct world_fixture *fixture)
{
    last(fixture)->marker = "1";
}

static void busy(struct world_fixture *fixture)
{
    last(fixture)->settled = false;
}

static void paused(struct world_fixture *fixture)
{
    last(fixture)->held = "paused";
}

static void on_delete(struct world_fixture *fixture)
{
    last(fixture)->held = "OnDelete";
}

static void no_pods(struct world_fixture *fixture)
{
    last(fixture)->pods = 0;
}

static void missing(struct world_fixture *fixture)
{
    last(fixture)->uid = NULL;
    last(fixture)->refers = false;
    no_pods(fixture);
}

static void unrelated(struct world_fixture *fixture)
{
    last(fixture)->refers = false;
    no_pods(fixture);
}

static void not_chosen(struct world_fixture *fixture)
{
    last(fixture)->chosen = false;
    fixture->world.consumers.loose_example = "engine-0 (Deployment/engine)";
}

static void no_node(struct world_fixture *fixture)
{
    last(fixture)->unschedulable = (struct pod_note){
        .name = "engine-x",
        .reason = "Unschedulable",
        .message = "0/3 nodes are available: 2 Insufficient nvidia.com/gpu, 1 Insufficient cpu. "
                   "preemption: 0/3 nodes",
    };
    last(fixture)->unschedulable_pods = 1;
}

static void no_node_yet(struct world_fixture *fixture)
{
    no_node(fixture);
    last(fixture)->unschedulable.since_ms = NOW_MS - 14 * SECOND_MS;
}

static void fails_for(struct world_fixture *fixture, int64_t ms)
{
    last(fixture)->unready_pods = 1;
    last(fixture)->failing = (struct pod_note){ .name = "engine-x",
                                                .reason = "CrashLoopBackOff",
                                                .message = "back-off",
                                                .since_ms = NOW_MS - ms };
}

static void stuck_for(struct world_fixture *fixture, int64_t ms)
{
    last(fixture)->stuck = (struct pod_note){ .name = "engine-y",
                                              .reason = "CrashLoopBackOff",
                                              .since_ms = NOW_MS - ms };
}

static void stuck(struct world_fixture *fixture)
{
    stuck_for(fixture, 2 * HOUR_MS - SECOND_MS);
}

static void stuck_too_long(struct world_fixture *fixture)
{
    stuck_for(fixture, 2 * HOUR_MS);
}

static void fails(struct world_fixture *fixture)
{
    fails_for(fixture, 2 * HOUR_MS - SECOND_MS);
}

static void fails_too_long(struct world_fixture *fixture)
{
    fails_for(fixture, 2 * HOUR_MS);
}

static void not_ready_for(struct world_fixture *fixture, int64_t ms)
{
    fails_for(fixture, ms);
    last(fixture)->failing.reason = POD_NOT_READY;
    last(fixture)->failing.message = NULL;
}

static void starting(struct world_fixture *fixture)
{
    not_ready_for(fixture, HOUR_MS - SECOND_MS);
}

static void starting_for_long(struct world_fixture *fixture)
{
    not_ready_for(fixture, HOUR_MS);
}

static void just_published(struct world_fixture *fixture)
{
    fixture->world.target.published_at_ms = NOW_MS - 6 * SECOND_MS;
}

static void another_just_published(struct world_fixture *fixture)
{
    last(fixture)->published_at_ms = NOW_MS - 3 * SECOND_MS;
}

static void mode_wait(struct world_fixture *fixture)
{
    world_put(fixture->json, "spec.rollout", "{\"mode\":\"Wait\"}");
}

static void mode_ignore(struct world_fixture *fixture)
{
    world_put(fixture->json, "spec.rollout", "{\"mode\":\"Ignore\"}");
}

static void bare_pod(struct world_fixture *fixture)
{
    old_pod(fixture);
    fixture->world.consumers.loose_example = "engine-0";
}

static void predecessor_gone(struct world_fixture *fixture)
{
    memory_add_gone(fixture->memory, "key-1", MONOTONIC_MS);
}

static void predecessor_expired(struct world_fixture *fixture)
{
    world_annotate(fixture->secrets[0], ANNOTATION_EXPIRES_AT, "2026-06-01T12:00:00Z");
}

static void put_back_yet(struct world_fixture *fixture)
{
    fixture->world.target.published_at_ms = NOW_MS - 7 * SECOND_MS;
}

static void put_back_just_now(struct world_fixture *fixture)
{
    fixture->world.target.published_at_ms = NOW_MS - 6 * SECOND_MS;
}

/* ---- as text ---- */

static char *describe(const struct world *world)
{
    static const char *const PHASES[] = {
        [ROLLOUT_NONE] = "none",       [ROLLOUT_IGNORED] = "ignored", [ROLLOUT_DONE] = "done",
        [ROLLOUT_RUNNING] = "running", [ROLLOUT_BLOCKED] = "blocked", [ROLLOUT_WAITING] = "waiting",
        [ROLLOUT_TAKEN_BACK] = "back",
    };
    static const char *const ACTIONS[] = {
        [ROLLOUT_DO_NOTHING] = NULL,
        [ROLLOUT_DO_RESTART] = "restart",
        [ROLLOUT_DO_PUT_BACK] = "put-back",
        [ROLLOUT_DO_TAKE_BACK] = "take-back",
    };
    struct rollout rollout;
    rollout_decide(world, &rollout);
    char *text = mem_strdup(PHASES[rollout.phase]);
    if (ACTIONS[rollout.action])
        world_append(&text, ACTIONS[rollout.action]);
    if (rollout.workload)
        world_append(&text, rollout.workload->name);
    if (rollout.again_ms != INT64_MAX) {
        auto_free char *again =
            mem_printf("again in %g s", (double)(rollout.again_ms - world->now_ms) / 1000);
        world_append(&text, again);
    }
    return text;
}

struct row {
    const char *name;
    world_change_fn *with[FIXTURE_CHANGES_MAX];
    const char *wanted;
};

static void expect(const struct row *rows, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        auto_world struct world_fixture *fixture = world_fixture_new(rows[i].with);
        auto_free char *text = describe(&fixture->world);
        fixture_expect(rows[i].name, text, rows[i].wanted);
    }
}

static void expect_messages(const struct row *rows, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        auto_world struct world_fixture *fixture = world_fixture_new(rows[i].with);
        struct rollout rollout;
        rollout_decide(&fixture->world, &rollout);
        fixture_expect(rows[i].name, rollout.message, rows[i].wanted);
    }
}

/* ---- tables ---- */

static void test_whose_turn_it_is(void **state)
{
    (void)state;
    static const struct row rows[] = {
        { "nothing published", { kept }, "none" },
        { "pull credentials", { pull_secret, rolling, engine, all_old }, "none" },
        { "no consumers", { rolling }, "done" },
        { "the first credential restarts nobody",
          { published, not_rolled_out, engine, all_old },
          "done" },
        { "older pods", { rolling, engine, all_old }, "running restart engine" },
        { "one older pod is enough", { rolling, engine, one_old }, "running restart engine" },
        { "all pods are newer", { rolling, engine }, "done" },
        { "no pods", { rolling, engine, no_pods }, "done" },
        { "the first of two",
          { rolling, proxy, all_old, engine, all_old },
          "running restart proxy" },
        { "the next waits for the last old pod of the first",
          { rolling, proxy, one_old, marked, engine, all_old },
          "running" },
        { "terminating ones included",
          { rolling, proxy, one_old, leaving, marked, engine, all_old },
          "running" },
        { "then it is its turn",
          { rolling, proxy, marked, engine, all_old },
          "running restart engine" },
        { "what is marked already isn't restarted again",
          { rolling, engine, all_old, marked },
          "running" },
        { "another revision's marker is no reason not to",
          { rolling, engine, all_old, marked_1 },
          "running restart engine" },
        { "only terminating pods are old", { rolling, engine, one_old, leaving }, "running" },
        { "a roll-out of somebody else is waited for",
          { rolling, engine, one_old, busy },
          "running" },
        { "also while its pods can't start",
          { rolling, engine, one_old, busy, stuck },
          "running again in 1 s" },
        { "but not for longer than ours would be given",
          { rolling, engine, one_old, busy, stuck_too_long },
          "running restart engine" },
        { "nor before every kubelet has the new key",
          { rolling, engine, all_old, busy, stuck_too_long, just_published },
          "running again in 1 s" },
        { "a key that its pods fail on is taken back all the same",
          { rolling, engine, one_old, busy, marked_1, fails_too_long },
          "running take-back" },
        { "not before every kubelet has the new key",
          { rolling, engine, all_old, just_published },
          "running again in 1 s" },
        { "nor before that of another resource",
          { rolling, engine, all_old, another_just_published },
          "running again in 4 s" },
        { "what was finished once stays so", { rotating, engine, all_old }, "done" },
        { "Wait", { rolling, mode_wait, engine, all_old, not_chosen }, "waiting" },
        { "Ignore", { rolling, mode_ignore, engine, all_old }, "ignored" },
        { "pods of nobody are waited for at the end",
          { rolling, engine, marked, bare_pod },
          "waiting" },
        { "and hold up no restart",
          { rolling, bare_pod, engine, all_old },
          "running restart engine" },
        { "what isn't there holds up nothing",
          { rolling, proxy, missing, engine, all_old },
          "running restart engine" },
        { "nor what doesn't refer to the Secret",
          { rolling, proxy, unrelated, engine, all_old },
          "running restart engine" },
    };
    expect(rows, ARRAY_LENGTH(rows));
}

static void test_what_holds_it_up(void **state)
{
    (void)state;
    static const struct row rows[] = {
        { "paused", { rolling, engine, all_old, paused }, "blocked" },
        { "paused in the midst of it", { rolling, engine, one_old, marked, paused }, "blocked" },
        { "paused, but all pods are newer", { rolling, engine, paused }, "done" },
        { "paused without pods", { rolling, engine, no_pods, paused }, "done" },
        { "OnDelete", { rolling, engine, all_old, on_delete }, "blocked" },
        { "OnDelete, and the old ones go",
          { rolling, engine, one_old, leaving, on_delete },
          "running" },
        { "no node", { rolling, engine, all_old, marked, no_node }, "blocked" },
        { "not when a pod has just begun to look for one",
          { rolling, engine, all_old, marked, no_node_yet },
          "running again in 1 s" },
    };
    expect(rows, ARRAY_LENGTH(rows));
}

static void test_when_a_key_is_taken_back(void **state)
{
    (void)state;
    static const struct row rows[] = {
        { "new pods fail", { rolling, engine, one_old, marked, fails }, "running again in 1 s" },
        { "just starting, half of the time is awaited first",
          { rolling, engine, one_old, marked, starting },
          "running again in 1 s" },
        { "then all of it",
          { rolling, engine, one_old, marked, starting_for_long },
          "running again in 3600 s" },
        { "for too long",
          { rolling, engine, one_old, marked, fails_too_long },
          "running take-back" },
        { "also when no old pod is left",
          { rolling, engine, marked, fails_too_long },
          "running take-back" },
        { "and the next workload waits",
          { rolling, proxy, marked, fails, engine, all_old },
          "running again in 1 s" },
        { "not where somebody else restarted", { rolling, engine, fails_too_long }, "done" },
        { "not once all was well", { rotating, engine, marked, fails_too_long }, "done" },
        { "not when there is nothing to go back to",
          { rolling, predecessor_gone, engine, one_old, marked, fails_too_long },
          "running" },
        { "nor when that has expired",
          { rolling, predecessor_expired, engine, one_old, marked, fails_too_long },
          "running" },
        { "waiting for a node is no failure",
          { rolling, engine, one_old, marked, no_node },
          "blocked" },
        { "failed, and not yet replaced: publishing is next",
          { rolling, failed, engine, marked },
          "none" },
        { "back: what was restarted for it is put back",
          { taken_back, engine, all_old, marked },
          "back put-back engine" },
        { "as soon as no kubelet has the failed key",
          { taken_back, put_back_yet, engine, marked },
          "back put-back engine" },
        { "and not before",
          { taken_back, put_back_just_now, engine, marked },
          "back again in 1 s" },
        { "what wasn't restarted is left alone", { taken_back, engine, all_old }, "back" },
        { "as is what was put back", { taken_back, engine, all_old, marked_1 }, "back" },
    };
    expect(rows, ARRAY_LENGTH(rows));
}

static void test_messages(void **state)
{
    (void)state;
    static const struct row rows[] = {
        { "progress",
          { rolling, proxy, engine, one_old, marked, no_node },
          "2 of 2: engine 2/3 pods on revision 2, 1 pending: insufficient nvidia.com/gpu, cpu (pod "
          "engine-x)" },
        { "terminating",
          { rolling, engine, one_old, leaving, marked },
          "1 of 1: engine 2/3 pods on revision 2, 1 terminating" },
        { "paused",
          { rolling, engine, all_old, paused },
          "1 of 1: engine 0/3 pods on revision 2, it is paused: resume it (kubectl rollout "
          "resume)" },
        { "somebody else's roll-out",
          { rolling, engine, all_old, busy },
          "1 of 1: engine 0/3 pods on revision 2, waiting for the roll-out that is under way "
          "there" },
        { "failing",
          { rolling, engine, one_old, marked, fails },
          "1 of 1: engine 2/3 pods on revision 2, pod engine-x of Deployment engine: "
          "CrashLoopBackOff (back-off); unless that ends, the older credential is put back at "
          "2026-06-01T12:00:01Z" },
        { "failing where nothing is put back any more",
          { rolling, engine, one_old, marked, fails, deleting },
          "1 of 1: engine 2/3 pods on revision 2, pod engine-x of Deployment engine: "
          "CrashLoopBackOff (back-off)" },
        { "nor for now",
          { rolling, engine, one_old, marked, fails, suspended },
          "1 of 1: engine 2/3 pods on revision 2, pod engine-x of Deployment engine: "
          "CrashLoopBackOff (back-off)" },
        { "starting",
          { rolling, engine, one_old, marked, starting },
          "1 of 1: engine 2/3 pods on revision 2, 1 starting" },
        { "starting for unusually long",
          { rolling, engine, one_old, marked, starting_for_long },
          "1 of 1: engine 2/3 pods on revision 2, pod engine-x of Deployment engine: NotReady; "
          "unless that ends, the older credential is put back at 2026-06-01T13:00:00Z" },
        { "why it is taken back",
          { rolling, engine, one_old, marked, fails_too_long, proxy, missing },
          "pod engine-x of Deployment engine: CrashLoopBackOff (back-off)" },
        { "back",
          { taken_back, engine, all_old },
          "Pods failed on revision 2, pod e-0 CrashLoopBackOff: revision 1 is back in Secret "
          "voice. "
          "Another one is tried at 2026-06-01T12:09:50Z, or at a new value of the annotation "
          "deepgram.com/rotate" },
        { "others' pods",
          { rolling, bare_pod },
          "1 pod(s) that use Secret voice are older than revision 2 and are not restarted by the "
          "operator, among them engine-0: the older credential stays alive until they are gone" },
        { "pods under an earlier name",
          { rolling, old_target_in_use },
          "No pod that uses Secret voice is older than revision 2. 2 pod(s) refer to Secret "
          "before, an earlier spec.secret.name, among them api-0: what they may hold stays alive "
          "until none does" },
        { "under which nothing older can be held",
          { published, old_target_in_use },
          "No pod that uses Secret voice is older than revision 1" },
        { "done, but for what isn't there",
          { rolling, engine, missing },
          "No pod that uses Secret voice is older than revision 2. Deployment engine of "
          "spec.rollout.workloads doesn't exist" },
        { "or isn't concerned",
          { rolling, engine, unrelated },
          "No pod that uses Secret voice is older than revision 2. Deployment engine of "
          "spec.rollout.workloads doesn't refer to the Secret" },
    };
    expect_messages(rows, ARRAY_LENGTH(rows));
}

static void test_order(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        const char *spec;
        const char *order;
    } rows[] = {
        { "by rank, then by kind and name", "{}", "proxy engine-a engine-b api a-set other" },
        { "as the spec names them, others last",
          "{\"rollout\":{\"workloads\":[{\"kind\":\"Deployment\",\"name\":\"api\"},"
          "{\"kind\":\"StatefulSet\",\"name\":\"engine-b\"},"
          "{\"kind\":\"DaemonSet\",\"name\":\"other\"}]}}",
          "api engine-b other proxy engine-a a-set" },
    };
    for (size_t i = 0; i < ARRAY_LENGTH(rows); i++) {
        struct workload_view workloads[] = {
            { .name = "other", .kind = WORKLOAD_DAEMON_SET, .rank = 3 },
            { .name = "api", .rank = 2 },
            { .name = "engine-b", .kind = WORKLOAD_STATEFUL_SET, .rank = 1 },
            { .name = "a-set", .kind = WORKLOAD_STATEFUL_SET, .rank = 3 },
            { .name = "engine-a", .rank = 1 },
            { .name = "proxy", .rank = 0 },
        };
        auto_json cJSON *json = fixture_json(rows[i].spec);
        json_add_string(json, "projectId", FIXTURE_PROJECT);
        struct spec spec;
        struct err err = ERR_INIT;
        assert_true(spec_parse(RESOURCE_API_KEY, json, "voice", &spec, &err));
        rollout_sort(workloads, ARRAY_LENGTH(workloads), &spec);
        auto_free char *text = NULL;
        for (size_t w = 0; w < ARRAY_LENGTH(workloads); w++)
            world_append(&text, workloads[w].name);
        fixture_expect(rows[i].name, text, rows[i].order);
    }
}

/* ---- the rules around it ---- */

static void failed_pods(struct world_fixture *fixture)
{
    fixture->world.consumers.failed_pods = 1;
}

static void failed_gone(struct world_fixture *fixture)
{
    memory_add_gone(fixture->memory, "key-2", MONOTONIC_MS);
}

static void an_hour_later(struct world_fixture *fixture)
{
    fixture->world.now_ms += HOUR_MS;
}

static void failed_thrice(struct world_fixture *fixture)
{
    world_annotate(fixture->secrets[1], ANNOTATION_FAILED_COUNT, "3");
}

static void both_from_this_rotate_token(struct world_fixture *fixture)
{
    rotation_requested(fixture);
    world_annotate(fixture->secrets[1], ANNOTATION_ROTATE, "now");
}

static void test_steps(void **state)
{
    (void)state;
    static const struct world_row rows[] = {
        { "a workload is restarted", { rolling, engine, all_old }, "restart r2 engine" },
        { "also when Deepgram fails",
          { rolling, engine, all_old, deepgram_fails },
          "restart r2 engine" },
        { "not while suspended",
          { rolling, engine, all_old, suspended },
          "report Suspended Suspended for an event" },
        { "a key that pods fail on is noted as failed",
          { rolling, engine, one_old, marked, fails_too_long },
          "take-back r2" },
        { "then its predecessor is published, without a check",
          { rolling, failed, engine },
          "publish r1" },
        { "once it was seen alive",
          { rolling, failed, engine, key_1_unlisted },
          "confirm r1 key-1" },
        { "which its own answer shows too",
          { rolling, failed, engine, key_1_unlisted, key_1_confirmed },
          "publish r1" },
        { "and not while Deepgram fails",
          { rolling, failed, engine, key_1_unlisted, deepgram_fails },
          "report Progressing DeepgramUnavailable for 20 s" },
        { "then workloads are put back",
          { taken_back, engine, all_old, marked },
          "put-back r1 engine" },
        { "then the failed one is revoked when no pod is on it",
          { taken_back },
          "revoke key-2 (Retired)" },
        { "pods that may hold it keep it alive",
          { taken_back, failed_pods },
          "report Ready for 500 s" },
        { "its Secret stays and tells what was tried",
          { taken_back, failed_gone },
          "report Ready for 500 s" },
        { "another one after ten minutes",
          { taken_back, failed_gone, an_hour_later },
          "announce r3 (RolledBack)" },
        { "or at a new rotate token",
          { taken_back, failed_gone, rotation_requested },
          "announce r3 (RotationRequested)" },
        { "the same token isn't one",
          { taken_back, failed_gone, both_from_this_rotate_token },
          "report Ready for 500 s" },
        { "or when the spec changes",
          { taken_back, failed_gone, spec_changed },
          "announce r3 (SpecChanged)" },
        { "the old one isn't revoked while pods hold it",
          { rotated, not_rolled_out, engine, one_old, marked },
          "report Ready for 500 s" },
        { "but with Ignore it is",
          { rotated, mode_ignore, engine, all_old, marked },
          "revoke key-1 (Retired)" },
    };
    world_expect_steps(rows, ARRAY_LENGTH(rows));
}

static void test_the_time_between_two_attempts(void **state)
{
    (void)state;
    auto_world struct world_fixture *once = WORLD(taken_back);
    auto_world struct world_fixture *thrice = WORLD(taken_back, failed_thrice);
    auto_world struct world_fixture *never = WORLD(rotating);
    assert_int_equal(schedule_retry_ms(&once->world), NOW_MS + 590 * SECOND_MS);
    assert_int_equal(schedule_retry_ms(&thrice->world), NOW_MS + 2390 * SECOND_MS);
    assert_int_equal(schedule_retry_ms(&never->world), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_whose_turn_it_is),
        cmocka_unit_test(test_what_holds_it_up),
        cmocka_unit_test(test_when_a_key_is_taken_back),
        cmocka_unit_test(test_messages),
        cmocka_unit_test(test_order),
        cmocka_unit_test(test_steps),
        cmocka_unit_test(test_the_time_between_two_attempts),
    };
    return fixture_run(tests);
}
