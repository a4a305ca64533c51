/* Who uses a target: pods and workloads as the caches show them. */
#include "caches_fixture.h"
#include "world_changes.h"

#include "operator/consumers.h"

static const struct options options;

static int setup(void **state)
{
    (void)state;
    caches_open(&options);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    caches_close();
    return 0;
}

/* ---- what is in the cluster: the target is published at 11:00:00 ---- */

static void an_hour_ago(struct world_fixture *fixture)
{
    fixture->world.target.published_at_ms = NOW_MS - HOUR_MS;
}

static void put_workload(enum workload_kind kind, const char *name, const char *annotations,
                         const char *more)
{
    auto_free char *text = mem_printf(
        "{\"metadata\":{\"namespace\":\"team\",\"name\":\"%s\",\"uid\":\"uid-%s\","
        "\"resourceVersion\":\"1\"%s},\"spec\":{\"template\":{\"metadata\":{\"annotations\":{%s}},"
        "\"spec\":{\"containers\":[{\"envFrom\":[{\"secretRef\":{\"name\":\"voice\"}},"
        "{\"secretRef\":{\"name\":\"other\"}}]}]}}}}",
        name, name, more, annotations);
    store_put(caches->workloads[kind], fixture_json(text));
}

static void put_pod(const char *name, const char *owner, const char *created, const char *more)
{
    auto_free char *text = mem_printf(
        "{\"metadata\":{\"namespace\":\"team\",\"name\":\"%s\",\"resourceVersion\":\"1\","
        "\"creationTimestamp\":\"2026-06-01T%sZ\",\"labels\":{\"pod-template-hash\":\"1\"},"
        "\"annotations\":{\"revision.deepgram.com/voice\":\"2\"}%s%s},\"spec\":{\"containers\":"
        "[{\"envFrom\":[{\"secretRef\":{\"name\":\"voice\"}}]}]}%s}",
        name, created, *owner ? ",\"ownerReferences\":[{\"controller\":true,\"kind\":" : "", owner,
        more);
    store_put(caches->pods, fixture_json(text));
}

#define MARKED(revision) "\"revision.deepgram.com/voice\":\"" revision "\""
#define OF_ENGINE "\"ReplicaSet\",\"name\":\"engine-1\"}]"
#define STATUS(ready, more)                                                                        \
    ",\"status\":{\"conditions\":[{\"type\":\"Ready\",\"status\":\"" ready "\","                   \
    "\"lastTransitionTime\":\"2026-06-01T11:30:00Z\"}]" more "}"
#define STARTED(time)                                                                              \
    ",\"containerStatuses\":[{\"state\":{\"running\":{\"startedAt\":\"2026-06-01T" time "Z\"}}}]"
#define WAITING(reason)                                                                            \
    ",\"containerStatuses\":[{\"state\":{\"waiting\":{\"reason\":\"" reason "\"}}}]"

/* ---- workloads ---- */

static void put_target(const char *name, const char *published_at)
{
    auto_free char *text =
        mem_printf("{\"metadata\":{\"namespace\":\"team\",\"name\":\"%s\",\"uid\":\"u\","
                   "\"resourceVersion\":\"1\",\"annotations\":{\"deepgram.com/template\":\"x\","
                   "\"deepgram.com/published-at\":\"2026-06-01T%sZ\"}}}",
                   name, published_at);
    store_put(caches->secrets, fixture_json(text));
}

static void test_workloads_are_found_by_the_secret(void **state)
{
    (void)state;
    put_workload(WORKLOAD_STATEFUL_SET, "api", "", "");
    put_workload(WORKLOAD_DEPLOYMENT, "engine", "\"revision.deepgram.com/voice\":\"2\"", "");
    put_workload(WORKLOAD_DAEMON_SET, "going", "", ",\"deletionTimestamp\":\"t\"");
    put_target("voice", "11:00:00");
    put_target("other", "11:10:00");
    auto_world struct world_fixture *fixture = WORLD(rolling, an_hour_ago);
    struct consumers *consumers = consumers_gather(caches, &fixture->world);
    assert_int_equal(consumers->view.workload_count, 2);
    const struct workload_view *engine = &consumers->view.workloads[0];
    assert_string_equal(engine->name, "engine");
    assert_string_equal(engine->uid, "uid-engine");
    assert_string_equal(engine->marker, "2");
    assert_true(engine->refers && engine->chosen && engine->settled && !engine->held);
    assert_int_equal(engine->published_at_ms, NOW_MS - 50 * MINUTE_MS);
    assert_string_equal(consumers->view.workloads[1].name, "api");
    assert_string_equal(consumers->view.workloads[1].marker, "");
    consumers_free(consumers);
    consumers_free(NULL);
}

