/* The process put together: clients, caches with their reflectors, queue, leader election, probes;
 * and its life: sync, lead, work, stop.
 */
#ifndef OPERATOR_MANAGER_H
#define OPERATOR_MANAGER_H

#include "kube/config.h"
#include "net/loop.h"
#include "operator/options.h"

struct manager;

/* Starts everything; options and config are borrowed. */
NODISCARD bool manager_new(struct loop *loop, const struct options *options,
                           const struct kube_config *config, struct manager **ret_manager,
                           struct err *err);
/* Until SIGTERM or SIGINT (returns 0) or a lost lease (returns 1). */
NODISCARD int manager_run(struct manager *manager);
void manager_free(struct manager *manager);

#endif
