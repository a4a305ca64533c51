#ifndef EMULATOR_ADMIN_H
#define EMULATOR_ADMIN_H

/* The endpoints under /admin/ by which tests set the emulator up and look into it. They need no
 * authentication, are never hit by a fault or by latency, and answer to loopback only. */

#include "http.h"

struct emulator;

void admin_handle(struct emulator *emulator, const struct request *request, struct reply *reply);

#endif
