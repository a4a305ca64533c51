#ifndef EMULATOR_FAULTS_H
#define EMULATOR_FAULTS_H

/* Faults that the tests switch on: which requests they hit and what they do to them. */

#include <cjson/cJSON.h>

#include "plan.h"
#include "route.h"

enum fault_kind {
    FAULT_STATUS,
    FAULT_LOST,
    FAULT_LATE,
    FAULT_RESET,
    FAULT_CUT,
    FAULT_HTML,
    FAULT_BIG,
    FAULT_REDIRECT,
    FAULT_SILENCE,
    FAULT_GARBAGE,
    FAULT_NO_SECRET,
    FAULT_KIND_COUNT,
};

struct fault;

struct faults {
    struct fault *first; /* the oldest: the first one that matches hits */
    int64_t last_id;
    uint64_t random_state;
};

void faults_clear(struct faults *faults);
void faults_seed(struct faults *faults, uint64_t seed);

/* Adds what the admin endpoint describes. NULL when done, otherwise what is wrong with it, the
 * caller's. */
NODISCARD char *faults_add(struct faults *faults, const cJSON *description);
cJSON *faults_describe(const struct faults *faults); /* an array */

/* The fault that hits this request, counted as fired; NULL when none does. Valid until the next
 * change of the faults. */
const struct fault *faults_take(struct faults *faults, const struct route *route);

const char *fault_name(const struct fault *fault);
/* Whether the request takes effect at once. */
bool fault_carries_out(const struct fault *fault);
/* Turns the plan of a healthy answer into that of the fault. */
void fault_shape(const struct fault *fault, struct plan *plan);

#endif
