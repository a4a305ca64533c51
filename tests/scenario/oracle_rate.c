/* How often Deepgram is asked: a mistake can't flood a project, and what asks for a pause gets it.
 */
#include "oracle.h"

#include <string.h>

#include "oracle_facts.h"
#include "sim.h"

enum { MINT_BURST = 10, MINT_EVERY_MS = 30 * SECOND, STEP_UNDER_WAY_MS = 100 };
/* Of a project with four resources. */
enum { PROJECT_BURST = 28, PROJECT_EVERY_MS = HOUR / PROJECT_BURST };

/* When a bucket is full again from which one is taken at at_ms. */
static int64_t taken(int64_t full_ms, int64_t at_ms, int64_t every_ms)
{
    return (full_ms > at_ms ? full_ms : at_ms) + every_ms;
}

/* What Deepgram grants less of than was asked for, it grants no more of a moment later. */
static void check_not_granted(const struct credential_record *last,
                              const struct credential_record *minted)
{
    enum { RARELY_MS = MINUTE };
    if (last->limited && !last->offered && !last->forgotten && !deepgram_came_late(minted) &&
        sim.schedule->fault_count == 1 && oracle_same_words(last, minted) &&
        sim.acted_ms < last->asked_ms && minted->made_ms < last->made_ms + RARELY_MS - SECOND)
        sim_broken(LIVELOCK, "%s was not granted, and %s is asked for at once", last->id,
                   minted->id);
}

/* As a bucket of creates that fills up with time. A process that starts anew counts anew. */
void oracle_minted(const struct credential_record *minted)
{
    int64_t bursts = 1 + (int64_t)sim.schedule->fault_count;
    int64_t full_ms = 0;
    int64_t project_full_ms = 0;
    size_t lost = 0; /* in a row */
    int64_t lost_ms = 0;
    for (size_t i = 0; i < sim.deepgram.count; i++) {
        const struct credential_record *record = &sim.deepgram.credentials[i];
        if (strncmp(record->uid, "0000", 4) != 0)
            continue;
        project_full_ms = taken(project_full_ms, record->made_ms, PROJECT_EVERY_MS);
        if (strcmp(record->uid, minted->uid) != 0)
            continue;
        full_ms = taken(full_ms, record->made_ms, MINT_EVERY_MS);
        if (record == minted)
            continue;
        check_not_granted(record, minted);
        lost = record->lost ? lost + 1 : 0;
        lost_ms = record->asked_ms;
    }
    if (lost > 1 && sim.schedule->fault_count == 0 && minted->asked_ms < lost_ms + SECOND)
        sim_broken(LIVELOCK, "%s is asked for at once after two that were lost", minted->id);
    if (full_ms > minted->made_ms + bursts * MINT_BURST * MINT_EVERY_MS)
        sim_broken(I4, "too many creates for %s in a short time", minted->uid);
    if (project_full_ms > minted->made_ms + bursts * PROJECT_BURST * PROJECT_EVERY_MS)
        sim_broken(I4, "too many creates in a project in a short time");
}

/* Where nothing else delays what a step has begun. */
void oracle_asking(const struct process *process, const char *what)
{
    enum { LOOK_HOLDS_MS = 10 * SECOND };
    const struct deepgram *deepgram = &sim.deepgram;
    int64_t now_ms = time_now_ms();
    if (!process_may_write(process))
        sim_broken(I4, "asked Deepgram without the lease");
    if (strncmp(what, "DELETE", strlen("DELETE")) == 0 &&
        now_ms > process_looked_ms(process) + LOOK_HOLDS_MS + SECOND)
        sim_broken(I2, "revoked what it had looked at long before");
    if (process == deepgram->paused && sim.schedule->fault_count == 1 && !sim.schedule->jitter &&
        now_ms >= deepgram->paused_ms + (api_resource_count() == 1 ? 0 : STEP_UNDER_WAY_MS) &&
        now_ms < deepgram->paused_ms + THROTTLE_MS)
        sim_broken(LIVELOCK, "asked Deepgram again in the pause that it asked for");
}

/* The same for a second time; what somebody changed since may be something else. */
void oracle_asking_kube(const struct process *process, const char *what)
{
    const struct api *api = &sim.api;
    if (process == api->paused && sim.schedule->fault_count == 1 && !sim.schedule->jitter &&
        api_resource_count() == 1 && sim.acted_ms < api->asked_ms &&
        time_now_ms() < api->paused_ms + API_PAUSE_MS && strcmp(what, api->paused_what) == 0)
        sim_broken(LIVELOCK, "%s again in the pause that the API server asked for", what);
}

/* The longer it goes on, the more seldom it is tried. */
void oracle_asked_for_nothing(void)
{
    enum { AT_FIRST = 20, EVERY_MS = 30 * SECOND };
    struct deepgram *deepgram = &sim.deepgram;
    if (deepgram->vain == 0 || sim.acted_ms > deepgram->vain_ms) {
        deepgram->vain = 0;
        deepgram->vain_ms = time_now_ms();
    }
    deepgram->vain++;
    if (deepgram->vain > AT_FIRST + (time_now_ms() - deepgram->vain_ms) / EVERY_MS &&
        sim.schedule->fault_count == 0 && api_resource_count() == 1)
        sim_broken(LIVELOCK, "asks for what isn't answered as often as at first");
}

/* Also a process that starts anew leaves it alone for a while. */
void oracle_asked_in_vain(int64_t sent_ms)
{
    enum { BACK_OFF_MS = 5 * SECOND };
    struct deepgram *deepgram = &sim.deepgram;
    oracle_asked_for_nothing();
    if (deepgram->refused_ms != 0 && sim.schedule->fault_count == 0 &&
        sent_ms < deepgram->refused_ms + BACK_OFF_MS - SECOND)
        sim_broken(LIVELOCK, "asked with a key that had just been refused");
    deepgram->refused_ms = time_now_ms();
}

/* Until somebody changes something, the answer stays the same. */
void oracle_asked_wrongly(void)
{
    if (sim.deepgram.unmakeable_ms > sim.acted_ms && sim.schedule->fault_count == 0)
        sim_broken(LIVELOCK, "asked again for what Deepgram can't make");
    sim.deepgram.unmakeable_ms = time_now_ms();
}
