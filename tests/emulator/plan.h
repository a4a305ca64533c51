#ifndef EMULATOR_PLAN_H
#define EMULATOR_PLAN_H

#include <stdbool.h>
#include <stdint.h>

#include "http.h"

enum ending {
    ENDING_ANSWER, /* send the reply, keep the connection */
    ENDING_CUT,    /* send the head and half of the body, then close */
    ENDING_CLOSE,  /* close without an answer */
    ENDING_RESET,  /* the same, by a TCP reset */
};

/* How one request is to end, all decided when it arrives. */
struct plan {
    struct reply reply;
    enum ending ending;
    int64_t delay_ms;     /* before the ending */
    int64_t filler_bytes; /* sent after the reply's own body, up to the closing of the connection */
    bool late;            /* carry the request out only `late_ms` from now */
    int64_t late_ms;
    const char *fault;   /* the kind that shaped it, NULL when none did */
    uint64_t seq;        /* its entry in the journal; 0: none, as of an admin request */
    unsigned generation; /* of the state it was meant for: a reset cancels what is late */
};

#endif
