/* The target Secret: what the pods consume, rendered from a revision Secret and spec.secret. Pure.
 *
 * Its annotations name the revision, the id and a digest of spec.secret, so that the metadata alone
 * tells whether it is up to date; a changed resourceVersion means that the data has to be looked
 * at once.
 */
#ifndef API_TARGET_H
#define API_TARGET_H

#include "api/canonical.h"
#include "api/credential.h"
#include "api/template.h"

/* Digest of what it is rendered from. */
#define ANNOTATION_TEMPLATE "deepgram.com/template"
/* and ANNOTATION_PUBLISHED_AT: since when it holds this revision */
/* Names of the labels and annotations that came from the spec, to be taken off with it. */
#define ANNOTATION_APPLIED "deepgram.com/applied"
#define ANNOTATION_DIGEST "deepgram.com/digest" /* of the data as it was rendered */
/* Field manager of the writes that put another credential into it. The API server notes when it
 * carried out the last one of a manager (metadata.managedFields), which may be later than such a
 * write says itself. */
#define FIELD_MANAGER_PUBLICATION "deepgram-operator-publication"
#define SECRET_TYPE_DOCKER "kubernetes.io/dockerconfigjson"
#define PULL_REGISTRY "quay.io"

/* "Opaque" or "kubernetes.io/dockerconfigjson". */
const char *target_type(enum resource_kind kind);

/* The templates of an API key's target: spec.secret.data, or {DEEPGRAM_API_KEY: "${apiKey}"}. The
 * caller deletes it. */
NODISCARD cJSON *target_templates(const struct resource *resource);
/* Digest of the Secret's data, whatever the order of its entries. */
void target_digest(const cJSON *secret, char ret_hex[CANONICAL_DIGEST_BYTES]);

/* Renders the complete Secret (labels, annotations, owner reference, type, data). existing: the
 * object that is replaced, of which the metadata of others is kept (labels, annotations,
 * finalizers, owners) as well as resourceVersion and uid, but no data; or NULL. The caller deletes
 * it. NULL with INVALID when a template can't be expanded or the data grows too large. */
NODISCARD cJSON *target_render(const struct resource *resource, const struct revision *revision,
                               const struct credential *credential, const cJSON *existing,
                               int64_t now_ms, struct err *err);

/* Does the metadata say: this resource, this revision, this template, these labels and annotations,
 * our owner reference? */
NODISCARD bool target_metadata_current(const struct resource *resource, int64_t revision,
                                       const cJSON *secret_metadata);
/* A kubelet may still hand out what the Secret held shortly before (it watches through a cache),
 * and creation times have whole seconds, by whichever API server's clock. */
enum { PUBLICATION_SKEW_MS = 5 * 1000 };

/* Since when the Secret holds what it holds, as it says itself, or, where that is later, its
 * managedFields; 0: it doesn't say. */
NODISCARD int64_t target_published_ms(const cJSON *secret_metadata);
/* Puts that into the annotation; managedFields needn't be kept then. */
void target_note_published(cJSON *secret_metadata);
/* Is the Secret, rendered just now, to be written by FIELD_MANAGER_PUBLICATION? */
NODISCARD bool target_is_publication(const cJSON *rendered, int64_t now_ms);
/* Is the Secret older than what it holds, so that it held something else before? False when its
 * creation time isn't known. */
NODISCARD bool target_was_updated(const cJSON *secret_metadata);
/* Is it younger than the publication of what it holds, which another Secret held before? False when
 * its creation time isn't known. */
NODISCARD bool target_was_remade(const cJSON *secret_metadata);
/* Are type and data of two whole Secrets the same? */
NODISCARD bool target_same_content(const cJSON *a, const cJSON *b);

#endif
