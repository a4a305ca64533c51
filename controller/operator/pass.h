/* One pass over one resource: gather, decide, perform one step, and again until the decision is to
 * wait. A pass ends on its own and tells the queue; it holds the queue's key and copies, never a
 * pointer into a cache across a return to the loop.
 */
#ifndef OPERATOR_PASS_H
#define OPERATOR_PASS_H

#include "operator/gather.h"
#include "reconcile/credential.h"

struct pass {
    struct runtime *runtime;
    struct queue_key key;
    enum resource_kind kind;
    void (*ended)(void *context); /* after the pass is freed */
    void *ended_context;
    unsigned steps;
    bool failed; /* a step has */
    int64_t started_ms;
    /* of the step under way */
    struct gathered *gathered;
    struct step step;
    struct secret admin_key; /* read for this step */
    struct deepgram_request request;
    int64_t sent_ms;
    int64_t looked_ms;               /* when pass_if_unchanged() read the resource */
    void (*then)(struct pass *pass); /* what it goes on with */
    bool refused;  /* ADOPT, CHECK, REVOKE, CONFIRM: the key isn't accepted, said one answer */
    char *id;      /* of the credential that the step is about */
    cJSON *object; /* a whole object read on the way */
    /* of the whole pass: the value that was just minted, so that it need not be read back */
    struct credential credential;
    int64_t credential_revision; /* 0: none */
};

/* Takes over *key and starts. ended is called when it is over, perhaps before this returns. */
void pass_run(struct runtime *runtime, struct queue_key *key, void (*ended)(void *context),
              void *context);

/* ---- for the steps ---- */

/* The step succeeded: next decision. */
void pass_continue(struct pass *pass);
/* It failed on that side: remembered with its back-off, then the next decision. reason: of the
 * condition, NULL for the one that the error's kind has. Frees nothing of the caller's. */
void pass_fail(struct pass *pass, enum failure_side side, const char *reason,
               const struct err *err);
/* Ends the pass: somebody else's answer will put the key back into the queue. */
void pass_end(struct pass *pass);

/* A Kubernetes call for the step; namespace of the resource. body is consumed. */
void pass_kube(struct pass *pass, enum kube_verb verb, const struct kube_resource *resource,
               const char *name, const char *subresource, cJSON *body, bool metadata_only,
               kube_done_fn *done);
/* How most answers end: conflict and not found look at the object again, other errors fail. Puts
 * the object into the cache of its type. */
void pass_written(struct pass *pass, struct store *store, cJSON **object, const struct err *err);
/* What a GET answered goes into the cache: the object, or that it isn't there any more. uid: of
 * what the cache showed, or NULL. False: the step has failed, and the pass went on without the
 * caller. */
NODISCARD bool pass_take_over(struct pass *pass, struct store *store, const char *name,
                              const char *uid, cJSON **object, const struct err *err);
/* Reads the object again into the cache, then decides anew. */
void pass_reread(struct pass *pass, const struct kube_resource *resource, const char *name,
                 struct store *store);

/* Goes on with `then` when the resource is still what was decided on, as the API server has it; or
 * takes over what it is, and decides anew. A cache may lag, after a start above all. */
void pass_if_unchanged(struct pass *pass, void (*then)(struct pass *pass));

void pass_event(struct pass *pass, enum recorder_type type, const char *reason, const char *action,
                const char *format, ...) PRINTF_LIKE(5, 6);

/* The resource's own type and cache. */
const struct kube_resource *pass_resource_type(const struct pass *pass);
struct store *pass_resource_store(const struct pass *pass);
struct store *pass_secrets(const struct pass *pass);
const char *pass_target_name(const struct pass *pass);

#endif
