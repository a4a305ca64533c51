/* What can go wrong with a request. */
#ifndef SCENARIO_FAULT_H
#define SCENARIO_FAULT_H

#include <stdint.h>

#include "base/mem.h"
#include "net/loop.h"
#include "request.h"

struct action;

struct request_note { /* of a fault-free run: what faults can be planned for */
    bool to_deepgram;
    bool writes;
    char what[64];
};

NODISCARD struct request_note request_note(const struct request *request);

enum fault_kind {
    FAULT_ERROR,       /* an error before the effect */
    FAULT_UNREACHABLE, /* provably nothing was sent */
    FAULT_LOST,        /* carried out, the answer is lost */
    FAULT_FAILED,      /* carried out, and answered with a 5xx */
    FAULT_NOWHERE,     /* a proxy's 404: nothing of Deepgram's */
    FAULT_REFUSED,     /* a key is not accepted this once, though it lives */
    FAULT_MEAGRE,      /* what is created grants less than was asked for */
    FAULT_YOUNG,       /* a key is created that works only after a while */
    FAULT_CUT,         /* carried out, the answer can't be read */
    FAULT_STILLBORN,   /* a key is created and handed out, and doesn\'t work */
    FAULT_HOLLOW,      /* a deletion is confirmed, and nothing is deleted */
    FAULT_LATE,        /* no answer, carried out later */
    FAULT_LATE_WRITE,  /* the same of the API server */
    FAULT_CONFLICT,    /* 409 from the API server */
    FAULT_THROTTLE,    /* 429 */
    FAULT_CRASH_BEFORE,
    FAULT_CRASH_AFTER,
    FAULT_STALE,         /* watches stand still for a while */
    FAULT_SECOND_BEFORE, /* paused before the request leaves; another leads; goes on */
    FAULT_SECOND_AFTER,  /* paused after it left */
    FAULT_SPLIT,         /* as SECOND_BEFORE, but its clock stood still: it believes it leads */
    FAULT_CLOCK_AHEAD,
    FAULT_CLOCK_BACK,
    FAULT_LIST_LAG,
    FAULT_USER, /* a person does something at this moment */
    FAULT_KINDS
};

struct fault {
    unsigned at; /* number of the request; 0: never */
    enum fault_kind kind;
    const struct action *action; /* FAULT_USER */
    bool fired;
    struct loop_timer timer;
};

enum { FAULTS_MAX = 8 };

const char *fault_name(const struct fault *fault);
/* Can it happen to this request? */
bool fault_applies(enum fault_kind kind, const struct request_note *note);
/* "12:lost" up to a comma; false when it can't be read. */
NODISCARD bool fault_parse(const char *text, struct fault *ret_fault);
/* Can it change the course of this request, which is leaving? */
bool fault_can_strike(enum fault_kind kind, const struct request *request);
/* Called when a request leaves: those of the schedule that are planned for it change its course. */
void fault_strike(struct request *request);
/* One more in the schedule, for the request that is leaving. */
void fault_add(enum fault_kind kind, struct request *request);
/* Is there one of the kind in the schedule? */
bool fault_planned(enum fault_kind kind);
/* For a new schedule. */
void fault_reset(void);

#endif
