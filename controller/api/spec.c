/* One reader per field, in a table per kind: all run, the first complaint is kept. */
#include "api/spec.h"

#include <string.h>

#include "api/account.h"
#include "api/canonical.h"
#include "api/field.h"
#include "api/marker.h"
#include "api/name.h"
#include "api/resource.h"
#include "api/spec_rollout.h"
#include "api/spec_secret.h"
#include "api/spec_verify.h"
#include "api/timestamp.h"
#include "base/json.h"

enum {
    COMMENT_MAX_CHARACTERS = 256,
    SCOPE_MAX_BYTES = 64,
    TAG_MAX_BYTES = 512, /* 128 characters */
};

static const char *const role_names[] = {
    [ROLE_NONE] = "none",
    [ROLE_MEMBER] = "member",
    [ROLE_ADMIN] = "admin",
    [ROLE_OWNER] = "owner",
};

const char *role_name(enum role role)
{
    return role_names[role];
}

bool role_parse(const char *name, enum role *ret_role)
{
    for (size_t i = 0; i < ARRAY_LENGTH(role_names); i++) {
        if (mem_streq(name, role_names[i])) {
            *ret_role = (enum role)i;
            return true;
        }
    }
    return false;
}

static bool read_project(const cJSON *json, struct spec *spec, struct err *err)
{
    const char *id = NULL;
    if (!field_string(json, "projectId", &id, err))
        return false;
    if (!id)
        return err_set(err, ERR_INVALID, "spec.projectId is missing");
    if (!name_is_uuid(id))
        return err_set(err, ERR_INVALID, "spec.projectId is not a UUID");
    spec->project_id = id;
    return true;
}

static bool read_credentials(const cJSON *json, struct spec *spec, struct err *err)
{
    const cJSON *reference = field_given(json, "credentialsRef");
    if (!reference)
        return true;
    spec->credentials_name = ""; /* an unusable reference must not fall back to the defaults */
    const char *name = NULL;
    const char *key = CREDENTIALS_DEFAULT_KEY;
    if (!cJSON_IsObject(reference))
        return err_set(err, ERR_INVALID, "spec.credentialsRef is not an object");
    if (!field_string(json, "credentialsRef.name", &name, err) ||
        !field_string(json, "credentialsRef.key", &key, err))
        return false;
    if (!name)
        return err_set(err, ERR_INVALID, "spec.credentialsRef.name is missing");
    if (!name_is_subdomain(name))
        return err_set(err, ERR_INVALID, "spec.credentialsRef.name is not the name of a Secret");
    if (!name_is_data_key(key))
        return err_set(err, ERR_INVALID,
                       "spec.credentialsRef.key is not the name of a Secret's "
                       "entry");
    spec->credentials_name = name;
    spec->credentials_key = key;
    return true;
}

static size_t count_characters(const char *text)
{
    size_t count = 0;
    for (; *text; text++)
        if (((unsigned char)*text & 0xC0) != 0x80)
            count++;
    return count;
}

static bool read_comment(const cJSON *json, struct spec *spec, struct err *err)
{
    const char *comment = NULL;
    if (!field_string(json, "comment", &comment, err))
        return false;
    if (comment && count_characters(comment) > COMMENT_MAX_CHARACTERS)
        return err_set(err, ERR_INVALID, "spec.comment has more than %d characters",
                       COMMENT_MAX_CHARACTERS);
    spec->comment = comment && *comment ? comment : NULL;
    return true;
}

static bool check_scope(const char *scope, struct err *err)
{
    enum role role = ROLE_NONE;
    if (role_parse(scope, &role))
        return err_set(err, ERR_INVALID, "spec.scopes may not hold the role %s: set spec.role",
                       scope);
    /* Lower case only, so that no spelling of a role slips past the line above. */
    size_t length = strspn(scope, "abcdefghijklmnopqrstuvwxyz0123456789_-:");
    if (length == 0 || length > SCOPE_MAX_BYTES || scope[length] != '\0')
        return err_set(err, ERR_INVALID, "spec.scopes holds \"%.64s\", which is not a scope",
                       scope);
    return true;
}

