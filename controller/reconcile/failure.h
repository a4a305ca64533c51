/* Failures of a step, as remembered: which condition reason they get, how long to wait, and what
 * ends the wait early. Pure; the one table from error kind to reason and back-off.
 */
#ifndef RECONCILE_FAILURE_H
#define RECONCILE_FAILURE_H

#include "reconcile/world.h"

/* reason NULL: by the table; otherwise a failure of what a person wrote (the admin Secret), with
 * that reason. reporting: the failed step was the status write, so the failure isn't worth another
 * one. random: any 64 bits, for the jitter. */
void failure_set(const struct world *world, struct memory *memory, enum failure_side side,
                 const char *reason, bool reporting, const struct err *err, uint64_t random);
/* A step of that side succeeded. */
void failure_clear(struct memory *memory, enum failure_side side);
/* A list or a revocation succeeded: that says nothing about creates, so those without a certain
 * outcome go on being counted. */
void failure_clear_but_unknown(struct memory *memory);
/* It still counts: its time has not come, and nothing that it was made from has changed. */
bool failure_holds(const struct world *world, enum failure_side side);

#endif
