/* The watch stream as the API server, or whoever answers in its place, may send it. The first byte
 * chooses how the rest is cut into pieces; however it is cut, the same events must come out, and
 * the same verdict. */
#include <assert.h>
#include <stdint.h>

#include "base/json.h"
#include "kube/store.h"
#include "kube/watch_decoder.h"

enum {
    EVENT_BYTES_MAX = 4096,
    EVENTS_BYTES_MAX = 64 * 1024 * 1024,
};

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

struct run {
    struct buf heard;
    struct store *store;
};

static void on_event(void *context, struct watch_event *event)
{
    struct run *run = context;
    auto_free char *text = json_print(event->object);
    buf_printf(&run->heard, "%d %d %s\n", event->type, event->initial_events_end, text);
    if (event->type == WATCH_DELETED)
        store_remove(run->store, event->object);
    else
        store_put(run->store, take(event->object));
}

static bool decode(struct run *run, const char *bytes, size_t length, size_t step)
{
    struct watch_decoder decoder;
    struct err err = ERR_INIT;
    bool ok = true;
    buf_init(&run->heard, EVENTS_BYTES_MAX);
    run->store = store_new(NULL, NULL, NULL, NULL);
    watch_decoder_init(&decoder, EVENT_BYTES_MAX, on_event, run);
    for (size_t at = 0; ok && at < length; at += step)
        ok =
            watch_decoder_feed(&decoder, bytes + at, length - at < step ? length - at : step, &err);
    watch_decoder_done(&decoder);
    return ok;
}

static void run_done(struct run *run)
{
    buf_done(&run->heard);
    store_free(run->store);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    json_setup();
    if (length < 2)
        return 0;
    const char *text = (const char *)bytes + 1;
    struct run whole;
    struct run pieces;
    bool whole_ok = decode(&whole, text, length - 1, length);
    bool pieces_ok = decode(&pieces, text, length - 1, (size_t)bytes[0] + 1);
    assert(whole_ok == pieces_ok);
    assert(mem_streq(buf_text(&whole.heard), buf_text(&pieces.heard)));
    assert(store_count(whole.store) == store_count(pieces.store));
    run_done(&whole);
    run_done(&pieces);
    return 0;
}
