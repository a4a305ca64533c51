/* Kubernetes Events (events.k8s.io/v1): one per state change, deduplicated: the same reason and
 * message for the same object within ten minutes isn't written again. Fire and forget: an event
 * that can't be written (a terminating namespace, no permission, too many under way) is counted and
 * blocks nothing; a missing permission is logged once.
 */
#ifndef OPERATOR_RECORDER_H
#define OPERATOR_RECORDER_H

#include "api/resource.h"
#include "kube/client.h"
#include "operator/metrics.h"

struct recorder;

NODISCARD struct recorder *recorder_new(struct kube_client *client, struct metrics *metrics);
/* Cancels what is under way. */
void recorder_free(struct recorder *recorder);

enum recorder_type { EVENT_NORMAL, EVENT_WARNING };

/* action: what was done, in CamelCase ("Issue"); reason: why or with what result ("Issued").
 * note: plain words, cut to 1024 bytes. `resource` is borrowed for the call. */
void recorder_event(struct recorder *recorder, const struct resource *resource,
                    enum recorder_type type, const char *reason, const char *action,
                    const char *note);

#endif
