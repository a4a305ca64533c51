/* The event loop: file descriptors (a child process is one too: its pidfd), timers and signals on
 * one epoll descriptor, with one timerfd and one signalfd behind it. Knows neither libcurl nor
 * libwebsockets.
 *
 * One thread. Callbacks run from loop_dispatch() only and may add and remove anything, themselves
 * included. Nothing is freed under a running callback.
 */
#ifndef NET_LOOP_H
#define NET_LOOP_H

#include <signal.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"

struct loop;

NODISCARD bool loop_new(struct loop **ret_loop, struct err *err);
void loop_free(struct loop *loop);

/* The epoll descriptor: readable when loop_dispatch() has something to do. Borrowed. */
int loop_fd(const struct loop *loop);
/* Runs everything that is due now; never blocks. */
void loop_dispatch(struct loop *loop);
/* The same, and at once again, a few times at most, while a timer is due: each request starts with
 * two timers of no delay, for which the timerfd would have to wake us. */
void loop_dispatch_due(struct loop *loop);
/* Blocks until loop_stop(); for programs and tests without a server (server_run() is the other
 * wait). */
void loop_run(struct loop *loop);
void loop_stop(struct loop *loop);
bool loop_stopped(const struct loop *loop);
/* Monotonic milliseconds (clock_monotonic_ms) at the start of the running, else the last, dispatch.
 */
int64_t loop_now_ms(const struct loop *loop);

/* ---- file descriptors ---- */

enum { LOOP_READ = 1, LOOP_WRITE = 2 };

struct loop_fd_watch;
typedef void loop_fd_fn(void *context, int fd, unsigned events);

/* Watches fd (level-triggered) for LOOP_READ|LOOP_WRITE; errors and hang-ups come as both. One
 * watch per descriptor; not for regular files. The descriptor stays the caller's: unwatch before
 * closing it. (The kernel forgets a closed descriptor; a watch bears that, for libcurl's sake, also
 * when its number is open again.) */
struct loop_fd_watch *loop_watch_fd(struct loop *loop, int fd, unsigned events, loop_fd_fn *fn,
                                    void *context);
void loop_watch_update(struct loop_fd_watch *watch, unsigned events);
void loop_unwatch_fd(struct loop_fd_watch *watch); /* NULL is fine */

/* ---- timers: embedded in their owner, zero-initialised ---- */

typedef void loop_timer_fn(void *context);

struct loop_timer {
    struct loop *loop_;
    int64_t due_ms_;
    uint64_t order_; /* among timers due at the same time, the first armed fires first */
    size_t index_;   /* place in the loop's heap, plus one; 0 = not armed */
    loop_timer_fn *fn_;
    void *context_;
};

/* Arms, or re-arms, to fire once in delay_ms (>= 0; 0 = in the next dispatch). */
void loop_timer_start(struct loop *loop, struct loop_timer *timer, int64_t delay_ms,
                      loop_timer_fn *fn, void *context);
void loop_timer_stop(struct loop_timer *timer); /* fine when not armed */
bool loop_timer_armed(const struct loop_timer *timer);

/* ---- signals ---- */

typedef void loop_signal_fn(void *context, int signal_number);
/* Blocks the signal and delivers it here. One handler per signal. It stays blocked after
 * loop_free(), so that a late one can't cut an orderly end short; a child process must be started
 * with its own signal mask. */
NODISCARD bool loop_on_signal(struct loop *loop, int signal_number, loop_signal_fn *fn,
                              void *context, struct err *err);

#endif
