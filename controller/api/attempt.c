/* An array of objects: [{"revision":1,"nonce":"…","since":"…","specHash":"…","rotate":"…"}]. */
#include "api/attempt.h"

#include <stdio.h>
#include <string.h>

#include "api/revision_number.h"
#include "api/timestamp.h"
#include "base/json.h"

bool nonce_is_valid(const char *text)
{
    static const char alphabet[] = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
    size_t length = text ? strspn(text, alphabet) : 0;
    return length >= 1 && length < NONCE_BYTES && text[length] == '\0';
}

char *attempts_print(const struct attempt *attempts, size_t count)
{
    if (count == 0)
        return mem_strdup("");
    auto_json cJSON *array = cJSON_CreateArray();
    for (size_t i = 0; i < count; i++) {
        char since[TIMESTAMP_BYTES];
        timestamp_format(attempts[i].since_ms, since);
        cJSON *object = cJSON_CreateObject();
        json_add_int(object, "revision", attempts[i].revision);
        json_add_string(object, "nonce", attempts[i].nonce);
        json_add_string(object, "since", since);
        json_add_string(object, "specHash", attempts[i].spec_hash);
        json_add_string(object, "rotate", attempts[i].rotate);
        cJSON_AddItemToArray(array, object);
    }
    return json_print(array);
}

static bool read_attempt(const cJSON *json, struct attempt *ret)
{
    const char *nonce = json_string_at(json, "nonce");
    const char *spec_hash = json_string_at(json, "specHash");
    const char *rotate = json_string_at(json, "rotate");
    struct attempt attempt = {
        .revision = revision_number_at(json, "revision"),
        .rotate = rotate ? rotate : "",
    };
    if (attempt.revision == 0 || !nonce_is_valid(nonce) ||
        !timestamp_parse(json_string_at(json, "since"), &attempt.since_ms))
        return false;
    snprintf(attempt.nonce, sizeof attempt.nonce, "%s", nonce);
    snprintf(attempt.spec_hash, sizeof attempt.spec_hash, "%s", spec_hash ? spec_hash : "");
    *ret = attempt;
    return true;
}

size_t attempts_parse(const cJSON *json, struct attempt ret_attempts[ATTEMPTS_MAX])
{
    if (!cJSON_IsArray(json))
        return 0;
    size_t count = 0;
    const cJSON *item = NULL;
    cJSON_ArrayForEach(item, json)
        if (count < ATTEMPTS_MAX && read_attempt(item, &ret_attempts[count]))
            count++;
    return count;
}
