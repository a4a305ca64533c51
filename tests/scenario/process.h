/* Operator processes: up to two, of which one leads; another may believe so. */
#ifndef SCENARIO_PROCESS_H
#define SCENARIO_PROCESS_H

#include <stddef.h>
#include <stdint.h>

#include "api_server.h"
#include "net/loop.h"

struct process;

struct kube_client {
    bool clock_known;
    int64_t clock_offset_ms; /* against the monotonic clock, as an answer told it */
};

enum { PROCESSES_MAX = 2 };

void process_reset(void);
/* With the caches as they should have been behind_ms ago. */
void process_start(size_t index, int64_t behind_ms);
void process_crash(struct process *process, int64_t back_after_ms);
/* SIGTERM: it finishes what can't be lost, ends, and starts anew. */
void process_terminate(struct process *process);
/* It stands still, and goes on after that time; lease_is_lost: it knows that it may not write any
 * more; otherwise it believes so for 5 s. Then it ends for good. */
void process_pause(struct process *process, int64_t for_ms, bool lease_is_lost);
/* One that is not up and won't be by itself; NULL when there is none. */
struct process *process_spare(void);
void process_take_over(struct process *process, int64_t after_ms);
struct process *process_at(size_t index); /* NULL when it isn't up */
/* A second one believes that it leads, too: its clock stood still. What it breaks then has to be
 * mended, but can't be prevented. */
bool process_two_lead(void);
/* Or did so lately: what the other one revoked is only found out by the next list. */
bool process_two_led(void);
/* The same, also of one that stands still and will believe so when it goes on. */
bool process_two_will_lead(void);
/* One went on this moment: what it had sent before it stood still is carried out yet. */
bool process_just_went_on(void);
/* At a resource, before it revokes anything of it; and when it did last, monotonic. */
void process_look(struct process *process);
int64_t process_looked_ms(const struct process *process);
/* As it knows itself. */
bool process_may_write(const struct process *process);
unsigned process_owner(const struct process *process);
struct loop *process_loop(struct process *process);
char process_letter(const struct process *process);
int64_t process_skew_ms(const struct process *process);
void process_skew_all(int64_t ms);
bool process_doomed(const struct process *process);
void process_doom(struct process *process);
/* Watches of every process that is up stand still. type API_TYPES: all. */
void process_freeze(enum api_type type, int64_t for_ms);
/* Until when that of pods does, in whichever it does longest. */
int64_t process_pods_unseen_until_ms(void);
void process_tell_watches(void);
/* Of keys over WebSocket that it counts as under way. */
size_t process_trials(const struct process *process);
/* An orderly end: everything is given back; returns the blocks that are left. */
size_t process_stop(struct process *process);

#endif
