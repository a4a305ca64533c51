/* Written as a whole each time, so that a stored condition with members missing heals. */
#include "api/condition.h"

#include <assert.h>
#include <string.h>

#include "api/timestamp.h"
#include "base/json.h"

enum { MESSAGE_MAX_BYTES = 32768 };

static cJSON *find(const cJSON *conditions, const char *type)
{
    if (!cJSON_IsArray(conditions))
        return NULL;
    cJSON *item = NULL;
    cJSON_ArrayForEach(item, conditions)
        if (mem_streq(json_string_at(item, "type"), type))
            return item;
    return NULL;
}

const cJSON *condition_find(const cJSON *conditions, const char *type)
{
    return find(conditions, type);
}

bool condition_is_true(const cJSON *conditions, const char *type)
{
    return mem_streq(json_string_at(find(conditions, type), "status"), "True");
}

/* At most so many bytes, without half a UTF-8 character at the end. */
static char *cut(const char *text, size_t max_bytes)
{
    size_t length = strnlen(text, max_bytes + 1);
    if (length > max_bytes)
        for (length = max_bytes; length > 0 && ((unsigned char)text[length] & 0xC0) == 0x80;)
            length--;
    return mem_strndup(text, length);
}

void condition_set(cJSON *conditions, const struct condition *condition, int64_t generation,
                   int64_t now_ms)
{
    assert(cJSON_IsArray(conditions));
    cJSON *old = find(conditions, condition->type);
    char now[TIMESTAMP_BYTES];
    timestamp_format(now_ms, now);
    const char *since = json_string_at(old, "lastTransitionTime");
    bool same = since && mem_streq(json_string_at(old, "status"), condition->status);

    auto_free char *message = cut(condition->message, MESSAGE_MAX_BYTES);
    cJSON *new = cJSON_CreateObject();
    json_add_string(new, "type", condition->type);
    json_add_string(new, "status", condition->status);
    json_add_int(new, "observedGeneration", generation);
    json_add_string(new, "lastTransitionTime", same ? since : now);
    json_add_string(new, "reason", condition->reason);
    json_add_string(new, "message", message);
    if (old)
        cJSON_ReplaceItemViaPointer(conditions, old, new);
    else
        cJSON_AddItemToArray(conditions, new);
}

void condition_remove(cJSON *conditions, const char *type)
{
    cJSON *old = find(conditions, type);
    if (old)
        cJSON_Delete(cJSON_DetachItemViaPointer(conditions, old));
}
