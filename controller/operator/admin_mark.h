/* Takes the finalizer deepgram.com/in-use off an admin Secret that nobody needs any more, so that
 * deleting it, or its namespace, goes through. (It is put on by the pass of a resource, before the
 * first create.)
 */
#ifndef OPERATOR_ADMIN_MARK_H
#define OPERATOR_ADMIN_MARK_H

#include "operator/runtime.h"

/* Takes over *key. The cache decides whether it is worth asking; whether somebody refers to the
 * Secret is then read from the API server. ended is called when it is over. */
void admin_mark_run(struct runtime *runtime, struct queue_key *key, void (*ended)(void *context),
                    void *context);

#endif
