/* Reading the members of a spec: each function answers false with INVALID, and a message that names
 * the member by its path below spec, when what is there is of another form. A member that is absent
 * or null isn't given. Pure; pointers are borrowed from the JSON.
 */
#ifndef API_FIELD_H
#define API_FIELD_H

#include <cjson/cJSON.h>
#include <stdint.h>

#include "base/err.h"

/* The member, or NULL when it isn't given. */
NODISCARD const cJSON *field_given(const cJSON *json, const char *path);

/* NULL when it isn't given. */
NODISCARD bool field_object(const cJSON *json, const char *path, const cJSON **ret,
                            struct err *err);
/* *ret keeps its value when the member isn't given. */
NODISCARD bool field_string(const cJSON *json, const char *path, const char **ret, struct err *err);
/* Longer than nothing; *ret_ms keeps its value when the member isn't given. */
NODISCARD bool field_duration(const cJSON *json, const char *path, int64_t *ret_ms,
                              struct err *err);
/* An array of at most 32 strings that all pass the check; NULL when it isn't given, or empty. */
NODISCARD bool field_list(const cJSON *json, const char *path,
                          bool (*check)(const char *text, struct err *err), const cJSON **ret,
                          struct err *err);
/* An object of strings whose entries all pass the check; NULL when it isn't given, or empty. */
NODISCARD bool field_map(const cJSON *json, const char *path,
                         bool (*check)(const char *name, const char *value, struct err *err),
                         const cJSON **ret, struct err *err);

#endif
