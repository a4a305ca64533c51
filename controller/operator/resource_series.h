/* The gauges that each resource has of its own: is it Ready, when does its credential expire, when
 * is the next rotation. Brought up to date with each change, so that a scrape only copies.
 *
 * Bounded: what would make these three take more than six MiB of a page (about 14,000 resources
 * with names of a usual length) is left out until it changes again, and counted.
 */
#ifndef OPERATOR_RESOURCE_SERIES_H
#define OPERATOR_RESOURCE_SERIES_H

#include <cjson/cJSON.h>
#include <stddef.h>

#include "api/resource.h"
#include "base/buf.h"

struct resource_series;

NODISCARD struct resource_series *resource_series_new(void);
void resource_series_free(struct resource_series *series);

/* From one state of a resource to the next, as a store tells it: NULL before the first and after
 * the last. */
void resource_series_change(struct resource_series *series, enum resource_kind kind,
                            const cJSON *before, const cJSON *after);
/* How many changes were left out. */
size_t resource_series_dropped(const struct resource_series *series);
/* Appends them in Prometheus' text format. */
void resource_series_render(const struct resource_series *series, struct buf *out);

#endif
