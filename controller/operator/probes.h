/* /healthz, /readyz and /metrics.
 *
 * Healthy: a timer of our own, armed again every five seconds, isn't late by more than 30 seconds.
 * The answer comes from the same loop, so there are two failures and two ways to notice them: a
 * loop that stands still answers nothing, and the kubelet's time-out tells; a process that serves
 * requests while its timers, and with them every retry and deadline, don't run answers 503.
 *
 * Ready: all caches are synced; a replica that isn't the leader is ready too. What isn't, is named.
 */
#ifndef OPERATOR_PROBES_H
#define OPERATOR_PROBES_H

#include "net/server.h"
#include "operator/metrics.h"

struct probes;

/* Asks whether all caches are synced; when not, *missing says which (borrowed). */
typedef bool probes_ready_fn(void *context, const char **missing);
/* Called before /metrics is rendered, so that gauges are fresh; what is kept elsewhere it puts on
 * the page itself. */
typedef void probes_collect_fn(void *context, struct buf *page);

NODISCARD struct probes *probes_new(struct loop *loop, struct metrics *metrics,
                                    probes_ready_fn *ready, probes_collect_fn *collect,
                                    void *context);
void probes_free(struct probes *probes);
/* The handler for server_new, which gets the probes as its context. */
int probes_handle(void *context, const char *path, const char **content_type, struct buf *body);

#endif
