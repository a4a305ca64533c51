/* Virtual time for a test of code that waits: include this in one file, and the clock of
 * base/clock.h stands still but for fake_clock_run(). The linker then takes these functions, not
 * base/clock.c.
 */
#ifndef TESTS_UNIT_FAKE_CLOCK_H
#define TESTS_UNIT_FAKE_CLOCK_H

#include "base/clock.h"
#include "net/loop.h"

enum { FAKE_CLOCK_STEP_MS = 10 };

static int64_t fake_clock_ms = 1000000;

int64_t clock_monotonic_ms(void)
{
    return fake_clock_ms;
}

int64_t clock_wall_ms(void)
{
    return 1767225600000 + fake_clock_ms; /* 2026-01-01T00:00:00Z and some minutes */
}

/* The time passes in steps, with everything that becomes due. */
static inline void fake_clock_run(struct loop *loop, int64_t ms)
{
    for (int64_t end_ms = fake_clock_ms + ms; fake_clock_ms < end_ms;) {
        fake_clock_ms += FAKE_CLOCK_STEP_MS;
        loop_dispatch(loop);
    }
}

/* The time jumps while the process doesn't run. */
static inline void fake_clock_pause(int64_t ms)
{
    fake_clock_ms += ms;
}

#endif
