/* A series is found by the text of its labels as it will be rendered, so that a scrape only has to
 * copy. Buckets are the same for all histograms: from a cache hit to a transfer that times out. */
#include "operator/metrics.h"

#include <assert.h>
#include <stdarg.h>
#include <string.h>

#include "base/clock.h"
#include "operator/process.h"
#include "operator/version.h"

#define uthash_malloc(size) mem_alloc(size)
#define uthash_free(block, size) mem_free(block)
#include <uthash.h>

enum { LABELS_MAX = 3, LABELS_TEXT_MAX_BYTES = 4096, BUCKETS = 12 };

static const double bucket_bounds[BUCKETS] = {
    0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5, 15, 60,
};

enum type { COUNTER, GAUGE, HISTOGRAM };
static const char *const type_names[] = { "counter", "gauge", "histogram" };

/* clang-format off: a table */
static const struct descriptor {
    const char *name;
    const char *help;
    enum type type;
    const char *labels[LABELS_MAX + 1];
} descriptors[METRIC_COUNT] = {
    [METRIC_BUILD_INFO] = { "deepgram_operator_build_info",
                            "Always 1; the label tells the version.",
                            GAUGE,
                            { "version" } },
    [METRIC_LEADER] = { "deepgram_operator_leader",
                        "1 while this replica is the leader, otherwise 0.",
                        GAUGE,
                        { NULL } },
    [METRIC_RESOURCES] = { "deepgram_operator_resources",
                           "Resources that exist.",
                           GAUGE,
                           { "kind" } },
    [METRIC_RESOURCES_READY] = { "deepgram_operator_resources_ready",
                                 "Resources whose condition Ready is True.",
                                 GAUGE,
                                 { "kind" } },
    [METRIC_CREDENTIALS_ISSUED] = { "deepgram_operator_credentials_issued_total",
                                    "Credentials created at Deepgram.",
                                    COUNTER,
                                    { "kind" } },
    [METRIC_CREDENTIALS_ROTATED] = { "deepgram_operator_credentials_rotated_total",
                                     "Credentials published in place of an earlier one.",
                                     COUNTER,
                                     { "kind" } },
    [METRIC_CREDENTIALS_REVOKED] = { "deepgram_operator_credentials_revoked_total",
                                     "Credentials revoked at Deepgram and confirmed gone.",
                                     COUNTER,
                                     { "kind" } },
    [METRIC_CREDENTIALS_ORPHANED] = { "deepgram_operator_credentials_orphaned_total",
                                      "Credentials that no revision named, found by their marker "
                                      "and revoked.",
                                      COUNTER,
                                      { "kind" } },
    [METRIC_ROLLBACKS] = { "deepgram_operator_rollbacks_total",
                           "Credentials taken back because pods failed on them.",
                           COUNTER,
                           { "kind" } },
    [METRIC_UNKNOWN_OUTCOMES] = { "deepgram_operator_unknown_outcomes_total",
                                  "Creates whose answer was lost: Deepgram may or may not have "
                                  "carried them out.",
                                  COUNTER,
                                  { "kind" } },
    [METRIC_RECONCILES] = { "deepgram_operator_reconciles_total",
                            "Passes over a resource, by result.",
                            COUNTER,
                            { "kind", "result" } },
    [METRIC_EVENTS_FAILED] = { "deepgram_operator_events_failed_total",
                               "Kubernetes Events that could not be written.",
                               COUNTER,
                               { NULL } },
    [METRIC_DEEPGRAM_REQUESTS] = { "deepgram_operator_deepgram_requests_total",
                                   "Requests to Deepgram, by HTTP status; code 0 is no answer.",
                                   COUNTER,
                                   { "operation", "code" } },
    [METRIC_DEEPGRAM_SECONDS] = { "deepgram_operator_deepgram_request_duration_seconds",
                                  "Duration of requests to Deepgram.",
                                  HISTOGRAM,
                                  { "operation" } },
    [METRIC_KUBERNETES_REQUESTS] = { "deepgram_operator_kubernetes_requests_total",
                                     "Requests to the Kubernetes API server, by HTTP status; code "
                                     "0 is no answer.",
                                     COUNTER,
                                     { "verb", "resource", "code" } },
    [METRIC_KUBERNETES_SECONDS] = { "deepgram_operator_kubernetes_request_duration_seconds",
                                    "Duration of requests to the Kubernetes API server.",
                                    HISTOGRAM,
                                    { "verb" } },
    [METRIC_WATCH_SILENCE_SECONDS] = { "deepgram_operator_watch_silence_seconds",
                                       "Time since the API server last sent anything on this "
                                       "watch.",
                                       GAUGE,
                                       { "resource", "namespace" } },
    [METRIC_WATCH_RELISTS] = { "deepgram_operator_watch_relists_total",
                               "Complete lists that were needed because a watch could not go on.",
                               COUNTER,
                               { "resource" } },
    [METRIC_SAMPLES_DROPPED] = { "deepgram_operator_metrics_samples_dropped_total",
                                 "Samples dropped because the metric has too many sets of label "
                                 "values.",
                                 COUNTER,
                                 { "metric" } },
    [METRIC_WORKQUEUE_DEPTH] = { "workqueue_depth",
                                 "Keys that are due and wait.",
                                 GAUGE,
                                 { "name" } },
    [METRIC_WORKQUEUE_ADDS] = { "workqueue_adds_total",
                                "Keys that became due.",
                                COUNTER,
                                { "name" } },
    [METRIC_WORKQUEUE_QUEUE_SECONDS] = { "workqueue_queue_duration_seconds",
                                         "How long keys wait before they are worked on.",
                                         HISTOGRAM,
                                         { "name" } },
    [METRIC_WORKQUEUE_WORK_SECONDS] = { "workqueue_work_duration_seconds",
                                        "How long the work on a key takes.",
                                        HISTOGRAM,
                                        { "name" } },
};
/* clang-format on */

