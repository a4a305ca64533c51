#include "test.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "net/loop.h"

struct trace {
    struct loop *loop;
    char text[64];
};

struct tracer {
    struct trace *trace;
    char mark;
    struct loop_timer timer;
};

static void append_mark(void *context)
{
    const struct tracer *tracer = context;
    size_t length = strlen(tracer->trace->text);
    tracer->trace->text[length] = tracer->mark;
    tracer->trace->text[length + 1] = '\0';
}

static void stop(void *context)
{
    loop_stop(context);
}

/* Runs the loop for about that long. */
static void run_for(struct loop *loop, int64_t ms)
{
    struct loop_timer timer = { 0 };
    loop_timer_start(loop, &timer, ms, stop, loop);
    loop_run(loop);
}

/* ---- timers ---- */

static void test_timers_fire_in_order_of_time_then_of_arming(void **state)
{
    (void)state;
    struct trace trace = { .loop = test_loop_new() };
    static const int delays[] = { 30, 10, 20, 10, 0, 20 };
    struct tracer tracers[ARRAY_LENGTH(delays)];
    for (size_t i = 0; i < ARRAY_LENGTH(delays); i++) {
        tracers[i] = (struct tracer){ .trace = &trace, .mark = (char)('a' + i) };
        loop_timer_start(trace.loop, &tracers[i].timer, delays[i], append_mark, &tracers[i]);
    }
    run_for(trace.loop, 50);
    assert_string_equal(trace.text, "ebdcfa");
    loop_free(trace.loop);
}

static void test_many_timers_started_and_stopped_at_random(void **state)
{
    (void)state;
    enum { COUNT = 500 };
    struct loop *loop = test_loop_new();
    struct trace trace = { .loop = loop };
    static struct tracer tracers[COUNT];
    memset(tracers, 0, sizeof tracers);
    srandom(7);
    for (int step = 0; step < 20000; step++) {
        struct tracer *tracer = &tracers[random() % COUNT];
        tracer->trace = &trace;
        if (random() % 3 == 0)
            loop_timer_stop(&tracer->timer);
        else
            loop_timer_start(loop, &tracer->timer, 100000 + random() % 1000, append_mark, tracer);
    }
    /* A parent in the heap never comes after its children. */
    size_t armed = 0;
    for (size_t i = 0; i < COUNT; i++) {
        const struct loop_timer *timer = &tracers[i].timer;
        armed += loop_timer_armed(timer) ? 1 : 0;
        for (size_t k = 0; loop_timer_armed(timer) && k < COUNT; k++)
            if (tracers[k].timer.index_ == timer->index_ / 2 && timer->index_ > 1)
                assert_true(tracers[k].timer.due_ms_ <= timer->due_ms_);
    }
    assert_true(armed > 0);
    loop_free(loop);
    for (size_t i = 0; i < COUNT; i++)
        assert_false(loop_timer_armed(&tracers[i].timer));
}

static void test_a_timer_is_never_early_nor_very_late(void **state)
{
    (void)state;
    struct loop *loop = test_loop_new();
    int64_t before = clock_monotonic_ms();
    run_for(loop, 40);
    int64_t elapsed = clock_monotonic_ms() - before;
    assert_true(elapsed >= 40 && elapsed < 1000);
    assert_true(loop_now_ms(loop) >= before + 40);
    loop_free(loop);
}

static void test_stopping_and_rearming(void **state)
{
    (void)state;
    struct trace trace = { .loop = test_loop_new() };
    struct tracer stopped = { .trace = &trace, .mark = 's' };
    struct tracer earlier = { .trace = &trace, .mark = 'e' };
    struct tracer later = { .trace = &trace, .mark = 'l' };
    loop_timer_start(trace.loop, &stopped.timer, 5, append_mark, &stopped);
    loop_timer_start(trace.loop, &earlier.timer, 60000, append_mark, &earlier);
    loop_timer_start(trace.loop, &later.timer, 1, append_mark, &later);
    loop_timer_stop(&stopped.timer);
    loop_timer_stop(&stopped.timer);
    loop_timer_start(trace.loop, &earlier.timer, 5, append_mark, &earlier);
    loop_timer_start(trace.loop, &later.timer, 60000, append_mark, &later);
    run_for(trace.loop, 20);
    assert_string_equal(trace.text, "e");
    assert_false(loop_timer_armed(&earlier.timer));
    assert_true(loop_timer_armed(&later.timer));
    loop_free(trace.loop);
}

