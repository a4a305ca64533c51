/* Somebody who never gives in: another controller that undoes what the operator writes. */
#include <string.h>

#include "base/json.h"
#include "people.h"
#include "sim.h"

struct war {
    struct loop_timer beat;
    int64_t began_ms;
    int64_t undone; /* so often */
    bool told;
};

static struct war over_target;
static struct war over_status;

static void begin(struct war *war, void on_beat(void *context))
{
    memset(war, 0, sizeof *war);
    war->began_ms = time_now_ms();
    loop_timer_start(&sim.loop, &war->beat, SECOND, on_beat, NULL);
}

/* So many at once, then one each so often. Whoever starts anew counts anew: two processes after a
 * take-over. */
static int64_t patience(int64_t at_once)
{
    return at_once * (2 + 2 * (int64_t)sim.schedule->fault_count);
}

static int64_t lasted_ms(const struct war *war)
{
    return time_now_ms() - war->began_ms;
}

/* ---- over the target's value ---- */

enum { HEALS = 5, HEAL_MS = 30 * SECOND, TARGET_BEAT_MS = SECOND };

static bool holds_mine(const cJSON *target)
{
    return mem_streq(json_string_at(target, "data.DEEPGRAM_API_KEY"), "bWluZQ==");
}

static void fight_over_target(void *context)
{
    struct war *war = &over_target;
    (void)context;
    const cJSON *target = api_get(API_SECRETS, TEAM, VOICE_KEY);
    war->told = war->told || people_are_told("SecretConflict");
    if (!holds_mine(target)) {
        api_merge(API_SECRETS, TEAM, VOICE_KEY, "{\"data\":{\"DEEPGRAM_API_KEY\":\"bWluZQ==\"}}");
        war->undone += holds_mine(api_get(API_SECRETS, TEAM, VOICE_KEY)); /* it may be immutable */
    }
    if (war->undone > patience(HEALS) + lasted_ms(war) / HEAL_MS)
        sim_broken(LIVELOCK, "put right %lld times in vain", (long long)war->undone);
    if (war->undone > patience(HEALS) && !war->told)
        sim_broken(WEDGED, "nobody is told that somebody else writes the target");
    loop_timer_start(&sim.loop, &war->beat, TARGET_BEAT_MS, fight_over_target, NULL);
}

static void begin_target(void)
{
    begin(&over_target, fight_over_target);
}

static void end_target(void)
{
    loop_timer_stop(&over_target.beat);
}

/* ---- over the conditions in status ---- */

enum { REPORTS = 10, REPORT_MS = 2 * SECOND, STATUS_BEAT_MS = 300 };

static void fight_over_status(void *context)
{
    struct war *war = &over_status;
    (void)context;
    if (json_at(people_voice(), "status.conditions")) {
        people_merge_voice("{\"status\":{\"conditions\":null}}");
        war->undone++;
    }
    if (war->undone > patience(REPORTS) + lasted_ms(war) / REPORT_MS)
        sim_broken(LIVELOCK, "status was told %lld times in vain", (long long)war->undone);
    loop_timer_start(&sim.loop, &war->beat, STATUS_BEAT_MS, fight_over_status, NULL);
}

static void begin_status(void)
{
    begin(&over_status, fight_over_status);
}

static void end_status(void)
{
    loop_timer_stop(&over_status.beat);
}

/* ---- the words ---- */

void wars_reset(void)
{
    memset(&over_target, 0, sizeof over_target);
    memset(&over_status, 0, sizeof over_status);
}

static const struct action WARS[] = {
    { "war", begin_target, 0, false },
    { "peace", end_target, 0, false },
    { "status-war", begin_status, 0, false },
    { "status-peace", end_status, 0, false },
};

const struct action *wars_at(size_t index)
{
    return index < ARRAY_LENGTH(WARS) ? &WARS[index] : accounts_at(index - ARRAY_LENGTH(WARS));
}
