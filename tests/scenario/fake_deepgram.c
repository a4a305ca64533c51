/* Deepgram behind net/http.h: API keys and distribution credentials of one project, checked for
 * the admin key that each request bears. Lists may lag behind; what is created and deleted is kept
 * for the oracle. */
#include "deepgram.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "api/marker.h"
#include "api/timestamp.h"
#include "base/base64.h"
#include "base/json.h"
#include "net/http.h"
#include "oracle_facts.h"
#include "people.h"
#include "sim.h"

enum { YOUNG_MS = 10 * SECOND };

enum { LATENCY_MS = 20, BODY_MAX = 1 << 20 };

#define KEYS_PATH "/v1/projects/" PROJECT "/keys"
#define PULLS_PATH "/v1/projects/" PROJECT "/self-hosted/distribution/credentials"

struct http_detail {
    char *method;
    char *path; /* with query */
    char *body;
    char *key;
    http_chunk_fn *chunk;
    http_done_fn *done;
    void *context;
    long status;
    cJSON *answer;
};

/* ---- what exists ---- */

void deepgram_reset(void)
{
    sim.deepgram.count = 0;
    sim.deepgram.list_lag_ms = 0;
    sim.deepgram.lessened = false;
    sim.deepgram.list_takes_ms = 0;
    sim.deepgram.creates = 0;
    sim.deepgram.paused = NULL;
    sim.deepgram.refused_ms = 0;
    sim.deepgram.picky = false;
    sim.deepgram.deaf = false;
    sim.deepgram.down = false;
    sim.deepgram.vain = 0;
    sim.deepgram.vain_ms = 0;
    sim.deepgram.unmakeable_ms = 0;
}

struct credential_record *deepgram_find(const char *id)
{
    for (size_t i = 0; i < sim.deepgram.count; i++)
        if (strcmp(sim.deepgram.credentials[i].id, id) == 0)
            return &sim.deepgram.credentials[i];
    return NULL;
}

struct credential_record *deepgram_by_value(const char *value)
{
    for (size_t i = 0; i < sim.deepgram.count; i++)
        if (strcmp(sim.deepgram.credentials[i].value, value) == 0)
            return &sim.deepgram.credentials[i];
    return NULL;
}

bool deepgram_alive(const struct credential_record *record)
{
    return record->death == ALIVE &&
           (record->expires_ms == 0 || time_server_ms() < record->expires_ms);
}

bool deepgram_came_late(const struct credential_record *record)
{
    return record->asked_ms != 0 && record->made_ms - record->asked_ms > 3 * SECOND;
}

bool deepgram_expired(const struct credential_record *record)
{
    return record->death == ALIVE && !deepgram_alive(record);
}

void deepgram_kill(struct credential_record *record, enum death death)
{
    record->death = death;
    record->died_ms = time_now_ms();
    record->unlisted_ms = time_now_ms() + sim.deepgram.list_lag_ms;
    sim_changed();
}

static struct credential_record *add(const char *comment, const cJSON *tags, bool pull)
{
    assert(sim.deepgram.count < CREDENTIALS_MAX);
    struct credential_record *record = &sim.deepgram.credentials[sim.deepgram.count++];
    unsigned number = (unsigned)sim.deepgram.count;
    *record = (struct credential_record){ .pull = pull,
                                          .made_ms = time_now_ms(),
                                          .listed_ms = time_now_ms() + sim.deepgram.list_lag_ms };
    snprintf(record->id, sizeof record->id, "20000000-0000-4000-8000-%012u", number);
    snprintf(record->value, sizeof record->value, SECRET_MARK "%034u", number);
    snprintf(record->comment, sizeof record->comment, "%s", comment);
    struct marker marker;
    if (marker_parse(comment, tags, &marker)) {
        snprintf(record->uid, sizeof record->uid, "%s", marker.uid);
        record->revision = marker.revision;
        snprintf(record->nonce, sizeof record->nonce, "%s", marker.nonce);
    }
    sim_changed();
    return record;
}

struct credential_record *deepgram_plant(const char *comment, bool pull)
{
    return add(comment, NULL, pull);
}

