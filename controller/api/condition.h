/* metav1.Condition in a JSON array, as `kubectl wait` and kstatus read it. Pure. */
#ifndef API_CONDITION_H
#define API_CONDITION_H

#include <cjson/cJSON.h>
#include <stdint.h>

#include "base/mem.h"

/* "True", "False", "Unknown". */
struct condition {
    const char *type;
    const char *status;
    const char *reason;  /* CamelCase */
    const char *message; /* plain words; cut to 32768 bytes, what the schema allows */
};

/* Sets or adds the condition; lastTransitionTime changes only with status. */
void condition_set(cJSON *conditions, const struct condition *condition, int64_t generation,
                   int64_t now_ms);
/* Removes it when present. */
void condition_remove(cJSON *conditions, const char *type);
/* The condition object or NULL. */
NODISCARD const cJSON *condition_find(const cJSON *conditions, const char *type);
NODISCARD bool condition_is_true(const cJSON *conditions, const char *type);

#endif
