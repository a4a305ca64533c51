/* Cuts the byte stream of a watch into events (API concepts: watch; one JSON object per line).
 * Pure. Bounded: an event over max_event_bytes is an error, because the stream can't be followed
 * any more.
 */
#ifndef KUBE_WATCH_DECODER_H
#define KUBE_WATCH_DECODER_H

#include <cjson/cJSON.h>

#include "base/buf.h"
#include "base/err.h"

enum watch_event_type { WATCH_ADDED, WATCH_MODIFIED, WATCH_DELETED, WATCH_BOOKMARK, WATCH_ERROR };

struct watch_event {
    enum watch_event_type type;
    cJSON *object;           /* owned by the decoder during the callback; may be taken (set NULL).
                                managedFields is already removed. WATCH_ERROR: a Status object. */
    bool initial_events_end; /* bookmark with annotation k8s.io/initial-events-end */
};

typedef void watch_event_fn(void *context, struct watch_event *event);

struct watch_decoder {
    struct buf pending;
    watch_event_fn *fn;
    void *context;
};

void watch_decoder_init(struct watch_decoder *decoder, size_t max_event_bytes, watch_event_fn *fn,
                        void *context);
void watch_decoder_done(struct watch_decoder *decoder);

/* Feeds bytes, calls fn for each complete event. MALFORMED: not JSON, no type, too large. */
NODISCARD bool watch_decoder_feed(struct watch_decoder *decoder, const char *bytes, size_t length,
                                  struct err *err);
/* True when an event is cut off in the middle at the end of a stream. */
bool watch_decoder_has_partial(const struct watch_decoder *decoder);

#endif
