/* Faults are planned for the requests of the fault-free run: what each of them is tells which
 * faults it can meet. */
#include "explore.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "moment.h"

enum { FAILURES_SHOWN = 20 };

static struct plan plan;
/* Not to be put back with a schedule: on somebody's stack. */
static struct tally *tally;

static void show_failure(struct schedule *schedule, const struct outcome *outcome)
{
    printf("FAIL %s: %s\n  --replay '", invariant_name(outcome->broken), outcome->detail);
    schedule_print(stdout, schedule);
    printf("'\n");
    if (plan.trace) {
        struct outcome again;
        run(schedule, &again, stdout);
    }
    fflush(stdout);
}

static const struct schedule *in_hand;

/* I8: an assertion of the operator, or of this world. */
static void on_abort(int signal_number)
{
    (void)signal_number;
    printf("FAIL I8: the process ended itself\n  --replay '");
    schedule_print(stdout, in_hand);
    printf("'\n");
    fflush(stdout);
    _exit(EXIT_FAILURE);
}

static bool is_dealt(void)
{
    return tally->dealt++ % plan.shards == plan.shard;
}

static void judge(struct schedule *schedule, const struct outcome *outcome)
{
    tally->schedules++;
    for (size_t i = 0; i < schedule->fault_count; i++)
        tally->fired[schedule->faults[i].kind] += schedule->faults[i].fired;
    if (outcome->broken == NOTHING)
        return;
    tally->broken[outcome->broken]++;
    if (tally->failures++ < FAILURES_SHOWN || plan.keep_going)
        show_failure(schedule, outcome);
    if (plan.first_only || (!plan.keep_going && tally->failures >= FAILURES_SHOWN))
        exit(EXIT_FAILURE);
}

static bool is_chosen_kind(enum fault_kind kind)
{
    return plan.kinds == 0 || (plan.kinds >> kind & 1) != 0;
}

static void try(struct schedule *schedule)
{
    if (!is_dealt())
        return;
    struct outcome outcome;
    in_hand = schedule;
    run(schedule, &outcome, NULL);
    judge(schedule, &outcome);
}

enum { REQUESTS_MAX = 1500 };

struct recording {
    struct request_note notes[REQUESTS_MAX];
    unsigned count;
};

static struct recording *recorded;

static void note(struct request *request)
{
    if (request->number <= REQUESTS_MAX)
        recorded->notes[request->number - 1] = request_note(request);
}

/* The requests of the fault-free run: what faults are planned for. */
static bool record(const struct story *story, struct recording *ret_recording)
{
    struct schedule schedule = { .story = story, .seed = plan.first_seed };
    struct outcome outcome;
    in_hand = &schedule;
    recorded = ret_recording;
    sim.on_request = note;
    run(&schedule, &outcome, NULL);
    sim.on_request = NULL;
    tally->schedules++;
    ret_recording->count = outcome.requests < REQUESTS_MAX ? outcome.requests : REQUESTS_MAX;
    if (outcome.broken == NOTHING)
        return true;
    tally->failures++;
    tally->broken[outcome.broken]++;
    show_failure(&schedule, &outcome);
    if (plan.first_only)
        exit(EXIT_FAILURE);
    return false;
}

static bool add_fault(struct schedule *schedule, const struct recording *recording, unsigned at,
                      enum fault_kind kind, const struct action *action)
{
    if (!fault_applies(kind, &recording->notes[at - 1]))
        return false;
    schedule->faults[schedule->fault_count++] =
        (struct fault){ .at = at, .kind = kind, .action = action };
    return true;
}

static void try_one(const struct story *story, const struct recording *recording, unsigned at,
                    enum fault_kind kind, const struct action *action)
{
    struct schedule schedule = { .story = story, .seed = plan.first_seed };
    if (add_fault(&schedule, recording, at, kind, action))
        try(&schedule);
}

static void try_singles(const struct story *story, const struct recording *recording)
{
    for (unsigned at = 1; at <= recording->count; at++) {
        for (enum fault_kind kind = 0; kind < FAULT_USER; kind++)
            if (is_chosen_kind(kind))
                try_one(story, recording, at, kind, NULL);
        for (size_t i = 0; plan.kinds == 0 && action_at(i); i++)
            if (action_strikes(action_at(i), story))
                try_one(story, recording, at, FAULT_USER, action_at(i));
    }
}

/* ---- pairs ---- */

enum { REACH = 30, STRIKE_NOTHING = FAULT_KINDS };

/* Of the schedule, and put back with it. */
static struct {
    struct schedule schedule;
    struct outcome outcome;
    struct request *request; /* that is leaving while it stands still */
} pair;

static void run_pair(void)
{
    run(&pair.schedule, &pair.outcome, NULL);
}

/* The second fault comes within reach of the first. */
static void on_request(struct request *request)
{
    const struct fault *first = &pair.schedule.faults[0];
    if (!first->fired || request->number == first->at || request->number > first->at + REACH)
        return;
    pair.request = request;
    int kind = moment_stand_still();
    if (kind == STRIKE_NOTHING)
        return;
    sim.on_request = NULL;
    fault_add((enum fault_kind)kind, request);
}

/* Each fault that can strike where the schedule stands still. */
static void try_seconds(unsigned long *dealt)
{
    bool kept = false;
    for (int kind = 0; kind < FAULT_USER; kind++) {
        if (!is_chosen_kind(pair.schedule.faults[0].kind) && !is_chosen_kind((enum fault_kind)kind))
            continue;
        if (!fault_can_strike((enum fault_kind)kind, pair.request))
            continue;
        if ((*dealt)++ % plan.every != 0)
            continue;
        if (!kept)
            moment_keep();
        kept = true;
        moment_go_on(kind);
        judge(&pair.schedule, &pair.outcome);
        moment_put_back();
    }
}

