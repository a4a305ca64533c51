/* Numbers of revisions as they stand in annotations, markers and JSON: 1 to a thousand million, so
 * that one more than the highest is always a number, too. Pure.
 */
#ifndef API_REVISION_NUMBER_H
#define API_REVISION_NUMBER_H

#include <cjson/cJSON.h>
#include <stdint.h>

#include "base/mem.h"

enum { REVISION_NUMBER_MAX = 1000000000 };

/* Decimal digits; 0 when text is NULL or no such number. */
NODISCARD int64_t revision_number_parse(const char *text);
/* A member of a JSON object; 0 when absent or no such number. */
NODISCARD int64_t revision_number_at(const cJSON *json, const char *path);

#endif
