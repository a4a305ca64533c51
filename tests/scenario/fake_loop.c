/* Virtual time. Every process has a loop with its timers, the world has one too; the callback that
 * is due first runs next, and the clock moves on to it. A paused process keeps its timers: they
 * are overdue when it goes on. Randomness is seeded, also that of the operator (its nonces and
 * jitter): a schedule replays to the byte. */
#include "virtual_time.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "base/clock.h"
#include "sim.h"

enum { START_MS = 1000 * 1000, AT_ONCE_MAX = 10000 };
static const int64_t EPOCH_MS = 1800000000000; /* a round day in 2027 */

static struct {
    int64_t now_ms;
    uint64_t order;
    uint64_t world_state;
    uint64_t operator_state;
    bool jitter;
    unsigned at_once; /* callbacks in this millisecond */
} clock_state;

static uint64_t next_random(uint64_t *state) /* splitmix64 */
{
    uint64_t z = (*state += 0x9e3779b97f4a7c15u);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

void time_reset(uint64_t seed)
{
    clock_state.now_ms = START_MS;
    clock_state.order = 0;
    clock_state.at_once = 0;
    clock_state.world_state = seed * 2 + 1;
    clock_state.operator_state = seed * 2 + 2;
    clock_state.jitter = false;
}

void time_jitter(bool on)
{
    clock_state.jitter = on;
}

uint64_t time_random(void)
{
    return next_random(&clock_state.world_state);
}

int64_t time_vary(int64_t usual_ms, int64_t worst_ms)
{
    if (!clock_state.jitter || time_random() % 4 != 0)
        return usual_ms;
    return usual_ms + (int64_t)(time_random() % (uint64_t)(worst_ms - usual_ms + 1));
}

int64_t time_now_ms(void)
{
    return clock_state.now_ms;
}

int64_t time_server_ms(void)
{
    return EPOCH_MS + clock_state.now_ms;
}

/* ---- base/clock.h and randomness, as the operator sees them ---- */

int64_t clock_monotonic_ms(void)
{
    return clock_state.now_ms;
}

int64_t clock_wall_ms(void)
{
    return time_server_ms() + process_skew_ms(memory_current());
}

ssize_t getrandom(void *buffer, size_t length, unsigned flags)
{
    (void)flags;
    unsigned char *at = buffer;
    for (size_t i = 0; i < length; i++)
        at[i] = (unsigned char)next_random(&clock_state.operator_state);
    return (ssize_t)length;
}

long random(void)
{
    return (long)(next_random(&clock_state.operator_state) >> 33);
}

/* ---- net/loop.h: timers only ---- */

int64_t loop_now_ms(const struct loop *loop)
{
    (void)loop;
    return clock_state.now_ms;
}

bool loop_timer_armed(const struct loop_timer *timer)
{
    return timer->index_ != 0;
}

void loop_timer_stop(struct loop_timer *timer)
{
    if (!loop_timer_armed(timer))
        return;
    struct loop *loop = timer->loop_;
    struct loop_timer *last = loop->timers[--loop->count];
    loop->timers[timer->index_ - 1] = last;
    last->index_ = timer->index_;
    timer->index_ = 0;
}

void loop_timer_start(struct loop *loop, struct loop_timer *timer, int64_t delay_ms,
                      loop_timer_fn *fn, void *context)
{
    assert(delay_ms >= 0);
    loop_timer_stop(timer);
    assert(loop->count < TIMERS_MAX);
    int64_t due_ms = INT64_MAX;
    if (__builtin_add_overflow(clock_state.now_ms, delay_ms, &due_ms))
        due_ms = INT64_MAX;
    loop->timers[loop->count++] = timer;
    *timer = (struct loop_timer){ .loop_ = loop,
                                  .due_ms_ = due_ms,
                                  .order_ = clock_state.order++,
                                  .index_ = loop->count,
                                  .fn_ = fn,
                                  .context_ = context };
}

/* ---- running ---- */

static bool before(const struct loop_timer *a, const struct loop_timer *b)
{
    return !b || a->due_ms_ < b->due_ms_ || (a->due_ms_ == b->due_ms_ && a->order_ < b->order_);
}

static struct loop_timer *first_of(const struct loop *loop, struct loop_timer *first)
{
    for (size_t i = 0; i < loop->count; i++)
        if (before(loop->timers[i], first))
            first = loop->timers[i];
    return first;
}

bool time_step(int64_t until_ms)
{
    struct loop_timer *first = first_of(&sim.loop, NULL);
    for (size_t i = 0; i < PROCESSES_MAX; i++) {
        struct process *process = process_at(i);
        if (process && !process_loop(process)->paused)
            first = first_of(process_loop(process), first);
    }
    if (!first || first->due_ms_ > until_ms) {
        clock_state.now_ms = until_ms;
        return false;
    }
    if (first->due_ms_ > clock_state.now_ms) {
        clock_state.now_ms = first->due_ms_;
        clock_state.at_once = 0;
    } else if (++clock_state.at_once > AT_ONCE_MAX) {
        sim_broken(LIVELOCK, "time stands still");
    }
    struct process *process = first->loop_->process;
    loop_timer_stop(first);
    struct process *outer = memory_enter(process);
    first->fn_(first->context_);
    memory_enter(outer);
    return true;
}
