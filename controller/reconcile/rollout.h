/* What is to be done about the pods that use the target Secret, one thing at a time: workload after
 * workload is restarted until no pod holds an older key, and when pods fail on the new one, it is
 * taken back. Pure; asked anew each time, and no state but what is observed.
 */
#ifndef RECONCILE_ROLLOUT_H
#define RECONCILE_ROLLOUT_H

#include "reconcile/world.h"

enum rollout_phase {
    ROLLOUT_NONE,       /* nothing is published, or nobody holds what it holds: say nothing */
    ROLLOUT_IGNORED,    /* rollout.mode Ignore */
    ROLLOUT_DONE,       /* no pod holds an older key */
    ROLLOUT_RUNNING,    /* goes on by itself */
    ROLLOUT_BLOCKED,    /* goes on when somebody helps: a node, an end of a pause */
    ROLLOUT_WAITING,    /* for pods that aren't ours to restart */
    ROLLOUT_TAKEN_BACK, /* pods failed on the newest key */
};

enum rollout_action {
    ROLLOUT_DO_NOTHING,
    ROLLOUT_DO_RESTART,   /* set the workload's marker to the published revision */
    ROLLOUT_DO_PUT_BACK,  /* set it back to what its older pods have */
    ROLLOUT_DO_TAKE_BACK, /* note that the published revision failed */
};

#define ROLLOUT_NO_NODE "node"

struct rollout {
    enum rollout_phase phase;
    enum rollout_action action;
    const struct workload_view *workload; /* RESTART, PUT_BACK; borrowed from the world */
    int64_t again_ms;                     /* wall clock: when time alone changes something */
    const struct workload_view *blocked;  /* BLOCKED: the one that is held up; borrowed */
    const char *blocked_by; /* and by what: its `held`, or ROLLOUT_NO_NODE; borrowed */
    char message[1024];     /* plain words; of TAKE_BACK: why */
};

void rollout_decide(const struct world *world, struct rollout *ret_rollout);

/* In the order of spec.rollout.workloads, or by rank, kind and name. */
void rollout_sort(struct workload_view *workloads, size_t count, const struct spec *spec);

/* No further restart is needed for this workload: no old pod is left, and new ones don't fail. */
NODISCARD bool rollout_is_done(const struct world *world, const struct workload_view *workload);

/* New pods aren't ready, and neither tell why nor take unusually long. */
NODISCARD bool rollout_is_starting(const struct world *world, const struct workload_view *workload);

/* The revision that a marker stands for; 0: none. */
NODISCARD int64_t rollout_marked(const struct workload_view *workload);

#endif
