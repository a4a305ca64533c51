/* Kubelets with their pods, the garbage collector, the namespace controller. */
#ifndef SCENARIO_ACTORS_H
#define SCENARIO_ACTORS_H

#include <stdbool.h>
#include <stddef.h>

void actors_reset(void);
void actors_wake(void);
void actors_deploy(const char *secret, size_t pods);
void actors_undeploy(void);
void actors_roll(void);    /* every pod is replaced; the old ones drain */
void actors_restart(void); /* containers start again in their pods */
/* A pod that holds the value: its name, or NULL. */
const char *actors_holder(const char *value);
/* Does a pod refer to the Secret? */
bool actors_refer(const char *secret);

#endif
