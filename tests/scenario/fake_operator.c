/* The parts of the operator that only tell: events, metrics and the log. What they are told is
 * searched for secrets, and a pass that gave itself up is a livelock. */
#include "sim.h"

#include <string.h>

#include "base/log.h"
#include "operator/metrics.h"
#include "operator/recorder.h"

/* ---- operator/recorder.h ---- */

void recorder_event(struct recorder *recorder, const struct resource *resource,
                    enum recorder_type type, const char *reason, const char *action,
                    const char *note)
{
    (void)recorder, (void)action, (void)type;
    oracle_text("an event", note);
    oracle_event(resource, reason);
    sim_trace("    event %s %s: %s", resource->name, reason, note);
}

/* ---- operator/metrics.h ---- */

static void search_labels(va_list labels)
{
    const char *label = NULL;
    while ((label = va_arg(labels, const char *)) != NULL)
        oracle_text("a metric", label);
}

void metrics_add(struct metrics *metrics, enum metric metric, double value, ...)
{
    (void)metrics, (void)metric;
    va_list labels;
    va_start(labels, value);
    search_labels(labels);
    va_end(labels);
}

void metrics_observe(struct metrics *metrics, enum metric metric, double value, ...)
{
    (void)metrics, (void)metric;
    va_list labels;
    va_start(labels, value);
    search_labels(labels);
    va_end(labels);
}

/* ---- operator/options.h: everybody may use the default credentials ---- */

bool options_default_credentials_allowed(const struct options *options, const char *namespace)
{
    (void)options, (void)namespace;
    return true;
}

/* ---- base/log.h ---- */

void log_write(enum log_level level, const char *message, ...)
{
    va_list fields;
    va_start(fields, message);
    char line[2048];
    size_t used = (size_t)snprintf(line, sizeof line, "%s", message);
    for (const char *name; (name = va_arg(fields, const char *)) != NULL;) {
        const char *value = va_arg(fields, const char *);
        oracle_text("the log", value ? value : "");
        if (used < sizeof line)
            used += (size_t)snprintf(line + used, sizeof line - used, " %s=%s", name,
                                     value ? value : "-");
    }
    va_end(fields);
    if (level > LOG_DEBUG || sim.trace)
        sim_trace("    %s", line);
    /* two leaders undo each other's work until one of them notices */
    if (strncmp(message, "pass does not come to rest", 26) == 0 && !process_two_lead())
        sim_broken(LIVELOCK, "%s", line);
}
