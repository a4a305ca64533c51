#include "test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "operator/metrics.h"

static struct metrics *metrics;
static struct buf page;

static int setup(void **state)
{
    (void)state;
    metrics = metrics_new();
    buf_init(&page, 4 * 1024 * 1024);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    metrics_free(metrics);
    buf_done(&page);
    return 0;
}

static const char *render(void)
{
    buf_reset(&page);
    metrics_render(metrics, &page);
    assert_false(page.failed);
    return buf_text(&page);
}

/* One whole line of the page. */
static void assert_line(const char *text, const char *line)
{
    auto_free char *needle = mem_printf("\n%s\n", line);
    auto_free char *haystack = mem_printf("\n%s", text);
    if (!strstr(haystack, needle))
        fail_msg("no line %s in\n%s", line, text);
}

static void assert_no(const char *text, const char *part)
{
    if (strstr(text, part))
        fail_msg("%s in\n%s", part, text);
}

static void test_counters_add_up(void **state)
{
    (void)state;
    metrics_add(metrics, METRIC_CREDENTIALS_ISSUED, 1, "DeepgramApiKey", NULL);
    metrics_add(metrics, METRIC_CREDENTIALS_ISSUED, 1, "DeepgramApiKey", NULL);
    metrics_add(metrics, METRIC_CREDENTIALS_ISSUED, 0, "DeepgramPullSecret", NULL);
    const char *text = render();
    assert_line(text, "# TYPE deepgram_operator_credentials_issued_total counter");
    assert_line(text, "deepgram_operator_credentials_issued_total{kind=\"DeepgramApiKey\"} 2");
    assert_line(text, "deepgram_operator_credentials_issued_total{kind=\"DeepgramPullSecret\"} 0");
    assert_true(metrics_value(metrics, METRIC_CREDENTIALS_ISSUED, "DeepgramApiKey", NULL) > 1.9);
    assert_true(metrics_value(metrics, METRIC_CREDENTIALS_ISSUED, "other", NULL) < 0.1);
}

static void test_gauges_are_replaced(void **state)
{
    (void)state;
    metrics_set(metrics, METRIC_WATCH_SILENCE_SECONDS, 12.5, "secrets", "", NULL);
    metrics_set(metrics, METRIC_WATCH_SILENCE_SECONDS, 0.25, "secrets", "", NULL);
    const char *text = render();
    assert_line(text, "# TYPE deepgram_operator_watch_silence_seconds gauge");
    assert_line(text, "deepgram_operator_watch_silence_seconds"
                      "{resource=\"secrets\",namespace=\"\"} 0.25");
}

static void test_a_counter_may_be_counted_elsewhere(void **state)
{
    (void)state;
    metrics_set(metrics, METRIC_WORKQUEUE_ADDS, 41, "resources", NULL);
    metrics_set(metrics, METRIC_WORKQUEUE_ADDS, 42, "resources", NULL);
    const char *text = render();
    assert_line(text, "# TYPE workqueue_adds_total counter");
    assert_line(text, "workqueue_adds_total{name=\"resources\"} 42");
}

static void test_histograms_are_cumulative(void **state)
{
    (void)state;
    static const double seconds[] = { 0.0005, 0.001, 0.3, 0.4, 1000 };
    for (size_t i = 0; i < ARRAY_LENGTH(seconds); i++)
        metrics_observe(metrics, METRIC_WORKQUEUE_WORK_SECONDS, seconds[i], "resources", NULL);
    const char *text = render();
    assert_line(text, "# TYPE workqueue_work_duration_seconds histogram");
#define SERIES(suffix, label)                                                                      \
    "workqueue_work_duration_seconds" suffix "{name=\"resources\"" label "}"
    assert_line(text, SERIES("_bucket", ",le=\"0.001\"") " 2");
    assert_line(text, SERIES("_bucket", ",le=\"0.25\"") " 2");
    assert_line(text, SERIES("_bucket", ",le=\"0.5\"") " 4");
    assert_line(text, SERIES("_bucket", ",le=\"60\"") " 4");
    assert_line(text, SERIES("_bucket", ",le=\"+Inf\"") " 5");
    assert_line(text, SERIES("_sum", "") " 1000.7015");
    assert_line(text, SERIES("_count", "") " 5");
#undef SERIES
    double count = metrics_value(metrics, METRIC_WORKQUEUE_WORK_SECONDS, "resources", NULL);
    assert_int_equal((int)count, 5);
}

static void test_large_counts_are_written_in_full(void **state)
{
    (void)state;
    metrics_add(metrics, METRIC_EVENTS_FAILED, 123456789012, NULL);
    assert_line(render(), "deepgram_operator_events_failed_total 123456789012");
}

