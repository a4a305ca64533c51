/* The simulated world that the lifecycle is tortured in: an API server, Deepgram, kubelets and
 * operator processes, all in one process and in virtual time. What the operator reaches them
 * through (kube/client.h, net/http.h, net/loop.h, base/clock.h, base/mem.h, base/json_blocks.h,
 * operator/leader.h, operator/recorder.h, operator/metrics.h) is replaced at link time; everything
 * else is the product's own code.
 *
 * One schedule is one call of run(): everything in `sim` is made anew for it and dropped with it.
 */
#ifndef SCENARIO_SIM_H
#define SCENARIO_SIM_H

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>

#include "actors.h"
#include "address_space.h"
#include "api_server.h"
#include "deepgram.h"
#include "fault.h"
#include "operator/options.h"
#include "oracle.h"
#include "oracle_accounts.h"
#include "process.h"
#include "request.h"
#include "story.h"
#include "virtual_time.h"

#define TEAM "team"
#define DEEPGRAM_URL "http://deepgram"
#define PROJECT "11111111-2222-3333-4444-555555555555"
/* In every secret value of the world, so that one search finds a leak; also as base64 shows it at
 * the start of an entry of a Secret. */
#define SECRET_MARK "SEKRET"
#define SECRET_MARK_BASE64 "U0VLUkVU"
#define ADMIN_KEY SECRET_MARK "-admin-of-" TEAM
/* Of the role admin only: sees nothing but what it created itself. */
#define LESSER_ADMIN_KEY SECRET_MARK "-lesser-admin-of-" TEAM

enum {
    SECOND = 1000,
    MINUTE = 60 * SECOND,
    HOUR = 60 * MINUTE,
    SETTLE_MS = 2 * MINUTE,
    INVENTORY_MS = 10 * MINUTE,
    LIST_LAG_MS = 30 * SECOND,
    LATE_MS = 10 * SECOND,
    DRAIN_MS = 40 * SECOND,
    OVERLAP_MS = 60 * SECOND, /* of every resource */
};

struct excuse { /* creds of this uid may stay alive */
    char uid[64];
};
enum { EXCUSES_MAX = 16 };

enum invariant { NOTHING, I1, I2, I3, I4, I5, I6, I7, I8, WEDGED, LIVELOCK, INVARIANTS };
const char *invariant_name(enum invariant invariant);

struct schedule {
    const struct story *story;
    uint64_t seed;
    bool jitter;
    struct fault faults[FAULTS_MAX];
    size_t fault_count;
};

struct outcome {
    enum invariant broken;
    char detail[400];
    unsigned requests; /* before the oracle's own restart */
    uint64_t creates;
};

/* The seed, the story and the faults are all there is to it; faults' `fired` is told. */
void run(struct schedule *schedule, struct outcome *ret_outcome, FILE *trace);
/* Prints what `--replay` takes. */
void schedule_print(FILE *out, const struct schedule *schedule);

struct sim {
    struct loop loop; /* the world's */
    struct api api;
    struct deepgram deepgram;
    struct options options;
    struct schedule *schedule;
    struct outcome *outcome;
    void (*on_request)(struct request *request); /* after its faults struck; NULL: nobody asked */
    FILE *trace;
    unsigned requests;
    uint64_t writes;     /* asked for by operators, also those that change nothing */
    int64_t changed_ms;  /* monotonic time of the last change of anything anywhere */
    int64_t acted_ms;    /* that of the last thing that people did */
    bool blinded;        /* a person took away what tells which pods use a renamed target */
    char erased[64];     /* uid of the resource of which people left nothing that tells; "": none */
    int64_t unmarked_ms; /* monotonic: when the admin Secret lost its mark; 0: never */
    enum fault_kind next_create;  /* what happens to it; FAULT_USER: nothing */
    bool frozen;                  /* watches stood still for a while */
    enum api_type late_type;      /* a first list shows it as it was LATE_MS ago; API_TYPES: none */
    int64_t pods_unseen_until_ms; /* monotonic: that of pods stands still; 0: it doesn't */
    int64_t renamed_ms;           /* when a person gave the target another name; 0: never */
    bool gone_renamed; /* the namespace was deleted under a target that had another name before */
    int64_t suspended_ms; /* monotonic: since when a person wants nothing done; 0: it is over */
    bool was_suspended;   /* something may be later than it should be */
    int64_t retain_ms;    /* monotonic: when a person wanted everything kept; 0: nobody does */
    int64_t looked_ms;    /* monotonic: when an operator last read that resource */
    bool undated;         /* nothing tells since when the target holds what it holds */
    bool emptied;         /* pods failed on a target that a person had emptied, perhaps */
    bool foreign_rollout; /* a person restarted the Deployment, and it isn't through */
    unsigned restarts;    /* of the Deployment, by operators */
    int64_t mints_allowed;
    struct excuse excuses[EXCUSES_MAX];
    size_t excuse_count;
    bool judging;            /* faults are over */
    bool accounts_forbidden; /* to operators */
    bool accounts_forgotten; /* somebody or something made them forget entries of theirs */
};
extern struct sim sim;

void sim_changed(void);
void sim_trace(const char *format, ...) PRINTF_LIKE(1, 2);
/* The first violation counts. */
void sim_broken(enum invariant invariant, const char *format, ...) PRINTF_LIKE(2, 3);

#endif
