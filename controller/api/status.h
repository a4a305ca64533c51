/* What the operator noted in status the last time. Pure. Pointers are borrowed from the JSON. */
#ifndef API_STATUS_H
#define API_STATUS_H

#include <cjson/cJSON.h>
#include <stdint.h>

#include "base/mem.h"

enum revision_state { REVISION_ISSUED, REVISION_CURRENT, REVISION_RETIRING, REVISION_REVOKED };
const char *revision_state_name(enum revision_state state);

struct status_revision {
    int64_t number;
    const char *id;
    enum revision_state state;
    int64_t issued_at_ms;    /* 0: not told */
    const char *reason;      /* why it was issued; may be NULL */
    int64_t revoke_after_ms; /* 0: not retiring */
    int64_t failed_at_ms;    /* 0: pods didn't fail on it */
};

/* An entry of a ServiceAccount's imagePullSecrets that the operator put there, or is about to. */
struct status_account {
    const char *name;
    const char *uid; /* another account of that name has no entry of ours */
    const char *secret_name;
};

/* 5 revisions are written; more than 32 stored ones of either are ignored. */
enum { STATUS_REVISIONS_MAX = 32, STATUS_ACCOUNTS_MAX = 32 };

struct status {
    const cJSON *json; /* the whole status, or NULL */
    int64_t observed_generation;
    int64_t revision; /* the published one; 0: none yet */
    const char *id;   /* "" when none, as the other strings */
    const char *secret_name;
    const char *secret_resource_version;
    const char *last_handled_rotate;
    int64_t published_at_ms; /* 0: not told */
    int64_t issued_at_ms;
    int64_t expires_at_ms;
    int64_t failures;
    int64_t next_attempt_at_ms;   /* 0: none */
    bool reconciling;             /* condition Reconciling is True */
    bool stalled;                 /* condition Stalled is True */
    const char *stalled_reason;   /* its reason, "" when absent */
    const char *ready_reason;     /* reason of the condition Ready, "" when absent */
    bool consumers_updated;       /* condition ConsumersUpdated is True */
    const char *consumers_reason; /* its reason, "" when absent */
    struct status_revision revisions[STATUS_REVISIONS_MAX];
    size_t revision_count;
    struct status_account accounts[STATUS_ACCOUNTS_MAX];
    size_t account_count;
};

/* Takes any JSON or NULL. Whatever isn't of the right form counts as absent; an id or a name that
 * can't stand in a path is none. */
void status_parse(const cJSON *json, struct status *ret_status);

#endif
