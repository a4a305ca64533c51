/* A template is inverted by expanding it around a placeholder value: what stands before and behind
 * that value must stand before and behind the key. */
#include "api/recover.h"

#include <string.h>

#include "api/target.h"
#include "base/base64.h"
#include "base/json.h"

enum { VALUE_MAX_BYTES = 1024 * 1024, KEY_MAX_BYTES = 512 };

static const char SENTINEL[] = "\x01";

static bool is_secret_text(const char *text, size_t length)
{
    if (length == 0 || length > KEY_MAX_BYTES)
        return false;
    for (size_t i = 0; i < length; i++)
        if ((unsigned char)text[i] <= ' ' || (unsigned char)text[i] >= 0x7F)
            return false;
    return true;
}

/* The text of an entry, decoded; free with mem_free, NULL when it is absent. */
static char *entry_text(const cJSON *target, const char *name, size_t *ret_length)
{
    const char *encoded = json_string_member(json_member(target, "data"), name);
    return encoded ? base64_decode(encoded, ret_length) : NULL;
}

/* ---- API keys ---- */

/* prefix + key + suffix → key, into the credential. */
static bool invert(const char *expanded, const char *text, size_t length,
                   struct credential *ret_credential)
{
    const char *mark = strchr(expanded, SENTINEL[0]);
    if (!mark || strchr(mark + 1, SENTINEL[0]))
        return false;
    size_t prefix = (size_t)(mark - expanded);
    size_t suffix = strlen(mark + 1);
    if (length < prefix + suffix || memcmp(text, expanded, prefix) != 0 ||
        memcmp(text + length - suffix, mark + 1, suffix) != 0 ||
        !is_secret_text(text + prefix, length - prefix - suffix))
        return false;
    secret_set(&ret_credential->secret, text + prefix, length - prefix - suffix);
    return true;
}

static bool recover_from_entry(const struct resource *resource, const cJSON *target,
                               const cJSON *template, const char *key_id,
                               struct credential *ret_credential)
{
    auto_secret struct secret sentinel = { 0 };
    secret_set(&sentinel, SENTINEL, strlen(SENTINEL));
    auto_buf struct buf expanded;
    buf_init(&expanded, VALUE_MAX_BYTES);
    struct err ignored = ERR_INIT;
    size_t length = 0;
    auto_free char *text = entry_text(target, template->string, &length);
    return text &&
           template_expand(template->valuestring, &sentinel, key_id, resource->spec.project_id,
                           &expanded, &ignored) &&
           invert(buf_text(&expanded), text, length, ret_credential);
}

static bool recover_api_key(const struct resource *resource, const cJSON *target,
                            struct credential *ret_credential, struct err *err)
{
    const char *key_id = json_string_member(json_at(target, "metadata.annotations"), ANNOTATION_ID);
    auto_json cJSON *templates = target_templates(resource);
    const cJSON *template = NULL;
    cJSON_ArrayForEach(template, templates)
        if (recover_from_entry(resource, target, template, key_id ? key_id : "", ret_credential))
            return true;
    return err_set(err, ERR_INVALID,
                   "no entry of the Secret holds a key where spec.secret.data puts it (without "
                   "spec.secret.data: as the whole of DEEPGRAM_API_KEY)");
}

/* ---- pull credentials ---- */

static bool recover_pull(const cJSON *target, struct credential *ret_credential, struct err *err)
{
    size_t length = 0;
    auto_free char *text = entry_text(target, ".dockerconfigjson", &length);
    auto_json cJSON *config = text ? json_parse(text, length) : NULL;
    const cJSON *login = json_member(json_member(config, "auths"), PULL_REGISTRY);
    const char *username = json_string_member(login, "username");
    const char *password = json_string_member(login, "password");
    const char *plus = username ? strchr(username, '+') : NULL;
    if (!plus || !password || !is_secret_text(password, strlen(password)))
        return err_set(err, ERR_INVALID,
                       "the Secret has no .dockerconfigjson with a username and a password for %s",
                       PULL_REGISTRY);
    ret_credential->id = mem_strdup(plus + 1);
    ret_credential->username = mem_strdup(username);
    secret_set(&ret_credential->secret, password, strlen(password));
    return true;
}

bool recover_credential(const struct resource *resource, const cJSON *target,
                        struct credential *ret_credential, struct err *err)
{
    return resource->kind == RESOURCE_API_KEY
               ? recover_api_key(resource, target, ret_credential, err)
               : recover_pull(target, ret_credential, err);
}

bool recover_is_unedited(const cJSON *target)
{
    char digest[CANONICAL_DIGEST_BYTES];
    target_digest(target, digest);
    return mem_streq(json_string_member(json_at(target, "metadata.annotations"), ANNOTATION_DIGEST),
                     digest);
}
