/* One virtual clock, and a set of timers for each loop. */
#ifndef SCENARIO_VIRTUAL_TIME_H
#define SCENARIO_VIRTUAL_TIME_H

#include <stdbool.h>
#include <stdint.h>

#include "net/loop.h"

struct process;

enum { TIMERS_MAX = 1024 };

struct loop {
    struct loop_timer *timers[TIMERS_MAX];
    size_t count;
    bool paused;
    struct process *process; /* NULL: the world's own */
};

void time_reset(uint64_t seed);
/* Runs the next due callback; false when there is none before `until_ms`, which is then the time.
 */
bool time_step(int64_t until_ms);
int64_t time_now_ms(void);    /* monotonic */
int64_t time_server_ms(void); /* wall clock of everybody but the operator */
uint64_t time_random(void);   /* of the world; the operator draws from its own */
void time_jitter(bool on);    /* latencies vary */
int64_t time_vary(int64_t usual_ms, int64_t worst_ms);

#endif
