/* Lookups walk the children themselves: a dotted path then needs no copy of its parts, and names
 * are compared with case, as Kubernetes and Deepgram mean them. */
#include "base/json.h"

#include <assert.h>
#include <string.h>

#include "base/json_blocks.h"

static const double INT_LIMIT = 9007199254740992.0; /* 2^53: doubles are exact up to here */

void json_setup(void)
{
    cJSON_InitHooks(&(cJSON_Hooks){ .malloc_fn = json_block_alloc, .free_fn = json_block_free });
}

cJSON *json_parse(const char *text, size_t length)
{
    const char *end = NULL;
    cJSON *json = cJSON_ParseWithLengthOpts(text, length, &end, false);
    if (!json)
        return NULL;
    for (; end < text + length; end++) {
        if (*end == '\0' || !strchr(" \t\r\n", *end)) {
            cJSON_Delete(json);
            return NULL;
        }
    }
    return json;
}

/* cJSON itself begins with 256 bytes, and copies the text once more at the end. */
char *json_print(const cJSON *json)
{
    enum { MOST_BYTES = 1024 };
    char *text = cJSON_PrintBuffered(json, MOST_BYTES, false);
    assert(text);
    return text;
}

char *json_print_indented(const cJSON *json)
{
    char *text = cJSON_Print(json);
    assert(text);
    return text;
}

static const cJSON *member(const cJSON *json, const char *name, size_t length)
{
    if (!cJSON_IsObject(json))
        return NULL;
    const cJSON *child = NULL;
    cJSON_ArrayForEach(child, json)
        if (child->string[0] == name[0] && strncmp(child->string, name, length) == 0 &&
            child->string[length] == '\0')
            return child;
    return NULL;
}

const cJSON *json_member(const cJSON *json, const char *name)
{
    return member(json, name, strlen(name));
}

bool json_has_string(const cJSON *array, const char *text)
{
    const cJSON *item = NULL;
    cJSON_ArrayForEach(item, array)
        if (cJSON_IsString(item) && mem_streq(item->valuestring, text))
            return true;
    return false;
}

const cJSON *json_at(const cJSON *json, const char *path)
{
    for (;;) {
        size_t length = strcspn(path, ".");
        json = member(json, path, length);
        if (!json || path[length] == '\0')
            return json;
        path += length + 1;
    }
}

const char *json_string_at(const cJSON *json, const char *path)
{
    return cJSON_GetStringValue(json_at(json, path));
}

const char *json_string_member(const cJSON *json, const char *name)
{
    return cJSON_GetStringValue(json_member(json, name));
}

bool json_bool_at(const cJSON *json, const char *path, bool fallback)
{
    const cJSON *value = json_at(json, path);
    return cJSON_IsBool(value) ? cJSON_IsTrue(value) : fallback;
}

int64_t json_int_at(const cJSON *json, const char *path, int64_t fallback)
{
    const cJSON *value = json_at(json, path);
    if (!cJSON_IsNumber(value))
        return fallback;
    double number = value->valuedouble;
    if (!(number >= -INT_LIMIT && number <= INT_LIMIT))
        return fallback;
    int64_t whole = (int64_t)number;
    return (double)whole == number ? whole : fallback;
}

void json_add_string(cJSON *object, const char *name, const char *text)
{
    if (!text)
        return;
    const cJSON *added = cJSON_AddStringToObject(object, name, text);
    assert(added);
}

void json_add_int(cJSON *object, const char *name, int64_t number)
{
    const cJSON *added = cJSON_AddNumberToObject(object, name, (double)number);
    assert(added);
}

cJSON *json_add_object(cJSON *object, const char *name)
{
    cJSON *added = cJSON_AddObjectToObject(object, name);
    assert(added);
    return added;
}

cJSON *json_add_array(cJSON *object, const char *name)
{
    cJSON *added = cJSON_AddArrayToObject(object, name);
    assert(added);
    return added;
}

void json_delete_indirect(cJSON **json)
{
    cJSON_Delete(*json);
}
