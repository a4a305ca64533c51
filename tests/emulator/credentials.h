#ifndef EMULATOR_CREDENTIALS_H
#define EMULATOR_CREDENTIALS_H

/* The operations on distribution credentials. Each answers in `call->reply`. */

struct call;

void credentials_create(struct call *call);
void credentials_list(struct call *call);
void credentials_get(struct call *call);
void credentials_delete(struct call *call);

#endif
