/* Everything that a key is goes into the body of its creation: there is no update call. */
#include "deepgram/api_key.h"

#include "api/timestamp.h"
#include "base/json.h"

static char *create_body(const struct resource *resource, const struct attempt *attempt)
{
    const struct spec *spec = &resource->spec;
    auto_free char *comment = marker_comment(resource, attempt->revision, attempt->nonce);
    auto_json cJSON *body = cJSON_CreateObject();
    json_add_string(body, "comment", comment);
    cJSON_AddItemToObject(body, "scopes", spec_scopes(resource));
    cJSON_AddItemToObject(body, "tags", marker_tags(resource, attempt->revision, attempt->nonce));
    if (spec->valid_for_ms > 0) {
        json_add_int(body, "time_to_live_in_seconds", spec->valid_for_ms / 1000);
    } else if (spec->expires_at_ms > 0) {
        char date[TIMESTAMP_BYTES];
        timestamp_format(spec->expires_at_ms, date);
        json_add_string(body, "expiration_date", date);
    }
    return json_print(body);
}

const struct credential_kind api_key_kind = {
    .kind = RESOURCE_API_KEY,
    .noun = "API key",
    .checkable = true,
    .collection = "keys",
    .list_query = "?status=active",
    .create_body = create_body,
    .list_field = "api_keys",
    .object_field = "api_key",
    .id_field = "api_key_id",
    .secret_field = "key",
};
