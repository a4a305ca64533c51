/* What a token says is read and not verified: the registry gave it to us over TLS, and nobody but
 * the registry ever relies on it. */
#include "deepgram/registry.h"

#include <string.h>

#include "api/target.h"
#include "base/base64.h"
#include "base/json.h"
#include "deepgram/url.h"

enum { PATH_MAX_BYTES = 4096, TOKEN_MAX_BYTES = 64 * 1024 };

void registry_token(const char *repository, struct deepgram_request *ret)
{
    auto_free char *scope = mem_printf("repository:%s:pull", repository);
    struct buf path;
    buf_init(&path, PATH_MAX_BYTES);
    buf_puts(&path, "/v2/auth?service=" PULL_REGISTRY "&scope=");
    url_escape(&path, scope);
    *ret = (struct deepgram_request){
        .operation = DEEPGRAM_PULL_TOKEN,
        .method = "GET",
        .path = buf_take(&path),
    };
}

/* The middle part of a JSON Web Token, decoded; NULL when the token is something else. */
static cJSON *read_claims(const char *token)
{
    const char *start = strchr(token, '.');
    const char *end = start ? strchr(start + 1, '.') : NULL;
    if (!end || strlen(token) > TOKEN_MAX_BYTES)
        return NULL;
    size_t length = (size_t)(end - start - 1);
    auto_free char *text = mem_printf("%.*s===", (int)length, start + 1);
    for (char *at = text; *at; at++)
        *at = *at == '-' ? '+' : *at == '_' ? '/' : *at;
    text[length + (4 - length % 4) % 4] = '\0';
    size_t decoded_length = 0;
    auto_free char *decoded = base64_decode(text, &decoded_length);
    return decoded ? json_parse(decoded, decoded_length) : NULL;
}

static bool allows_pull(const cJSON *access, const char *repository)
{
    const cJSON *entry = NULL;
    const cJSON *action = NULL;
    cJSON_ArrayForEach(entry, access) {
        if (!mem_streq(json_string_member(entry, "name"), repository))
            continue;
        cJSON_ArrayForEach(action, json_member(entry, "actions"))
            if (cJSON_IsString(action) &&
                (strcmp(action->valuestring, "pull") == 0 || strcmp(action->valuestring, "*") == 0))
                return true;
    }
    return false;
}

static bool read_token(const char *repository, const struct deepgram_answer *answer,
                       struct err *err)
{
    auto_json cJSON *json = answer->body ? json_parse(answer->body, answer->body_length) : NULL;
    const char *token = json_string_member(json, "token");
    if (!token)
        token = json_string_member(json, "access_token");
    if (!token || *token == '\0')
        return err_set(err, ERR_MALFORMED,
                       "the registry's answer holds no token: check --registry-url");
    auto_json cJSON *claims = read_claims(token);
    const cJSON *access = json_member(claims, "access");
    if (cJSON_IsArray(access) && !allows_pull(access, repository))
        return err_set(err, ERR_FORBIDDEN, "the registry gives them no right to pull from %s",
                       repository);
    return true;
}

bool registry_token_answered(const char *repository, const struct deepgram_answer *answer,
                             struct err *err)
{
    *err = ERR_INIT;
    if (answer->transport != DEEPGRAM_ANSWERED)
        return err_set(err, ERR_TRANSIENT, "the registry can't be reached (%.200s)",
                       answer->failure ? answer->failure : "no further details");
    err->http_status = (int)answer->status;
    err->retry_after_ms = (long)retry_after_parse(answer->retry_after, answer->now_ms);
    if (answer->status >= 200 && answer->status < 300)
        return read_token(repository, answer, err);
    if (answer->status == 401)
        return err_set(err, ERR_UNAUTHORIZED, "the registry doesn't accept them (401)");
    if (answer->status == 403)
        return err_set(err, ERR_FORBIDDEN, "the registry gives them no right to pull from %s (403)",
                       repository);
    if (answer->status == 429)
        return err_set(err, ERR_THROTTLED, "the registry asks for fewer requests (429)");
    if (answer->status >= 500 || answer->status == 408)
        return err_set(err, ERR_TRANSIENT, "the registry fails (%ld)", answer->status);
    return err_set(err, ERR_MALFORMED,
                   "the registry answered %ld: check --registry-url and spec.verify.repository",
                   answer->status);
}
