/* The two custom resources of deepgram.com/v1alpha1 as C structs: what a person wrote (spec), what
 * the operator noted (status, the announcement of creates), and the metadata in between. Pure.
 *
 * A struct resource owns the parsed JSON; every pointer in it is borrowed from that tree. Parsing
 * never fails on a stored object: the schema in crds/ is the first line of defence, and whatever
 * got past it ends in spec_error, which becomes a condition.
 */
#ifndef API_RESOURCE_H
#define API_RESOURCE_H

#include <cjson/cJSON.h>
#include <stdint.h>

#include "api/attempt.h"
#include "api/resource_kind.h"
#include "api/spec.h"
#include "api/status.h"
#include "base/err.h"

#define RESOURCE_GROUP "deepgram.com"
#define RESOURCE_API_VERSION "deepgram.com/v1alpha1"
#define FINALIZER_REVOKE "deepgram.com/revoke"
#define FINALIZER_IN_USE "deepgram.com/in-use"
#define ANNOTATION_PREFIX "deepgram.com/"
#define ANNOTATION_ROTATE "deepgram.com/rotate"
#define ANNOTATION_ABANDON "deepgram.com/abandon"
#define ANNOTATION_ADOPT "deepgram.com/adopt"
#define ANNOTATION_ISSUING "deepgram.com/issuing"

struct resource {
    cJSON *json;
    cJSON *issuing; /* the parsed announcement: attempts borrow from it */
    enum resource_kind kind;
    const char *namespace; /* "" when absent, as the other strings */
    const char *name;
    const char *uid;
    const char *resource_version;
    int64_t generation;
    bool deleting;
    int64_t deleted_at_ms; /* 0: not deleting, or not told */
    bool has_finalizer;    /* deepgram.com/revoke */
    bool abandon;
    const char *rotate; /* the annotation's value */
    struct spec spec;
    char spec_error[512];            /* "" when the spec can be used */
    char spec_hash[SPEC_HASH_BYTES]; /* of the fields that a credential is made of */
    struct status status;
    struct attempt attempts[ATTEMPTS_MAX];
    size_t attempt_count;
};

/* Consumes json, which may be anything, also NULL. Never NULL. */
NODISCARD struct resource *resource_new(enum resource_kind kind, cJSON *json);
void resource_free(struct resource *resource);
void resource_free_indirect(struct resource **resource);
#define auto_resource __attribute__((cleanup(resource_free_indirect)))

/* As far as status tells, what it published last stood in a Secret of the name that spec has now.
 */
NODISCARD bool resource_published_here(const struct resource *resource);

/* What the annotation deepgram.com/issuing of a resource holds, for attempts_parse(); NULL when it
 * holds nothing that can be read. The caller deletes it. */
NODISCARD cJSON *resource_announcement(const cJSON *json);

/* Reduces a stored object to what resource_new() reads (for the cache): metadata without
 * managedFields and without foreign annotations, spec, status. */
void resource_trim(cJSON *json);

/* Merge patch (RFC 7386) of the main resource with resourceVersion as precondition: finalizer on or
 * off (others' finalizers are kept), and the annotation deepgram.com/issuing set (text), removed
 * ("") or left alone (NULL). The caller deletes it. */
NODISCARD cJSON *resource_metadata_patch(const struct resource *resource, bool finalizer,
                                         const char *issuing);

#endif
