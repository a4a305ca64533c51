/* Which schedules are run: every story without a fault, then with each fault at each request, with
 * pairs of faults, or with one to five at random. Failures are printed with what --replay takes. */
#ifndef SCENARIO_EXPLORE_H
#define SCENARIO_EXPLORE_H

#include "sim.h"

struct plan {
    bool single;
    bool pairs;
    bool random;
    bool keep_going;
    bool first_only;
    bool trace;
    unsigned long seeds;
    unsigned long first_seed;
    unsigned long every; /* of the pairs, every so many-th */
    const char *story;
    unsigned long kinds; /* bits by enum fault_kind: one fault at least is of these; 0: whatever */
    unsigned shard;
    unsigned shards;
};

struct tally {
    unsigned long schedules;
    unsigned long failures;
    unsigned long broken[INVARIANTS];
    unsigned long fired[FAULT_KINDS];
    unsigned long dealt; /* counts schedules over all shards */
};

/* Runs what the plan says; ends the process at the first failure, or after many, when it says so.
 */
void explore(const struct plan *plan, struct tally *ret_tally);
/* One schedule with its trace, from the text of --replay; changes the text. False when that can't
 * be read. */
NODISCARD bool explore_replay(char *text, bool *ret_broken);

#endif
