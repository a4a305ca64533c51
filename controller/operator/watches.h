/* The reflectors that keep the caches: one for each resource type, or one for each type and
 * namespace with --namespaces. ServiceAccounts are the exception: most have no use for them, and an
 * operator that may not see them does all else; they are watched once somebody needs them, and
 * nobody waits for that.
 */
#ifndef OPERATOR_WATCHES_H
#define OPERATOR_WATCHES_H

#include "kube/client.h"
#include "operator/caches.h"
#include "operator/metrics.h"

struct watches;

/* How many connections they keep to the API server. */
NODISCARD size_t watches_count(const struct options *options);

/* synced: called each time a further one has synced for the first time. */
NODISCARD struct watches *watches_new(struct loop *loop, struct kube_client *kube,
                                      struct caches *caches, const struct options *options,
                                      struct metrics *metrics, void (*synced)(void *context),
                                      void *context);
void watches_free(struct watches *watches);
/* From now on ServiceAccounts are watched; how far that is stands in the caches. */
void watches_begin_accounts(struct watches *watches);
/* All but those of ServiceAccounts have synced; when not, *missing names the first that hasn't
 * (borrowed). */
bool watches_synced(const struct watches *watches, const char **missing);
/* Sets the gauges of silence. */
void watches_collect(const struct watches *watches);

#endif
