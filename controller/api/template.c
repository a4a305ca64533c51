/* Checking is expanding without a place to write to, so that the two can't disagree. */
#include "api/template.h"

#include <string.h>

enum placeholder { API_KEY, KEY_ID, PROJECT_ID, PLACEHOLDERS };

static const char *const placeholders[PLACEHOLDERS] = {
    [API_KEY] = "${apiKey}",
    [KEY_ID] = "${keyId}",
    [PROJECT_ID] = "${projectId}",
};

static bool starts_with(const char *text, const char *prefix)
{
    return strncmp(text, prefix, strlen(prefix)) == 0;
}

static bool refuse(const char *text, struct err *err)
{
    enum { QUOTED_MAX = 40 };
    size_t length = strcspn(text, "}");
    if (text[length] == '\0')
        return err_set(err, ERR_INVALID,
                       "a placeholder that begins with ${ isn't closed by }; "
                       "write $${ for a literal ${");
    int quoted = length < QUOTED_MAX ? (int)length + 1 : QUOTED_MAX;
    return err_set(err, ERR_INVALID,
                   "unknown placeholder %.*s: only ${apiKey}, ${keyId} and ${projectId} are "
                   "replaced; write $${ for a literal ${",
                   quoted, text);
}

/* One piece of the template: *at moves behind it, and *ret_text and *ret_length are its value. */
static bool next_piece(const char **at, const char *const values[PLACEHOLDERS],
                       const char **ret_text, size_t *ret_length, struct err *err)
{
    const char *text = *at;
    *ret_text = text;
    *ret_length = strcspn(text, "$");
    if (*ret_length > 0) {
        *at += *ret_length;
        return true;
    }
    if (starts_with(text, "$${")) {
        *ret_text = "${";
        *ret_length = 2;
        *at += 3;
        return true;
    }
    if (!starts_with(text, "${")) {
        *ret_length = 1;
        *at += 1;
        return true;
    }
    for (size_t i = 0; i < PLACEHOLDERS; i++) {
        if (!starts_with(text, placeholders[i]))
            continue;
        *ret_text = values[i];
        *ret_length = strlen(values[i]);
        *at += strlen(placeholders[i]);
        return true;
    }
    return refuse(text, err);
}

static bool walk(const char *text, const char *const values[PLACEHOLDERS], struct buf *out,
                 struct err *err)
{
    while (*text) {
        const char *piece = NULL;
        size_t length = 0;
        if (!next_piece(&text, values, &piece, &length, err))
            return false;
        if (out && !buf_append(out, piece, length))
            return err_set(err, ERR_INVALID, "the value would have more than %zu bytes", out->max);
    }
    return true;
}

bool template_expand(const char *text, const struct secret *api_key, const char *key_id,
                     const char *project_id, struct buf *out, struct err *err)
{
    const char *const values[PLACEHOLDERS] = {
        [API_KEY] = secret_reveal(api_key),
        [KEY_ID] = key_id,
        [PROJECT_ID] = project_id,
    };
    return walk(text, values, out, err);
}

bool template_check(const char *text, struct err *err)
{
    static const char *const values[PLACEHOLDERS] = { "", "", "" };
    return walk(text, values, NULL, err);
}
