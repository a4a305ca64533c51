/* The lifecycle of a credential, one decision at a time. Pure.
 *
 *     issue → keep → check → publish → (consumers) → revoke the old one
 *
 * decide() looks at the world and returns exactly one step. The executor performs it, folds the
 * outcome into the world, and asks again. There is no other state: after a crash the same question
 * is asked of what can still be observed.
 */
#ifndef RECONCILE_CREDENTIAL_H
#define RECONCILE_CREDENTIAL_H

#include "reconcile/world.h"

enum step_kind {
    STEP_WAIT,              /* nothing to do until wait_until or the next event */
    STEP_REPORT,            /* write status */
    STEP_MARK_ADMIN,        /* finalizer deepgram.com/in-use onto the admin Secret */
    STEP_ANNOUNCE,          /* finalizer and announcement of a create, in one fencing write */
    STEP_PROTECT,           /* the finalizer alone: somebody took it off */
    STEP_CREATE,            /* POST, once */
    STEP_KEEP,              /* the answer into its revision Secret */
    STEP_LOOK_FOR_REVISION, /* is one that status or the target names lost, or the cache late? */
    STEP_KEEP_AGAIN,        /* a lost revision Secret, from what the target still holds */
    STEP_ADOPT,             /* the first revision Secret, from a target that was made by hand */
    STEP_CHECK,             /* is the new credential what was asked for, and alive? */
    STEP_PUBLISH,           /* target Secret from the revision Secret */
    STEP_VERIFY,            /* try the published key out where it is to serve */
    STEP_COMPARE_TARGET,    /* read the target once and compare its data */
    STEP_LOOK_AT_TARGET,    /* what a write without an answer did to it */
    STEP_RESTART,           /* a workload: its marker to the published revision */
    STEP_PUT_BACK,          /* a workload: its marker to what its older pods have */
    STEP_TAKE_BACK,         /* pods failed on the published revision: note it */
    STEP_LIST,              /* refresh the project's inventory */
    STEP_CONFIRM,           /* is a credential that the list doesn't show gone? */
    STEP_REVOKE,            /* DELETE at Deepgram, confirmed by a GET */
    STEP_DROP_REVISION,     /* delete the revision Secret of a credential that is gone */
    STEP_CLOSE_ATTEMPTS,    /* drop announcements that can't have left anything */
    STEP_DELETE_TARGET,     /* or a target of an earlier spec.secret.name */
    STEP_CLAIM,             /* put our owner reference onto a Secret that was made for us */
    STEP_ANCHOR,            /* Retain: make the namespace an owner too */
    STEP_RELEASE,           /* Retain: take our owner reference off */
    STEP_WATCH_ACCOUNTS,    /* from now on ServiceAccounts are watched */
    STEP_NOTE_ACCOUNT,      /* that an entry in it is going to be ours; if there is none */
    STEP_ADD_TO_ACCOUNT,    /* the target's name into a ServiceAccount's imagePullSecrets */
    STEP_TAKE_FROM_ACCOUNT, /* an entry that we put there, out of them again */
    STEP_DROP_FINALIZER,
    STEP_KINDS
};
const char *step_name(enum step_kind kind);

/* What a person should be told when the pass ends here. */
enum verdict_kind {
    VERDICT_NONE, /* leave the conditions as they are */
    VERDICT_READY,
    VERDICT_PROGRESSING, /* works on it, or waits for something that comes by itself */
    VERDICT_STALLED,     /* waits for a person */
    VERDICT_SUSPENDED,
    VERDICT_TERMINATING,
};

struct verdict {
    enum verdict_kind kind;
    const char *reason; /* CamelCase, static */
    char message[768];  /* plain words: what, where, what to do */
    const char *noting; /* NOTE_ACCOUNT: uid of the account; NULL: none. Borrowed */
};

struct step {
    enum step_kind kind;
    struct verdict verdict;
    int64_t wait_until_ms;   /* monotonic; INT64_MAX: only an event */
    int64_t revision;        /* ANNOUNCE, CREATE to TAKE_BACK, CONFIRM, DROP_REVISION; of an orphan
                              * in REVOKE */
    const char *id;          /* REVOKE, CONFIRM; borrowed from the world */
    const char *secret_name; /* CLAIM…RELEASE, DROP_REVISION, DELETE_TARGET, *_ACCOUNT; borrowed */
    const char *account;     /* *_ACCOUNT: its name and uid; borrowed */
    const char *account_uid;
    const struct workload_view *workload; /* RESTART, PUT_BACK; borrowed from the world */
    const char *why; /* ANNOUNCE, REVOKE, DROP_FINALIZER: reason of the event; static */
    bool needed;     /* LIST: something waits for it; otherwise it is routine */
    bool keep_open;  /* CLOSE_ATTEMPTS: those that may have left something stay */
    bool judged;     /* CHECK: minted for the spec as it is, so it has to grant what that asks */
    bool heals;      /* PUBLISH, CLAIM: undoes what somebody else did to the target */
};

struct step decide(const struct world *world);

/* A create must follow its announcement at once: after a pause of this process somebody else may
 * have taken over. */
bool announcement_is_fresh(const struct memory *memory, int64_t monotonic_ms);

#endif
