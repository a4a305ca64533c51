/* The message starts with the reason ("AlreadyExists: secrets \"x\" already exists"): people who
 * know kubectl recognise it, and it is what tells the two kinds of 409 apart. */
#include "kube/status.h"

#include <string.h>

#include "base/json.h"

static const char ALREADY_EXISTS[] = "AlreadyExists: ";
static const char TERMINATING[] = "because it is being terminated";

static enum err_kind kind_of_code(long code)
{
    switch (code) {
    case 401:
        return ERR_UNAUTHORIZED;
    case 403:
        return ERR_FORBIDDEN;
    case 404:
        return ERR_NOT_FOUND;
    case 409:
        return ERR_CONFLICT;
    case 410:
        return ERR_GONE;
    case 400:
    case 405:
    case 413:
    case 415:
    case 422:
        return ERR_INVALID;
    case 429:
        return ERR_THROTTLED;
    default:
        return ERR_TRANSIENT;
    }
}

/* An etcd restored from a backup is behind what we have seen: as useless as a version too old. */
static bool version_from_the_future(const cJSON *status)
{
    const cJSON *cause = NULL;
    cJSON_ArrayForEach(cause, json_at(status, "details.causes"))
        if (mem_streq(json_string_member(cause, "reason"), "ResourceVersionTooLarge"))
            return true;
    return false;
}

bool kube_status_error(long code, const cJSON *status, struct err *err)
{
    const char *reason = json_string_member(status, "reason");
    const char *message = json_string_member(status, "message");
    int64_t retry_after_s = json_int_at(status, "details.retryAfterSeconds", 0);
    enum err_kind kind = kind_of_code(code);
    if (mem_streq(reason, "Expired") || version_from_the_future(status))
        kind = ERR_GONE;

    *err = ERR_INIT;
    err->http_status = (int)code;
    if (retry_after_s > 0 && retry_after_s <= 24 * 3600)
        err->retry_after_ms = (long)retry_after_s * 1000;
    if (message && message[0] && reason && reason[0])
        return err_set(err, kind, "%s: %s", reason, message);
    if (message && message[0])
        return err_set(err, kind, "%s", message);
    return err_set(err, kind, "the API server answered HTTP %ld", code);
}

bool kube_status_already_exists(const struct err *err)
{
    return err->kind == ERR_CONFLICT && strstr(err->message, ALREADY_EXISTS) != NULL;
}

bool kube_status_namespace_terminating(const struct err *err)
{
    return err->kind == ERR_FORBIDDEN && strstr(err->message, TERMINATING) != NULL;
}