static void names_three(struct world_fixture *fixture)
{
    world_put(fixture->json, "spec.rollout",
              "{\"workloads\":[{\"kind\":\"Deployment\",\"name\":\"gone\"},{\"kind\":"
              "\"StatefulSet\",\"name\":\"idle\"},{\"kind\":\"Deployment\",\"name\":\"engine\"}]}");
}

static void test_the_spec_names_workloads(void **state)
{
    (void)state;
    put_workload(WORKLOAD_DEPLOYMENT, "api", "", "");
    put_workload(WORKLOAD_DEPLOYMENT, "engine", "", "");
    store_put(caches->workloads[WORKLOAD_STATEFUL_SET],
              fixture_json("{\"metadata\":{\"namespace\":\"team\",\"name\":\"idle\",\"uid\":\"u\","
                           "\"resourceVersion\":\"1\"}}"));
    auto_world struct world_fixture *fixture = WORLD(rolling, names_three);
    struct consumers *consumers = consumers_gather(caches, &fixture->world);
    auto_free char *text = NULL;
    for (size_t i = 0; i < consumers->view.workload_count; i++) {
        const struct workload_view *view = &consumers->view.workloads[i];
        auto_free char *one =
            mem_printf("%s%s%s%s", view->name, view->uid ? "" : "-missing",
                       view->refers ? "" : "-unrelated", view->chosen ? "" : "-unchosen");
        world_append(&text, one);
    }
    assert_string_equal(text, "gone-missing-unrelated-unchosen idle-unrelated engine "
                              "api-unchosen");
    consumers_free(consumers);
}

static void test_Wait_chooses_none(void **state)
{
    (void)state;
    put_workload(WORKLOAD_DEPLOYMENT, "engine", "", "");
    auto_world struct world_fixture *fixture = WORLD(rolling);
    world_put(fixture->resource->json, "spec.rollout", "{\"mode\":\"Wait\"}");
    fixture->resource->spec.rollout_mode = ROLLOUT_WAIT;
    struct consumers *consumers = consumers_gather(caches, &fixture->world);
    assert_false(consumers->view.workloads[0].chosen);
    consumers_free(consumers);
}

/* ---- pods ---- */

static void test_pods_are_old_by_their_age(void **state)
{
    (void)state;
    put_workload(WORKLOAD_DEPLOYMENT, "engine", "\"revision.deepgram.com/voice\":\"2\"", "");
    put_pod("before", OF_ENGINE, "10:59:59", STATUS("True", ""));
    put_pod("too-near", OF_ENGINE, "11:00:05", STATUS("True", ""));
    put_pod("after", OF_ENGINE, "11:00:06", STATUS("True", ""));
    put_pod("done", OF_ENGINE, "10:00:00", ",\"status\":{\"phase\":\"Succeeded\"}");
    put_pod("bare", "", "10:00:00", "");
    put_pod("newer-bare", "", "11:30:00", "");
    put_pod("job-1", "\"Job\",\"name\":\"job\"}]", "11:30:00", "");
    auto_world struct world_fixture *fixture = WORLD(rolling, an_hour_ago);
    struct consumers *consumers = consumers_gather(caches, &fixture->world);
    const struct consumers_view *view = &consumers->view;
    assert_int_equal(view->pods, 6);
    assert_int_equal(view->old_pods, 3);
    assert_string_equal(view->loose_example, "bare");
    assert_int_equal(view->workloads[0].pods, 3);
    assert_int_equal(view->workloads[0].old_pods, 2);
    assert_int_equal(view->workloads[0].unready_pods, 0);
    consumers_free(consumers);
}

static void test_the_owner_of_a_loose_pod_is_named(void **state)
{
    (void)state;
    put_pod("job-1", "\"Job\",\"name\":\"job\"}]", "10:30:00", "");
    auto_world struct world_fixture *fixture = WORLD(rolling, an_hour_ago);
    struct consumers *consumers = consumers_gather(caches, &fixture->world);
    assert_string_equal(consumers->view.loose_example, "job-1 (Job/job)");
    assert_string_equal(consumers->view.example, "job-1");
    assert_string_equal(consumers->view.old_example, "job-1");
    consumers_free(consumers);
}

