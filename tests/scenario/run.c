/* One schedule from an empty world to the verdict: the story's script, then everything is mended
 * that people and faults had broken, then the world has to come to rest and is judged. */
#include "sim.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "api/resource.h"
#include "base/json.h"

enum {
    STILL_MS = 100 * SECOND,              /* at rest, between two words of a script */
    STILL_AT_END_MS = 15 * MINUTE,        /* longer than every back-off, and one more inventory */
    RESTART_MS = SETTLE_MS + 30 * SECOND, /* longer, and time alone calls for writes */
    PATIENCE_MS = 6 * HOUR,
    REQUESTS_LIMIT = 3000,
};

struct sim sim;

void sim_changed(void)
{
    sim.changed_ms = time_now_ms();
}

void sim_trace(const char *format, ...)
{
    if (!sim.trace)
        return;
    va_list args;
    va_start(args, format);
    fprintf(sim.trace, "%9.3f ", (double)time_now_ms() / 1000.0 - 1000.0);
    vfprintf(sim.trace, format, args);
    fputc('\n', sim.trace);
    va_end(args);
}

void sim_broken(enum invariant invariant, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    char text[sizeof sim.outcome->detail];
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    sim_trace("!!! %s: %s", invariant_name(invariant), text);
    if (sim.outcome->broken != NOTHING)
        return;
    sim.outcome->broken = invariant;
    snprintf(sim.outcome->detail, sizeof sim.outcome->detail, "%s", text);
}

const char *invariant_name(enum invariant invariant)
{
    static const char *const NAMES[INVARIANTS] = {
        [NOTHING] = "-",
        [I1] = "I1",
        [I2] = "I2",
        [I3] = "I3",
        [I4] = "I4",
        [I5] = "I5",
        [I6] = "I6",
        [I7] = "I7",
        [I8] = "I8",
        [WEDGED] = "WEDGED",
        [LIVELOCK] = "LIVELOCK",
    };
    return NAMES[invariant];
}

/* ---- letting time pass ---- */

static bool exhausted(void)
{
    if (sim.requests <= REQUESTS_LIMIT)
        return false;
    sim_broken(LIVELOCK, "more than %d requests", REQUESTS_LIMIT);
    return true;
}

static void pass_time(int64_t ms)
{
    int64_t until_ms = time_now_ms() + ms;
    while (sim.outcome->broken == NOTHING && !exhausted() && time_step(until_ms))
        ;
}

/* Until nothing has changed for that long. */
static void come_to_rest(int64_t still_ms)
{
    int64_t begin_ms = time_now_ms();
    sim.changed_ms = begin_ms;
    while (sim.outcome->broken == NOTHING && !exhausted()) {
        int64_t until_ms = sim.changed_ms + still_ms;
        if (sim.judging && !api_get(API_SECRETS, TEAM, "admin"))
            action_perform(action_find("make-admin", strlen("make-admin")));
        if (!time_step(until_ms) && time_now_ms() >= sim.changed_ms + still_ms)
            return;
        if (time_now_ms() - begin_ms > PATIENCE_MS)
            sim_broken(LIVELOCK, "no rest after %d hours", PATIENCE_MS / HOUR);
    }
}

static void await_request(unsigned number)
{
    int64_t until_ms = time_now_ms() + STILL_MS;
    while (sim.outcome->broken == NOTHING && sim.requests < number && time_step(until_ms))
        ;
}

/* ---- the script ---- */

static void perform_word(const char *word, size_t length)
{
    if (word[0] == '+') {
        pass_time(strtol(word + 1, NULL, 10) * SECOND);
    } else if (word[0] == '!') {
        await_request((unsigned)strtoul(word + 1, NULL, 10));
    } else if (length == 6 && strncmp(word, "settle", 6) == 0) {
        come_to_rest(STILL_MS);
        oracle_judge_in_time();
    } else {
        const struct action *action = action_find(word, length);
        assert(action);
        action_perform(action);
    }
}

static void perform_script(const char *script)
{
    while (*script && sim.outcome->broken == NOTHING) {
        size_t length = strcspn(script, " ");
        perform_word(script, length);
        script += length + (script[length] == ' ');
    }
}

/* ---- the beginning and the end ---- */

static void make_world(void)
{
    api_make(API_NAMESPACES, NULL, "{\"metadata\":{\"name\":\"" TEAM "\"}}");
    perform_script("make-admin");
    sim.unmarked_ms = 0;
    api_make(API_SECRETS, TEAM,
             "{\"metadata\":{\"name\":\"other\"},\"type\":\"Opaque\",\"data\":{\"x\":\"eA==\"}}");
    deepgram_plant("made by hand", false);
    deepgram_plant("elsewhere [deepgram-operator uid=7f7f7f7f-0000-4000-8000-000000000001 rev=1 "
                   "nonce=0123456789abcdef0123456789abcdef]",
                   false);
    deepgram_plant("made by hand", true);
    process_start(0, 0);
}

