/* The invariants of the lifecycle, judged by what the world saw. */
#ifndef SCENARIO_ORACLE_H
#define SCENARIO_ORACLE_H

#include <cjson/cJSON.h>

#include "api_server.h"
#include "deepgram.h"

#define BAD_SCOPE "member" /* that is a role */

/* At each effect. */
void oracle_written_body(enum api_type type, const cJSON *body);
/* before: NULL when it was created; after: NULL when it is gone. */
void oracle_object_written(enum api_type type, const cJSON *before, const cJSON *after,
                           bool deletion);
/* sent_ms: when the request left. */
void oracle_creating(const struct credential_record *record, int64_t sent_ms);
/* As one of a row. */
void oracle_minted(const struct credential_record *minted);
struct process;
/* A process sends something to Deepgram; what: its request's. */
void oracle_asking(const struct process *process, const char *what);
/* To the API server; what: its request's. */
void oracle_asking_kube(const struct process *process, const char *what);
/* What only people, or Deepgram itself, can help with. */
void oracle_asked_for_nothing(void);
/* With an admin key that doesn't work. */
void oracle_asked_in_vain(int64_t sent_ms);
/* For a credential that Deepgram can't make as it was asked to. */
void oracle_asked_wrongly(void);
/* sent_ms: when the request left; what came after that it can't know. */
void oracle_revoking(const struct credential_record *record, const char *admin_key,
                     int64_t sent_ms);
void oracle_text(const char *where, const char *text);
struct resource;
void oracle_event(const struct resource *resource, const char *reason);
void oracle_excuse(const char *uid);
bool oracle_excused(const char *uid);
/* Each time that things settled. */
void oracle_judge_in_time(void);
/* After they settled for the last time. */
void oracle_judge(void);

#endif