static bool read_scopes(const cJSON *json, struct spec *spec, struct err *err)
{
    return field_list(json, "scopes", check_scope, &spec->scopes, err);
}

static bool check_tag(const char *tag, struct err *err)
{
    if (marker_reserves_tag(tag))
        return err_set(err, ERR_INVALID,
                       "spec.tags holds \"%.64s\": the prefixes deepgram-operator, uid:, rev: and "
                       "nonce: are the operator's own",
                       tag);
    if (*tag == '\0' || strlen(tag) > TAG_MAX_BYTES)
        return err_set(err, ERR_INVALID, "spec.tags holds an empty or overlong tag");
    return true;
}

static bool read_tags(const cJSON *json, struct spec *spec, struct err *err)
{
    return field_list(json, "tags", check_tag, &spec->tags, err);
}

static bool read_role(const cJSON *json, struct spec *spec, struct err *err)
{
    const char *name = role_name(ROLE_MEMBER);
    if (!field_string(json, "role", &name, err))
        return false;
    if (!role_parse(name, &spec->role))
        return err_set(err, ERR_INVALID,
                       "spec.role is \"%.64s\", but has to be member, admin, owner or none", name);
    return true;
}

static bool read_lifetime(const cJSON *json, struct spec *spec, struct err *err)
{
    const char *expires_at = NULL;
    int64_t valid_for_ms = 0, expires_at_ms = 0;
    if (!field_duration(json, "validFor", &valid_for_ms, err) ||
        !field_string(json, "expiresAt", &expires_at, err))
        return false;
    if (valid_for_ms > 0 && expires_at)
        return err_set(err, ERR_INVALID, "spec.validFor and spec.expiresAt exclude each other");
    if (expires_at && (!timestamp_parse(expires_at, &expires_at_ms) || expires_at_ms <= 0))
        return err_set(err, ERR_INVALID,
                       "spec.expiresAt is not an RFC 3339 time such as 2027-01-31T08:00:00Z");
    spec->valid_for_ms = valid_for_ms;
    spec->expires_at_ms = expires_at_ms;
    return true;
}

static bool read_rotation(const cJSON *json, struct spec *spec, struct err *err)
{
    const cJSON *rotation = NULL;
    return field_object(json, "rotation", &rotation, err) &&
           field_duration(json, "rotation.every", &spec->rotation_every_ms, err) &&
           field_duration(json, "rotation.overlap", &spec->rotation_overlap_ms, err);
}

static bool read_before(const cJSON *json, struct spec *spec, struct err *err)
{
    int64_t before_ms = spec->rotation_before_ms;
    if (!field_duration(json, "rotation.before", &before_ms, err))
        return false;
    if (spec->valid_for_ms > 0 && before_ms >= spec->valid_for_ms)
        return err_set(err, ERR_INVALID, "spec.rotation.before is not shorter than spec.validFor");
    spec->rotation_before_ms = before_ms;
    return true;
}

static bool read_deletion_policy(const cJSON *json, struct spec *spec, struct err *err)
{
    const char *policy = "Revoke";
    if (!field_string(json, "deletionPolicy", &policy, err))
        return false;
    bool retain = strcmp(policy, "Retain") == 0;
    if (!retain && strcmp(policy, "Revoke") != 0)
        return err_set(err, ERR_INVALID,
                       "spec.deletionPolicy is \"%.64s\", but has to be Revoke or Retain", policy);
    spec->deletion_policy = retain ? DELETION_RETAIN : DELETION_REVOKE;
    return true;
}

static bool read_suspend(const cJSON *json, struct spec *spec, struct err *err)
{
    const cJSON *value = field_given(json, "suspend");
    if (value && !cJSON_IsBool(value))
        return err_set(err, ERR_INVALID, "spec.suspend is neither true nor false");
    spec->suspend = cJSON_IsTrue(value);
    return true;
}

static bool read_provider(const cJSON *json, struct spec *spec, struct err *err)
{
    (void)spec;
    const char *provider = PROVIDER_QUAY;
    if (!field_string(json, "provider", &provider, err))
        return false;
    if (strcmp(provider, PROVIDER_QUAY) != 0)
        return err_set(err, ERR_INVALID, "spec.provider is \"%.64s\", but has to be quay",
                       provider);
    return true;
}

