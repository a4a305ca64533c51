#include "test.h"

#include <string.h>

#include "fake_clock.h"
#include "operator/probes.h"

struct world {
    const char *missing; /* NULL: ready */
    unsigned collected;
};

static struct loop *loop;
static struct metrics *metrics;
static struct probes *probes;
static struct world world;
static struct buf body;
static const char *content_type;

static bool is_ready(void *context, const char **missing)
{
    const struct world *seen = context;
    if (seen->missing)
        *missing = seen->missing;
    return !seen->missing;
}

static void collect(void *context, struct buf *page)
{
    struct world *seen = context;
    seen->collected++;
    buf_puts(page, "kept_elsewhere 1\n");
    metrics_set(metrics, METRIC_LEADER, 1, NULL);
}

static int setup(void **state)
{
    (void)state;
    world = (struct world){ 0 };
    loop = test_loop_new();
    metrics = metrics_new();
    probes = probes_new(loop, metrics, is_ready, collect, &world);
    buf_init(&body, 1024 * 1024);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    probes_free(probes);
    metrics_free(metrics);
    buf_done(&body);
    loop_free(loop);
    return 0;
}

static int get(const char *path)
{
    buf_reset(&body);
    content_type = NULL;
    int code = probes_handle(probes, path, &content_type, &body);
    assert_non_null(content_type);
    assert_true(body.length > 0);
    return code;
}

static void test_healthy_while_the_loop_turns(void **state)
{
    (void)state;
    assert_int_equal(get("/healthz"), 200);
    assert_string_equal(buf_text(&body), "ok\n");
    fake_clock_run(loop, 120000);
    assert_int_equal(get("/healthz"), 200);
}

static void test_unhealthy_while_timers_are_late(void **state)
{
    (void)state;
    fake_clock_run(loop, 5000);
    fake_clock_pause(34000); /* the next beat was due after five seconds of them */
    assert_int_equal(get("/healthz"), 200);
    fake_clock_pause(2000);
    assert_int_equal(get("/healthz"), 503);
    assert_non_null(strstr(buf_text(&body), "seconds late"));
    fake_clock_run(loop, 10);
    assert_int_equal(get("/healthz"), 200);
}

static void test_ready_names_what_is_missing(void **state)
{
    (void)state;
    assert_int_equal(get("/readyz"), 200);
    world.missing = "the cache of secrets";
    assert_int_equal(get("/readyz"), 503);
    assert_string_equal(buf_text(&body), "not ready, waiting for: the cache of secrets\n");
    assert_int_equal(get("/healthz"), 200);
}

static void test_metrics_are_collected_first(void **state)
{
    (void)state;
    assert_int_equal(get("/metrics"), 200);
    assert_int_equal(world.collected, 1);
    assert_non_null(strstr(buf_text(&body), "\ndeepgram_operator_leader 1\n"));
    assert_non_null(strstr(buf_text(&body), "kept_elsewhere 1\n"));
    assert_string_equal(content_type, "text/plain; version=0.0.4; charset=utf-8");
}

static void test_metrics_come_whole_or_not_at_all(void **state)
{
    (void)state;
    buf_done(&body);
    buf_init(&body, 100);
    assert_int_equal(get("/metrics"), 500);
    assert_null(strstr(buf_text(&body), "deepgram_operator_"));
}

static void test_other_paths_are_not_found(void **state)
{
    (void)state;
    static const char *const paths[] = { "/", "", "/healthz/", "/metrics2", "/HEALTHZ", "/debug" };
    for (size_t i = 0; i < ARRAY_LENGTH(paths); i++)
        assert_int_equal(get(paths[i]), 404);
}

#define probes_test(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        probes_test(test_healthy_while_the_loop_turns),
        probes_test(test_unhealthy_while_timers_are_late),
        probes_test(test_ready_names_what_is_missing),
        probes_test(test_metrics_are_collected_first),
        probes_test(test_metrics_come_whole_or_not_at_all),
        probes_test(test_other_paths_are_not_found),
    };
    return test_run(tests);
}
