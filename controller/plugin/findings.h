/* What a doctor found: checks in plain words, each with its next step where there is a problem.
 * Pure.
 */
#ifndef PLUGIN_FINDINGS_H
#define PLUGIN_FINDINGS_H

#include <cjson/cJSON.h>

#include "base/buf.h"

struct findings {
    cJSON *json; /* {"checks": [{"check", "state", "message", "next"}]} and what else is added */
    size_t problems;
};

void findings_init(struct findings *findings);
void findings_done(struct findings *findings);
#define auto_findings __attribute__((cleanup(findings_done)))

/* check: what was looked at, in a few words ("API server"). */
void findings_ok(struct findings *findings, const char *check, const char *format, ...)
    PRINTF_LIKE(3, 4);
/* Worth knowing, but nothing that has to be mended; next may be NULL. */
void findings_note(struct findings *findings, const char *check, const char *next,
                   const char *format, ...) PRINTF_LIKE(4, 5);
/* next: what to do about it. */
void findings_problem(struct findings *findings, const char *check, const char *next,
                      const char *format, ...) PRINTF_LIKE(4, 5);

/* For a person; ends with how many problems there are. */
void findings_render(const struct findings *findings, struct buf *out);

#endif
