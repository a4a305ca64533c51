/* A stored object, a revision Secret or a target Secret of any form: nothing of it may end the
 * process, and what counts as usable really is. */
#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "api/marker.h"
#include "api/name.h"
#include "api/target.h"
#include "base/json.h"
#include "deepgram/request.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

static void check_request(const struct resource *resource)
{
    struct attempt attempt = { .revision = 1, .nonce = "0123456789abcdef", .rotate = "" };
    struct deepgram_request request;
    deepgram_create(resource, &attempt, &request);
    auto_json cJSON *body = json_parse(request.body, strlen(request.body));
    struct marker marker;
    assert(!strchr(request.path, ' ') && !strstr(request.path, ".."));
    if (name_is_uuid(resource->uid))
        assert(marker_parse(json_string_at(body, "comment"), NULL, &marker) &&
               strcmp(marker.uid, resource->uid) == 0 && marker.revision == 1);
    deepgram_request_done(&request);
}

/* What is rendered is up to date, and rendering it again changes nothing. */
static void check_target(const struct resource *resource)
{
    struct credential credential = { .id = mem_strdup("id") };
    secret_set(&credential.secret, "key", 3);
    const struct revision revision = { .number = 1, .id = "id" };
    struct err err = ERR_INIT;
    auto_json cJSON *first =
        target_render(resource, &revision, &credential, resource->json, 1000, &err);
    if (first) {
        auto_json cJSON *second =
            target_render(resource, &revision, &credential, first, 2000, &err);
        assert(second && target_same_content(first, second));
        assert(resource->uid[0] == '\0' || target_metadata_current(resource, 1, second));
    }
    credential_done(&credential);
}

static void check_resource(enum resource_kind kind, const cJSON *json)
{
    auto_resource struct resource *resource = resource_new(kind, cJSON_Duplicate(json, true));
    auto_free char *issuing = attempts_print(resource->attempts, resource->attempt_count);
    auto_json cJSON *patch = resource_metadata_patch(resource, true, issuing);
    assert(strlen(resource->spec_hash) == 16 && json_at(patch, "metadata.finalizers"));
    if (resource->spec_error[0] == '\0') {
        assert(name_is_uuid(resource->spec.project_id));
        assert(name_is_subdomain(resource->spec.secret_name));
        check_request(resource);
        check_target(resource);
    }
}

static void check_revision(const cJSON *json)
{
    struct revision revision;
    if (revision_parse(json, &revision))
        assert(name_is_credential_id(revision.id) && revision.number > 0 && revision.nonce);
    struct credential credential;
    struct err err = ERR_INIT;
    if (revision_read(json, &credential, &err))
        assert(!secret_is_empty(&credential.secret) && name_is_credential_id(credential.id));
    else
        assert(err.kind == ERR_MALFORMED);
    credential_done(&credential);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    json_setup();
    auto_json cJSON *json = json_parse((const char *)bytes, length);
    if (!json)
        return 0;
    check_resource(RESOURCE_API_KEY, json);
    check_resource(RESOURCE_PULL_SECRET, json);
    check_revision(json);
    resource_trim(json);
    check_resource(RESOURCE_API_KEY, json);
    return 0;
}
