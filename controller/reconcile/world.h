/* Everything that a decision about one resource may know. Gathered by operator/gather from caches
 * and memory, read by decide() and report(). Pure data: no clock, no I/O.
 *
 * Two clocks: `now_ms` is the wall clock and compares with what is written in resources;
 * `monotonic_ms` compares with what this process remembers.
 */
#ifndef RECONCILE_WORLD_H
#define RECONCILE_WORLD_H

#include "api/workload.h"
#include "reconcile/memory.h"

struct target_view {
    bool exists;
    bool ours;     /* controlled by this resource's UID */
    bool adopt;    /* nobody controls it, and a person asks us to take it over */
    bool lost;     /* made for this resource, but nobody controls it any more */
    bool anchored; /* owner_is_anchored() */
    bool deleting;
    const char *resource_version;
    const char *uid;
    const char *owner; /* "<Kind>/<name>" of another owner, or "" */
    int64_t revision;  /* annotation; 0: none */
    const char *id;    /* annotation; "" */

    int64_t published_at_ms; /* annotation; of somebody else's Secret, made in place of one that
                              * this resource published: when; 0: none */
    bool metadata_current;   /* target_metadata_current() for `revision` */
    bool updated;            /* it is older than what it holds, in whose place it held another */
};

/* A target under a name that the spec had before. */
struct old_target_view {
    const char *name; /* NULL: none; without pods and if it doesn't exist, of no meaning */
    bool exists;      /* otherwise it isn't ours any more, but pods may hold what it held */
    bool deleting;    /* and a finalizer of somebody else's holds it up */
    const char *uid;
    const char *resource_version;
    const char *id;      /* of the credential in it, or NULL */
    size_t pods;         /* that still refer to it */
    const char *example; /* name of one, "" when none */
};

enum admin_state {
    ADMIN_USABLE,
    ADMIN_MISSING,           /* the Secret doesn't exist */
    ADMIN_DELETING,          /* exists, but is being deleted: good for revoking, not for issuing */
    ADMIN_NOT_ALLOWED,       /* no credentialsRef, and no default credentials for this namespace */
    ADMIN_SCOPE_NOT_ALLOWED, /* default credentials mint product scopes only */
    ADMIN_ROLE_TOO_HIGH,     /* spec.role is above --max-role for default credentials */
};

struct admin_view {
    enum admin_state state;
    bool is_default;
    bool marked; /* finalizer deepgram.com/in-use is on (always, for defaults) */
    const char *namespace;
    const char *name;
    const char *key;
    const char *resource_version;
};

/* The shared inventory of the project, as far as it concerns this resource. */
struct inventory_view {
    int64_t listed_at_ms;     /* monotonic time at which the last good LIST was sent; NEVER */
    int64_t due_ms;           /* monotonic: when the next routine LIST is due; 0: at once */
    int64_t blocked_until_ms; /* monotonic: no LIST before (it failed, or 429); 0: free */
    const struct inventory_entry *entries; /* those with this resource's UID */
    size_t count;
};

/* Is it one of the entries? */
NODISCARD bool inventory_view_holds(const struct inventory_view *view, const char *id);

/* A pod that a message is about. */
struct pod_note {
    const char *name;    /* NULL: none */
    const char *reason;  /* in one word, as the pod's status tells it */
    const char *message; /* more about it, or NULL */
    int64_t since_ms;    /* wall clock: when it began */
};

/* The reason of a pod that tells none. */
#define POD_NOT_READY "NotReady"

/* A workload that refers to the target, or that spec.rollout.workloads names. "Old" is what was
 * created before the publication, or too near to it. */
struct workload_view {
    enum workload_kind kind;
    const char *name;
    const char *uid;         /* NULL: there is no such workload */
    bool refers;             /* its pod template refers to the target */
    bool chosen;             /* ours to restart, and not only to wait for */
    int64_t rank;            /* License Proxy, Engine, API, others */
    bool settled;            /* no roll-out is under way */
    const char *held;        /* why a new template restarts nothing; NULL: it does */
    const char *marker;      /* this resource's, on the template; "" */
    int64_t published_at_ms; /* wall clock: the last publication of any target that it refers to */
    size_t pods;
    size_t old_pods;
    size_t leaving_pods;           /* of them, those that are on their way out */
    size_t unready_pods;           /* new, and neither ready nor without a node */
    struct pod_note failing;       /* new, marked as the template is, not ready for the longest */
    struct pod_note stuck;         /* older, or of a template without our marker, and in trouble */
    struct pod_note unschedulable; /* no node has taken it for the longest */
    size_t unschedulable_pods;
};

struct consumers_view {
    size_t pods;         /* pods that refer to the target Secret and are not finished */
    size_t old_pods;     /* of them, created before the publication (or too near to it) */
    size_t failed_pods;  /* of them, those that may have started on a revision that failed */
    const char *example; /* name of one, "" when none */
    const char *old_example;
    const struct workload_view *workloads; /* in the order in which they are restarted */
    size_t workload_count;
    const char *loose_example; /* an old pod of no workload that is chosen; "" */
};

