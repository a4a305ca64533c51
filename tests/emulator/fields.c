/* Admin requests are written by hand in tests: each mistake in one is said, not ignored. */

#include "fields.h"

#include <string.h>

bool fields_number(const cJSON *object, const char *name, double min, double max, double *value)
{
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(object, name);
    if (!item)
        return true;
    if (!cJSON_IsNumber(item) || item->valuedouble < min || item->valuedouble > max)
        return false;
    *value = item->valuedouble;
    return true;
}

bool fields_integer(const cJSON *object, const char *name, int64_t min, int64_t max, int64_t *value)
{
    double number = (double)*value;
    if (!fields_number(object, name, (double)min, (double)max, &number) ||
        (double)(int64_t)number < number)
        return false;
    *value = (int64_t)number;
    return true;
}

bool fields_boolean(const cJSON *object, const char *name, bool *value)
{
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(object, name);
    if (!item)
        return true;
    *value = cJSON_IsTrue(item);
    return cJSON_IsBool(item);
}

bool fields_string(const cJSON *object, const char *name, const char **value)
{
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(object, name);
    if (!item)
        return true;
    *value = cJSON_GetStringValue(item);
    return *value;
}

const char *fields_unknown(const cJSON *object, const char *const *known)
{
    const cJSON *field;
    cJSON_ArrayForEach(field, object) {
        const char *const *name = known;
        while (*name && strcmp(*name, field->string) != 0)
            name++;
        if (!*name)
            return field->string;
    }
    return NULL;
}