static void test_how_new_pods_do(void **state)
{
    (void)state;
    static const struct {
        const char *name, *created, *status;
        const char *failing; /* NULL: it doesn't */
        int64_t since_ms;
        size_t unready;
        size_t unschedulable;
    } rows[] = {
        { "ready", "11:10:00", STATUS("True", ""), NULL, 0, 0, 0 },
        { "not ready since", "11:10:00", STATUS("False", ""), "NotReady", NOW_MS - 30 * MINUTE_MS,
          1, 0 },
        { "no status yet", "11:10:00", "", "NotReady", NOW_MS - 50 * MINUTE_MS, 1, 0 },
        { "crashing, from its beginning", "11:10:00", STATUS("False", WAITING("CrashLoopBackOff")),
          "CrashLoopBackOff", NOW_MS - 50 * MINUTE_MS, 1, 0 },
        { "without an image", "11:10:00", STATUS("False", WAITING("ErrImagePull")), "ErrImagePull",
          NOW_MS - 30 * MINUTE_MS, 1, 0 },
        { "an old one", "10:10:00", STATUS("False", ""), NULL, 0, 0, 0 },
        { "without a node", "11:10:00",
          ",\"status\":{\"conditions\":[{\"type\":\"PodScheduled\",\"status\":\"False\","
          "\"message\":\"none\"}]}",
          NULL, 0, 0, 1 },
    };
    for (size_t i = 0; i < ARRAY_LENGTH(rows); i++) {
        (void)teardown(NULL);
        (void)setup(NULL);
        put_workload(WORKLOAD_DEPLOYMENT, "engine", "\"revision.deepgram.com/voice\":\"2\"", "");
        put_pod("engine-x", OF_ENGINE, rows[i].created, rows[i].status);
        auto_world struct world_fixture *fixture = WORLD(rolling, an_hour_ago);
        struct consumers *consumers = consumers_gather(caches, &fixture->world);
        const struct workload_view *engine = &consumers->view.workloads[0];
        fixture_expect(rows[i].name, engine->failing.reason, rows[i].failing);
        assert_int_equal(engine->failing.since_ms, rows[i].since_ms);
        assert_int_equal(engine->unready_pods, rows[i].unready);
        assert_int_equal(engine->unschedulable_pods, rows[i].unschedulable);
        assert_int_equal(engine->unschedulable.since_ms,
                         rows[i].unschedulable ? NOW_MS - 50 * MINUTE_MS : 0);
        consumers_free(consumers);
    }
}

static void test_a_pod_of_another_template_doesnt_fail_for_this_revision(void **state)
{
    (void)state;
    put_workload(WORKLOAD_DEPLOYMENT, "engine", "\"revision.deepgram.com/voice\":\"3\"", "");
    put_pod("engine-x", OF_ENGINE, "11:10:00", STATUS("False", ""));
    auto_world struct world_fixture *fixture = WORLD(rolling, an_hour_ago);
    struct consumers *consumers = consumers_gather(caches, &fixture->world);
    assert_null(consumers->view.workloads[0].failing.name);
    assert_int_equal(consumers->view.workloads[0].unready_pods, 1);
    consumers_free(consumers);
}

static void test_an_old_pod_of_the_present_template_is_stuck(void **state)
{
    (void)state;
    static const struct {
        const char *name, *marker, *status;
        const char *stuck; /* NULL: it isn't */
    } rows[] = {
        { "crashing", MARKED("2"), STATUS("False", WAITING("CrashLoopBackOff")),
          "CrashLoopBackOff" },
        { "of another template", MARKED("3"), STATUS("False", WAITING("CrashLoopBackOff")), NULL },
        { "ready", MARKED("2"), STATUS("True", ""), NULL },
        { "taking its time", MARKED("2"), STATUS("False", ""), NULL },
    };
    for (size_t i = 0; i < ARRAY_LENGTH(rows); i++) {
        (void)teardown(NULL);
        (void)setup(NULL);
        put_workload(WORKLOAD_DEPLOYMENT, "engine", rows[i].marker, "");
        put_pod("engine-x", OF_ENGINE, "10:50:00", rows[i].status);
        auto_world struct world_fixture *fixture = WORLD(rolling, an_hour_ago);
        struct consumers *consumers = consumers_gather(caches, &fixture->world);
        const struct workload_view *engine = &consumers->view.workloads[0];
        fixture_expect(rows[i].name, engine->stuck.reason, rows[i].stuck);
        assert_null(engine->failing.name);
        consumers_free(consumers);
    }
}

