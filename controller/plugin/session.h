/* The event loop made synchronous, for commands that ask, wait and print: requests to the API
 * server and to Deepgram, several at once where that saves time.
 */
#ifndef PLUGIN_SESSION_H
#define PLUGIN_SESSION_H

#include "deepgram/answer.h"
#include "kube/client.h"
#include "operator/options.h"

struct session;

/* Of options the URL of Deepgram, --ca-file and --max-in-flight count. Both are borrowed. */
NODISCARD bool session_new(const struct options *options, const struct kube_config *config,
                           struct session **ret_session, struct err *err);
void session_free(struct session *session);
void session_free_indirect(struct session **session);
#define auto_session __attribute__((cleanup(session_free_indirect)))

/* ---- the API server ---- */

struct reply {
    cJSON *object; /* owned by whoever started the request; NULL on error */
    bool failed;
    struct err err;
};

/* Starts a request; *reply is filled by the next session_wait(). done and context are set here. */
void session_start(struct session *session, const struct kube_call *call, struct reply *reply);
/* Until all that was started is answered. */
void session_wait(struct session *session);
/* Both for one request. */
NODISCARD bool session_ask(struct session *session, const struct kube_call *call,
                           cJSON **ret_object, struct err *err);
/* All objects of the type in the namespace (NULL: all) as an array, page by page. */
NODISCARD bool session_list(struct session *session, const struct kube_resource *resource,
                            const char *namespace, bool metadata_only, cJSON **ret_items,
                            struct err *err);
/* A path that is no resource's, such as /version. */
NODISCARD bool session_get_path(struct session *session, const char *path, cJSON **ret_object,
                                struct err *err);
/* Lets that much time pass. */
void session_sleep(struct session *session, int64_t ms);

/* ---- Deepgram ---- */

typedef void session_answer_fn(void *context, const struct deepgram_answer *answer);
/* Sends *request, which is taken over, with that key, and hands the answer to fn. */
void session_deepgram(struct session *session, struct deepgram_request *request,
                      const struct secret *key, session_answer_fn *fn, void *context);
/* A GET of that path at Deepgram with no key at all. */
void session_deepgram_anonymous(struct session *session, const char *path, session_answer_fn *fn,
                                void *context);

#endif
