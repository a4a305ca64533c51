/* A Kubernetes API client: about eight verbs over net/http, answers as parsed JSON, HTTP statuses
 * turned into error kinds once, here. Logs in with whatever kube_config says: re-reads token files,
 * runs credential plugins without blocking the loop, and asks again once after a 401.
 */
#ifndef KUBE_CLIENT_H
#define KUBE_CLIENT_H

#include <cjson/cJSON.h>

#include "kube/config.h"
#include "kube/path.h"
#include "net/http.h"

struct kube_client;
struct kube_call_handle; /* one request under way */

/* Called for each request that was answered or failed, for metrics. code 0 = no answer. */
typedef void kube_observe_fn(void *context, const char *method, const char *resource_plural,
                             long code, int64_t duration_ms);

/* config is borrowed and must outlive the client; observe may be NULL. */
NODISCARD struct kube_client *kube_client_new(struct loop *loop, struct http *http,
                                              const struct kube_config *config,
                                              kube_observe_fn *observe, void *observe_context);
/* Cancels what is in flight, without callbacks; not from a callback. Before http_free(). */
void kube_client_free(struct kube_client *client);

/* The API server's wall clock, as its last answer told it to the second; our own until there was
 * one. What is written into objects and compared with their times uses this clock, so that a clock
 * of ours that is wrong, or set, decides nothing. */
int64_t kube_now_ms(const struct kube_client *client);

enum kube_verb {
    KUBE_GET,
    KUBE_LIST,
    KUBE_CREATE,
    KUBE_UPDATE,      /* PUT */
    KUBE_MERGE_PATCH, /* RFC 7386 */
    KUBE_APPLY,       /* server-side apply, field manager deepgram-operator-rollout, force */
    KUBE_DELETE,
};

/* object: the parsed answer (see managed_fields.h), NULL on error; the callback may take it by
 * setting *object to NULL. err is NULL on success. TRANSIENT doesn't tell whether a write was
 * carried out: one that is repeated meets its own effect (AlreadyExists, Conflict, NotFound). */
typedef void kube_done_fn(void *context, cJSON **object, const struct err *err);

struct kube_call { /* borrowed for the time of kube_send() */
    enum kube_verb verb;
    const struct kube_resource *resource;
    const char *namespace;
    const char *name;        /* NULL for LIST and CREATE */
    const char *subresource; /* "status" or NULL */
    const char *query;       /* further query "a=b&c=d", already encoded, or NULL */
    const cJSON *body;       /* NULL for GET, LIST; DeleteOptions for DELETE or NULL */
    bool metadata_only;      /* ask for PartialObjectMetadata(List) */
    const char *path; /* of a GET that is no resource's ("/version"), or NULL; `resource` then
                         only names the request for the observer */
    const char *field_manager; /* of a KUBE_CREATE, UPDATE, MERGE_PATCH; NULL: deepgram-operator */
    kube_done_fn *done;
    void *context;
};

/* Never fails at once: errors come through done, from the loop. A namespace or name that can't
 * stand in a path is INVALID; nothing is sent then. Writes but KUBE_APPLY name the field manager
 * "deepgram-operator". A request takes 30 s at most, not counting a wait for a login. */
struct kube_call_handle *kube_send(struct kube_client *client, const struct kube_call *call);
void kube_cancel(struct kube_call_handle *handle); /* no callback afterwards; NULL is fine */
/* The same, because no answer came in time; see http_give_up(). */
void kube_give_up(struct kube_call_handle *handle);

/* ---- streams, for the reflector ---- */

typedef bool kube_chunk_fn(void *context, const char *bytes, size_t length);
/* err NULL: the server closed the stream in order, or `chunk` returned false. */
typedef void kube_stream_done_fn(void *context, const struct err *err);

/* GET of a path with a query whose 2xx body is handed on as it comes. timeout_ms bounds the whole
 * stream. */
struct kube_call_handle *kube_stream(struct kube_client *client,
                                     const struct kube_resource *resource, const char *namespace,
                                     const char *query, bool metadata_only, int64_t timeout_ms,
                                     kube_chunk_fn *chunk, kube_stream_done_fn *done,
                                     void *context);

#endif
