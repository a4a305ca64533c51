/* What was written lately is a ring of fingerprints: the oldest makes room, and what is older than
 * ten minutes no longer counts. */
#include "operator/recorder.h"

#include <string.h>
#include <unistd.h>

#include "api/microtime.h"
#include "base/clock.h"
#include "base/fingerprint.h"
#include "base/json.h"
#include "base/log.h"
#include "base/random.h"
#include "base/utf8.h"
#include "kube/status.h"

#include <utlist.h>

enum {
    RECENT_MAX = 1024,
    RECENT_MS = 10 * 60 * 1000,
    IN_FLIGHT_MAX = 256,   /* further events are dropped: they must not hold up real work */
    NOTE_MAX_BYTES = 1024, /* what the API server accepts */
    NAME_PREFIX_MAX_BYTES = 230,
    HOST_NAME_BYTES = 65,
};

struct recent {
    int64_t written_ms; /* monotonic */
    uint64_t fingerprint;
};

struct sending { /* one event under way */
    struct sending *prev;
    struct sending *next;
    struct recorder *recorder;
    struct kube_call_handle *call;
};

struct recorder {
    struct kube_client *client;
    struct metrics *metrics;
    char instance[HOST_NAME_BYTES];
    struct recent recent[RECENT_MAX];
    size_t oldest;
    struct sending *sending;
    size_t sending_count;
    bool forbidden_told;
};

/* ---- written lately? ---- */

/* True when this is the first of its kind within ten minutes; remembers it. */
static bool is_news(struct recorder *recorder, const char *uid, const char *reason,
                    const char *note)
{
    int64_t now_ms = clock_monotonic_ms();
    uint64_t all = fingerprint_add(fingerprint_add(fingerprint(uid), reason), note);
    for (size_t i = 0; i < RECENT_MAX; i++) {
        const struct recent *recent = &recorder->recent[i];
        if (recent->fingerprint == all && now_ms - recent->written_ms < RECENT_MS)
            return false;
    }
    recorder->recent[recorder->oldest] = (struct recent){ now_ms, all };
    recorder->oldest = (recorder->oldest + 1) % RECENT_MAX;
    return true;
}

/* ---- the object ---- */

static char *cut_note(const char *note)
{
    size_t length = 0;
    for (;;) {
        size_t character = utf8_character_length(note + length);
        if (character == 0 || length + character > NOTE_MAX_BYTES)
            return mem_strndup(note, length);
        length += character;
    }
}

static void add_regarding(cJSON *event, const struct resource *resource)
{
    cJSON *regarding = json_add_object(event, "regarding");
    json_add_string(regarding, "apiVersion", RESOURCE_API_VERSION);
    json_add_string(regarding, "kind", resource_kind_name(resource->kind));
    json_add_string(regarding, "namespace", resource->namespace);
    json_add_string(regarding, "name", resource->name);
    json_add_string(regarding, "uid", resource->uid);
    json_add_string(regarding, "resourceVersion", resource->resource_version);
}

/* As much as leaves room for the rest; before a dot there must be a letter or a digit. */
static int prefix_length(const char *name)
{
    size_t length = strnlen(name, NAME_PREFIX_MAX_BYTES);
    while (length > 0 && strchr(".-", name[length - 1]))
        length--;
    return (int)length;
}

static cJSON *make_event(const struct recorder *recorder, const struct resource *resource)
{
    auto_free char *name = mem_printf("%.*s.%016llx", prefix_length(resource->name), resource->name,
                                      (unsigned long long)random_u64());
    char now[TIMESTAMP_BYTES];
    microtime_format(clock_wall_ms(), now);
    cJSON *event = cJSON_CreateObject();
    json_add_string(event, "apiVersion", "events.k8s.io/v1");
    json_add_string(event, "kind", KUBE_EVENTS.kind);
    cJSON *metadata = json_add_object(event, "metadata");
    json_add_string(metadata, "namespace", resource->namespace);
    json_add_string(metadata, "name", name);
    json_add_string(event, "eventTime", now);
    json_add_string(event, "reportingController", RESOURCE_GROUP "/operator");
    json_add_string(event, "reportingInstance", recorder->instance);
    add_regarding(event, resource);
    return event;
}

/* ---- sending ---- */

static void sending_free(struct sending *sending)
{
    DL_DELETE(sending->recorder->sending, sending);
    sending->recorder->sending_count--;
    mem_free(sending);
}

/* A missing right is told once. In a namespace that is going there are no new events for anybody.
 */
static void tell_failure(struct recorder *recorder, const struct err *err)
{
    metrics_add(recorder->metrics, METRIC_EVENTS_FAILED, 1, NULL);
    bool missing_right = err->kind == ERR_FORBIDDEN && !kube_status_namespace_terminating(err);
    if (missing_right && !recorder->forbidden_told)
        log_warn("events can't be written", "error", err->message, NULL);
    else
        log_debug("an event was not written", "error", err->message, NULL);
    recorder->forbidden_told = recorder->forbidden_told || missing_right;
}

static void on_written(void *context, cJSON **object, const struct err *err)
{
    (void)object;
    struct sending *sending = context;
    if (err)
        tell_failure(sending->recorder, err);
    sending_free(sending);
}

static void send(struct recorder *recorder, const struct resource *resource, const cJSON *event)
{
    struct sending *sending = mem_alloc(sizeof *sending);
    sending->recorder = recorder;
    DL_APPEND(recorder->sending, sending);
    recorder->sending_count++;
    const struct kube_call call = {
        .verb = KUBE_CREATE,
        .resource = &KUBE_EVENTS,
        .namespace = resource->namespace,
        .body = event,
        .done = on_written,
        .context = sending,
    };
    sending->call = kube_send(recorder->client, &call);
}

/* ---- the interface ---- */

struct recorder *recorder_new(struct kube_client *client, struct metrics *metrics)
{
    struct recorder *recorder = mem_alloc(sizeof *recorder);
    *recorder = (struct recorder){ .client = client, .metrics = metrics };
    gethostname(recorder->instance, sizeof recorder->instance - 1);
    return recorder;
}

void recorder_free(struct recorder *recorder)
{
    if (!recorder)
        return;
    while (recorder->sending) {
        kube_cancel(recorder->sending->call);
        sending_free(recorder->sending);
    }
    mem_free(recorder);
}

void recorder_event(struct recorder *recorder, const struct resource *resource,
                    enum recorder_type type, const char *reason, const char *action,
                    const char *note)
{
    if (recorder->sending_count >= IN_FLIGHT_MAX) {
        metrics_add(recorder->metrics, METRIC_EVENTS_FAILED, 1, NULL);
        return;
    }
    auto_free char *cut = cut_note(note);
    if (!is_news(recorder, resource->uid, reason, cut))
        return;
    auto_json cJSON *event = make_event(recorder, resource);
    json_add_string(event, "type", type == EVENT_WARNING ? "Warning" : "Normal");
    json_add_string(event, "reason", reason);
    json_add_string(event, "action", action);
    json_add_string(event, "note", cut);
    send(recorder, resource, event);
}
