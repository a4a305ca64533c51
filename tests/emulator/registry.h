#ifndef EMULATOR_REGISTRY_H
#define EMULATOR_REGISTRY_H

/* GET /v2/auth at the registry: Basic credentials for a pull token. */

struct call;

void registry_auth(struct call *call);

#endif