struct series {
    UT_hash_handle hh;
    double value; /* of a histogram: the sum */
    uint64_t observations;
    uint64_t buckets[BUCKETS]; /* not cumulative; an observation above all is in none */
    char labels[];             /* `kind="DeepgramApiKey",result="done"`, escaped */
};

struct metrics {
    struct series *series[METRIC_COUNT];
    int64_t started_wall_ms;
};

/* ---- series ---- */

static void append_escaped(struct buf *out, const char *text)
{
    for (const char *p = text; *p; p++) {
        if (*p == '\n')
            buf_puts(out, "\\n");
        else if (*p == '"' || *p == '\\')
            buf_printf(out, "\\%c", *p);
        else
            buf_putc(out, *p);
    }
}

static void append_labels(struct buf *out, const struct descriptor *descriptor, va_list values)
{
    const char *separator = "";
    for (const char *const *label = descriptor->labels; *label; label++) {
        const char *value = va_arg(values, const char *);
        assert(value);
        buf_printf(out, "%s%s=\"", separator, *label);
        append_escaped(out, value);
        buf_putc(out, '"');
        separator = ",";
    }
    const char *end = va_arg(values, const char *);
    assert(!end && !out->failed);
    (void)end;
}

static struct series *find(const struct metrics *metrics, enum metric metric, const char *labels)
{
    struct series *series = NULL;
    HASH_FIND_STR(metrics->series[metric], labels, series);
    return series;
}

static struct series *series_new(struct metrics *metrics, enum metric metric, const char *labels)
{
    if (HASH_COUNT(metrics->series[metric]) >= METRICS_SERIES_MAX) {
        metrics_add(metrics, METRIC_SAMPLES_DROPPED, 1, descriptors[metric].name, NULL);
        return NULL;
    }
    size_t size = strlen(labels) + 1;
    struct series *series = mem_alloc(sizeof *series + size);
    memcpy(series->labels, labels, size);
    HASH_ADD_STR(metrics->series[metric], labels, series);
    return series;
}

/* NULL when the metric is full. */
static struct series *need(struct metrics *metrics, enum metric metric, va_list values)
{
    auto_buf struct buf labels;
    buf_init(&labels, LABELS_TEXT_MAX_BYTES);
    append_labels(&labels, &descriptors[metric], values);
    struct series *known = find(metrics, metric, buf_text(&labels));
    return known ? known : series_new(metrics, metric, buf_text(&labels));
}

void metrics_add(struct metrics *metrics, enum metric metric, double value, ...)
{
    assert(descriptors[metric].type == COUNTER);
    va_list values;
    va_start(values, value);
    struct series *series = need(metrics, metric, values);
    va_end(values);
    if (series)
        series->value += value;
}

void metrics_set(struct metrics *metrics, enum metric metric, double value, ...)
{
    assert(descriptors[metric].type != HISTOGRAM);
    va_list values;
    va_start(values, value);
    struct series *series = need(metrics, metric, values);
    va_end(values);
    if (series)
        series->value = value;
}

