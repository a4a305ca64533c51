/* Kubelets with their pods, the Deployment controller, the garbage collector, the namespace
 * controller. */
#ifndef SCENARIO_ACTORS_H
#define SCENARIO_ACTORS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The finalizer of what goes when all that it owns has gone. */
#define ACTORS_FOREGROUND "foregroundDeletion"

void actors_reset(void);
void actors_wake(void);
/* They look around after so long, if not sooner. */
void actors_look_in(int64_t delay_ms);
void actors_deploy(const char *secret, size_t pods);
void actors_undeploy(void);
void actors_roll(void);    /* every pod is replaced; the old ones drain */
void actors_restart(void); /* containers start again in their pods */
/* Pods crash on the first value that they read from then on and that isn't `good`. */
void actors_fail_next(const char *good);
/* A pod that holds the value: its name, or NULL. */
const char *actors_holder(const char *value);
/* Does a pod refer to the Secret? */
bool actors_refer(const char *secret);

#endif
