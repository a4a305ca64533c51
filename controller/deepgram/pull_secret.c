/* Deepgram's current document wants scopes and provider in the query, older ones in the body: both
 * are sent. */
#include "deepgram/pull_secret.h"

#include "base/json.h"
#include "deepgram/url.h"

static void create_query(const struct resource *resource, struct buf *path)
{
    auto_json cJSON *scopes = spec_scopes(resource);
    buf_putc(path, '?');
    const cJSON *scope = NULL;
    cJSON_ArrayForEach(scope, scopes) {
        buf_puts(path, "scopes=");
        url_escape(path, scope->valuestring);
        buf_putc(path, '&');
    }
    buf_puts(path, "provider=" PROVIDER_QUAY);
}

static char *create_body(const struct resource *resource, const struct attempt *attempt)
{
    auto_free char *comment = marker_comment(resource, attempt->revision, attempt->nonce);
    auto_json cJSON *body = cJSON_CreateObject();
    json_add_string(body, "comment", comment);
    cJSON_AddItemToObject(body, "scopes", spec_scopes(resource));
    json_add_string(body, "provider", PROVIDER_QUAY);
    return json_print(body);
}

const struct credential_kind pull_secret_kind = {
    .kind = RESOURCE_PULL_SECRET,
    .noun = "pull credentials",
    .checkable = false,
    .collection = "self-hosted/distribution/credentials",
    .list_query = "",
    .create_query = create_query,
    .create_body = create_body,
    .list_field = "distribution_credentials",
    .object_field = "distribution_credentials",
    .id_field = "distribution_credentials_id",
    .secret_field = "secret",
    .username_prefix = "deepgram+",
};
