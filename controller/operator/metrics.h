/* Metrics in Prometheus' text format. Counters, gauges and histograms, declared in one table; names
 * and help texts are the documentation. A metric has at most METRICS_SERIES_MAX sets of label
 * values: samples with further ones are dropped and counted in METRIC_SAMPLES_DROPPED.
 */
#ifndef OPERATOR_METRICS_H
#define OPERATOR_METRICS_H

#include <stdint.h>

#include "base/buf.h"

enum metric {
    METRIC_BUILD_INFO,              /* gauge {version} */
    METRIC_LEADER,                  /* gauge */
    METRIC_RESOURCES,               /* gauge {kind} */
    METRIC_RESOURCES_READY,         /* gauge {kind} */
    METRIC_CREDENTIALS_ISSUED,      /* counter {kind} */
    METRIC_CREDENTIALS_ROTATED,     /* counter {kind}: a new one took the place of another */
    METRIC_CREDENTIALS_REVOKED,     /* counter {kind} */
    METRIC_CREDENTIALS_ORPHANED,    /* counter {kind}: found by marker and revoked */
    METRIC_ROLLBACKS,               /* counter {kind}: taken back, because pods failed */
    METRIC_UNKNOWN_OUTCOMES,        /* counter {kind} */
    METRIC_RECONCILES,              /* counter {kind, result: done|failed} */
    METRIC_EVENTS_FAILED,           /* counter */
    METRIC_DEEPGRAM_REQUESTS,       /* counter {operation, code} */
    METRIC_DEEPGRAM_SECONDS,        /* histogram {operation} */
    METRIC_KUBERNETES_REQUESTS,     /* counter {verb, resource, code} */
    METRIC_KUBERNETES_SECONDS,      /* histogram {verb} */
    METRIC_WATCH_SILENCE_SECONDS,   /* gauge {resource, namespace} */
    METRIC_WATCH_RELISTS,           /* counter {resource} */
    METRIC_SAMPLES_DROPPED,         /* counter {metric} */
    METRIC_WORKQUEUE_DEPTH,         /* gauge   workqueue_depth{name} */
    METRIC_WORKQUEUE_ADDS,          /* counter workqueue_adds_total{name} */
    METRIC_WORKQUEUE_QUEUE_SECONDS, /* histogram workqueue_queue_duration_seconds{name} */
    METRIC_WORKQUEUE_WORK_SECONDS,  /* histogram workqueue_work_duration_seconds{name} */
    METRIC_COUNT
};

enum { METRICS_SERIES_MAX = 2000 };

struct metrics;
/* Metrics without labels are there from the start with the value 0, METRIC_BUILD_INFO with 1. */
NODISCARD struct metrics *metrics_new(void);
void metrics_free(struct metrics *metrics);
/* The counters that only differ by kind are there with 0 for this kind from now on: one that
 * appears with its first event shows no increase. */
void metrics_start_kind(struct metrics *metrics, const char *kind);

/* Label values follow in the order of the table, one per label of the metric, ended by NULL.
 * metrics_add() is for counters (of 0 too: a series that is there before its first event can be
 * watched for an increase), metrics_set() for gauges and for counters that are counted elsewhere,
 * metrics_observe() for histograms. */
void metrics_add(struct metrics *metrics, enum metric metric, double value, ...)
    __attribute__((sentinel));
void metrics_set(struct metrics *metrics, enum metric metric, double value, ...)
    __attribute__((sentinel));
void metrics_observe(struct metrics *metrics, enum metric metric, double value, ...)
    __attribute__((sentinel));
/* Current value, of a histogram the number of observations, 0 when never touched; for tests. */
double metrics_value(const struct metrics *metrics, enum metric metric, ...)
    __attribute__((sentinel));

/* Appends everything in a stable order, and process_* (CPU, memory, descriptors, start time). */
void metrics_render(struct metrics *metrics, struct buf *out);

#endif
