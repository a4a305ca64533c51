#ifndef EMULATOR_HTTP_H
#define EMULATOR_HTTP_H

/* A request and the reply to it, as plain data: nothing here knows how they travel. */

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stddef.h>

#include "mem.h"

struct param {
    char *name;
    char *value;
};

struct request {
    const char *method; /* a literal: "GET", "POST" or "DELETE" */
    char *path;         /* percent-decoded, without the query */
    char *query;        /* percent-decoded, for the log; "" when there is none */
    struct param *params;
    size_t param_count;
    char *authorization; /* NULL when absent, like the next two */
    char *content_type;
    char *user_agent;
    char *body; /* NUL-terminated; NULL when empty */
    size_t body_bytes;
    cJSON *json;     /* the parsed body; NULL when it is empty or no JSON */
    bool is_upgrade; /* to a WebSocket */
    bool from_loopback;
};

void request_done(struct request *request);
void request_add_param(struct request *request, const char *text); /* "name=value" or "name" */
void request_add_body(struct request *request, const char *bytes, size_t count /* > 0 */);

/* The first parameter of that name, NULL when there is none. */
const char *request_param(const struct request *request, const char *name);

struct reply {
    int status;
    char *content_type; /* NULL: application/json */
    char *headers;      /* further header lines, each ended by CRLF; may be NULL */
    cJSON *json;        /* the body; NULL: text is the body */
    char *text;         /* NULL: an empty body */
};

void reply_done(struct reply *reply);
void reply_json(struct reply *reply, int status, cJSON *json /* taken */);
void reply_text(struct reply *reply, int status, const char *content_type, const char *text);

/* Deepgram's two JSON error shapes, each with a new request_id. */
void reply_legacy_error(struct reply *reply, int status, const char *code, const char *message);
void reply_modern_error(struct reply *reply, int status, const char *category, const char *message,
                        const char *details);

void reply_add_header(struct reply *reply, const char *name, const char *value);

/* The whole HTTP/1.1 message, behind `reserve_bytes` of free room, for the caller to free.
 * `ret_body_bytes` of the `ret_message_bytes` at its end are the body. A body of unknown length
 * (`endless`) gets `Connection: close` instead of a Content-Length. */
char *reply_render(const struct reply *reply, size_t reserve_bytes, bool endless,
                   size_t *ret_message_bytes, size_t *ret_body_bytes);

#endif