typedef bool reader(const cJSON *json, struct spec *spec, struct err *err);

static reader *const common_readers[] = {
    read_project,
    read_credentials,
    read_comment,
    read_scopes,
    read_rotation,
    read_deletion_policy,
    read_suspend,
    spec_secret_read_name,
    spec_secret_read_labels,
    spec_secret_read_annotations,
};

static reader *const api_key_readers[] = {
    read_role,
    read_tags,
    read_lifetime,
    read_before,
    spec_rollout_read,
    spec_secret_read_data,
    spec_verify_read_streaming,
};

static reader *const pull_secret_readers[] = {
    read_provider,
    account_read_names,
    spec_verify_read_repository,
};

static void run(reader *const *readers, size_t count, const cJSON *json, struct spec *spec,
                struct err *first)
{
    for (size_t i = 0; i < count; i++) {
        struct err found = ERR_INIT;
        if (!readers[i](json, spec, &found) && first->kind == ERR_NONE)
            *first = found;
    }
}

bool spec_parse(enum resource_kind kind, const cJSON *json, const char *resource_name,
                struct spec *ret_spec, struct err *err)
{
    *ret_spec = (struct spec){
        .project_id = "",
        .credentials_key = CREDENTIALS_DEFAULT_KEY,
        .role = kind == RESOURCE_API_KEY ? ROLE_MEMBER : ROLE_NONE,
        .rotation_before_ms = -1,
        .rotation_overlap_ms = DEFAULT_OVERLAP_MS,
        .verify_timeout_ms = DEFAULT_VERIFY_TIMEOUT_MS,
        .rollout_timeout_ms = DEFAULT_ROLLOUT_TIMEOUT_MS,
        .secret_name = resource_name,
    };
    struct err first = ERR_INIT;
    run(common_readers, ARRAY_LENGTH(common_readers), json, ret_spec, &first);
    if (kind == RESOURCE_API_KEY)
        run(api_key_readers, ARRAY_LENGTH(api_key_readers), json, ret_spec, &first);
    else
        run(pull_secret_readers, ARRAY_LENGTH(pull_secret_readers), json, ret_spec, &first);
    if (first.kind != ERR_NONE)
        *err = first;
    return first.kind == ERR_NONE;
}

cJSON *spec_scopes(const struct resource *resource)
{
    const struct spec *spec = &resource->spec;
    cJSON *scopes = cJSON_CreateArray();
    const cJSON *item = NULL;
    cJSON_ArrayForEach(item, spec->scopes)
        canonical_append(scopes, item->valuestring);
    if (!spec->scopes)
        canonical_append(scopes, SCOPE_DEFAULT);
    if (spec->role != ROLE_NONE)
        canonical_append(scopes, role_name(spec->role));
    return scopes;
}

char *spec_comment(const struct resource *resource)
{
    return resource->spec.comment ? mem_strdup(resource->spec.comment)
                                  : mem_printf("%s/%s", resource->namespace, resource->name);
}

static void add_set(cJSON *object, const char *name, const cJSON *strings)
{
    cJSON *set = json_add_array(object, name);
    const cJSON *item = NULL;
    cJSON_ArrayForEach(item, strings)
        canonical_add(set, item->valuestring);
}

void spec_digest(const struct resource *resource, char ret_hash[SPEC_HASH_BYTES])
{
    const struct spec *spec = &resource->spec;
    auto_free char *comment = spec_comment(resource);
    auto_json cJSON *scopes = spec_scopes(resource); /* with the role */
    auto_json cJSON *canonical = cJSON_CreateObject();
    json_add_string(canonical, "kind", resource_kind_name(resource->kind));
    json_add_string(canonical, "project", spec->project_id);
    json_add_string(canonical, "comment", comment);
    json_add_int(canonical, "validFor", spec->valid_for_ms);
    json_add_int(canonical, "expiresAt", spec->expires_at_ms);
    add_set(canonical, "scopes", scopes);
    add_set(canonical, "tags", spec->tags);
    canonical_digest(canonical, ret_hash);
}
