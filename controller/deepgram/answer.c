/* Bodies are foreign: what isn't exactly understood is an error, never a default, because "there is
 * no such key" and "no expiry" have consequences. */
#include "deepgram/answer.h"

#include <string.h>

#include "api/name.h"
#include "api/timestamp.h"
#include "base/json.h"
#include "base/json_items.h"
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

/* The description may be wrapped in an object of its own, next to its owner's. */
static const cJSON *unwrap(const struct credential_kind *kind, const cJSON *json)
{
    const cJSON *item = json_member(json, "item");
    const cJSON *member = json_member(item, "member");
    const cJSON *const places[] = { json_member(json, kind->object_field),
                                    json_member(item, kind->object_field),
                                    json_member(member, kind->object_field) };
    for (size_t i = 0; i < ARRAY_LENGTH(places); i++)
        if (cJSON_IsObject(places[i]))
            return places[i];
    return json;
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
    const cJSON *description = unwrap(kind, json);
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
    const cJSON *description = unwrap(table, json);
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
    const cJSON *description = unwrap(table, json);
    if (!name_is_credential_id(json_string_member(description, table->id_field)))
        return err_set(err, ERR_MALFORMED,
                       "what Deepgram says of the credential can't be understood");
    if (!marker_parse(json_string_member(description, "comment"), json_member(description, "tags"),
                      ret_marker))
        *ret_marker = (struct marker){ 0 };
    return true;
}

struct listing {
    const struct credential_kind *kind;
    struct deepgram_list *list;
    size_t capacity;
};

static void add_entry(struct listing *listing, const char *id, const struct marker *marker,
                      int64_t expires_at_ms)
{
    struct deepgram_list *list = listing->list;
    if (list->count == listing->capacity) {
        listing->capacity = listing->capacity > 0 ? 2 * listing->capacity : 16;
        list->entries = mem_realloc(list->entries, listing->capacity * sizeof list->entries[0]);
    }
    size_t id_size = strlen(id) + 1;
    size_t uid_size = strlen(marker->uid) + 1;
    char *texts = mem_alloc(id_size + uid_size + strlen(marker->nonce) + 1);
    struct inventory_entry *entry = &list->entries[list->count++];
    *entry = (struct inventory_entry){
        .id = memcpy(texts, id, id_size),
        .uid = memcpy(texts + id_size, marker->uid, uid_size),
        .nonce = memcpy(texts + id_size + uid_size, marker->nonce, strlen(marker->nonce)),
        .revision = marker->revision,
        .expires_at_ms = expires_at_ms,
    };
}

/* False when it bears our marker, but can't be named. */
static bool read_entry(void *context, const cJSON *json)
{
    struct listing *listing = context;
    if (!cJSON_IsObject(json))
        return false;
    const cJSON *description = unwrap(listing->kind, json);
    const char *id = json_string_member(description, listing->kind->id_field);
    struct marker marker;
    if (!marker_parse(json_string_member(description, "comment"), json_member(description, "tags"),
                      &marker)) {
        listing->list->foreign++;
        return true;
    }
    if (!name_is_credential_id(id))
        return false;
    add_entry(listing, id, &marker,
              timestamp_or(json_string_member(description, "expiration_date"), 0));
    return true;
}

bool deepgram_listed(enum resource_kind kind, const struct deepgram_answer *answer,
                     struct deepgram_list *ret_list, struct err *err)
{
    *ret_list = (struct deepgram_list){ 0 };
    if (!deepgram_answer_ok(DEEPGRAM_LIST, answer, err))
        return false;
    struct listing listing = { .kind = credential_kind(kind), .list = ret_list };
    if (answer->body && json_items(answer->body, answer->body_length, listing.kind->list_field,
                                   read_entry, &listing))
        return true;
    deepgram_list_done(ret_list);
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
