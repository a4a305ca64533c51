#ifndef EMULATOR_EMULATOR_H
#define EMULATOR_EMULATOR_H

/* The whole of the emulated Deepgram, without the network: a request goes in, a plan for its
 * ending comes out. */

#include "faults.h"
#include "journal.h"
#include "plan.h"
#include "settings.h"
#include "state.h"

struct emulator {
    struct state state;
    struct faults faults;
    struct journal journal;
    struct settings settings;
    struct settings initial_settings; /* what a reset goes back to */
    unsigned generation;              /* counts the resets */
    unsigned in_flight;               /* API requests that have not been answered to the end */
};

void emulator_init(struct emulator *emulator, const struct settings *settings);
void emulator_reset(struct emulator *emulator);

/* Parses the request's body and carries the request out, unless a fault says otherwise. The
 * plan's reply is the caller's to release, and emulator_ended() has to follow. */
void emulator_handle(struct emulator *emulator, struct request *request, struct plan *ret_plan);

/* The client has its answer, or is gone. */
void emulator_ended(struct emulator *emulator, const struct plan *plan);

/* The delayed effect of a request whose plan says `late`; nothing after a reset. */
void emulator_carry_out_late(struct emulator *emulator, const struct request *request,
                             const struct plan *plan);

#endif
