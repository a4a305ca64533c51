/* The messages end in `kubectl describe`: what happened, what it means, what to do. Foreign words
 * in them are cut, and what could be a key is left out: a proxy's error page may quote the request.
 */
#include "deepgram/refusal.h"

#include <string.h>

#include "api/timestamp.h"
#include "base/json.h"
#include "deepgram/quote.h"

enum { QUOTE_BYTES = 121, CODE_BYTES = 49, BODY_MAX_BYTES = 64 * 1024 };

/* What Deepgram said, fit to be shown; each "" when it didn't. */
struct words {
    bool own_form; /* one of Deepgram's JSON bodies */
    char code[CODE_BYTES];
    char text[QUOTE_BYTES];
    char request_id[CODE_BYTES];
};

static const char *first_string(const cJSON *json, const char *name, const char *other)
{
    const char *text = json_string_member(json, name);
    return text ? text : json_string_member(json, other);
}

static void read_json(const cJSON *json, struct words *words)
{
    const char *code = first_string(json, "err_code", "category");
    const char *message = first_string(json, "err_msg", "message");
    const char *details = json_string_member(json, "details");
    const char *request_id = json_string_member(json, "request_id");
    auto_free char *both = details ? mem_printf("%s %s", message ? message : "", details)
                                   : mem_strdup(message ? message : "");
    words->own_form = code || message;
    quote(words->code, sizeof words->code, code ? code : "");
    quote(words->text, sizeof words->text, both);
    quote(words->request_id, sizeof words->request_id, request_id ? request_id : "");
}

static struct words read_words(const struct deepgram_answer *answer)
{
    struct words words = { 0 };
    if (!answer->body || answer->body_length > BODY_MAX_BYTES)
        return words;
    auto_json cJSON *json = json_parse(answer->body, answer->body_length);
    if (json) {
        read_json(json, &words);
        return words;
    }
    auto_free char *text = mem_strndup(answer->body, answer->body_length);
    bool html = text[strspn(text, " \t\r\n")] == '<';
    quote(words.text, sizeof words.text, html ? "an HTML page" : text);
    return words;
}

/* "401 INVALID_AUTH: Invalid credentials., request 1234" */
static char *describe(const struct deepgram_answer *answer, const struct words *words)
{
    return mem_printf("%ld%s%s%s%s%s%s", answer->status, words->code[0] ? " " : "", words->code,
                      words->text[0] ? ": " : "", words->text,
                      words->request_id[0] ? ", request " : "", words->request_id);
}

static bool fill_unclear(enum deepgram_operation operation, const char *what, struct err *err)
{
    if (operation == DEEPGRAM_CREATE)
        return err_set(err, ERR_UNKNOWN_OUTCOME,
                       "%s; the credential may have been created all the same, and is looked for "
                       "before another one is created",
                       what);
    return err_set(err, ERR_TRANSIENT, "%s; it is tried again", what);
}

static bool fill_unanswered(enum deepgram_operation operation, const struct deepgram_answer *answer,
                            struct err *err)
{
    const char *failure = answer->failure ? answer->failure : "no further details";
    if (answer->transport == DEEPGRAM_NOT_SENT)
        return err_set(err, ERR_TRANSIENT, "Deepgram can't be reached (%.200s); it is tried again",
                       failure);
    if (answer->transport == DEEPGRAM_TOO_LARGE)
        return fill_unclear(operation, "Deepgram's answer is too large to be read", err);
    auto_free char *what = mem_printf("No complete answer came from Deepgram (%.200s)", failure);
    return fill_unclear(operation, what, err);
}

static bool fill_throttled(const char *said, struct err *err)
{
    if (err->retry_after_ms < 0)
        return err_set(err, ERR_THROTTLED,
                       "Deepgram asks for fewer requests (%s); it is tried again later", said);
    char wait[TIMESTAMP_BYTES];
    duration_format(err->retry_after_ms, wait);
    return err_set(err, ERR_THROTTLED,
                   "Deepgram asks for fewer requests (%s); it is tried again in %s", said, wait);
}

static bool fill_unauthorized(enum deepgram_operation operation, const char *said, struct err *err)
{
    if (operation == DEEPGRAM_CHECK)
        return err_set(err, ERR_UNAUTHORIZED,
                       "Deepgram refused the new key (%s): it has expired or been revoked", said);
    return err_set(err, ERR_UNAUTHORIZED,
                   "Deepgram refused the admin key (%s): it is wrong, expired or revoked; put a "
                   "valid key with keys:write into its Secret",
                   said);
}

static bool fill_forbidden(enum deepgram_operation operation, const char *said, struct err *err)
{
    if (operation == DEEPGRAM_CHECK)
        return err_set(err, ERR_FORBIDDEN, "Deepgram doesn't let the new key check itself (%s)",
                       said);
    return err_set(err, ERR_FORBIDDEN,
                   "Deepgram doesn't allow this to the admin key (%s): it needs keys:read, "
                   "keys:write and at least the role that is asked for, and the account needs the "
                   "product",
                   said);
}

static bool fill_not_found(enum deepgram_operation operation, const char *said, struct err *err)
{
    bool about_one = operation == DEEPGRAM_GET || operation == DEEPGRAM_REVOKE;
    return err_set(err, ERR_NOT_FOUND,
                   "Deepgram doesn't know the project%s (%s): check spec.projectId, and that the "
                   "admin key belongs to that project",
                   about_one ? " or the credential" : "", said);
}

static bool is_unclear_status(long status)
{
    return status < 300 || status >= 500 || status == 408 || status == 409 || status == 425;
}

bool refusal_fill(enum deepgram_operation operation, const struct deepgram_answer *answer,
                  struct err *err)
{
    *err = ERR_INIT;
    if (answer->transport != DEEPGRAM_ANSWERED)
        return fill_unanswered(operation, answer, err);
    struct words words = read_words(answer);
    auto_free char *said = describe(answer, &words);
    err->http_status = (int)answer->status;
    err->retry_after_ms = (long)retry_after_parse(answer->retry_after, answer->now_ms);
    bool forbidden = strcmp(words.code, "INSUFFICIENT_PERMISSIONS") == 0;
    if (answer->status == 429)
        return fill_throttled(said, err);
    if (answer->status == 402 || answer->status == 403 || (answer->status == 401 && forbidden))
        return fill_forbidden(operation, said, err);
    if (answer->status == 401)
        return fill_unauthorized(operation, said, err);
    if (answer->status == 404)
        return fill_not_found(operation, said, err);
    if (is_unclear_status(answer->status)) {
        auto_free char *what = mem_printf("Deepgram failed (%s)", said);
        return fill_unclear(operation, what, err);
    }
    if (answer->status < 400)
        return err_set(err, ERR_MALFORMED,
                       "Deepgram answered with a redirect (%ld), which is never followed: check "
                       "--deepgram-url",
                       answer->status);
    return err_set(err, ERR_INVALID,
                   "Deepgram refused the request (%s): change the spec (scopes, for example); "
                   "nothing is tried again before",
                   said);
}

bool refusal_denies_credential(const struct deepgram_answer *answer)
{
    if (answer->transport != DEEPGRAM_ANSWERED || answer->status != 404)
        return false;
    struct words words = read_words(answer);
    return words.own_form && !strstr(words.code, "PROJECT");
}
