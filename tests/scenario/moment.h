/* A schedule that stands still at a moment, and goes on from there more than once: pairs of faults
 * share all that happens before the second one.
 *
 * What a schedule changes is in this program's variables, in the arena of fake_mem.c and on the
 * stack that it runs on; all of it is kept, and put back. So is whoever looks at the schedule, but
 * for what is on his own stack. Not under AddressSanitizer, which has a memory of its own.
 */
#ifndef SCENARIO_MOMENT_H
#define SCENARIO_MOMENT_H

#include <stdbool.h>

/* Calls it on a stack of its own; returns when it ends or stands still. */
void moment_begin(void (*schedule)(void));
/* Within the schedule: stands still. Returns the word that it was told to go on with. */
int moment_stand_still(void);
/* From outside again. */
bool moment_stands_still(void);
void moment_keep(void);
void moment_put_back(void);
void moment_go_on(int word);

#endif