struct ticker {
    struct loop *loop;
    struct loop_timer timer;
    struct loop_timer victim;
    int ticks;
};

static void tick(void *context)
{
    struct ticker *ticker = context;
    ticker->ticks++;
    loop_timer_stop(&ticker->victim);
    loop_timer_start(ticker->loop, &ticker->timer, 0, tick, ticker);
}

static void must_not_run(void *context)
{
    (void)context;
    fail();
}

static void test_callbacks_may_rearm_themselves_and_stop_others(void **state)
{
    (void)state;
    struct ticker ticker = { .loop = test_loop_new() };
    loop_timer_start(ticker.loop, &ticker.timer, 0, tick, &ticker);
    loop_timer_start(ticker.loop, &ticker.victim, 0, must_not_run, NULL);
    for (int i = 1; i <= 5; i++) {
        struct pollfd wait = { .fd = loop_fd(ticker.loop), .events = POLLIN };
        assert_int_equal(poll(&wait, 1, 1000), 1);
        loop_dispatch(ticker.loop);
        assert_int_equal(ticker.ticks, i);
    }
    loop_free(ticker.loop);
}

static void test_an_idle_loop_is_not_readable(void **state)
{
    (void)state;
    struct loop *loop = test_loop_new();
    struct trace trace = { .loop = loop };
    struct tracer tracer = { .trace = &trace, .mark = 'x' };
    struct pollfd wait = { .fd = loop_fd(loop), .events = POLLIN };
    assert_int_equal(poll(&wait, 1, 0), 0);
    loop_timer_start(loop, &tracer.timer, 5, append_mark, &tracer);
    assert_int_equal(poll(&wait, 1, 0), 0);
    assert_int_equal(poll(&wait, 1, 1000), 1);
    loop_dispatch(loop);
    assert_string_equal(trace.text, "x");
    assert_int_equal(poll(&wait, 1, 10), 0);
    loop_timer_start(loop, &tracer.timer, 1, append_mark, &tracer);
    loop_timer_stop(&tracer.timer);
    assert_int_equal(poll(&wait, 1, 10), 0);
    loop_free(loop);
}

/* ---- descriptors ---- */

struct peer {
    struct loop *loop;
    int ends[2];
    struct loop_fd_watch *watch;
    struct loop_fd_watch **others; /* removed by the callback, when given */
    size_t other_count;
    unsigned seen;
    int calls;
};

static void on_ready(void *context, int fd, unsigned events)
{
    struct peer *peer = context;
    assert_int_equal(fd, peer->ends[0]);
    peer->calls++;
    peer->seen = events;
    for (size_t i = 0; i < peer->other_count; i++) {
        loop_unwatch_fd(peer->others[i]);
        peer->others[i] = NULL;
    }
}

static void peer_open(struct peer *peer, struct loop *loop, unsigned events)
{
    *peer = (struct peer){ .loop = loop };
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, peer->ends), 0);
    peer->watch = loop_watch_fd(loop, peer->ends[0], events, on_ready, peer);
}

static void peer_close(struct peer *peer)
{
    loop_unwatch_fd(peer->watch);
    close(peer->ends[0]);
    if (peer->ends[1] >= 0)
        close(peer->ends[1]);
}

struct chain {
    struct loop *loop;
    struct loop_timer timer;
    int left;
    int fired;
};

static void fire_chain(void *context)
{
    struct chain *chain = context;
    chain->fired++;
    if (--chain->left > 0)
        loop_timer_start(chain->loop, &chain->timer, 0, fire_chain, chain);
}

static void test_timers_of_no_delay_are_run_at_once_but_not_for_ever(void **state)
{
    (void)state;
    struct loop *loop = test_loop_new();
    struct pollfd wait = { .fd = loop_fd(loop), .events = POLLIN };
    struct chain chain = { .loop = loop, .left = 3 };
    loop_timer_start(loop, &chain.timer, 0, fire_chain, &chain);
    loop_dispatch_due(loop);
    assert_int_equal(chain.fired, 3);
    assert_int_equal(poll(&wait, 1, 10), 0); /* nothing is left to wake for */

    chain = (struct chain){ .loop = loop, .left = 1000 };
    loop_timer_start(loop, &chain.timer, 0, fire_chain, &chain);
    loop_dispatch_due(loop);
    assert_in_range(chain.fired, 2, 10); /* others have their turn */
    assert_int_equal(poll(&wait, 1, 1000), 1);
    loop_timer_stop(&chain.timer);
    loop_free(loop);
}

