/* A parsed object that several hold at the same time and nobody changes: who wants to keep it takes
 * a share instead of a copy, and the last who drops theirs frees it.
 */
#ifndef BASE_SHARED_JSON_H
#define BASE_SHARED_JSON_H

#include <cjson/cJSON.h>

#include "base/mem.h"

/* Takes the object over (not what it is a member of) and returns the first share. NULL: NULL. */
NODISCARD const cJSON *shared_json_new(cJSON *object);
/* One share more of what shared_json_new() returned. */
NODISCARD const cJSON *shared_json_hold(const cJSON *shared);
/* NULL is fine. */
void shared_json_drop(const cJSON *shared);

/* For `auto_shared_json const cJSON *x = …;`: dropped when the scope is left. */
void shared_json_drop_indirect(const cJSON **shared);
#define auto_shared_json __attribute__((cleanup(shared_json_drop_indirect)))

#endif
