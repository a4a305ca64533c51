/* Sets are sorted cJSON arrays: they have a handful of entries, and print as they are. */
#include "api/canonical.h"

#include <string.h>

#include "base/base64.h"
#include "base/json.h"

bool canonical_contains(const cJSON *array, const char *text)
{
    if (!cJSON_IsArray(array))
        return false;
    const cJSON *item = NULL;
    cJSON_ArrayForEach(item, array)
        if (cJSON_IsString(item) && strcmp(item->valuestring, text) == 0)
            return true;
    return false;
}

void canonical_append(cJSON *array, const char *text)
{
    if (!canonical_contains(array, text))
        cJSON_AddItemToArray(array, cJSON_CreateString(text));
}

/* cJSON_InsertItemInArray would do, but Debian 12's (1.7.15-1+deb12u1 and later) refuses to insert
 * anywhere but at the ends: the string goes to the end, and those greater behind it again. */
void canonical_add(cJSON *set, const char *text)
{
    int smaller = 0;
    const cJSON *item = NULL;
    cJSON_ArrayForEach(item, set) {
        int order = strcmp(item->valuestring, text);
        if (order == 0)
            return;
        if (order < 0)
            smaller++;
    }
    int greater = cJSON_GetArraySize(set) - smaller;
    cJSON_AddItemToArray(set, cJSON_CreateString(text));
    for (int i = 0; i < greater; i++)
        cJSON_AddItemToArray(set, cJSON_DetachItemFromArray(set, smaller));
}

void canonical_digest(const cJSON *json, char ret_hex[CANONICAL_DIGEST_BYTES])
{
    auto_free char *text = json_print(json);
    char hex[BASE64_SHA256_HEX_BYTES];
    base64_sha256_hex(text, strlen(text), hex);
    memcpy(ret_hex, hex, CANONICAL_DIGEST_BYTES - 1);
    ret_hex[CANONICAL_DIGEST_BYTES - 1] = '\0';
}
