/* Timers are a binary heap that knows each timer's place, so that arming and stopping are
 * logarithmic and need no allocation per timer. A watch that is removed while a batch of events is
 * handed out stays allocated, marked, until the batch is over: a later event of the batch may still
 * point to it. */
#include "net/loop.h"

#include <assert.h>
#include <errno.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "base/clock.h"

enum { BATCH = 64, ROUNDS_MAX = 4 };

struct loop_fd_watch {
    struct loop *loop;
    int fd;
    loop_fd_fn *fn; /* NULL: removed */
    void *context;
    struct loop_fd_watch *next_removed;
};

struct signal_handler {
    loop_signal_fn *fn;
    void *context;
};

struct loop {
    int epoll_fd;
    int timer_fd;
    int signal_fd;
    struct loop_fd_watch *timer_watch;
    struct loop_fd_watch *signal_watch;
    struct loop_fd_watch *removed;
    struct loop_timer **timers; /* a heap */
    size_t timer_count;
    size_t timer_capacity;
    uint64_t next_order;
    int64_t wake_ms; /* what timer_fd is set to; -1: disarmed */
    int64_t now_ms;
    sigset_t signals;
    struct signal_handler handlers[NSIG];
    bool dispatching;
    bool stopped;
};

/* ---- timers ---- */

static bool is_before(const struct loop_timer *a, const struct loop_timer *b)
{
    return a->due_ms_ != b->due_ms_ ? a->due_ms_ < b->due_ms_ : a->order_ < b->order_;
}

static void heap_put(struct loop *loop, size_t index, struct loop_timer *timer)
{
    loop->timers[index] = timer;
    timer->index_ = index + 1;
}

static void heap_sift_up(struct loop *loop, size_t index)
{
    struct loop_timer *timer = loop->timers[index];
    for (; index > 0 && is_before(timer, loop->timers[(index - 1) / 2]); index = (index - 1) / 2)
        heap_put(loop, index, loop->timers[(index - 1) / 2]);
    heap_put(loop, index, timer);
}

static void heap_sift_down(struct loop *loop, size_t index)
{
    struct loop_timer *timer = loop->timers[index];
    for (;;) {
        size_t child = 2 * index + 1;
        if (child + 1 < loop->timer_count &&
            is_before(loop->timers[child + 1], loop->timers[child]))
            child++;
        if (child >= loop->timer_count || !is_before(loop->timers[child], timer))
            break;
        heap_put(loop, index, loop->timers[child]);
        index = child;
    }
    heap_put(loop, index, timer);
}

static void set_timer_fd(struct loop *loop, int64_t wake_ms)
{
    if (wake_ms == loop->wake_ms)
        return;
    struct itimerspec when = { .it_value = { 0 } }; /* all zero disarms */
    if (wake_ms >= 0) {
        when.it_value.tv_sec = wake_ms / 1000;
        when.it_value.tv_nsec = wake_ms % 1000 * 1000000;
    }
    int failed = timerfd_settime(loop->timer_fd, TFD_TIMER_ABSTIME, &when, NULL);
    assert(!failed);
    loop->wake_ms = wake_ms;
}

/* While a dispatch runs this waits for its end: one system call instead of one per change. */
static void update_wake(struct loop *loop)
{
    if (!loop->dispatching)
        set_timer_fd(loop, loop->timer_count > 0 ? loop->timers[0]->due_ms_ : -1);
}

void loop_timer_start(struct loop *loop, struct loop_timer *timer, int64_t delay_ms,
                      loop_timer_fn *fn, void *context)
{
    assert(delay_ms >= 0 && fn);
    loop_timer_stop(timer);
    if (loop->timer_count == loop->timer_capacity) {
        loop->timer_capacity = loop->timer_capacity > 0 ? 2 * loop->timer_capacity : 16;
        loop->timers =
            mem_realloc(loop->timers, loop->timer_capacity * sizeof(struct loop_timer *));
    }
    int64_t due_ms = INT64_MAX;
    if (__builtin_add_overflow(clock_monotonic_ms(), delay_ms, &due_ms))
        due_ms = INT64_MAX;
    *timer = (struct loop_timer){
        .loop_ = loop,
        .due_ms_ = due_ms,
        .order_ = loop->next_order++,
        .fn_ = fn,
        .context_ = context,
    };
    heap_put(loop, loop->timer_count++, timer);
    heap_sift_up(loop, loop->timer_count - 1);
    update_wake(loop);
}

