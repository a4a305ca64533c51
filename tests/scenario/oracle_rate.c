/* How often Deepgram is asked: a mistake can't flood a project, and what asks for a pause gets it.
 */
#include "oracle.h"

#include <string.h>

#include "sim.h"

enum { MINT_BURST = 10, MINT_EVERY_MS = 30 * SECOND, STEP_UNDER_WAY_MS = 100 };

/* A process that starts anew counts anew. */
void oracle_minted(const struct credential_record *minted)
{
    int64_t count = 0;
    int64_t first_ms = minted->made_ms;
    for (size_t i = 0; i < sim.deepgram.count; i++) {
        const struct credential_record *record = &sim.deepgram.credentials[i];
        if (record->uid[0] == '\0' || strcmp(record->uid, minted->uid) != 0)
            continue;
        first_ms = record->made_ms < first_ms ? record->made_ms : first_ms;
        count++;
    }
    int64_t allowed = MINT_BURST + (minted->made_ms - first_ms) / MINT_EVERY_MS;
    if (count > allowed * (1 + (int64_t)sim.schedule->fault_count))
        sim_broken(I4, "%lld creates for one resource in a row", (long long)count);
}

/* Where nothing else delays what a step has begun. */
void oracle_asking(const struct process *process)
{
    const struct deepgram *deepgram = &sim.deepgram;
    int64_t now_ms = time_now_ms();
    if (process == deepgram->paused && sim.schedule->fault_count == 1 && !sim.schedule->jitter &&
        now_ms > deepgram->paused_ms + STEP_UNDER_WAY_MS &&
        now_ms < deepgram->paused_ms + THROTTLE_MS)
        sim_broken(LIVELOCK, "asked Deepgram again in the pause that it asked for");
}
