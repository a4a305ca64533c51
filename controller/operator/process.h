/* What the kernel says about this process, as metrics of the names that all Prometheus client
 * libraries use (process_cpu_seconds_total, …).
 */
#ifndef OPERATOR_PROCESS_H
#define OPERATOR_PROCESS_H

#include <stdint.h>

#include "base/buf.h"

/* Appends process_* in Prometheus' text format. A value that can't be had is left out. */
void process_render(struct buf *out, int64_t started_wall_ms);

#endif
