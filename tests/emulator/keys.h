#ifndef EMULATOR_KEYS_H
#define EMULATOR_KEYS_H

/* The operations on API keys. Each answers in `call->reply`. */

struct call;

void keys_create(struct call *call);
void keys_list(struct call *call);
void keys_get(struct call *call);
void keys_delete(struct call *call);

/* What GET /v1/auth/token says about the key that asks. */
void keys_describe_own(struct call *call);

#endif