static void test_label_values_are_escaped(void **state)
{
    (void)state;
    metrics_set(metrics, METRIC_RESOURCES, 1, "a\"b\\c\nd", NULL);
    assert_line(render(), "deepgram_operator_resources{kind=\"a\\\"b\\\\c\\nd\"} 1");
}

static void test_label_values_that_look_alike_are_different_series(void **state)
{
    (void)state;
    metrics_set(metrics, METRIC_WATCH_SILENCE_SECONDS, 1, "a", "b", NULL);
    metrics_set(metrics, METRIC_WATCH_SILENCE_SECONDS, 2, "a\",namespace=\"b", "", NULL);
    metrics_set(metrics, METRIC_WATCH_SILENCE_SECONDS, 3, "", "ab", NULL);
    assert_int_equal(1, metrics_value(metrics, METRIC_WATCH_SILENCE_SECONDS, "a", "b", NULL));
    assert_int_equal(3, metrics_value(metrics, METRIC_WATCH_SILENCE_SECONDS, "", "ab", NULL));
}

static void test_what_is_there_from_the_start(void **state)
{
    (void)state;
    const char *text = render();
    assert_line(text, "deepgram_operator_leader 0");
    assert_line(text, "deepgram_operator_events_failed_total 0");
    const char *build = strstr(text, "\ndeepgram_operator_build_info{version=\"");
    assert_non_null(build);
    assert_int_equal(strncmp(strchr(build, '}'), "} 1\n", strlen("} 1\n")), 0);
    assert_no(text, "deepgram_operator_resources");
}

static void test_order_does_not_depend_on_the_order_of_events(void **state)
{
    (void)state;
    metrics_add(metrics, METRIC_WATCH_RELISTS, 1, "secrets", NULL);
    metrics_add(metrics, METRIC_WATCH_RELISTS, 1, "pods", NULL);
    metrics_add(metrics, METRIC_RECONCILES, 1, "k", "failed", NULL);
    metrics_add(metrics, METRIC_RECONCILES, 1, "k", "done", NULL);
    const char *text = render();
    assert_true(strstr(text, "result=\"done\"") < strstr(text, "result=\"failed\""));
    assert_true(strstr(text, "{resource=\"pods\"}") < strstr(text, "{resource=\"secrets\"}"));
    assert_true(strstr(text, "reconciles_total") < strstr(text, "relists_total"));
}

static void test_too_many_label_values_are_dropped_and_counted(void **state)
{
    (void)state;
    char value[16];
    for (int i = 0; i < METRICS_SERIES_MAX + 5; i++) {
        snprintf(value, sizeof value, "v%d", i);
        metrics_add(metrics, METRIC_WATCH_RELISTS, 1, value, NULL);
    }
    metrics_add(metrics, METRIC_WATCH_RELISTS, 1, "v7", NULL);
    assert_int_equal(metrics_value(metrics, METRIC_WATCH_RELISTS, "v7", NULL), 2);
    assert_int_equal(metrics_value(metrics, METRIC_WATCH_RELISTS, value, NULL), 0);
    const char *text = render();
    assert_line(text, "deepgram_operator_metrics_samples_dropped_total"
                      "{metric=\"deepgram_operator_watch_relists_total\"} 5");
    assert_no(text, "v2000");
}

static void test_the_process_is_described(void **state)
{
    (void)state;
    static const char *const names[] = {
        "process_cpu_seconds_total",
        "process_resident_memory_bytes",
        "process_virtual_memory_bytes",
        "process_open_fds",
        "process_max_fds",
        "process_start_time_seconds",
    };
    const char *text = render();
    for (size_t i = 0; i < ARRAY_LENGTH(names); i++) {
        auto_free char *start = mem_printf("\n%s ", names[i]);
        const char *line = strstr(text, start);
        assert_non_null(line);
        assert_true(strtod(line + strlen(start), NULL) > 0);
    }
    const char *open = strstr(text, "\nprocess_open_fds ");
    assert_int_equal(strtol(open + strlen("\nprocess_open_fds "), NULL, 10),
                     test_open_descriptors() - 3);
}

#define metrics_test(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        metrics_test(test_counters_add_up),
        metrics_test(test_gauges_are_replaced),
        metrics_test(test_a_counter_may_be_counted_elsewhere),
        metrics_test(test_histograms_are_cumulative),
        metrics_test(test_large_counts_are_written_in_full),
        metrics_test(test_label_values_are_escaped),
        metrics_test(test_label_values_that_look_alike_are_different_series),
        metrics_test(test_what_is_there_from_the_start),
        metrics_test(test_order_does_not_depend_on_the_order_of_events),
        metrics_test(test_too_many_label_values_are_dropped_and_counted),
        metrics_test(test_the_process_is_described),
    };
    return test_run(tests);
}
