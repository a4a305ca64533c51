#include "operator/probes.h"

#include <string.h>

#include "base/clock.h"

enum { BEAT_MS = 5 * 1000, LATE_MAX_MS = 30 * 1000 };

struct probes {
    struct loop *loop;
    struct metrics *metrics;
    probes_ready_fn *ready;
    probes_collect_fn *collect;
    void *context;
    struct loop_timer beat;
    int64_t due_ms; /* when the timer should fire */
};

static void on_beat(void *context)
{
    struct probes *probes = context;
    probes->due_ms = clock_monotonic_ms() + BEAT_MS;
    loop_timer_start(probes->loop, &probes->beat, BEAT_MS, on_beat, probes);
}

struct probes *probes_new(struct loop *loop, struct metrics *metrics, probes_ready_fn *ready,
                          probes_collect_fn *collect, void *context)
{
    struct probes *probes = mem_alloc(sizeof *probes);
    *probes = (struct probes){
        .loop = loop,
        .metrics = metrics,
        .ready = ready,
        .collect = collect,
        .context = context,
    };
    on_beat(probes);
    return probes;
}

void probes_free(struct probes *probes)
{
    if (!probes)
        return;
    loop_timer_stop(&probes->beat);
    mem_free(probes);
}

static int answer_health(struct probes *probes, struct buf *body)
{
    int64_t late_ms = clock_monotonic_ms() - probes->due_ms;
    if (late_ms <= LATE_MAX_MS) {
        buf_puts(body, "ok\n");
        return 200;
    }
    buf_printf(body, "the event loop's timers are %lld seconds late\n", (long long)late_ms / 1000);
    return 503;
}

static int answer_ready(struct probes *probes, struct buf *body)
{
    const char *missing = "";
    if (probes->ready(probes->context, &missing)) {
        buf_puts(body, "ok\n");
        return 200;
    }
    buf_printf(body, "not ready, waiting for: %s\n", missing);
    return 503;
}

/* Half a page would show counters that fell: none is better. */
static int answer_metrics(struct probes *probes, const char **content_type, struct buf *body)
{
    probes->collect(probes->context, body);
    metrics_render(probes->metrics, body);
    if (body->failed) {
        buf_reset(body);
        buf_puts(body, "the metrics don't fit into an answer\n");
        return 500;
    }
    *content_type = "text/plain; version=0.0.4; charset=utf-8";
    return 200;
}

int probes_handle(void *context, const char *path, const char **content_type, struct buf *body)
{
    struct probes *probes = context;
    *content_type = "text/plain; charset=utf-8";
    if (strcmp(path, "/healthz") == 0)
        return answer_health(probes, body);
    if (strcmp(path, "/readyz") == 0)
        return answer_ready(probes, body);
    if (strcmp(path, "/metrics") == 0)
        return answer_metrics(probes, content_type, body);
    buf_puts(body, "not found: there are /healthz, /readyz and /metrics\n");
    return 404;
}