void metrics_observe(struct metrics *metrics, enum metric metric, double value, ...)
{
    assert(descriptors[metric].type == HISTOGRAM);
    va_list values;
    va_start(values, value);
    struct series *series = need(metrics, metric, values);
    va_end(values);
    if (!series)
        return;
    series->value += value;
    series->observations++;
    for (size_t i = 0; i < BUCKETS; i++) {
        if (value <= bucket_bounds[i]) {
            series->buckets[i]++;
            break;
        }
    }
}

double metrics_value(const struct metrics *metrics, enum metric metric, ...)
{
    auto_buf struct buf labels;
    buf_init(&labels, LABELS_TEXT_MAX_BYTES);
    va_list values;
    va_start(values, metric);
    append_labels(&labels, &descriptors[metric], values);
    va_end(values);
    const struct series *series = find(metrics, metric, buf_text(&labels));
    if (!series)
        return 0;
    return descriptors[metric].type == HISTOGRAM ? (double)series->observations : series->value;
}

/* ---- rendering ---- */

static void render_value(struct buf *out, const char *name, const struct series *series)
{
    bool bare = series->labels[0] == '\0';
    buf_printf(out, "%s%s%s%s %.15g\n", name, bare ? "" : "{", series->labels, bare ? "" : "}",
               series->value);
}

static void render_histogram(struct buf *out, const char *name, const struct series *series)
{
    const char *separator = series->labels[0] ? "," : "";
    unsigned long long total = 0;
    for (size_t i = 0; i < BUCKETS; i++) {
        total += series->buckets[i];
        buf_printf(out, "%s_bucket{%s%sle=\"%g\"} %llu\n", name, series->labels, separator,
                   bucket_bounds[i], total);
    }
    unsigned long long observations = series->observations;
    buf_printf(out, "%s_bucket{%s%sle=\"+Inf\"} %llu\n", name, series->labels, separator,
               observations);
    buf_printf(out, "%s_sum{%s} %.15g\n", name, series->labels, series->value);
    buf_printf(out, "%s_count{%s} %llu\n", name, series->labels, observations);
}

static int by_labels(const struct series *a, const struct series *b)
{
    return strcmp(a->labels, b->labels);
}

static void render_metric(struct metrics *metrics, enum metric metric, struct buf *out)
{
    const struct descriptor *descriptor = &descriptors[metric];
    HASH_SORT(metrics->series[metric], by_labels);
    if (metrics->series[metric])
        buf_printf(out, "# HELP %s %s\n# TYPE %s %s\n", descriptor->name, descriptor->help,
                   descriptor->name, type_names[descriptor->type]);
    for (const struct series *series = metrics->series[metric]; series; series = series->hh.next) {
        if (descriptor->type == HISTOGRAM)
            render_histogram(out, descriptor->name, series);
        else
            render_value(out, descriptor->name, series);
    }
}

void metrics_render(struct metrics *metrics, struct buf *out)
{
    for (int metric = 0; metric < METRIC_COUNT; metric++)
        render_metric(metrics, (enum metric)metric, out);
    process_render(out, metrics->started_wall_ms);
}

/* ---- birth and death ---- */

struct metrics *metrics_new(void)
{
    struct metrics *metrics = mem_alloc(sizeof *metrics);
    metrics->started_wall_ms = clock_wall_ms();
    for (int metric = 0; metric < METRIC_COUNT; metric++)
        if (!descriptors[metric].labels[0])
            (void)series_new(metrics, (enum metric)metric, "");
    metrics_set(metrics, METRIC_BUILD_INFO, 1, DEEPGRAM_OPERATOR_VERSION, NULL);
    return metrics;
}

static bool differs_by_kind_only(const struct descriptor *descriptor)
{
    return descriptor->type == COUNTER && descriptor->labels[0] && !descriptor->labels[1] &&
           strcmp(descriptor->labels[0], "kind") == 0;
}

void metrics_start_kind(struct metrics *metrics, const char *kind)
{
    for (int metric = 0; metric < METRIC_COUNT; metric++)
        if (differs_by_kind_only(&descriptors[metric]))
            metrics_add(metrics, (enum metric)metric, 0, kind, NULL);
}

void metrics_free(struct metrics *metrics)
{
    if (!metrics)
        return;
    for (int metric = 0; metric < METRIC_COUNT; metric++) {
        struct series *series = NULL;
        struct series *next = NULL;
        HASH_ITER(hh, metrics->series[metric], series, next) {
            HASH_DEL(metrics->series[metric], series);
            mem_free(series);
        }
    }
    mem_free(metrics);
}
