/* What every unit test needs: cmocka with the headers it wants first, a check that a program ends
 * with as many open descriptors as it began with, and a bounded way to run an event loop.
 */
#ifndef TESTS_UNIT_TEST_H
#define TESTS_UNIT_TEST_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <dirent.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "net/loop.h"

static inline int test_open_descriptors(void)
{
    DIR *directory = opendir("/proc/self/fd");
    if (!directory)
        abort();
    int count = 0;
    while (readdir(directory))
        count++;
    closedir(directory);
    return count;
}

/* cmocka reports a failing group teardown but doesn't count it, so the check is made here. */
static inline int test_exit_status(int failed, int descriptors_before)
{
    int descriptors = test_open_descriptors();
    if (descriptors != descriptors_before)
        fprintf(stderr, "open descriptors: %d before, %d after\n", descriptors_before, descriptors);
    return failed != 0 || descriptors != descriptors_before;
}

/* For `return test_run(tests);` in main(); also fails when descriptors are left open. */
#define test_run(tests)                                                                            \
    ({                                                                                             \
        int before_ = test_open_descriptors();                                                     \
        test_exit_status(cmocka_run_group_tests(tests, NULL, NULL), before_);                      \
    })

static inline struct loop *test_loop_new(void)
{
    struct loop *loop = NULL;
    struct err err = ERR_INIT;
    if (!loop_new(&loop, &err))
        fail_msg("%s", err.message);
    return loop;
}

/* Dispatches until *done or the time is over; returns *done. */
static inline bool test_loop_until(struct loop *loop, const bool *done, int64_t timeout_ms)
{
    int64_t deadline = clock_monotonic_ms() + timeout_ms;
    while (!*done && clock_monotonic_ms() < deadline) {
        struct pollfd wait = { .fd = loop_fd(loop), .events = POLLIN };
        poll(&wait, 1, 20);
        loop_dispatch(loop);
    }
    return *done;
}

#endif
