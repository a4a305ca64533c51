/* A credential as Deepgram hands it out once, and the revision Secret that keeps it: named
 * `<resource>-dgkey-r<N>` or `<resource>-dgpull-r<N>`, type deepgram.com/credential, immutable,
 * owned by the resource. Everything that isn't secret stands in annotations, so that a
 * metadata-only watch tells all that decisions need. Pure.
 */
#ifndef API_CREDENTIAL_H
#define API_CREDENTIAL_H

#include "api/resource.h"
#include "base/secret.h"

#define SECRET_TYPE_REVISION "deepgram.com/credential"
#define LABEL_MANAGED_BY "app.kubernetes.io/managed-by"
#define MANAGED_BY "deepgram-operator"
#define ANNOTATION_RESOURCE "deepgram.com/resource" /* "<Kind>/<name>" */
#define ANNOTATION_REVISION "deepgram.com/revision"
#define ANNOTATION_ID "deepgram.com/id"
#define ANNOTATION_NONCE "deepgram.com/nonce"
#define ANNOTATION_SPEC_HASH "deepgram.com/spec-hash"
#define ANNOTATION_ISSUED_AT "deepgram.com/issued-at"
#define ANNOTATION_EXPIRES_AT "deepgram.com/expires-at"
#define ANNOTATION_SCOPES "deepgram.com/scopes" /* as granted, separated by spaces */
#define ANNOTATION_USERNAME "deepgram.com/username"
#define ANNOTATION_PROJECT "deepgram.com/project"
#define ANNOTATION_SECRET_NAME "deepgram.com/secret-name" /* issued for; absent: the default */
/* Put on later, when pods failed on it: it is no longer published. The time, why (plain words), how
 * many failed in a row, and since when it had been published. */
#define ANNOTATION_FAILED_AT "deepgram.com/failed-at"
#define ANNOTATION_FAILED "deepgram.com/failed"
#define ANNOTATION_FAILED_COUNT "deepgram.com/failed-count"
#define ANNOTATION_PUBLISHED_AT "deepgram.com/published-at"
/* and ANNOTATION_ROTATE: the rotate token that the revision answered */

/* The id of an adopted key whose id Deepgram doesn't tell. */
#define CREDENTIAL_ID_UNKNOWN "unknown"

/* What a create answered. */
struct credential {
    char *id;              /* api_key_id or distribution_credentials_id */
    char *username;        /* pull credentials; else NULL */
    struct secret secret;  /* the key, or the Quay password */
    cJSON *scopes;         /* as granted; array or NULL */
    int64_t expires_at_ms; /* as Deepgram returned it; 0: never */
    int64_t created_at_ms; /* 0: not told */
};
void credential_done(struct credential *credential);
/* "username:secret", as HTTP Basic wants it; ret is overwritten. */
void credential_login(const struct credential *credential, struct secret *ret);

/* A revision Secret seen by its metadata; pointers borrowed from the JSON it was read from. */
struct revision {
    const char *secret_name;
    const char *secret_uid;
    const char *resource_version;
    const char *owner_uid; /* of the controlling owner reference; NULL after Retain */
    const char *resource;  /* "<Kind>/<name>" that it was made for */
    bool anchored;         /* owner_is_anchored() */
    bool deleting;
    int64_t number;
    const char *id;
    const char *nonce;      /* "" when it was adopted */
    const char *spec_hash;  /* of the attempt; "" when it was adopted */
    const char *rotate;     /* the rotate token that it answered, "" */
    const char *scopes;     /* as granted, separated by spaces; "" when not told */
    const char *username;   /* or NULL */
    const char *project_id; /* of the project that it was issued in */
    const char *issued_for; /* spec.secret.name at that time */
    int64_t issued_at_ms;
    int64_t expires_at_ms;   /* 0: never */
    int64_t failed_at_ms;    /* 0: it didn't */
    int64_t failed_count;    /* in a row, this one included */
    int64_t published_at_ms; /* of a failed one; 0: not told */
    const char *failure;     /* why it failed; "" */
};

/* The name; free with mem_free. Over 253 characters the resource's part is cut and a hash of the
 * whole name takes the place of the rest. */
NODISCARD char *revision_secret_name(enum resource_kind kind, const char *resource_name,
                                     int64_t number);

/* Has a name the form that revision_secret_name() makes? */
NODISCARD bool revision_secret_name_matches(const char *name);

/* The Secret to create for an answered attempt; wiped when the caller deletes it. An expiry that
 * Deepgram left out is computed from the spec. */
NODISCARD cJSON *revision_secret(const struct resource *resource, const struct attempt *attempt,
                                 const struct credential *credential, int64_t now_ms);

/* Is it what the annotation deepgram.com/resource has for this resource? text: NULL when absent. */
NODISCARD bool resource_is_named(const struct resource *resource, const char *text);

/* Reads metadata (a PartialObjectMetadata has no type: the label and the annotations tell); false
 * when the object isn't a revision Secret. */
NODISCARD bool revision_parse(const cJSON *secret, struct revision *ret_revision);
/* Reads the values of a whole revision Secret: id, username and secret from its immutable data, the
 * rest from annotations. ret_credential is empty when that fails (MALFORMED); the caller calls
 * credential_done in any case. */
NODISCARD bool revision_read(const cJSON *secret, struct credential *ret_credential,
                             struct err *err);

/* Points metadata.ownerReferences at the resource as its controller. Others that control
 * nothing are kept. */
void owner_set(cJSON *metadata, const struct resource *resource);
/* The reference of metadata.ownerReferences that controls; borrowed, NULL: none. */
NODISCARD const cJSON *owner_controller(const cJSON *object);
/* True when metadata.ownerReferences has a controller with that UID; "" and NULL are nobody's. */
NODISCARD bool owned_by(const cJSON *object, const char *uid);

/* Makes the namespace an owner too, one that controls nothing. The garbage collector deletes what a
 * resource owns when that is deleted in the foreground, and only takes the reference off where
 * another owner is left (Kubernetes, Garbage Collection: foreground cascading deletion). */
void owner_anchor(cJSON *metadata, const char *namespace, const char *namespace_uid);
NODISCARD bool owner_is_namespace(const cJSON *reference);
/* Is the namespace one of metadata.ownerReferences? */
NODISCARD bool owner_is_anchored(const cJSON *object);

#endif
