/* Where credentials are tried out. What is written here ends in requests to other machines, so that
 * it is looked at closely. */
#include "api/spec_verify.h"

#include <string.h>

#include "api/field.h"
#include "api/stream_url.h"

enum { REPOSITORY_MAX_BYTES = 255, VERIFY_TIMEOUT_MAX_MS = 300 * 1000 };

/* Two or more parts with a slash between them, each of small letters, digits and single separators,
 * as the OCI distribution specification has it. */
static bool is_repository(const char *text)
{
    size_t parts = 0;
    if (strlen(text) > REPOSITORY_MAX_BYTES)
        return false;
    for (;;) {
        size_t length = strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789._-");
        if (length == 0 || strchr("._-", text[0]) || strchr("._-", text[length - 1]))
            return false;
        parts++;
        text += length;
        if (*text == '\0')
            return parts > 1;
        if (*text++ != '/')
            return false;
    }
}

bool spec_verify_read_repository(const cJSON *json, struct spec *spec, struct err *err)
{
    const cJSON *verify = NULL;
    const char *repository = NULL;
    if (!field_object(json, "verify", &verify, err) ||
        !field_string(json, "verify.repository", &repository, err))
        return false;
    if (repository && !is_repository(repository))
        return err_set(err, ERR_INVALID,
                       "spec.verify.repository is not the name of a repository such as "
                       "deepgram/self-hosted-api");
    spec->verify_repository = repository;
    return true;
}

bool spec_verify_read_streaming(const cJSON *json, struct spec *spec, struct err *err)
{
    const cJSON *verify = NULL;
    const cJSON *streaming = NULL;
    const char *url = NULL;
    int64_t timeout_ms = DEFAULT_VERIFY_TIMEOUT_MS;
    struct stream_url parsed;
    if (!field_object(json, "verify", &verify, err) ||
        !field_object(json, "verify.streaming", &streaming, err) || !streaming)
        return err->kind == ERR_NONE;
    if (!field_string(json, "verify.streaming.url", &url, err) ||
        !field_duration(json, "verify.streaming.timeout", &timeout_ms, err))
        return false;
    if (!url)
        return err_set(err, ERR_INVALID, "spec.verify.streaming.url is missing");
    if (!stream_url_parse(url, &parsed))
        return err_set(err, ERR_INVALID,
                       "spec.verify.streaming.url is not a URL such as "
                       "ws://deepgram-api:8080/v1/listen");
    if (timeout_ms > VERIFY_TIMEOUT_MAX_MS)
        return err_set(err, ERR_INVALID, "spec.verify.streaming.timeout is longer than 5m");
    spec->verify_url = url;
    spec->verify_timeout_ms = timeout_ms;
    return true;
}
