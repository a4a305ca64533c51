/* The wording of complaints is here once, so that all fields are spoken of in the same way. */
#include "api/field.h"

#include "api/timestamp.h"
#include "base/json.h"

enum { LIST_MAX = 32 };

const cJSON *field_given(const cJSON *json, const char *path)
{
    const cJSON *value = json_at(json, path);
    return cJSON_IsNull(value) ? NULL : value;
}

bool field_object(const cJSON *json, const char *path, const cJSON **ret, struct err *err)
{
    const cJSON *value = field_given(json, path);
    if (value && !cJSON_IsObject(value))
        return err_set(err, ERR_INVALID, "spec.%s is not an object", path);
    *ret = value;
    return true;
}

bool field_string(const cJSON *json, const char *path, const char **ret, struct err *err)
{
    const cJSON *value = field_given(json, path);
    if (value && !cJSON_IsString(value))
        return err_set(err, ERR_INVALID, "spec.%s is not a string", path);
    if (value)
        *ret = value->valuestring;
    return true;
}

bool field_duration(const cJSON *json, const char *path, int64_t *ret_ms, struct err *err)
{
    const char *text = NULL;
    if (!field_string(json, path, &text, err))
        return false;
    int64_t ms = 0;
    if (text && (!duration_parse(text, &ms) || ms == 0))
        return err_set(err, ERR_INVALID,
                       "spec.%s is not a positive duration in hours, minutes and seconds such as "
                       "720h or 1h30m",
                       path);
    if (text)
        *ret_ms = ms;
    return true;
}

bool field_list(const cJSON *json, const char *path,
                bool (*check)(const char *text, struct err *err), const cJSON **ret,
                struct err *err)
{
    const cJSON *value = field_given(json, path);
    if (value && !cJSON_IsArray(value))
        return err_set(err, ERR_INVALID, "spec.%s is not a list", path);
    if (cJSON_GetArraySize(value) > LIST_MAX)
        return err_set(err, ERR_INVALID, "spec.%s has more than %d entries", path, LIST_MAX);
    const cJSON *item = NULL;
    cJSON_ArrayForEach(item, value) {
        if (!cJSON_IsString(item))
            return err_set(err, ERR_INVALID, "spec.%s holds something that is not a string", path);
        if (!check(item->valuestring, err))
            return false;
    }
    *ret = cJSON_GetArraySize(value) > 0 ? value : NULL;
    return true;
}

bool field_map(const cJSON *json, const char *path,
               bool (*check)(const char *name, const char *value, struct err *err),
               const cJSON **ret, struct err *err)
{
    const cJSON *object = NULL;
    if (!field_object(json, path, &object, err))
        return false;
    const cJSON *item = NULL;
    cJSON_ArrayForEach(item, object) {
        if (!cJSON_IsString(item))
            return err_set(err, ERR_INVALID, "spec.%s: the value of \"%.64s\" is not a string",
                           path, item->string);
        if (!check(item->string, item->valuestring, err))
            return false;
    }
    *ret = cJSON_GetArraySize(object) > 0 ? object : NULL;
    return true;
}