static void test_descriptors_report_what_is_asked_for(void **state)
{
    (void)state;
    struct loop *loop = test_loop_new();
    struct peer peer;
    peer_open(&peer, loop, LOOP_READ);
    loop_dispatch(loop);
    assert_int_equal(peer.calls, 0);
    assert_int_equal(write(peer.ends[1], "x", 1), 1);
    loop_dispatch(loop);
    loop_dispatch(loop);
    assert_int_equal(peer.calls, 2); /* level-triggered: nothing was read */
    assert_int_equal(peer.seen, LOOP_READ);
    loop_watch_update(peer.watch, LOOP_WRITE);
    loop_dispatch(loop);
    assert_int_equal(peer.seen, LOOP_WRITE);
    loop_watch_update(peer.watch, LOOP_READ | LOOP_WRITE);
    loop_dispatch(loop);
    assert_int_equal(peer.seen, LOOP_READ | LOOP_WRITE);
    loop_watch_update(peer.watch, 0);
    loop_dispatch(loop);
    assert_int_equal(peer.calls, 4);
    peer_close(&peer);
    loop_free(loop);
}

static void test_a_hang_up_is_reported_as_both(void **state)
{
    (void)state;
    struct loop *loop = test_loop_new();
    struct peer peer;
    peer_open(&peer, loop, LOOP_READ);
    close(peer.ends[1]);
    peer.ends[1] = -1;
    loop_dispatch(loop);
    assert_int_equal(peer.seen, LOOP_READ | LOOP_WRITE);
    peer_close(&peer);
    loop_free(loop);
}

static void test_a_watch_removed_within_its_batch_stays_silent(void **state)
{
    (void)state;
    enum { COUNT = 8 };
    struct loop *loop = test_loop_new();
    struct peer peers[COUNT];
    struct loop_fd_watch *all[COUNT];
    for (size_t i = 0; i < COUNT; i++) {
        peer_open(&peers[i], loop, LOOP_READ);
        assert_int_equal(write(peers[i].ends[1], "x", 1), 1);
        all[i] = take(peers[i].watch);
    }
    for (size_t i = 0; i < COUNT; i++) { /* the first one called removes all, itself included */
        peers[i].others = all;
        peers[i].other_count = COUNT;
    }
    loop_dispatch(loop);
    loop_dispatch(loop);
    int calls = 0;
    for (size_t i = 0; i < COUNT; i++) {
        calls += peers[i].calls;
        peer_close(&peers[i]);
    }
    assert_int_equal(calls, 1);
    loop_free(loop);
}

static void test_more_ready_descriptors_than_a_batch_are_all_served(void **state)
{
    (void)state;
    enum { COUNT = 150 };
    struct loop *loop = test_loop_new();
    static struct peer peers[COUNT];
    for (size_t i = 0; i < COUNT; i++) {
        peer_open(&peers[i], loop, LOOP_READ);
        assert_int_equal(write(peers[i].ends[1], "x", 1), 1);
    }
    for (int i = 0; i < 10; i++)
        loop_dispatch(loop);
    for (size_t i = 0; i < COUNT; i++) {
        assert_true(peers[i].calls > 0);
        peer_close(&peers[i]);
    }
    loop_free(loop);
}

static void test_a_descriptor_closed_too_early_is_borne(void **state)
{
    (void)state;
    struct loop *loop = test_loop_new();
    struct peer peer;
    peer_open(&peer, loop, LOOP_READ);
    close(peer.ends[0]);
    loop_unwatch_fd(take(peer.watch));
    peer.watch = loop_watch_fd(loop, peer.ends[1], LOOP_READ, on_ready, &peer);
    int number = peer.ends[1];
    close(number);
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, peer.ends), 0);
    assert_true(peer.ends[0] == number || peer.ends[1] == number); /* open again */
    if (peer.ends[1] == number)
        peer.ends[1] = peer.ends[0], peer.ends[0] = number;
    loop_watch_update(peer.watch, LOOP_WRITE);
    loop_dispatch(loop);
    assert_int_equal(peer.seen, LOOP_WRITE);
    peer_close(&peer);
    loop_free(loop);
}