/* The value that pods read out of a target, and a revision keeps. */
char *deepgram_value_in(const cJSON *secret)
{
    static const char *const ENTRIES[] = { "DEEPGRAM_API_KEY", "secret", ".dockerconfigjson" };
    const cJSON *data = json_member(secret, "data");
    for (size_t i = 0; i < ARRAY_LENGTH(ENTRIES); i++) {
        const char *text = json_string_member(data, ENTRIES[i]);
        size_t length = 0;
        char *value = text ? base64_decode(text, &length) : NULL;
        if (!value || strcmp(ENTRIES[i], ".dockerconfigjson") != 0) {
            if (value)
                return value;
            continue;
        }
        auto_json cJSON *config = json_parse(value, length);
        mem_free(value);
        const cJSON *registry = json_member(json_member(config, "auths"), "quay.io");
        return mem_strdup(json_string_member(registry, "password"));
    }
    return NULL;
}

/* ---- operations ---- */

static void refuse(struct http_detail *detail, long status, const char *code, const char *message)
{
    detail->status = status;
    detail->answer = cJSON_CreateObject();
    json_add_string(detail->answer, "err_code", code);
    json_add_string(detail->answer, "err_msg", message);
    json_add_string(detail->answer, "request_id", "30000000-0000-4000-8000-000000000000");
}

static cJSON *describe(struct credential_record *record)
{
    record->seen = true;
    cJSON *json = cJSON_CreateObject();
    char created[TIMESTAMP_BYTES];
    timestamp_format(time_server_ms() - (time_now_ms() - record->made_ms), created);
    json_add_string(json, record->pull ? "distribution_credentials_id" : "api_key_id", record->id);
    json_add_string(json, "comment", record->comment);
    json_add_string(json, "created", created);
    cJSON *scopes = json_add_array(json, "scopes");
    bool is_meagre = record->pull && record->limited;
    cJSON_AddItemToArray(scopes,
                         cJSON_CreateString(is_meagre ? "usage:read" : "self-hosted:products"));
    if (!record->pull && !record->limited)
        cJSON_AddItemToArray(scopes, cJSON_CreateString("member"));
    if (record->expires_ms != 0) {
        char expires[TIMESTAMP_BYTES];
        timestamp_format(record->expires_ms, expires);
        json_add_string(json, "expiration_date", expires);
    }
    return json;
}

static const char *wrapper(bool pull)
{
    return pull ? "distribution_credentials" : "api_key";
}

static int64_t expiry_asked(const cJSON *body)
{
    int64_t seconds = json_int_at(body, "time_to_live_in_seconds", 0);
    if (seconds > 0)
        return time_server_ms() + seconds * SECOND;
    return timestamp_or(json_string_at(body, "expiration_date"), 0);
}

static void create(const struct request *request, bool pull)
{
    struct http_detail *detail = request->detail;
    auto_json cJSON *body = json_parse(detail->body, strlen(detail->body));
    const char *comment = json_string_at(body, "comment");
    assert(comment);
    if (sim.deepgram.picky && strstr(comment, TEAM "/" VOICE " ")) {
        oracle_asked_wrongly();
        refuse(detail, 400, "INVALID_REQUEST", "comment: this is a bad one");
        return;
    }
    struct credential_record *record = add(comment, json_member(body, "tags"), pull);
    record->expires_ms = expiry_asked(body);
    record->by_lesser = strcmp(detail->key, LESSER_ADMIN_KEY) == 0;
    record->asked_ms = request->began_ms;
    record->lost = request->reply_kind == REPLY_LOST;
    sim.deepgram.creates++;
    if (request->late_ms == 0)
        oracle_creating(record, request->began_ms);
    oracle_minted(record);
    record->limited = request->meagre;
    record->works_ms = request->young ? time_now_ms() + YOUNG_MS : 0;
    if (request->stillborn)
        deepgram_kill(record, STILLBORN);
    detail->status = 200;
    cJSON *description = describe(record);
    if (!pull) {
        json_add_string(description, "key", record->value);
        detail->answer = description;
        return;
    }
    auto_free char *username = mem_printf("deepgram+%s", record->id);
    json_add_string(description, "username", username);
    json_add_string(description, "secret", record->value);
    detail->answer = cJSON_CreateObject();
    cJSON_AddItemToObject(detail->answer, wrapper(true), description);
}