static void try_pairs(const struct story *story, const struct recording *recording)
{
    unsigned long dealt = 0;
    for (unsigned at = 1; at <= recording->count; at++) {
        for (enum fault_kind kind = 0; kind < FAULT_USER; kind++) {
            pair.schedule = (struct schedule){ .story = story, .seed = plan.first_seed };
            if (!add_fault(&pair.schedule, recording, at, kind, NULL) || !is_dealt())
                continue;
            in_hand = &pair.schedule;
            sim.on_request = on_request;
            moment_begin(run_pair);
            while (moment_stands_still()) {
                try_seconds(&dealt);
                moment_go_on(STRIKE_NOTHING);
            }
            sim.on_request = NULL;
            judge(&pair.schedule, &pair.outcome);
        }
    }
}

/* ---- at random ---- */

static uint64_t draw(uint64_t *state)
{
    *state = *state * 6364136223846793005u + 1442695040888963407u;
    return *state >> 33;
}

static const struct action *draw_action(uint64_t *state, const struct story *story)
{
    enum { ACTIONS_MAX = 128 };
    for (;;) {
        const struct action *action = action_at(draw(state) % ACTIONS_MAX);
        if (action && action_strikes(action, story))
            return action;
    }
}

static bool is_chosen(const struct story *story)
{
    return !plan.story || strcmp(plan.story, story->name) == 0;
}

static void try_random(unsigned long seed)
{
    uint64_t state = seed * 2862933555777941757u + 3037000493u;
    draw(&state);
    size_t count = 0;
    while (story_at(count))
        count++;
    const struct story *story = NULL;
    while (!story || !is_chosen(story))
        story = story_at(draw(&state) % count);
    struct schedule schedule = { .story = story, .seed = seed, .jitter = draw(&state) % 2 == 0 };
    size_t faults = 1 + draw(&state) % 5;
    for (size_t i = 0; i < faults; i++) {
        bool user = draw(&state) % 4 == 0;
        struct fault *fault = &schedule.faults[schedule.fault_count++];
        *fault = (struct fault){ .at = 1 + (unsigned)(draw(&state) % 90),
                                 .kind = user ? FAULT_USER
                                              : (enum fault_kind)(draw(&state) % FAULT_USER) };
        if (user)
            fault->action = draw_action(&state, story);
    }
    try(&schedule);
}

static bool could_fire(const struct recording *recording, enum fault_kind kind)
{
    for (unsigned i = 0; i < recording->count; i++)
        if (fault_applies(kind, &recording->notes[i]))
            return true;
    return false;
}

static void print_fired(const char *story, const struct recording *recording,
                        const unsigned long before[FAULT_KINDS])
{
    printf("%-18s", story);
    for (enum fault_kind kind = 0; kind < FAULT_KINDS; kind++) {
        struct fault fault = { .kind = kind };
        unsigned long fired = tally->fired[kind] - before[kind];
        if (kind != FAULT_USER)
            printf(" %s %lu", fault_name(&fault), fired);
        else
            printf(" people %lu", fired);
        if (fired == 0 && plan.single && plan.shards == 1 && is_chosen_kind(kind) &&
            could_fire(recording, kind)) {
            printf("\nFAIL %s: a fault never fired\n", story);
            tally->failures++;
        }
    }
    printf("\n");
    fflush(stdout);
}

static void run_story(const struct story *story)
{
    struct recording recording = { 0 };
    unsigned long before[FAULT_KINDS];
    memcpy(before, tally->fired, sizeof before);
    if (!record(story, &recording) || story_is_long(story))
        return;
    if (plan.single)
        try_singles(story, &recording);
    if (plan.pairs)
        try_pairs(story, &recording);
    if (plan.single || plan.pairs)
        print_fired(story->name, &recording, before);
}

void explore(const struct plan *chosen, struct tally *ret_tally)
{
    plan = *chosen;
    tally = ret_tally;
    *tally = (struct tally){ 0 };
    signal(SIGABRT, on_abort);
    signal(SIGSEGV, on_abort);
    for (size_t i = 0; story_at(i); i++)
        if (is_chosen(story_at(i)))
            run_story(story_at(i));
    for (unsigned long seed = 0; plan.random && seed < plan.seeds; seed++)
        try_random(plan.first_seed + seed);
}

bool explore_replay(char *text, bool *ret_broken)
{
    signal(SIGABRT, on_abort);
    signal(SIGSEGV, on_abort);
    struct schedule schedule = { .seed = 1 };
    char *rest = NULL;
    for (char *word = strtok_r(text, " ", &rest); word; word = strtok_r(NULL, " ", &rest)) {
        char *value = strchr(word, '=');
        if (!value)
            return false;
        *value++ = '\0';
        if (strcmp(word, "story") == 0)
            schedule.story = story_find(value);
        else if (strcmp(word, "seed") == 0)
            schedule.seed = strtoull(value, NULL, 10);
        else if (strcmp(word, "jitter") == 0)
            schedule.jitter = *value == '1';
        else
            for (char *at = value; at && schedule.fault_count < FAULTS_MAX;
                 at = strchr(at, ',') ? strchr(at, ',') + 1 : NULL)
                if (!fault_parse(at, &schedule.faults[schedule.fault_count++]))
                    return false;
    }
    if (!schedule.story)
        return false;
    struct outcome outcome;
    in_hand = &schedule;
    run(&schedule, &outcome, stdout);
    printf("%s %s\n", invariant_name(outcome.broken), outcome.detail);
    *ret_broken = outcome.broken != NOTHING;
    return true;
}
