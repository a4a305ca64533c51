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

void canonical_add(cJSON *set, const char *text)
{
    int index = 0;
    const cJSON *item = NULL;
    cJSON_ArrayForEach(item, set) {
        int order = strcmp(item->valuestring, text);
        if (order == 0)
            return;
        if (order > 0)
            break;
        index++;
    }
    cJSON_InsertItemInArray(set, index, cJSON_CreateString(text));
}

void canonical_digest(const cJSON *json, char ret_hex[CANONICAL_DIGEST_BYTES])
{
    auto_free char *text = json_print(json);
    char hex[BASE64_SHA256_HEX_BYTES];
    base64_sha256_hex(text, strlen(text), hex);
    memcpy(ret_hex, hex, CANONICAL_DIGEST_BYTES - 1);
    ret_hex[CANONICAL_DIGEST_BYTES - 1] = '\0';
}