static bool is_listed(const struct credential_record *record)
{
    int64_t now_ms = time_now_ms();
    if (now_ms < record->listed_ms)
        return false;
    return deepgram_alive(record) || (record->death != ALIVE && now_ms < record->unlisted_ms);
}

static bool is_shown(const struct credential_record *record, const char *admin_key)
{
    return record->pull || record->by_lesser || strcmp(admin_key, LESSER_ADMIN_KEY) != 0;
}

/* The key itself is the only other proof, and where no Secret keeps it that is lost. Of one that
 * stays, a later list tells. */
static void excuse_hidden(const struct credential_record *record)
{
    const struct api_object *resource = oracle_find_uid(record->uid);
    bool stays = resource && !json_at(resource->json, "metadata.deletionTimestamp");
    if (!stays && !oracle_secret_names(record->id))
        oracle_excuse(record->uid);
}

static void list(struct http_detail *detail, bool pull)
{
    detail->status = 200;
    detail->answer = cJSON_CreateObject();
    cJSON *array = json_add_array(detail->answer, pull ? "distribution_credentials" : "api_keys");
    for (size_t i = 0; i < sim.deepgram.count; i++) {
        struct credential_record *record = &sim.deepgram.credentials[i];
        if (record->pull != pull || !is_listed(record))
            continue;
        if (!is_shown(record, detail->key)) {
            excuse_hidden(record);
            continue;
        }
        cJSON *item = cJSON_CreateObject();
        json_add_string(json_add_object(item, "member"), "email", "ops@example.com");
        cJSON_AddItemToObject(item, wrapper(pull), describe(record));
        cJSON_AddItemToArray(array, item);
    }
}

/* Also one whose time is up. */
static struct credential_record *live(const struct http_detail *detail, const char *id, bool pull)
{
    struct credential_record *record = deepgram_find(id);
    return record && record->pull == pull && record->death == ALIVE && is_shown(record, detail->key)
               ? record
               : NULL;
}

static void on_one(const struct request *request, const char *id, bool pull)
{
    struct http_detail *detail = request->detail;
    struct credential_record *record = live(detail, id, pull);
    if (!record) {
        const struct credential_record *hidden = deepgram_find(id);
        if (hidden && !is_shown(hidden, detail->key))
            excuse_hidden(hidden);
        refuse(detail, 404, "NOT_FOUND", "no such credential");
        return;
    }
    detail->status = 200;
    detail->answer = cJSON_CreateObject();
    if (strcmp(detail->method, "GET") == 0) {
        cJSON_AddItemToObject(detail->answer, wrapper(pull), describe(record));
        return;
    }
    oracle_revoking(record, detail->key, request->began_ms);
    if (!request->hollow)
        deepgram_kill(record, BY_OPERATOR);
    json_add_string(detail->answer, "message", "deleted");
}

static void check_token(struct http_detail *detail)
{
    struct credential_record *record = deepgram_by_value(detail->key);
    if (!record || record->pull || !deepgram_alive(record) || time_now_ms() < record->works_ms) {
        refuse(detail, 401, "INVALID_AUTH", "Invalid credentials.");
        return;
    }
    detail->status = 200;
    detail->answer = describe(record);
}

static void on_collection(struct request *request, const char *rest, bool pull)
{
    struct http_detail *detail = request->detail;
    if (!admin_key_works(detail->key)) {
        oracle_asked_in_vain(request->began_ms);
        refuse(detail, 401, "INVALID_AUTH", "Invalid credentials.");
    } else if (rest[0] == '/')
        on_one(request, rest + 1, pull);
    else if (strcmp(detail->method, "POST") == 0)
        create(request, pull);
    else
        list(detail, pull);
}

static const char *behind(const char *path, const char *prefix)
{
    size_t length = strlen(prefix);
    return strncmp(path, prefix, length) == 0 ? path + length : NULL;
}

static void perform(struct request *request)
{
    struct http_detail *detail = request->detail;
    const char *keys = behind(detail->path, KEYS_PATH);
    const char *pulls = behind(detail->path, PULLS_PATH);
    if (sim.deepgram.down) {
        oracle_asked_for_nothing();
        refuse(detail, 503, "UNAVAILABLE", "Try again later.");
    } else if (keys)
        on_collection(request, keys, false);
    else if (pulls)
        on_collection(request, pulls, true);
    else if (strcmp(detail->path, "/v1/auth/token") == 0)
        check_token(detail);
    else
        refuse(detail, 404, "PROJECT_NOT_FOUND", "no such project");
}

