/* An entry's place follows from its number, so that asking for the newest ones in a long run
 * costs nothing for the old. */

#include "journal.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

struct journal_entry {
    uint64_t seq;
    int64_t time_ms;
    enum operation operation;
    const char *method;
    char *path;
    char *query;
    char *project_id;
    char *content_type;
    char *user_agent;
    char *body; /* JSON text; NULL when there was none */
    const char *fault;
    unsigned in_flight;
    int status;
    int64_t audio_bytes;
    char credential_id[ID_SIZE];
    char auth_key_id[ID_SIZE];
};

void journal_clear(struct journal *journal)
{
    for (size_t i = 0; i < journal->count; i++) {
        struct journal_entry *entry = &journal->entries[i];
        free(entry->path);
        free(entry->query);
        free(entry->project_id);
        free(entry->content_type);
        free(entry->user_agent);
        free(entry->body);
    }
    free(journal->entries);
    *journal = (struct journal){ .last_seq = journal->last_seq };
}

uint64_t journal_add(struct journal *journal, const struct call *call, const char *fault,
                     unsigned in_flight)
{
    if (journal->count == journal->capacity) {
        journal->capacity = journal->capacity ? journal->capacity * 2 : 256;
        journal->entries = mem_grow(journal->entries, journal->capacity * sizeof *journal->entries);
    }
    const struct request *request = call->request;
    struct journal_entry *entry = &journal->entries[journal->count++];
    *entry = (struct journal_entry){
        .seq = ++journal->last_seq,
        .time_ms = call->now_ms,
        .operation = call->route->operation,
        .method = request->method,
        .path = mem_dup(request->path),
        .query = mem_dup(request->query ? request->query : ""),
        .project_id = mem_dup(call->route->project_id),
        .content_type = mem_dup(request->content_type),
        .user_agent = mem_dup(request->user_agent),
        .body = request->json ? cJSON_PrintUnformatted(request->json) : NULL,
        .fault = fault,
        .in_flight = in_flight,
    };
    if (call->actor)
        memcpy(entry->auth_key_id, call->actor->id, ID_SIZE);
    return entry->seq;
}

static struct journal_entry *find(struct journal *journal, uint64_t seq)
{
    uint64_t first = journal->last_seq - journal->count + 1;
    return seq < first ? NULL : &journal->entries[seq - first];
}

void journal_set_status(struct journal *journal, uint64_t seq, int status)
{
    struct journal_entry *entry = find(journal, seq);
    if (entry)
        entry->status = status;
}

void journal_set_credential(struct journal *journal, uint64_t seq, const char *credential_id)
{
    struct journal_entry *entry = find(journal, seq);
    if (entry)
        memcpy(entry->credential_id, credential_id, ID_SIZE);
}

void journal_set_audio(struct journal *journal, uint64_t seq, int64_t bytes)
{
    struct journal_entry *entry = find(journal, seq);
    if (entry)
        entry->audio_bytes = bytes;
}

static void add_text(cJSON *object, const char *name, const char *text)
{
    if (text && *text)
        cJSON_AddStringToObject(object, name, text);
    else
        cJSON_AddNullToObject(object, name);
}

static cJSON *describe(const struct journal_entry *entry)
{
    cJSON *json = cJSON_CreateObject();
    cJSON_AddNumberToObject(json, "seq", (double)entry->seq);
    cJSON_AddNumberToObject(json, "time_ms", (double)entry->time_ms);
    cJSON_AddStringToObject(json, "operation", operation_name(entry->operation));
    cJSON_AddStringToObject(json, "method", entry->method);
    cJSON_AddStringToObject(json, "path", entry->path);
    cJSON_AddStringToObject(json, "query", entry->query);
    add_text(json, "project_id", entry->project_id);
    cJSON_AddNumberToObject(json, "status", entry->status);
    add_text(json, "credential_id", entry->credential_id);
    add_text(json, "auth_key_id", entry->auth_key_id);
    add_text(json, "fault", entry->fault);
    cJSON_AddNumberToObject(json, "in_flight", entry->in_flight);
    if (entry->operation == OPERATION_LISTEN)
        cJSON_AddNumberToObject(json, "audio_bytes", (double)entry->audio_bytes);
    cJSON *headers = cJSON_AddObjectToObject(json, "headers");
    add_text(headers, "content-type", entry->content_type);
    add_text(headers, "user-agent", entry->user_agent);
    cJSON_AddRawToObject(json, "body", entry->body ? entry->body : "null");
    return json;
}

static bool is_wanted(const struct journal_entry *entry, const char *operation,
                      const char *project_id)
{
    if (operation && strcmp(operation, operation_name(entry->operation)) != 0)
        return false;
    return !project_id || (entry->project_id && strcasecmp(project_id, entry->project_id) == 0);
}

cJSON *journal_describe(const struct journal *journal, uint64_t since, const char *operation,
                        const char *project_id)
{
    cJSON *list = cJSON_CreateArray();
    uint64_t before_first = journal->last_seq - journal->count;
    for (uint64_t i = since > before_first ? since - before_first : 0; i < journal->count; i++)
        if (is_wanted(&journal->entries[i], operation, project_id))
            cJSON_AddItemToArray(list, describe(&journal->entries[i]));
    return list;
}
