/* The Deployment controller: RollingUpdate with maxSurge 1 and maxUnavailable 0, as Deepgram's
 * chart has it. */
#ifndef SCENARIO_DEPLOYMENTS_H
#define SCENARIO_DEPLOYMENTS_H

#include <stdbool.h>

#define ENGINE "deepgram-engine"

/* One look. */
void deployments_run(void);
/* A person makes the Deployment whose pods read the Secret, restarts it, or pauses it. */
void deployments_make(const char *secret);
void deployments_restart(void);
void deployments_strip(void); /* takes the operator's marker off */
void deployments_pause(bool paused);
/* Every pod is there, ready, and made from the template as it is. */
bool deployments_complete(void);
/* A pod of it can't start. */
bool deployments_crash(void);
/* Every pod of the cluster is a Deployment's. */
bool deployments_own_all(void);
/* A pod of it that holds another credential than the value, and isn't on its way out; NULL: none.
 */
const char *deployments_other_holder(const char *value);

#endif
