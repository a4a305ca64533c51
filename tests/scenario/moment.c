#include "moment.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <ucontext.h>

#include "address_space.h"

/* Of the linker: the first and the end of all that can be written. */
extern char __data_start[]; // NOLINT(bugprone-reserved-identifier)
extern char _end[];         // NOLINT(bugprone-reserved-identifier)

enum { STACK_BYTES = 64 << 10 };

static struct {
    ucontext_t inside;
    ucontext_t outside;
    void (*schedule)(void);
    bool stands_still;
    int word;
    char *kept; /* variables, then blocks */
    size_t kept_bytes;
    size_t kept_blocks_bytes;
    _Alignas(64) char stack[STACK_BYTES];
} moment;

static void run_schedule(void)
{
    moment.schedule();
}

void moment_begin(void (*schedule)(void))
{
    moment.schedule = schedule;
    moment.stands_still = false;
    getcontext(&moment.inside);
    moment.inside.uc_link = &moment.outside;
    moment.inside.uc_stack.ss_sp = moment.stack;
    moment.inside.uc_stack.ss_size = sizeof moment.stack;
    makecontext(&moment.inside, run_schedule, 0);
    swapcontext(&moment.outside, &moment.inside);
}

int moment_stand_still(void)
{
    moment.stands_still = true;
    swapcontext(&moment.inside, &moment.outside);
    return moment.word;
}

bool moment_stands_still(void)
{
    return moment.stands_still;
}

void moment_go_on(int word)
{
    moment.word = word;
    moment.stands_still = false;
    swapcontext(&moment.outside, &moment.inside);
}

void moment_keep(void)
{
    size_t variables_bytes = (size_t)(_end - __data_start);
    size_t blocks_bytes = 0;
    const void *blocks = memory_arena(&blocks_bytes);
    assert(blocks);
    if (variables_bytes + blocks_bytes > moment.kept_bytes) {
        moment.kept_bytes = 2 * (variables_bytes + blocks_bytes);
        free(moment.kept);
        moment.kept = malloc(moment.kept_bytes);
        assert(moment.kept);
    }
    moment.kept_blocks_bytes = blocks_bytes;
    memcpy(moment.kept, __data_start, variables_bytes);
    memcpy(moment.kept + variables_bytes, blocks, blocks_bytes);
}

void moment_put_back(void)
{
    size_t variables_bytes = (size_t)(_end - __data_start);
    size_t blocks_bytes = moment.kept_blocks_bytes;
    const char *kept = moment.kept;
    memcpy(__data_start, kept, variables_bytes);
    memcpy(memory_arena(&blocks_bytes), kept + variables_bytes, moment.kept_blocks_bytes);
}
