/* The API server ends every event with a line feed and JSON text holds none, so only fresh bytes
 * are searched for it: linear, however the stream is cut. */
#include "kube/watch_decoder.h"

#include <string.h>

#include "base/json.h"
#include "kube/managed_fields.h"

static bool parse_type(const char *name, enum watch_event_type *ret_type)
{
    static const char *const names[] = {
        [WATCH_ADDED] = "ADDED",       [WATCH_MODIFIED] = "MODIFIED", [WATCH_DELETED] = "DELETED",
        [WATCH_BOOKMARK] = "BOOKMARK", [WATCH_ERROR] = "ERROR",
    };
    for (size_t i = 0; i < ARRAY_LENGTH(names); i++)
        if (mem_streq(name, names[i])) {
            *ret_type = (enum watch_event_type)i;
            return true;
        }
    return false;
}

static bool ends_initial_events(const cJSON *object)
{
    const cJSON *annotations = json_at(object, "metadata.annotations");
    return mem_streq(json_string_member(annotations, "k8s.io/initial-events-end"), "true");
}

static bool is_blank(const char *text, size_t length)
{
    for (size_t i = 0; i < length; i++)
        if (text[i] != ' ' && text[i] != '\t' && text[i] != '\r')
            return false;
    return true;
}

static bool decode_line(struct watch_decoder *decoder, const char *line, size_t length,
                        struct err *err)
{
    if (is_blank(line, length))
        return true;
    auto_json cJSON *json = managed_fields_parse_without(line, length);
    if (!json)
        return err_set(err, ERR_MALFORMED, "a watch event of %zu bytes isn't JSON", length);
    struct watch_event event = { 0 };
    if (!parse_type(json_string_member(json, "type"), &event.type))
        return err_set(err, ERR_MALFORMED, "a watch event has no known type");
    auto_json cJSON *object = cJSON_DetachItemFromObjectCaseSensitive(json, "object");
    if (!cJSON_IsObject(object))
        return err_set(err, ERR_MALFORMED, "a watch event has no object");
    event.object = take(object);
    event.initial_events_end = event.type == WATCH_BOOKMARK && ends_initial_events(event.object);
    decoder->fn(decoder->context, &event);
    cJSON_Delete(event.object);
    return true;
}

static bool too_large(const struct watch_decoder *decoder, struct err *err)
{
    return err_set(err, ERR_MALFORMED, "a watch event is larger than %zu bytes",
                   decoder->pending.max);
}

/* A line that came in one piece is decoded where it lies. */
static bool end_line(struct watch_decoder *decoder, const char *bytes, size_t length,
                     struct err *err)
{
    struct buf *pending = &decoder->pending;
    if (pending->length == 0)
        return length <= pending->max ? decode_line(decoder, bytes, length, err)
                                      : too_large(decoder, err);
    if (!buf_append(pending, bytes, length))
        return too_large(decoder, err);
    bool ok = decode_line(decoder, buf_text(pending), pending->length, err);
    buf_reset(pending);
    return ok;
}

void watch_decoder_init(struct watch_decoder *decoder, size_t max_event_bytes, watch_event_fn *fn,
                        void *context)
{
    *decoder = (struct watch_decoder){ .fn = fn, .context = context };
    buf_init(&decoder->pending, max_event_bytes);
}

void watch_decoder_done(struct watch_decoder *decoder)
{
    if (decoder)
        buf_done(&decoder->pending);
}

bool watch_decoder_feed(struct watch_decoder *decoder, const char *bytes, size_t length,
                        struct err *err)
{
    while (length > 0) {
        const char *end = memchr(bytes, '\n', length);
        if (!end)
            return buf_append(&decoder->pending, bytes, length) || too_large(decoder, err);
        size_t line = (size_t)(end - bytes);
        if (!end_line(decoder, bytes, line, err))
            return false;
        bytes += line + 1;
        length -= line + 1;
    }
    return true;
}

bool watch_decoder_has_partial(const struct watch_decoder *decoder)
{
    return decoder->pending.length > 0;
}
