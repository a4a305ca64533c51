#ifndef EMULATOR_FIELDS_H
#define EMULATOR_FIELDS_H

/* Reading optional fields of an admin request. A field that is absent leaves its variable alone;
 * one of the wrong type or out of range makes the function return false. */

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "mem.h"

NODISCARD bool fields_integer(const cJSON *object, const char *name, int64_t min, int64_t max,
                              int64_t *value);
NODISCARD bool fields_number(const cJSON *object, const char *name, double min, double max,
                             double *value);
NODISCARD bool fields_boolean(const cJSON *object, const char *name, bool *value);
NODISCARD bool fields_string(const cJSON *object, const char *name, const char **value);

/* The first field whose name is not in the NULL-terminated list: a misspelt name must not pass
 * silently. NULL when all are known. */
const char *fields_unknown(const cJSON *object, const char *const *known);

#endif
