/* The marker by which a credential at Deepgram is known as ours: in the comment, readable for a
 * person, and for API keys in the tags too. Holds the resource's UID, the revision and the
 * attempt's nonce. Pure.
 *
 * Comment: `<comment> [deepgram-operator uid=<uid> rev=<n> nonce=<nonce>]`; the last bracket
 * counts, so that nobody's comment can pretend. Tags: `deepgram-operator`, `uid:<uid>`, `rev:<n>`,
 * `nonce:<nonce>`.
 */
#ifndef API_MARKER_H
#define API_MARKER_H

#include <cjson/cJSON.h>
#include <stdint.h>

#include "api/resource.h"

enum { UID_BYTES = 64 };

struct marker {
    char uid[UID_BYTES];
    int64_t revision;
    char nonce[NONCE_BYTES];
};

/* A credential that a list of Deepgram's shows with our marker. */
struct inventory_entry {
    const char *id; /* one block with the other texts */
    const char *uid;
    const char *nonce;
    int64_t revision;
    int64_t expires_at_ms; /* 0: never or not told */
};

/* The comment to send; free with mem_free. comment NULL: "<namespace>/<name>". */
NODISCARD char *marker_comment(const struct resource *resource, int64_t revision,
                               const char *nonce);
/* The tags to send: spec.tags and the marker's. The caller deletes it. */
NODISCARD cJSON *marker_tags(const struct resource *resource, int64_t revision, const char *nonce);
/* Reads it back from the end of a comment or, when that holds none, from tags (array or NULL);
 * false when there is no complete marker. Tags that name two values for one thing are none. */
NODISCARD bool marker_parse(const char *comment, const cJSON *tags, struct marker *ret_marker);
/* Would a tag of this text be taken for a part of the marker? */
NODISCARD bool marker_reserves_tag(const char *tag);

#endif
