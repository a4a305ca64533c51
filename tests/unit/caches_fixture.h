/* Caches with the queue that they fill, on a loop that is never run. */
#ifndef TESTS_UNIT_CACHES_FIXTURE_H
#define TESTS_UNIT_CACHES_FIXTURE_H

#include "test.h"

#include "operator/caches.h"

static struct loop *loop;
static struct queue *queue;
static struct caches *caches;

static void ignore_ready(void *context)
{
    (void)context;
}

static inline void caches_open(const struct options *options)
{
    loop = test_loop_new();
    queue = queue_new(loop, ignore_ready, NULL);
    caches = caches_new(queue, options);
}

static inline void caches_close(void)
{
    caches_free(caches);
    queue_free(queue);
    loop_free(loop);
}

#endif
