/* Deepgram's management API and Quay credentials, as requests and answers. Pure: a request is a
 * method, a path with query and a body; an answer is status and bytes. One table entry per kind of
 * credential says what differs. Facts: Deepgram's API reference, "Manage API keys" and
 * "Self-hosted distribution credentials".
 */
#ifndef DEEPGRAM_REQUEST_H
#define DEEPGRAM_REQUEST_H

#include "api/credential.h"
#include "api/marker.h"
#include "base/buf.h"
#include "deepgram/listing.h"

enum deepgram_operation {
    DEEPGRAM_CREATE,
    DEEPGRAM_LIST,
    DEEPGRAM_GET,
    DEEPGRAM_REVOKE,
    DEEPGRAM_CHECK,      /* is the new credential alive? */
    DEEPGRAM_PULL_TOKEN, /* at the registry: may it pull? */
    DEEPGRAM_OPERATIONS
};
/* "create", "list", "get", "revoke", "check", "pull_token": the metrics' label. */
const char *deepgram_operation_name(enum deepgram_operation operation);

struct deepgram_request {
    enum deepgram_operation operation;
    const char *method;
    char *path;                       /* with query; owned */
    char *body;                       /* JSON or NULL; owned */
    struct deepgram_listing *listing; /* LIST: reads the body of a 2xx answer; owned */
};
void deepgram_request_done(struct deepgram_request *request);

/* What differs between the kinds of credential. */
struct credential_kind {
    enum resource_kind kind;
    const char *noun;       /* "API key", "pull credentials": for messages */
    bool checkable;         /* has DEEPGRAM_CHECK */
    const char *collection; /* path below the project: "keys", … */
    const char *list_query; /* with its '?', or "" */
    /* Appends the query of the create with its '?'; may be NULL. */
    void (*create_query)(const struct resource *resource, struct buf *path);
    /* The body of the create; free with mem_free. */
    char *(*create_body)(const struct resource *resource, const struct attempt *attempt);
    const char *list_field;      /* names in answers: the array of a list, */
    const char *object_field;    /* the object that a description may be wrapped in, */
    const char *id_field;        /* and in it the id, */
    const char *secret_field;    /* and the secret */
    const char *username_prefix; /* in front of the id; NULL: the kind has no user name */
};
const struct credential_kind *credential_kind(enum resource_kind kind);
/* What an answer, or an item of a list, says of a credential: it may be wrapped in an object of its
 * own, next to its owner's. NULL only for NULL. */
const cJSON *credential_description(const struct credential_kind *kind, const cJSON *json);

/* Builders; *ret is overwritten, and released with deepgram_request_done. Paths begin with "/v1/";
 * ids in them are percent-encoded. */
void deepgram_create(const struct resource *resource, const struct attempt *attempt,
                     struct deepgram_request *ret);
void deepgram_list(enum resource_kind kind, const char *project_id, struct deepgram_request *ret);
void deepgram_get(enum resource_kind kind, const char *project_id, const char *id,
                  struct deepgram_request *ret);
void deepgram_revoke(enum resource_kind kind, const char *project_id, const char *id,
                     struct deepgram_request *ret);
void deepgram_check(struct deepgram_request *ret);

#endif
