/* Keeps a store equal to the API server: list, then watch, for ever.
 *
 * A streaming list where the server offers it (KEP-3157: sendInitialEvents,
 * resourceVersionMatch=NotOlderThan), pages of 500 otherwise. Bookmarks move the resourceVersion
 * on; 410 (as a status or as an ERROR event) lists again; a closed watch goes on from the last
 * resourceVersion; a silent one is given up by a watchdog: the server is told timeoutSeconds below
 * watch_timeout_ms, and whoever is silent for longer than that is cut and asked again. A server
 * that was restored from a backup is behind our resourceVersion: such a watch brings nothing, not
 * even a bookmark, and ends in order. Then too everything is listed again. Errors are retried for
 * ever, after 0.5 to 8 s with jitter or as long as Retry-After says.
 */
#ifndef KUBE_REFLECTOR_H
#define KUBE_REFLECTOR_H

#include "kube/client.h"
#include "kube/store.h"

struct reflector;

struct reflector_options {
    const struct kube_resource *resource; /* must outlive the reflector */
    const char *namespace;                /* NULL: all */
    bool metadata_only;
    int64_t watch_timeout_ms; /* --watch-timeout; 2 s at least */
    /* So long without a byte, over several watches, and it is listed again; kube-apiserver sends a
     * bookmark each minute (staging/src/k8s.io/apiserver, cacher: defaultBookmarkFrequency). */
    int64_t bookmark_timeout_ms;
};

enum reflector_note { REFLECTOR_SYNCED, REFLECTOR_RELIST, REFLECTOR_ERROR, REFLECTOR_RECOVERED };
/* Told once when synced for the first time, after each further list that is complete, on each error
 * (err is not NULL), and when a watch works after errors: once it brought an event or a bookmark,
 * or ended in order.
 * The callback may not free the reflector. */
typedef void reflector_note_fn(void *context, enum reflector_note note, const struct err *err);

/* Starts with the next turn of the loop. client and store are borrowed; several reflectors, one
 * per namespace, may fill one store. */
NODISCARD struct reflector *reflector_new(struct loop *loop, struct kube_client *client,
                                          struct store *store,
                                          const struct reflector_options *options,
                                          reflector_note_fn *note, void *context);
/* Cancels its request; the store stays as it is. Not from a callback of its client. */
void reflector_free(struct reflector *reflector);
bool reflector_synced(const struct reflector *reflector);
/* Milliseconds since bytes last came from the server; for the "watch stale" metric. */
int64_t reflector_silence_ms(const struct reflector *reflector);

#endif