/* Revision 2 was published at 10:30 and taken back at 11:00. */
static void back_since_eleven(struct world_fixture *fixture)
{
    taken_back(fixture);
    an_hour_ago(fixture);
    world_annotate(fixture->secrets[1], ANNOTATION_PUBLISHED_AT, "2026-06-01T10:30:00Z");
}

static void gone_by_now(struct world_fixture *fixture)
{
    memory_add_gone(fixture->memory, "key-2", MONOTONIC_MS);
}

static void test_who_may_hold_what_failed(void **state)
{
    (void)state;
    static const struct {
        const char *name, *created, *status;
        size_t holds;
    } rows[] = {
        { "started before", "10:00:00", STATUS("True", STARTED("10:29:59")), 0 },
        { "started meanwhile", "10:40:00", STATUS("True", STARTED("10:40:10")), 1 },
        { "an old pod whose container started again", "10:00:00",
          STATUS("True", STARTED("10:45:00")), 1 },
        { "not started yet", "10:00:00", STATUS("False", WAITING("ContainerCreating")), 1 },
        { "made after it was taken back", "11:00:06", STATUS("True", STARTED("11:00:10")), 0 },
    };
    for (size_t i = 0; i < ARRAY_LENGTH(rows); i++) {
        (void)teardown(NULL);
        (void)setup(NULL);
        put_pod("p", "", rows[i].created, rows[i].status);
        auto_world struct world_fixture *fixture = WORLD(back_since_eleven);
        struct consumers *consumers = consumers_gather(caches, &fixture->world);
        if (consumers->view.failed_pods != rows[i].holds)
            fail_msg("%s", rows[i].name);
        consumers_free(consumers);
        auto_world struct world_fixture *gone = WORLD(back_since_eleven, gone_by_now);
        consumers = consumers_gather(caches, &gone->world);
        assert_int_equal(consumers->view.failed_pods, 0);
        consumers_free(consumers);
    }
}

static void test_a_pod_holds_pull_credentials_while_it_pulls(void **state)
{
    (void)state;
    static const struct {
        const char *name, *status;
        size_t old;
    } rows[] = {
        { "it has its images", STATUS("True", STARTED("10:00:10")), 0 },
        { "it pulls", STATUS("False", WAITING("ContainerCreating")), 1 },
        { "it will try again, with what the Secret holds then",
          STATUS("False", WAITING("ImagePullBackOff")), 0 },
    };
    for (size_t i = 0; i < ARRAY_LENGTH(rows); i++) {
        auto_free char *text = mem_printf(
            "{\"metadata\":{\"namespace\":\"team\",\"name\":\"p\",\"resourceVersion\":\"%zu\","
            "\"creationTimestamp\":\"2026-06-01T10:00:00Z\"},\"spec\":{\"containers\":[{}],"
            "\"imagePullSecrets\":[{\"name\":\"voice\"}]}%s}",
            i + 1, rows[i].status);
        store_put(caches->pods, fixture_json(text));
        auto_world struct world_fixture *fixture = WORLD(pull_secret, rolling, an_hour_ago);
        struct consumers *consumers = consumers_gather(caches, &fixture->world);
        assert_int_equal(consumers->view.pods, 1);
        if (consumers->view.old_pods != rows[i].old)
            fail_msg("%s", rows[i].name);
        consumers_free(consumers);
    }
}

#define test(function) cmocka_unit_test_setup_teardown(function, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        test(test_workloads_are_found_by_the_secret),
        test(test_the_spec_names_workloads),
        test(test_Wait_chooses_none),
        test(test_pods_are_old_by_their_age),
        test(test_the_owner_of_a_loose_pod_is_named),
        test(test_how_new_pods_do),
        test(test_a_pod_of_another_template_doesnt_fail_for_this_revision),
        test(test_an_old_pod_of_the_present_template_is_stuck),
        test(test_who_may_hold_what_failed),
        test(test_a_pod_holds_pull_credentials_while_it_pulls),
    };
    return fixture_run(tests);
}