/* The way out when nobody can bring the admin Secret back. */
static void abandon_deleting(const struct api_object *object)
{
    if (!api_is_resource(object->type) || !json_at(object->json, "metadata.deletionTimestamp"))
        return;
    oracle_excuse(json_string_at(object->json, "metadata.uid"));
    api_merge(object->type, TEAM, object->name,
              "{\"metadata\":{\"annotations\":{\"" ANNOTATION_ABANDON "\":\"true\"}}}");
}

/* Whoever can mend what was broken does so. */
static void mend_world(void)
{
    sim.judging = true;
    sim.deepgram.list_lag_ms = 0;
    perform_script("mend-admin go-on allow-accounts");
    for (size_t i = 0; i < sim.api.count && !api_get(API_SECRETS, TEAM, "admin"); i++)
        abandon_deleting(&sim.api.objects[i]);
}

static void reset(struct schedule *schedule, struct outcome *outcome, FILE *trace)
{
    for (unsigned owner = 0; owner <= PROCESSES_MAX; owner++)
        memory_drop(owner);
    memory_enter(NULL);
    memset(outcome, 0, sizeof *outcome);
    sim.loop.count = 0;
    sim.schedule = schedule;
    sim.outcome = outcome;
    sim.trace = trace;
    sim.requests = 0;
    sim.writes = 0;
    sim.mints_allowed = 0;
    sim.blinded = false;
    sim.erased[0] = '\0';
    sim.frozen = false;
    sim.pods_unseen_until_ms = 0;
    sim.late_type = API_TYPES;
    sim.next_create = FAULT_USER;
    sim.unmarked_ms = 0;
    sim.renamed_ms = 0;
    sim.gone_renamed = false;
    sim.suspended_ms = 0;
    sim.was_suspended = false;
    sim.undated = false;
    sim.emptied = false;
    sim.retain_ms = 0;
    sim.looked_ms = 0;
    sim.foreign_rollout = false;
    sim.restarts = 0;
    sim.excuse_count = 0;
    sim.judging = false;
    sim.accounts_forbidden = false;
    sim.accounts_forgotten = false;
    sim.options = (struct options){
        .deepgram_url = DEEPGRAM_URL,
        .registry_url = DEEPGRAM_URL,
        .max_role = ROLE_OWNER,
        .max_in_flight = 16,
        .inventory_interval_ms = INVENTORY_MS,
        .settle_ms = SETTLE_MS,
    };
    time_reset(schedule->seed);
    requests_reset();
    api_reset();
    deepgram_reset();
    process_reset();
    actors_reset();
    actions_reset();
    fault_reset();
    oracle_accounts_reset();
    time_jitter(schedule->jitter);
}

static void restart_everything(void)
{
    for (size_t i = 0; i < PROCESSES_MAX; i++)
        if (process_at(i))
            process_crash(process_at(i), -1);
    process_start(0, 0);
}

/* Of one that goes without ever having told what it published, only its process knows. */
static bool anyone_is_forgotten(void)
{
    for (size_t i = 0; i < sim.api.count; i++) {
        const struct api_object *object = &sim.api.objects[i];
        if (api_is_resource(object->type) && json_at(object->json, "metadata.deletionTimestamp") &&
            json_int_at(object->json, "status.revision", 0) == 0)
            return true;
    }
    return false;
}

/* Its end is a change too: since the last list, or until all is quiet again. */
static bool any_expires_now(void)
{
    for (size_t i = 0; i < sim.deepgram.count; i++) {
        int64_t left_ms = sim.deepgram.credentials[i].expires_ms - time_server_ms();
        if (sim.deepgram.credentials[i].expires_ms != 0 && left_ms > -INVENTORY_MS &&
            left_ms < RESTART_MS)
            return true;
    }
    return false;
}

/* I5: a restart with nothing changed writes and creates nothing. */
static void restart_idly(void)
{
    uint64_t writes = sim.writes;
    bool changes = anyone_is_forgotten() || any_expires_now();
    restart_everything();
    pass_time(RESTART_MS);
    if (sim.writes != writes && !changes)
        sim_broken(I5, "a restart with nothing changed made %llu writes",
                   (unsigned long long)(sim.writes - writes));
}

/* An orderly end gives everything back. */
static void stop(void)
{
    size_t left = process_stop(process_at(0));
    if (left > 0)
        sim_broken(I8, "%zu blocks of memory are left", left);
}

void run(struct schedule *schedule, struct outcome *outcome, FILE *trace)
{
    reset(schedule, outcome, trace);
    make_world();
    perform_script(schedule->story->script);
    outcome->requests = sim.requests;
    mend_world();
    come_to_rest(STILL_AT_END_MS);
    outcome->creates = sim.deepgram.creates;
    if (outcome->broken == NOTHING)
        oracle_judge();
    if (outcome->broken == NOTHING)
        restart_idly();
    if (outcome->broken == NOTHING && !requests_pending())
        stop();
}

void schedule_print(FILE *out, const struct schedule *schedule)
{
    fprintf(out, "story=%s seed=%llu jitter=%d", schedule->story->name,
            (unsigned long long)schedule->seed, schedule->jitter);
    for (size_t i = 0; i < schedule->fault_count; i++)
        fprintf(out, "%s%u:%s", i == 0 ? " faults=" : ",", schedule->faults[i].at,
                fault_name(&schedule->faults[i]));
}
