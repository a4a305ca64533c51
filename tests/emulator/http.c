/* Replies are written as text here and not with the web server library's helpers: the faults need
 * control over every byte, a wrong Content-Length included. */

#include "http.h"

#include <stdlib.h>
#include <string.h>

#include "ids.h"

void request_done(struct request *request)
{
    for (size_t i = 0; i < request->param_count; i++) {
        free(request->params[i].name);
        free(request->params[i].value);
    }
    free(request->params);
    free(request->path);
    free(request->query);
    free(request->authorization);
    free(request->content_type);
    free(request->user_agent);
    free(request->body);
    cJSON_Delete(request->json);
    *request = (struct request){ 0 };
}

void request_add_param(struct request *request, const char *text)
{
    char *query = request->query && *request->query ? mem_format("%s&%s", request->query, text)
                                                    : mem_dup(text);
    free(request->query);
    request->query = query;

    size_t name_length = strcspn(text, "=");
    request->params =
        mem_grow(request->params, (request->param_count + 1) * sizeof *request->params);
    request->params[request->param_count++] = (struct param){
        .name = mem_format("%.*s", (int)name_length, text),
        .value = mem_dup(text[name_length] ? text + name_length + 1 : ""),
    };
}

void request_add_body(struct request *request, const char *bytes, size_t count)
{
    request->body = mem_grow(request->body, request->body_bytes + count + 1);
    memcpy(request->body + request->body_bytes, bytes, count);
    request->body_bytes += count;
    request->body[request->body_bytes] = '\0';
}

const char *request_param(const struct request *request, const char *name)
{
    for (size_t i = 0; i < request->param_count; i++)
        if (strcmp(request->params[i].name, name) == 0)
            return request->params[i].value;
    return NULL;
}

void reply_done(struct reply *reply)
{
    free(reply->content_type);
    free(reply->headers);
    free(reply->text);
    cJSON_Delete(reply->json);
    *reply = (struct reply){ 0 };
}

void reply_json(struct reply *reply, int status, cJSON *json)
{
    reply_done(reply);
    reply->status = status;
    reply->json = json;
}

void reply_text(struct reply *reply, int status, const char *content_type, const char *text)
{
    reply_done(reply);
    reply->status = status;
    reply->content_type = mem_dup(content_type);
    reply->text = mem_dup(text);
}

static void add_request_id(cJSON *error)
{
    char id[ID_SIZE];
    ids_uuid(id);
    cJSON_AddStringToObject(error, "request_id", id);
}

void reply_legacy_error(struct reply *reply, int status, const char *code, const char *message)
{
    cJSON *error = cJSON_CreateObject();
    cJSON_AddStringToObject(error, "err_code", code);
    cJSON_AddStringToObject(error, "err_msg", message);
    add_request_id(error);
    reply_json(reply, status, error);
}

void reply_modern_error(struct reply *reply, int status, const char *category, const char *message,
                        const char *details)
{
    cJSON *error = cJSON_CreateObject();
    cJSON_AddStringToObject(error, "category", category);
    cJSON_AddStringToObject(error, "message", message);
    cJSON_AddStringToObject(error, "details", details);
    add_request_id(error);
    reply_json(reply, status, error);
}

void reply_add_header(struct reply *reply, const char *name, const char *value)
{
    char *headers = mem_format("%s%s: %s\r\n", reply->headers ? reply->headers : "", name, value);
    free(reply->headers);
    reply->headers = headers;
}

static const char *reason_of(int status)
{
    switch (status) {
    case 200:
        return "OK";
    case 201:
        return "Created";
    case 307:
        return "Temporary Redirect";
    case 401:
        return "Unauthorized";
    case 403:
        return "Forbidden";
    case 404:
        return "Not Found";
    case 429:
        return "Too Many Requests";
    default:
        return status < 400 ? "Success" : status < 500 ? "Bad Request" : "Server Error";
    }
}

char *reply_render(const struct reply *reply, size_t reserve_bytes, bool endless,
                   size_t *ret_message_bytes, size_t *ret_body_bytes)
{
    auto_free char *printed = reply->json ? cJSON_PrintUnformatted(reply->json) : NULL;
    const char *body = printed ? printed : reply->text ? reply->text : "";
    size_t body_bytes = strlen(body);
    auto_free char *length =
        endless ? mem_dup("Connection: close") : mem_format("Content-Length: %zu", body_bytes);
    auto_free char *head = mem_format(
        "HTTP/1.1 %d %s\r\nContent-Type: %s\r\n%s\r\n%s\r\n", reply->status,
        reason_of(reply->status), reply->content_type ? reply->content_type : "application/json",
        length, reply->headers ? reply->headers : "");
    size_t head_bytes = strlen(head);

    char *room = mem_alloc(reserve_bytes + head_bytes + body_bytes);
    memcpy(room + reserve_bytes, head, head_bytes);
    memcpy(room + reserve_bytes + head_bytes, body, body_bytes);
    *ret_message_bytes = head_bytes + body_bytes;
    *ret_body_bytes = body_bytes;
    return room;
}