void loop_timer_stop(struct loop_timer *timer)
{
    if (!loop_timer_armed(timer))
        return;
    struct loop *loop = timer->loop_;
    size_t index = timer->index_ - 1;
    timer->index_ = 0;
    struct loop_timer *last = loop->timers[--loop->timer_count];
    if (last != timer) {
        heap_put(loop, index, last);
        heap_sift_up(loop, index);
        heap_sift_down(loop, last->index_ - 1);
    }
    update_wake(loop);
}

bool loop_timer_armed(const struct loop_timer *timer)
{
    return timer->index_ > 0;
}

/* A timer that is armed by a callback waits for the next dispatch, however short its delay: a
 * timer that re-arms itself must not keep the descriptors waiting. */
static void run_timers(struct loop *loop)
{
    uint64_t first_new = loop->next_order;
    while (loop->timer_count > 0 && !loop->stopped) {
        struct loop_timer *timer = loop->timers[0];
        if (timer->due_ms_ > loop->now_ms || timer->order_ >= first_new)
            break;
        loop_timer_stop(timer);
        timer->fn_(timer->context_);
    }
}

static void on_timer_fd(void *context, int fd, unsigned events)
{
    (void)events;
    struct loop *loop = context;
    uint64_t expirations = 0;
    if (read(fd, &expirations, sizeof expirations) == sizeof expirations)
        loop->wake_ms = -1; /* it fires once: has to be set again */
}

/* ---- file descriptors ---- */

static uint32_t to_epoll(unsigned events)
{
    return (events & LOOP_READ ? (uint32_t)EPOLLIN : 0) |
           (events & LOOP_WRITE ? (uint32_t)EPOLLOUT : 0);
}

static unsigned from_epoll(uint32_t events)
{
    if (events & (EPOLLERR | EPOLLHUP))
        return LOOP_READ | LOOP_WRITE;
    return (events & EPOLLIN ? LOOP_READ : 0U) | (events & EPOLLOUT ? LOOP_WRITE : 0U);
}

struct loop_fd_watch *loop_watch_fd(struct loop *loop, int fd, unsigned events, loop_fd_fn *fn,
                                    void *context)
{
    assert(fn);
    struct loop_fd_watch *watch = mem_alloc(sizeof *watch);
    *watch = (struct loop_fd_watch){ .loop = loop, .fd = fd, .fn = fn, .context = context };
    struct epoll_event event = { .events = to_epoll(events), .data.ptr = watch };
    int failed = epoll_ctl(loop->epoll_fd, EPOLL_CTL_ADD, fd, &event);
    assert(!failed);
    return watch;
}

void loop_watch_update(struct loop_fd_watch *watch, unsigned events)
{
    struct epoll_event event = { .events = to_epoll(events), .data.ptr = watch };
    int failed = epoll_ctl(watch->loop->epoll_fd, EPOLL_CTL_MOD, watch->fd, &event);
    if (failed && errno == ENOENT)
        failed = epoll_ctl(watch->loop->epoll_fd, EPOLL_CTL_ADD, watch->fd, &event);
    assert(!failed);
}

void loop_unwatch_fd(struct loop_fd_watch *watch)
{
    if (!watch)
        return;
    int failed = epoll_ctl(watch->loop->epoll_fd, EPOLL_CTL_DEL, watch->fd, NULL);
    assert(!failed || errno == EBADF || errno == ENOENT);
    watch->fn = NULL;
    watch->next_removed = watch->loop->removed;
    watch->loop->removed = watch;
}

static void free_removed(struct loop *loop)
{
    while (loop->removed) {
        struct loop_fd_watch *watch = loop->removed;
        loop->removed = watch->next_removed;
        mem_free(watch);
    }
}

static void run_descriptors(struct loop *loop, const struct epoll_event *events, int count)
{
    for (int i = 0; i < count && !loop->stopped; i++) {
        struct loop_fd_watch *watch = events[i].data.ptr;
        if (watch->fn)
            watch->fn(watch->context, watch->fd, from_epoll(events[i].events));
    }
}

/* ---- signals ---- */

