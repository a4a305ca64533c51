/* Lists of strings without doubles, and digests of what a person wrote that don't depend on order.
 * Pure.
 */
#ifndef API_CANONICAL_H
#define API_CANONICAL_H

#include <cjson/cJSON.h>

#include "base/mem.h"

/* Is the string in the array? Wrong types are never. */
NODISCARD bool canonical_contains(const cJSON *array, const char *text);
/* Appends a string that isn't in the array yet. */
void canonical_append(cJSON *array, const char *text);
/* Adds a string to a sorted array without doubles. */
void canonical_add(cJSON *set, const char *text);

enum { CANONICAL_DIGEST_BYTES = 17 };
/* The first 16 hexadecimal digits of SHA-256 over the printed JSON. */
void canonical_digest(const cJSON *json, char ret_hex[CANONICAL_DIGEST_BYTES]);

#endif
