/* The work queue: keys without doubles, at most one pass per key at a time, delays. As client-go's
 * workqueue: a key that is added while it is worked on is handed out again afterwards.
 */
#ifndef OPERATOR_QUEUE_H
#define OPERATOR_QUEUE_H

#include <stdint.h>

#include "net/loop.h"

/* What a key names. The two resources, and the Secret with a Deepgram admin key whose in-use mark
 * has to be looked at. */
enum queue_kind { QUEUE_API_KEY, QUEUE_PULL_SECRET, QUEUE_ADMIN_SECRET };

struct queue_key {
    enum queue_kind kind;
    char *namespace; /* owned */
    char *name;      /* owned */
};
void queue_key_set(struct queue_key *key, enum queue_kind kind, const char *namespace,
                   const char *name);
void queue_key_done(struct queue_key *key);

struct queue;
/* Called from the loop, never from queue_add(), when keys may be taken with queue_take(): after a
 * key became due, and after a queue_finish() that leaves others waiting. So a caller that takes as
 * many as it can work on needs no other occasion. */
typedef void queue_ready_fn(void *context);

NODISCARD struct queue *queue_new(struct loop *loop, queue_ready_fn *ready, void *context);
void queue_free(struct queue *queue);

void queue_add(struct queue *queue, enum queue_kind kind, const char *namespace, const char *name);
/* Not before delay_ms (>= 0) from now; the earliest of several wishes counts. */
void queue_add_after(struct queue *queue, enum queue_kind kind, const char *namespace,
                     const char *name, int64_t delay_ms);
/* The next key that is due and not being worked on; false when there is none. The caller calls
 * queue_finish() when its pass has ended, and owns *ret_key. */
NODISCARD bool queue_take(struct queue *queue, struct queue_key *ret_key);
void queue_finish(struct queue *queue, const struct queue_key *key);

/* The pass that works on the key looks at everything anew: what was added up to now is no reason
 * for a further one. Most of it are the notices of the pass's own writes. */
void queue_look(struct queue *queue, const struct queue_key *key);

/* Named after client-go's workqueue metrics. */
struct queue_stats {
    size_t depth;   /* waiting, due */
    size_t delayed; /* also those that run and have a delay for their next turn */
    size_t processing;
    uint64_t adds_total;
    int64_t longest_running_ms;
    int64_t last_queue_duration_ms; /* of the key taken last: due → taken */
};
void queue_stats(const struct queue *queue, struct queue_stats *ret_stats);

#endif