/* ---- answering ---- */

/* A list is handed over while it comes. */
static void hand_over(const struct http_detail *detail, bool is_cut, struct buf *body)
{
    auto_free char *text = json_print(detail->answer);
    size_t length = is_cut ? strlen(text) / 2 : strlen(text);
    if (!detail->chunk || detail->status != 200) {
        buf_append(body, text, length);
        return;
    }
    for (size_t at = 0; at < length; at++) {
        bool more = detail->chunk(detail->context, text + at, 1);
        assert(more);
    }
}

static void answer(struct request *request)
{
    const struct http_detail *detail = request->detail;
    struct buf body;
    buf_init(&body, BODY_MAX);
    struct http_answer answer = { .outcome = HTTP_ANSWERED,
                                  .status = detail->status,
                                  .content_type = "application/json",
                                  .body = &body,
                                  .failure = "",
                                  .duration_ms = 40 };
    switch (request->reply_kind) {
    case REPLY_LOST:
        answer.outcome = HTTP_BROKEN;
        answer.failure = "connection reset";
        if (detail->chunk && detail->answer)
            hand_over(detail, true, &body);
        break;
    case REPLY_NOT_SENT:
        answer.outcome = HTTP_NOT_SENT;
        answer.failure = "no route to host";
        break;
    case REPLY_FAILED:
        answer.status = 503;
        buf_puts(&body, "upstream connect error");
        break;
    case REPLY_NOWHERE:
        answer.status = 404;
        buf_puts(&body, "<html><h1>404 Not Found</h1></html>");
        break;
    case REPLY_REFUSED:
        answer.status = 401;
        buf_puts(&body, "{\"err_code\":\"INVALID_AUTH\",\"err_msg\":\"Invalid credentials.\"}");
        break;
    case REPLY_THROTTLED:
        answer.status = 429;
        answer.retry_after = "2";
        sim.deepgram.paused = request->process;
        sim.deepgram.paused_ms = time_now_ms();
        buf_puts(&body, "{\"category\":\"TOO_MANY_REQUESTS\",\"message\":\"slow down\"}");
        break;
    case REPLY_CONFLICT:
    case REPLY_CUT:
    case REPLY_OWN:
        hand_over(detail, request->reply_kind == REPLY_CUT, &body);
        break;
    }
    detail->done(detail->context, &answer);
    buf_done(&body);
}

static void release(struct request *request)
{
    struct http_detail *detail = request->detail;
    mem_free(detail->method);
    mem_free(detail->path);
    mem_free(detail->body);
    mem_free(detail->key);
    cJSON_Delete(detail->answer);
}

/* ---- net/http.h ---- */

struct http_request *http_send(struct http *http, const struct http_call *call)
{
    (void)http;
    const char *path = behind(call->url, DEEPGRAM_URL);
    assert(path && call->auth == HTTP_AUTH_TOKEN);
    oracle_text("a URL", call->url);
    struct request *request = request_new(sizeof(struct http_detail));
    struct process *process = memory_enter(NULL);
    struct http_detail *detail = request->detail;
    *detail = (struct http_detail){
        .method = mem_strdup(call->method),
        .path = mem_strdup(path),
        .body = mem_strndup(call->body ? call->body : "", call->body_length),
        .key = mem_strdup(secret_reveal(call->credential)),
        .chunk = call->chunk,
        .done = call->done,
        .context = call->context,
    };
    const char *tail = strrchr(path, '/');
    snprintf(request->what, sizeof request->what, "%s deepgram %s", call->method, tail + 1);
    request->to_deepgram = true;
    request->creates = strcmp(call->method, "POST") == 0;
    request->writes = strcmp(call->method, "GET") != 0;
    request->perform = perform;
    request->answer = answer;
    request->release = release;
    memory_enter(process);
    request->refused = call->may_send && !call->may_send(call->context);
    if (!request->refused)
        oracle_asking(process, request->what);
    request_start(request, LATENCY_MS);
    if (call->chunk)
        request->reply_ms += sim.deepgram.list_takes_ms;
    return (struct http_request *)request;
}

void http_cancel(struct http_request *request)
{
    if (request)
        request_cancel((struct request *)request);
}
