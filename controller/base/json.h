/* Reading and writing JSON with cJSON: the few helpers that keep callers a straight column.
 * json_setup() hooks cJSON onto base/mem, so that every tree is wiped when it is deleted.
 * Getters take NULL and wrong types and answer NULL/false/fallback: foreign bytes never crash.
 */
#ifndef BASE_JSON_H
#define BASE_JSON_H

#include <cjson/cJSON.h>
#include <stddef.h>
#include <stdint.h>

#include "base/mem.h"

/* Once per process, before the first use of cJSON. */
void json_setup(void);

/* Parses exactly one JSON value (white space around it is fine); NULL when it isn't JSON. */
NODISCARD cJSON *json_parse(const char *text, size_t length);
/* Compact text; free with mem_free. */
NODISCARD char *json_print(const cJSON *json);
/* The same with line breaks, for people. */
NODISCARD char *json_print_indented(const cJSON *json);

/* A member by a dotted path of names ("metadata.uid"); NULL when absent. Names with dots
 * (annotations) are looked up with json_member. */
NODISCARD const cJSON *json_at(const cJSON *json, const char *path);
NODISCARD const cJSON *json_member(const cJSON *json, const char *name);
/* Its string, or NULL when absent or not a string; borrowed. */
NODISCARD const char *json_string_at(const cJSON *json, const char *path);
NODISCARD const char *json_string_member(const cJSON *json, const char *name);
NODISCARD bool json_bool_at(const cJSON *json, const char *path, bool fallback);
/* Is the string an item of the array? */
NODISCARD bool json_has_string(const cJSON *array, const char *text);
/* A whole number; fallback when absent, not a number, fractional or beyond +-2^53. */
NODISCARD int64_t json_int_at(const cJSON *json, const char *path, int64_t fallback);

/* Adds a string member; nothing when text is NULL. */
void json_add_string(cJSON *object, const char *name, const char *text);
void json_add_int(cJSON *object, const char *name, int64_t number);
/* Adds an object or array member and returns it (borrowed from `object`). */
cJSON *json_add_object(cJSON *object, const char *name);
cJSON *json_add_array(cJSON *object, const char *name);

void json_delete_indirect(cJSON **json);
#define auto_json __attribute__((cleanup(json_delete_indirect)))

#endif
