/* Are the CRDs of the cluster those of this program? It carries its own (crds/), and the API server
 * tells its in an OpenAPI v3 document. What a CRD doesn't know, the API server drops, so a field
 * that is missing there is one that can't be set, or a status that is never kept. Pure.
 */
#ifndef PLUGIN_SCHEMA_H
#define PLUGIN_SCHEMA_H

#include <cjson/cJSON.h>

#include "api/resource_kind.h"
#include "base/buf.h"

#define SCHEMA_OPENAPI_PATH "/openapi/v3/apis/deepgram.com/v1alpha1"

/* Appends the fields that the API server's schema of a kind lacks, as "spec.a, status.b.c". Returns
 * how many. */
size_t schema_missing(enum resource_kind kind, const cJSON *openapi, struct buf *out);

#endif
