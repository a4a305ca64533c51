/* What the operator asks of others, one by one: where faults strike. */
#ifndef SCENARIO_REQUEST_H
#define SCENARIO_REQUEST_H

#include <stdint.h>

#include "base/mem.h"
#include "net/loop.h"

struct process;

enum reply_kind {                  /* what the process hears */
                  REPLY_OWN,       /* what the request came to */
                  REPLY_LOST,      /* nothing: reset or timed out */
                  REPLY_CUT,       /* a body that breaks off */
                  REPLY_NOT_SENT,  /* provably nothing left */
                  REPLY_FAILED,    /* 500, 503 */
                  REPLY_NOWHERE,   /* a page that says 404 */
                  REPLY_REFUSED,   /* 401 */
                  REPLY_CONFLICT,  /* 409 */
                  REPLY_THROTTLED, /* 429 */
};

struct request {
    struct request *prev;
    struct request *next;
    struct process *process; /* NULL: nobody waits for the answer */
    char letter;             /* of the process, for traces */
    unsigned number;         /* counted over the schedule: 1, 2, … */
    bool to_deepgram;
    bool writes;
    bool creates; /* a credential */
    bool refused; /* by the process itself, at the last moment */
    int64_t began_ms;
    char what[64];                            /* for traces: "update secrets/voice" */
    void (*perform)(struct request *request); /* the effect; keeps its answer in detail */
    void (*answer)(struct request *request);  /* in the process: calls back */
    void (*release)(struct request *request); /* frees detail */
    void *detail;
    /* set by faults */
    enum reply_kind reply_kind;
    bool carried_out;
    bool stillborn;    /* what it creates doesn't work */
    bool young;        /* what it creates works after a while */
    bool meagre;       /* what it creates grants too little */
    bool hollow;       /* what it deletes lives on */
    bool kills;        /* the process dies when it is carried out */
    int64_t effect_ms; /* from leaving to the effect */
    int64_t reply_ms;  /* from the effect to the answer */
    int64_t late_ms;   /* carried out that long after it left; 0: no */
    struct loop_timer effect;
    struct loop_timer reply;
    struct loop_timer late;
};

void requests_reset(void);
struct request *request_new(size_t detail_size);
void request_start(struct request *request, int64_t latency_ms);
void request_cancel(struct request *request);
/* The process is gone: what is under way is carried out, and nobody hears of it. */
void requests_orphan(struct process *process);
bool requests_pending(void);
/* A revocation has left, or is about to. */
bool requests_revoking(void);

#endif
