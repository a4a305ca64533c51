/* What one process remembers of one resource, because it can't be observed: what is under way, what
 * failed, what was found out. A restart forgets it all. Pure data.
 */
#ifndef RECONCILE_MEMORY_H
#define RECONCILE_MEMORY_H

#include "api/credential.h"
#include "api/marker.h"

/* Whose fault a failure is, and so what it holds up: a Deepgram failure leaves healing alone, one
 * of the check before publishing holds up new credentials only, one of the trial afterwards the end
 * of the old one, and a refusal of what is done to ServiceAccounts nothing else. */
enum failure_side {
    FAILURE_KUBERNETES,
    FAILURE_DEEPGRAM,
    FAILURE_CHECK,
    FAILURE_VERIFY,
    FAILURE_ACCOUNTS,
    FAILURE_SIDES
};

struct failure {
    bool stalled;   /* needs a person */
    bool reporting; /* the failed step was the status write itself */
    enum err_kind kind;
    const char *reason; /* of the condition; static */
    char *message;
    int64_t retry_at_ms;      /* monotonic; INT64_MAX: not until something changes */
    int64_t retry_at_wall_ms; /* the same for status.nextAttemptAt; 0: none */
    int64_t count;            /* in a row */
    int64_t generation;       /* what the failed attempt was made from: a change of either */
    uint64_t mends;           /* (world_mends()) is a reason to try again at once */
};

void failure_free(struct failure *failure);

enum { GONE_MAX = 32, CONFIRMED_MAX = 32, NEVER = -1 };

struct gone {
    char *id;
    int64_t at_ms; /* monotonic */
};

/* From the announcement of a create to the end of its answer: it is in a revision Secret, or
 * revoked. */
struct mint {
    struct attempt attempt;
    struct credential credential; /* the answer; its id NULL: none yet */
};

/* There is one for each resource: what few of them need is allocated when they do. */
struct memory {
    char uid[UID_BYTES];
    int64_t known_since_ms;     /* monotonic: when this process first saw the resource */
    int64_t deleting_since_ms;  /* monotonic: first seen terminating; NEVER */
    int64_t door_closed_ms;     /* monotonic: target Secret deleted for the deletion; NEVER */
    struct mint *mint;          /* under way in this process; NULL: none */
    int64_t announced_ms;       /* monotonic: when the last one was */
    char *discard_id;           /* minted by this process and not to be kept: revoke it */
    int64_t confirmed_revision; /* found alive by its id before publishing; 0: none */
    bool had_revision;          /* this process once knew of one */
    bool had_published;         /* and that it was in the target */
    bool target_unsure;         /* its last write failed, and may have been carried out */
    bool target_looked;         /* this process has asked the API server for it */
    int64_t checked_revision;   /* found to be what was asked for, and alive; 0: none */
    int64_t checked_ms;         /* when */
    int64_t absent_revision;    /* the last whose Secret was looked for and isn't there; 0: none */
    int64_t refused_revision;   /* an announced create that certainly minted nothing; 0: none */
    int64_t unknown_ms;         /* monotonic: last create without an answer; NEVER */
    struct gone *gone;          /* ids that Deepgram confirmed gone, newest last; or NULL */
    size_t gone_count;
    char **confirmed; /* ids alive although the list of confirmed_list_ms hid them; or NULL */
    size_t confirmed_count;
    int64_t confirmed_list_ms;
    int64_t mint_at_ms;      /* monotonic: theoretical arrival time of the mint limiter */
    int64_t heal_at_ms;      /* the same for heals of the target */
    int64_t accounts_at_ms;  /* the same for changes of ServiceAccounts */
    int64_t report_at_ms;    /* the same for writes of status */
    uint64_t target_useless; /* fingerprint of the resourceVersion of a target that no credential
                              * could be read from; 0: none */
    char *verified;          /* message of the last trial that worked; NULL: none */
    char *adoption_problem;  /* NULL: none */
    int64_t adopt_at_ms;     /* monotonic: when a useless target may be adopted after all */
    const char *told_reason; /* of the state that the last event told of; static, NULL: at rest */
    char *told_obstacle;     /* what held up a roll-out when an event told of that last; or NULL */
    uint64_t target_same;    /* the same of a target whose data was compared with what it */
    uint64_t target_differs; /* should be */
    uint64_t first_mends;    /* when this process first saw the resource */
    struct failure *failures[FAILURE_SIDES]; /* NULL: the last step of that side succeeded */
    bool asked_deepgram; /* so what a former process noted about failures is out of date */
};

NODISCARD struct memory *memory_new(const char *uid, int64_t monotonic_ms);
void memory_free(struct memory *memory);
/* In place of an earlier announcement. The rotate token isn't remembered. */
void memory_announce(struct memory *memory, const struct attempt *attempt, int64_t monotonic_ms);
/* Takes over what the announced create was answered with. */
void memory_issue(struct memory *memory, struct credential *credential);
/* Refused, not to be posted any more, kept or revoked: wiped. */
void memory_end_mint(struct memory *memory);
/* Announced by this process and not posted; NULL: none. */
const struct attempt *memory_announced(const struct memory *memory);
bool memory_announces(const struct memory *memory, const char *nonce);
/* Answered, and in no revision Secret yet; NULL: none. */
struct mint *memory_issued(const struct memory *memory);
bool memory_holds(const struct memory *memory, const char *id);
void memory_add_gone(struct memory *memory, const char *id, int64_t monotonic_ms);
bool memory_is_gone(const struct memory *memory, const char *id);
/* When that was confirmed last, monotonic; NEVER: it isn't known to be gone. */
int64_t memory_gone_ms(const struct memory *memory, const char *id);
/* Found alive, although the list sent at list_ms doesn't show it. */
void memory_confirm(struct memory *memory, const char *id, int64_t list_ms);
bool memory_is_confirmed(const struct memory *memory, const char *id, int64_t list_ms);
/* At a publication: what was found alive before doesn't prove that what is published lives. */
void memory_forget_confirmed(struct memory *memory);

#endif