static void on_signal_fd(void *context, int fd, unsigned events)
{
    (void)events;
    struct loop *loop = context;
    struct signalfd_siginfo info;
    while (read(fd, &info, sizeof info) == sizeof info) {
        const struct signal_handler *handler = &loop->handlers[info.ssi_signo];
        handler->fn(handler->context, (int)info.ssi_signo);
    }
}

bool loop_on_signal(struct loop *loop, int signal_number, loop_signal_fn *fn, void *context,
                    struct err *err)
{
    assert(signal_number > 0 && signal_number < NSIG && !loop->handlers[signal_number].fn);
    sigset_t signals = loop->signals;
    sigaddset(&signals, signal_number);
    int fd = signalfd(loop->signal_fd, &signals, SFD_NONBLOCK | SFD_CLOEXEC);
    if (fd < 0)
        return err_set(err, ERR_TRANSIENT, "signalfd: %s", strerror(errno));
    if (!loop->signal_watch) {
        loop->signal_fd = fd;
        loop->signal_watch = loop_watch_fd(loop, fd, LOOP_READ, on_signal_fd, loop);
    }
    pthread_sigmask(SIG_BLOCK, &signals, NULL);
    loop->signals = signals;
    loop->handlers[signal_number] = (struct signal_handler){ .fn = fn, .context = context };
    return true;
}

/* ---- the loop ---- */

bool loop_new(struct loop **ret_loop, struct err *err)
{
    struct loop *loop = mem_alloc(sizeof *loop);
    loop->signal_fd = -1;
    loop->wake_ms = -1;
    loop->now_ms = clock_monotonic_ms();
    sigemptyset(&loop->signals);
    loop->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    loop->timer_fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
    if (loop->epoll_fd < 0 || loop->timer_fd < 0) {
        err_set(err, ERR_TRANSIENT, "cannot make an event loop: %s", strerror(errno));
        loop_free(loop);
        return false;
    }
    loop->timer_watch = loop_watch_fd(loop, loop->timer_fd, LOOP_READ, on_timer_fd, loop);
    *ret_loop = loop;
    return true;
}

static void close_fd(int fd)
{
    if (fd >= 0)
        close(fd);
}

void loop_free(struct loop *loop)
{
    if (!loop)
        return;
    assert(!loop->dispatching);
    while (loop->timer_count > 0)
        loop->timers[--loop->timer_count]->index_ = 0;
    loop_unwatch_fd(loop->timer_watch);
    loop_unwatch_fd(loop->signal_watch);
    free_removed(loop);
    close_fd(loop->signal_fd);
    close_fd(loop->timer_fd);
    close_fd(loop->epoll_fd);
    mem_free(loop->timers);
    mem_free(loop);
}

int loop_fd(const struct loop *loop)
{
    return loop->epoll_fd;
}

static void run_round(struct loop *loop, int timeout_ms)
{
    assert(!loop->dispatching);
    struct epoll_event events[BATCH];
    int count = epoll_wait(loop->epoll_fd, events, BATCH, timeout_ms);
    loop->dispatching = true;
    loop->now_ms = clock_monotonic_ms();
    run_descriptors(loop, events, count);
    run_timers(loop);
    loop->dispatching = false;
    free_removed(loop);
}

static void dispatch(struct loop *loop, int timeout_ms)
{
    run_round(loop, timeout_ms);
    update_wake(loop);
}

void loop_dispatch(struct loop *loop)
{
    dispatch(loop, 0);
}

static bool is_timer_due(const struct loop *loop)
{
    return loop->timer_count > 0 && loop->timers[0]->due_ms_ <= clock_monotonic_ms();
}

void loop_dispatch_due(struct loop *loop)
{
    int rounds = 0;
    do {
        run_round(loop, 0);
    } while (++rounds < ROUNDS_MAX && !loop->stopped && is_timer_due(loop));
    update_wake(loop);
}

void loop_run(struct loop *loop)
{
    while (!loop->stopped)
        dispatch(loop, -1);
}

void loop_stop(struct loop *loop)
{
    loop->stopped = true;
}

bool loop_stopped(const struct loop *loop)
{
    return loop->stopped;
}

int64_t loop_now_ms(const struct loop *loop)
{
    return loop->now_ms;
}
