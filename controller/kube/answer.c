/* Everything between the bytes of an HTTP answer and what a caller acts on. */
#include "kube/answer.h"

#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "kube/managed_fields.h"
#include "kube/status.h"

enum {
    QUOTE_BYTES_MAX = 200,
    RETRY_AFTER_MAX_S = 24 * 3600,
};

static bool is_whole(const struct http_answer *answer, const char *server, struct err *err)
{
    switch (answer->outcome) {
    case HTTP_ANSWERED:
    case HTTP_STOPPED:
        break;
    case HTTP_NOT_SENT:
        return err_set(err, ERR_TRANSIENT, "can't reach the API server at %s: %s", server,
                       answer->failure);
    case HTTP_BROKEN:
        return err_set(err, ERR_TRANSIENT, "the API server at %s gave no complete answer: %s",
                       server, answer->failure);
    case HTTP_TOO_LARGE:
        return err_set(err, ERR_MALFORMED, "the API server's answer is larger than %zu bytes",
                       answer->body->max);
    }
    return true;
}

/* Proxies and the API server's own overload filter answer in plain text. */
static void quote_plain_text(const struct http_answer *answer, struct err *err)
{
    const char *text = buf_text(answer->body);
    size_t length = strcspn(text, "\r\n");
    if (length > QUOTE_BYTES_MAX)
        length = QUOTE_BYTES_MAX;
    if (length > 0 && answer->content_type && strncmp(answer->content_type, "text/plain", 10) == 0)
        err_set(err, err->kind, "HTTP %ld: %.*s", answer->status, (int)length, text);
}

static void note_retry_after(const struct http_answer *answer, struct err *err)
{
    if (err->retry_after_ms >= 0 || !answer->retry_after)
        return;
    char *end = NULL;
    long seconds = strtol(answer->retry_after, &end, 10);
    if (end != answer->retry_after && *end == '\0' && seconds >= 0 && seconds <= RETRY_AFTER_MAX_S)
        err->retry_after_ms = seconds * 1000;
}

bool kube_answer_check(const struct http_answer *answer, const char *server, struct err *err)
{
    if (!is_whole(answer, server, err))
        return false;
    if (answer->status >= 200 && answer->status < 300)
        return true;
    auto_json cJSON *status = json_parse(buf_text(answer->body), answer->body->length);
    kube_status_error(answer->status, status, err);
    if (!status)
        quote_plain_text(answer, err);
    note_retry_after(answer, err);
    return false;
}

bool kube_answer_read(const struct http_answer *answer, const char *server, cJSON **ret_object,
                      struct err *err)
{
    if (!kube_answer_check(answer, server, err))
        return false;
    cJSON *object = managed_fields_parse_without(buf_text(answer->body), answer->body->length);
    if (!object)
        return err_set(err, ERR_MALFORMED, "the answer from %s isn't JSON", server);
    *ret_object = object;
    return true;
}
