/* Bodies are foreign: what isn't exactly understood is an error, never a default, because "there is
 * no such key" and "no expiry" have consequences. */
#include "deepgram/answer.h"

#include <string.h>

#include "api/name.h"
#include "api/timestamp.h"
#include "base/json.h"
#include "deepgram/refusal.h"

bool deepgram_answer_ok(enum deepgram_operation operation, const struct deepgram_answer *answer,
                        struct err *err)
{
    if (answer->transport == DEEPGRAM_ANSWERED && answer->status >= 200 && answer->status < 300)
        return true;
    return refusal_fill(operation, answer, err);
}

static cJSON *parse_body(const struct deepgram_answer *answer)
{
    return answer->body ? json_parse(answer->body, answer->body_length) : NULL;
}

/* A non-empty string of the description, or next to it. */
static const char *string_of(const cJSON *outer, const cJSON *inner, const char *name)
{
    const char *text = json_string_member(inner, name);
    if (!text)
        text = json_string_member(outer, name);
    return text && *text ? text : NULL;
}

/* Fit for an HTTP header and a line of a file. */
static bool is_secret(const char *text)
{
    for (const char *at = text; at && *at; at++)
        if (*at <= ' ' || *at > '~')
            return false;
    return text != NULL;
}

/* 0 when it isn't given. */
static bool read_expiry(const cJSON *json, int64_t *ret_ms)
{
    const cJSON *date = json_member(json, "expiration_date");
    *ret_ms = 0;
    return !date || cJSON_IsNull(date) || timestamp_parse(cJSON_GetStringValue(date), ret_ms);
}

/* NULL, or what is wrong with the description of a new credential. */
static const char *read_created(const struct credential_kind *kind, const cJSON *json,
                                struct credential *ret)
{
    const cJSON *description = credential_description(kind, json);
    const char *id = json_string_member(description, kind->id_field);
    const char *secret = string_of(json, description, kind->secret_field);
    const char *username = string_of(json, description, "username");
    const cJSON *scopes = json_member(description, "scopes");
    int64_t expires_at_ms = 0;
    if (!name_is_credential_id(id))
        return "it names no id";
    if (!is_secret(secret))
        return "it holds no secret";
    if (!read_expiry(description, &expires_at_ms))
        return "its expiration_date can't be read";
    ret->id = mem_strdup(id);
    if (kind->username_prefix)
        ret->username =
            username ? mem_strdup(username) : mem_printf("%s%s", kind->username_prefix, id);
    secret_set(&ret->secret, secret, strlen(secret));
    ret->scopes = cJSON_IsArray(scopes) ? cJSON_Duplicate(scopes, true) : NULL;
    ret->expires_at_ms = expires_at_ms;
    ret->created_at_ms = timestamp_or(json_string_member(description, "created"), 0);
    return NULL;
}

bool deepgram_created(enum resource_kind kind, const struct deepgram_answer *answer,
                      struct credential *ret_credential, struct err *err)
{
    *ret_credential = (struct credential){ 0 };
    if (!deepgram_answer_ok(DEEPGRAM_CREATE, answer, err))
        return false;
    auto_json cJSON *json = parse_body(answer);
    const char *problem = cJSON_IsObject(json)
                              ? read_created(credential_kind(kind), json, ret_credential)
                              : "the body isn't JSON, or is cut short";
    if (!problem)
        return true;
    err->http_status = (int)answer->status;
    return err_set(err, ERR_UNKNOWN_OUTCOME,
                   "Deepgram answered the creation with %ld, but %s; the credential is looked for "
                   "before another one is created",
                   answer->status, problem);
}

bool deepgram_described(enum resource_kind kind, enum deepgram_operation operation,
                        const struct deepgram_answer *answer, struct credential *ret_credential,
                        struct err *err)
{
    *ret_credential = (struct credential){ 0 };
    if (!deepgram_answer_ok(operation, answer, err))
        return false;
    auto_json cJSON *json = parse_body(answer);
    if (!cJSON_IsObject(json))
        return err_set(err, ERR_MALFORMED,
                       "what Deepgram says of the credential can't be understood");
    const struct credential_kind *table = credential_kind(kind);
    const cJSON *description = credential_description(table, json);
    const char *id = json_string_member(description, table->id_field);
    const cJSON *scopes = json_member(description, "scopes");
    ret_credential->id = mem_strdup(name_is_credential_id(id) ? id : "");
    ret_credential->scopes = cJSON_IsArray(scopes) ? cJSON_Duplicate(scopes, true) : NULL;
    if (!read_expiry(description, &ret_credential->expires_at_ms))
        ret_credential->expires_at_ms = 0;
    ret_credential->created_at_ms = timestamp_or(json_string_member(description, "created"), 0);
    return true;
}

bool deepgram_marker(enum resource_kind kind, const struct deepgram_answer *answer,
                     struct marker *ret_marker, struct err *err)
{
    auto_json cJSON *json = parse_body(answer);
    const struct credential_kind *table = credential_kind(kind);
    const cJSON *description = credential_description(table, json);
    if (!name_is_credential_id(json_string_member(description, table->id_field)))
        return err_set(err, ERR_MALFORMED,
                       "what Deepgram says of the credential can't be understood");
    if (!marker_parse(json_string_member(description, "comment"), json_member(description, "tags"),
                      ret_marker))
        *ret_marker = (struct marker){ 0 };
    return true;
}

bool deepgram_listed(enum resource_kind kind, const struct deepgram_answer *answer,
                     struct deepgram_list *ret_list, struct err *err)
{
    *ret_list = (struct deepgram_list){ 0 };
    if (!deepgram_answer_ok(DEEPGRAM_LIST, answer, err))
        return false;
    if (answer->listing && deepgram_listing_take(answer->listing, ret_list))
        return true;
    err->http_status = (int)answer->status;
    return err_set(err, ERR_MALFORMED,
                   "the list of %s that Deepgram answered can't be understood: check "
                   "--deepgram-url, and that nothing between rewrites answers",
                   kind == RESOURCE_API_KEY ? "API keys" : "pull credentials");
}

bool deepgram_credential_answer(enum deepgram_operation operation,
                                const struct deepgram_answer *answer, bool *ret_gone,
                                struct err *err)
{
    if (refusal_denies_credential(answer)) {
        *ret_gone = true;
        return true;
    }
    if (!deepgram_answer_ok(operation, answer, err))
        return false;
    *ret_gone = false;
    return true;
}
