/* A value that is no key would come back from Deepgram as a refusal that says nothing of quotes or
 * a prefix in the Secret. */
#include "operator/admin_key.h"

#include <string.h>

#include "base/base64.h"
#include "base/json.h"

static bool is_key_character(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-' ||
           c == '_' || c == '.';
}

/* White space at both ends is what `echo` and editors add: it is never part of a key. */
static void trim_white_space(const char **text, size_t *length)
{
    while (*length > 0 && strchr(" \t\r\n", (*text)[*length - 1]))
        --*length;
    while (*length > 0 && strchr(" \t\r\n", **text)) {
        ++*text;
        --*length;
    }
}

static bool check_admin_key(const struct admin_view *admin, const char *text, size_t length,
                            struct err *err)
{
    if (length == 0)
        return err_set(err, ERR_INVALID,
                       "Entry %s of Secret %s/%s is empty: put a Deepgram API key with the scopes "
                       "keys:read and keys:write into it",
                       admin->key, admin->namespace, admin->name);
    for (size_t i = 0; i < length; i++)
        if (!is_key_character(text[i]))
            return err_set(err, ERR_INVALID,
                           "Entry %s of Secret %s/%s is not a Deepgram API key (it has a character "
                           "that no key has): put the bare key into it, without quotes or prefix",
                           admin->key, admin->namespace, admin->name);
    return true;
}

bool admin_key_read(const struct admin_view *admin, const cJSON *secret, struct secret *ret_key,
                    struct err *err)
{
    const char *encoded = json_string_member(json_member(secret, "data"), admin->key);
    if (!encoded)
        return err_set(err, ERR_INVALID,
                       "Secret %s/%s has no entry %s: add it with a Deepgram API key that has the "
                       "scopes keys:read and keys:write, or name another entry in "
                       "spec.credentialsRef.key",
                       admin->namespace, admin->name, admin->key);
    size_t length = 0;
    auto_free char *decoded = base64_decode(encoded, &length);
    const char *text = decoded ? decoded : "";
    if (decoded)
        trim_white_space(&text, &length);
    if (!check_admin_key(admin, text, length, err))
        return false;
    secret_set(ret_key, text, length);
    return true;
}
