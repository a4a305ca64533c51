/* The JSON is the one record; the text is made from it, so that both say the same. */
#include "plugin/findings.h"

#include <stdarg.h>
#include <stdio.h>

#include "base/json.h"
#include "plugin/layout.h"

enum { MESSAGE_BYTES_MAX = 8 * 1024 };

void findings_init(struct findings *findings)
{
    *findings = (struct findings){ .json = cJSON_CreateObject() };
    json_add_array(findings->json, "checks");
}

void findings_done(struct findings *findings)
{
    cJSON_Delete(findings->json);
    findings->json = NULL;
}

static void add(struct findings *findings, const char *state, const char *check, const char *next,
                const char *message)
{
    cJSON *entry = cJSON_CreateObject();
    json_add_string(entry, "check", check);
    json_add_string(entry, "state", state);
    json_add_string(entry, "message", message);
    json_add_string(entry, "next", next);
    cJSON_AddItemToArray(cJSON_GetObjectItemCaseSensitive(findings->json, "checks"), entry);
}

#define FORMATTED(name)                                                                            \
    char name[MESSAGE_BYTES_MAX];                                                                  \
    va_list arguments;                                                                             \
    va_start(arguments, format);                                                                   \
    vsnprintf(name, sizeof name, format, arguments);                                               \
    va_end(arguments)

void findings_ok(struct findings *findings, const char *check, const char *format, ...)
{
    FORMATTED(message);
    add(findings, "ok", check, NULL, message);
}

void findings_note(struct findings *findings, const char *check, const char *next,
                   const char *format, ...)
{
    FORMATTED(message);
    add(findings, "note", check, next, message);
}

void findings_problem(struct findings *findings, const char *check, const char *next,
                      const char *format, ...)
{
    FORMATTED(message);
    add(findings, "problem", check, next, message);
    findings->problems++;
}

void findings_render(const struct findings *findings, struct buf *out)
{
    auto_layout struct layout layout = { 0 };
    const cJSON *entry = NULL;
    cJSON_ArrayForEach(entry, json_member(findings->json, "checks")) {
        const char *state = json_string_member(entry, "state");
        const char *next = json_string_member(entry, "next");
        layout_add(&layout, 0, mem_streq(state, "problem") ? "PROBLEM" : state,
                   json_string_member(entry, "check"), json_string_member(entry, "message"), NULL);
        if (next) {
            auto_free char *step = mem_printf("→ %s", next);
            layout_add(&layout, 0, "", "", step, NULL);
        }
    }
    layout_render(&layout, out);
    if (findings->problems == 0)
        buf_puts(out, "\nEverything is in order.\n");
    else
        buf_printf(out, "\n%zu %s.\n", findings->problems,
                   findings->problems == 1 ? "problem" : "problems");
}