struct child {
    struct loop *loop;
    int exit_code;
    int calls;
};

static void on_child_ended(void *context, int fd, unsigned events)
{
    (void)events;
    struct child *child = context;
    siginfo_t info = { 0 };
    assert_int_equal(waitid(P_PIDFD, (id_t)fd, &info, WEXITED | WNOHANG), 0);
    child->exit_code = info.si_status;
    child->calls++;
    loop_stop(child->loop);
}

static void test_a_child_process_is_a_descriptor(void **state)
{
    (void)state;
    pid_t pid = fork();
    if (pid == 0) {
        usleep(20000);
        _exit(7);
    }
    int pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
    if (pidfd < 0 && errno == ENOSYS) { /* valgrind */
        waitpid(pid, NULL, 0);
        skip();
    }
    assert_true(pidfd >= 0);
    struct child child = { .loop = test_loop_new() };
    struct loop_fd_watch *watch =
        loop_watch_fd(child.loop, pidfd, LOOP_READ, on_child_ended, &child);
    loop_run(child.loop);
    assert_int_equal(child.calls, 1);
    assert_int_equal(child.exit_code, 7);
    loop_unwatch_fd(watch);
    close(pidfd);
    loop_free(child.loop);
}

/* ---- signals, and the end ---- */

static void count_signal(void *context, int signal_number)
{
    int *counts = context;
    counts[signal_number]++;
}

static void test_signals_come_as_events(void **state)
{
    (void)state;
    int counts[NSIG] = { 0 };
    struct err err = ERR_INIT;
    struct loop *loop = test_loop_new();
    assert_true(loop_on_signal(loop, SIGUSR1, count_signal, counts, &err));
    assert_true(loop_on_signal(loop, SIGUSR2, count_signal, counts, &err));
    raise(SIGUSR1);
    raise(SIGUSR2);
    assert_int_equal(counts[SIGUSR1], 0);
    loop_dispatch(loop);
    assert_int_equal(counts[SIGUSR1], 1);
    assert_int_equal(counts[SIGUSR2], 1);
    loop_dispatch(loop);
    assert_int_equal(counts[SIGUSR1], 1);
    loop_free(loop);
    raise(SIGUSR1); /* stays blocked: the process lives on */
}

static void test_stop_ends_the_batch(void **state)
{
    (void)state;
    struct loop *loop = test_loop_new();
    struct loop_timer first = { 0 };
    struct loop_timer second = { 0 };
    loop_timer_start(loop, &first, 0, stop, loop);
    loop_timer_start(loop, &second, 0, must_not_run, NULL);
    assert_false(loop_stopped(loop));
    loop_run(loop);
    assert_true(loop_stopped(loop));
    loop_free(loop);
    loop_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_timers_fire_in_order_of_time_then_of_arming),
        cmocka_unit_test(test_many_timers_started_and_stopped_at_random),
        cmocka_unit_test(test_a_timer_is_never_early_nor_very_late),
        cmocka_unit_test(test_stopping_and_rearming),
        cmocka_unit_test(test_callbacks_may_rearm_themselves_and_stop_others),
        cmocka_unit_test(test_an_idle_loop_is_not_readable),
        cmocka_unit_test(test_timers_of_no_delay_are_run_at_once_but_not_for_ever),
        cmocka_unit_test(test_descriptors_report_what_is_asked_for),
        cmocka_unit_test(test_a_hang_up_is_reported_as_both),
        cmocka_unit_test(test_a_watch_removed_within_its_batch_stays_silent),
        cmocka_unit_test(test_more_ready_descriptors_than_a_batch_are_all_served),
        cmocka_unit_test(test_a_descriptor_closed_too_early_is_borne),
        cmocka_unit_test(test_a_child_process_is_a_descriptor),
        cmocka_unit_test(test_signals_come_as_events),
        cmocka_unit_test(test_stop_ends_the_batch),
    };
    return test_run(tests);
}
