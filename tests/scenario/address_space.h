/* The memory of processes: one that is killed leaves nothing behind. */
#ifndef SCENARIO_ADDRESS_SPACE_H
#define SCENARIO_ADDRESS_SPACE_H

#include <stdbool.h>
#include <stddef.h>

struct process;

/* Whose memory is allocated from now on; NULL: the world's. Returns the former. */
struct process *memory_enter(struct process *process);
struct process *memory_current(void);
/* The end of a process without a word: the kernel takes everything back. */
void memory_drop(unsigned owner);
size_t memory_count(unsigned owner);
/* Where the blocks of all of them are; NULL under AddressSanitizer. */
void *memory_arena(size_t *ret_used);

#endif
