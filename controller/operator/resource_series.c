/* One block per resource: the values and the text of its labels, which is also what it is found
 * by. */
#include "operator/resource_series.h"

#include <string.h>

#include "api/condition.h"
#include "api/timestamp.h"
#include "base/json.h"
#include "base/table.h"

enum { VALUES = 3, RENDERED_MAX_BYTES = 6 * 1024 * 1024, NAME_AND_VALUE_BYTES = 80 };

static const struct {
    const char *name;
    const char *help;
    const char *path; /* of a time in the resource; NULL: its condition Ready */
} GAUGES[VALUES] = {
    { "deepgram_operator_resource_ready", "1 while the resource's condition Ready is True.", NULL },
    { "deepgram_operator_credential_expiry_timestamp_seconds",
      "When the published credential expires; without one that does, there is no series.",
      "status.expiresAt" },
    { "deepgram_operator_next_rotation_timestamp_seconds",
      "When the next rotation is due by time; without one, there is no series.",
      "status.nextRotationAt" },
};

struct one {
    int64_t values[VALUES]; /* negative: none */
    char labels[];
};

struct resource_series {
    struct table all;
    size_t rendered_bytes; /* at most, of all of them */
    size_t dropped;
};

static char *labels_of(enum resource_kind kind, const cJSON *resource)
{
    return mem_printf("kind=\"%s\",namespace=\"%s\",name=\"%s\"", resource_kind_name(kind),
                      json_string_at(resource, "metadata.namespace"),
                      json_string_at(resource, "metadata.name"));
}

static int64_t value_of(const cJSON *resource, const char *path)
{
    if (!path)
        return condition_is_true(json_at(resource, "status.conditions"), "Ready");
    const char *text = json_string_at(resource, path);
    int64_t ms = -1;
    return text && timestamp_parse(text, &ms) && ms >= 0 ? ms / 1000 : -1;
}

static size_t bytes_for(const char *labels)
{
    return VALUES * (strlen(labels) + NAME_AND_VALUE_BYTES);
}

static const char *key_of(const void *one)
{
    return ((const struct one *)one)->labels;
}

static struct one *add(struct resource_series *series, const char *labels)
{
    if (series->rendered_bytes + bytes_for(labels) > RENDERED_MAX_BYTES) {
        series->dropped++;
        return NULL;
    }
    series->rendered_bytes += bytes_for(labels);
    size_t size = strlen(labels) + 1;
    struct one *one = mem_alloc(sizeof *one + size);
    memcpy(one->labels, labels, size);
    table_add(&series->all, one);
    return one;
}

static void drop(struct resource_series *series, struct one *one)
{
    series->rendered_bytes -= bytes_for(one->labels);
    table_remove(&series->all, one);
    mem_free(one);
}

struct resource_series *resource_series_new(void)
{
    struct resource_series *series = mem_alloc(sizeof *series);
    series->all.key = key_of;
    return series;
}

void resource_series_free(struct resource_series *series)
{
    if (!series)
        return;
    struct table_walk walk = { 0 };
    for (struct one *one; (one = table_next(&series->all, &walk)) != NULL;)
        mem_free(one);
    table_done(&series->all);
    mem_free(series);
}

void resource_series_change(struct resource_series *series, enum resource_kind kind,
                            const cJSON *before, const cJSON *after)
{
    auto_free char *labels = labels_of(kind, after ? after : before);
    struct one *one = table_find(&series->all, labels);
    if (!after) {
        if (one)
            drop(series, one);
        return;
    }
    if (!one)
        one = add(series, labels);
    for (size_t i = 0; one && i < VALUES; i++)
        one->values[i] = value_of(after, GAUGES[i].path);
}

size_t resource_series_dropped(const struct resource_series *series)
{
    return series->dropped;
}

void resource_series_render(const struct resource_series *series, struct buf *out)
{
    for (size_t i = 0; i < VALUES; i++) {
        bool first = true;
        struct table_walk walk = { 0 };
        for (const struct one *one; (one = table_next(&series->all, &walk)) != NULL;) {
            if (one->values[i] < 0)
                continue;
            if (first)
                buf_printf(out, "# HELP %s %s\n# TYPE %s gauge\n", GAUGES[i].name, GAUGES[i].help,
                           GAUGES[i].name);
            first = false;
            buf_printf(out, "%s{%s} %lld\n", GAUGES[i].name, one->labels,
                       (long long)one->values[i]);
        }
    }
}
