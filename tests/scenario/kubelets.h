/* Pods, as the node that runs them sees them; shared by the actors. */
#ifndef SCENARIO_KUBELETS_H
#define SCENARIO_KUBELETS_H

#include <stdint.h>

#include "actors.h"
#include "base/mem.h"

enum phase { STARTING, RUNNING, DRAINING };

struct pod {
    char name[24];
    char secret[64];
    char hash[16]; /* of the template that a Deployment made it from; "" for a bare one */
    bool pulls;    /* its images with what it reads, and then needs it no more */
    char *value;   /* NULL before it has read one */
    enum phase phase;
    bool crashing;    /* it can't work with what it read */
    int64_t until_ms; /* STARTING: reads the Secret then, or has pulled; DRAINING: is gone then */
};

void kubelets_reset(void);
struct pod *kubelets_pod(size_t index); /* NULL at the end */
/* owner: the Deployment that it is of, or NULL; then hash and annotations (JSON) of its template.
 */
void kubelets_add(const char *secret, const char *owner, const char *hash, const char *annotations);
/* One that takes longer to pull its images than pull credentials overlap. */
void kubelets_add_pulling(const char *secret);
void kubelets_drain(struct pod *pod);
/* One look of each node. */
void kubelets_run(void);

#endif
