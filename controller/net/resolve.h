/* Looking up a host's addresses without blocking the loop: glibc does it in a thread of its own. */
#ifndef NET_RESOLVE_H
#define NET_RESOLVE_H

#include "net/loop.h"

enum { RESOLVE_ADDRESSES_MAX = 4, RESOLVE_ADDRESS_BYTES = 64 };

struct resolve;

/* count 0: not found, and `failure` says why in plain words. The addresses, as text, are borrowed
 * during the callback. */
typedef void resolve_done_fn(void *context, char (*addresses)[RESOLVE_ADDRESS_BYTES], size_t count,
                             const char *failure);

/* Answers once, from the loop; host may be an address itself. */
NODISCARD struct resolve *resolve_start(struct loop *loop, const char *host, resolve_done_fn *done,
                                        void *context);
/* No callback follows. NULL is fine; not after `done`. Before loop_free(). */
void resolve_cancel(struct resolve *resolve);

#endif