/* ServiceAccounts are watched from the moment that somebody first needs them. */
enum accounts_state { ACCOUNTS_UNWATCHED, ACCOUNTS_LOADING, ACCOUNTS_KNOWN };

/* A ServiceAccount that spec.serviceAccounts names. */
struct account_view {
    const char *name;
    const char *uid; /* NULL: there is no such account */
    bool listed;     /* its imagePullSecrets hold the target's name */
};

struct accounts_view {
    enum accounts_state state;
    const char *refusal; /* the API server's words when it doesn't show them (any more); NULL */
    const struct account_view *items;
    size_t count;
    /* Of status.accounts, by index: that account still has that entry. */
    bool held[STATUS_ACCOUNTS_MAX];
};

/* A revision as the union of what status and revision Secrets say. */
struct world_revision {
    int64_t number;
    const char *id;
    const struct revision *secret;       /* NULL: no revision Secret (or it is being deleted) */
    const struct status_revision *noted; /* NULL: not in status */
    bool failed;                         /* pods failed on it: not to be published again */
    bool gone;                           /* confirmed gone at Deepgram */
    bool listed;                         /* in the last inventory */
};

enum { WORLD_REVISIONS_MAX = 32 };

struct world {
    int64_t now_ms;
    int64_t monotonic_ms;
    const struct resource *resource;
    const struct memory *memory;
    bool namespace_terminating;
    bool checkable;                 /* this kind can be checked before publishing */
    const struct revision *secrets; /* revision Secrets made for a resource of this name */
    size_t secret_count;
    struct target_view target;
    struct old_target_view old_target; /* one of them */
    struct admin_view admin;
    struct inventory_view inventory;
    struct consumers_view consumers;
    struct accounts_view accounts;
    int64_t project_mint_at_ms;       /* monotonic: earliest next create of the project */
    int64_t project_blocked_until_ms; /* monotonic: 429 of the project; 0: free */
    int64_t settle_ms;
    /* derived by world_derive() */
    struct world_revision revisions[WORLD_REVISIONS_MAX]; /* ascending */
    size_t revision_count;
    int64_t highest_revision; /* ever seen, in whatever place */
};

/* Fills the derived part. */
void world_derive(struct world *world);

/* Once the consumers are known: a namesake that is gone may have left its markers on their
 * templates. Its numbers aren't used again, or a restart would change nothing. */
void world_count_markers(struct world *world);

/* Is it a revision of this resource, and not a namesake's? */
bool world_belongs(const struct resource *resource, const struct revision *secret);
/* The newest revision that has a revision Secret, isn't gone, didn't fail, isn't to be discarded
 * and, if another one is published, didn't expire; NULL when there is none. */
const struct world_revision *world_newest(const struct world *world);
/* The newest revision that pods failed on, while an older one is published in its place or is about
 * to be; NULL when there is none. */
const struct world_revision *world_taken_back(const struct world *world);
/* What could be published in place of the published revision; NULL: nothing. */
const struct world_revision *world_fallback(const struct world *world);
/* By number; NULL when unknown. */
const struct world_revision *world_revision(const struct world *world, int64_t number);
/* By what its revision Secret says. */
bool world_is_expired(const struct world *world, const struct world_revision *revision);
/* The revision that the target holds, when it is ours and the revision is alive; else NULL. */
const struct world_revision *world_published(const struct world *world);
/* It was read as it is, and its data isn't what it should be. */
bool world_target_differs(const struct world *world);
/* Nothing can be read out of the target as it is. */
bool world_is_useless(const struct world *world);
/* Fingerprint of what people change to mend something besides the spec: the admin Secret, and the
 * rotate token. */
uint64_t world_mends(const struct world *world);
/* The admin key is there to ask Deepgram with, if only for what is on its way out. */
bool world_can_list(const struct world *world);
/* The target is this resource's, also one that was released before spec.deletionPolicy was changed
 * back to Revoke. */
bool world_holds_target(const struct world *world);
/* Pods that may hold what this resource published in its target, also where that has become another
 * resource's since. */
size_t world_pods_in_use(const struct world *world);
/* Its value is a person's, who asked for it to be taken over, and the target isn't ours yet. */
bool world_is_being_adopted(const struct world *world, const struct world_revision *revision);
/* Some revision isn't known to be gone at Deepgram. */
bool world_holds_credential(const struct world *world);
/* An announced create whose revision is in no revision Secret or status: it may have left a
 * credential. Not those that this process knows to have been refused or never sent. */
bool world_attempt_open(const struct world *world, const struct attempt *attempt);
bool world_any_attempt_open(const struct world *world);
/* The first orphan that no pod can hold: it may be revoked. */
const struct inventory_entry *world_loose_orphan(const struct world *world);
/* The first inventory entry that no revision names and that isn't in flight; NULL when none. */
const struct inventory_entry *world_orphan(const struct world *world);

#endif
