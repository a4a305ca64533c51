/* Which schedules are run: every story without a fault, then with each fault at each request
 * (--single), with two (--double), or with one to five at random (--random). A failure prints a
 * line that --replay takes, and its trace. */
#include "sim.h"

#include <getopt.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/json.h"

enum { FAILURES_SHOWN = 20 };

struct plan {
    bool single;
    bool pairs;
    bool random;
    bool pending;
    bool keep_going;
    bool first_only;
    bool trace;
    unsigned long seeds;
    unsigned long first_seed;
    unsigned long pairs_a_story;
    const char *story;
    unsigned shard;
    unsigned shards;
};

struct tally {
    unsigned long schedules;
    unsigned long failures;
    unsigned long broken[INVARIANTS];
    unsigned long fired[FAULT_KINDS];
    unsigned long dealt; /* counts schedules over all shards */
};

static struct plan plan = { .seeds = 2000, .first_seed = 1, .pairs_a_story = 4000, .shards = 1 };
static struct tally tally;

/* ---- one schedule ---- */

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

static void try(struct schedule *schedule)
{
    if (tally.dealt++ % plan.shards != plan.shard)
        return;
    struct outcome outcome;
    in_hand = schedule;
    run(schedule, &outcome, NULL);
    tally.schedules++;
    for (size_t i = 0; i < schedule->fault_count; i++)
        tally.fired[schedule->faults[i].kind] += schedule->faults[i].fired;
    if (outcome.broken == NOTHING)
        return;
    tally.broken[outcome.broken]++;
    if (tally.failures++ < FAILURES_SHOWN || plan.keep_going)
        show_failure(schedule, &outcome);
    if (plan.first_only || (!plan.keep_going && tally.failures >= FAILURES_SHOWN))
        exit(EXIT_FAILURE);
}

/* ---- planning ---- */

struct recording {
    struct request_note notes[REQUESTS_MAX];
    unsigned count;
};

/* The requests of the fault-free run: what faults are planned for. */
static bool record(const struct story *story, struct recording *ret_recording)
{
    struct schedule schedule = { .story = story, .seed = plan.first_seed };
    struct outcome outcome;
    in_hand = &schedule;
    run(&schedule, &outcome, NULL);
    tally.schedules++;
    memcpy(ret_recording->notes, sim.notes, sizeof sim.notes);
    ret_recording->count = outcome.requests < REQUESTS_MAX ? outcome.requests : REQUESTS_MAX;
    if (outcome.broken == NOTHING)
        return true;
    tally.failures++;
    tally.broken[outcome.broken]++;
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
            try_one(story, recording, at, kind, NULL);
        for (size_t i = 0; action_at(i); i++)
            if (action_at(i)->ambient)
                try_one(story, recording, at, FAULT_USER, action_at(i));
    }
}

/* There are millions of pairs: of each story's, every so many-th is tried. */
static void try_pairs(const struct story *story, const struct recording *recording)
{
    enum { REACH = 30 };
    unsigned long index = 0;
    unsigned long kinds = FAULT_USER;
    unsigned long all = kinds * kinds * recording->count * REACH;
    unsigned long step = all > plan.pairs_a_story ? all / plan.pairs_a_story | 1 : 1;
    for (; index < all; index += step) {
        struct schedule schedule = { .story = story, .seed = plan.first_seed };
        enum fault_kind a = (enum fault_kind)(index % kinds);
        enum fault_kind b = (enum fault_kind)(index / kinds % kinds);
        unsigned first = 1 + (unsigned)(index / kinds / kinds % recording->count);
        unsigned second = first + 1 + (unsigned)(index / kinds / kinds / recording->count);
        if (second <= recording->count && add_fault(&schedule, recording, first, a, NULL) &&
            add_fault(&schedule, recording, second, b, NULL))
            try(&schedule);
    }
}

static uint64_t draw(uint64_t *state)
{
    *state = *state * 6364136223846793005u + 1442695040888963407u;
    return *state >> 33;
}

static const struct action *draw_action(uint64_t *state)
{
    for (;;) {
        const struct action *action = action_at(draw(state) % 64);
        if (action && action->ambient)
            return action;
    }
}

static bool is_chosen(const struct story *story)
{
    if (plan.story)
        return strcmp(plan.story, story->name) == 0;
    return plan.pending || !story->pending;
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
            fault->action = draw_action(&state);
    }
    try(&schedule);
}

/* ---- replay ---- */

static bool replay(char *text)
{
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
    tally.failures += outcome.broken != NOTHING;
    return true;
}

/* ---- the whole ---- */

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
        unsigned long fired = tally.fired[kind] - before[kind];
        if (kind != FAULT_USER)
            printf(" %s %lu", fault_name(&fault), fired);
        else
            printf(" people %lu", fired);
        if (fired == 0 && plan.single && plan.shards == 1 && could_fire(recording, kind)) {
            printf("\nFAIL %s: a fault never fired\n", story);
            tally.failures++;
        }
    }
    printf("\n");
}

static void run_story(const struct story *story)
{
    static struct recording recording;
    unsigned long before[FAULT_KINDS];
    memcpy(before, tally.fired, sizeof before);
    if (!record(story, &recording))
        return;
    if (plan.single)
        try_singles(story, &recording);
    if (plan.pairs)
        try_pairs(story, &recording);
    if (plan.single || plan.pairs)
        print_fired(story->name, &recording, before);
}

static int usage(void)
{
    fputs("scenario [--single] [--double] [--random] [--seeds N] [--seed FIRST] [--story NAME]\n"
          "         [--pairs N] [--pending] [--shard I/N] [--trace] [--first | --keep-going] "
          "[--replay 'story=…']\n",
          stderr);
    return 2;
}

int main(int argc, char **argv)
{
    static const struct option OPTIONS[] = {
        { "single", no_argument, NULL, 's' },       { "double", no_argument, NULL, 'd' },
        { "random", no_argument, NULL, 'r' },       { "seeds", required_argument, NULL, 'n' },
        { "seed", required_argument, NULL, 'f' },   { "story", required_argument, NULL, 'y' },
        { "pending", no_argument, NULL, 'p' },      { "shard", required_argument, NULL, 'h' },
        { "first", no_argument, NULL, '1' },        { "pairs", required_argument, NULL, '2' },
        { "trace", no_argument, NULL, 't' },        { "keep-going", no_argument, NULL, 'k' },
        { "replay", required_argument, NULL, 'R' }, { 0 },
    };
    json_setup();
    signal(SIGABRT, on_abort);
    signal(SIGSEGV, on_abort);
    bool replayed = false;
    for (int c; (c = getopt_long(argc, argv, "", OPTIONS, NULL)) != -1;) {
        switch (c) {
        case 's':
            plan.single = true;
            break;
        case 'd':
            plan.pairs = true;
            break;
        case 'r':
            plan.random = true;
            break;
        case 'n':
            plan.seeds = strtoul(optarg, NULL, 10);
            break;
        case 'f':
            plan.first_seed = strtoul(optarg, NULL, 10);
            break;
        case 'y':
            plan.story = optarg;
            break;
        case 'p':
            plan.pending = true;
            break;
        case 't':
            plan.trace = true;
            break;
        case 'k':
            plan.keep_going = true;
            break;
        case '2':
            plan.pairs_a_story = strtoul(optarg, NULL, 10);
            break;
        case '1':
            plan.first_only = true;
            break;
        case 'h':
            if (sscanf(optarg, "%u/%u", &plan.shard, &plan.shards) != 2 || plan.shards == 0)
                return usage();
            break;
        case 'R':
            if (!replay(optarg))
                return usage();
            replayed = true;
            break;
        default:
            return usage();
        }
    }
    if (replayed)
        return tally.failures > 0;
    struct timespec begin, end;
    clock_gettime(CLOCK_MONOTONIC, &begin);
    for (size_t i = 0; story_at(i); i++)
        if (is_chosen(story_at(i)))
            run_story(story_at(i));
    if (plan.random)
        for (unsigned long seed = 0; seed < plan.seeds; seed++)
            try_random(plan.first_seed + seed);
    clock_gettime(CLOCK_MONOTONIC, &end);
    double seconds =
        (double)(end.tv_sec - begin.tv_sec) + (double)(end.tv_nsec - begin.tv_nsec) / 1e9;
    for (enum invariant i = I1; i < INVARIANTS; i++)
        if (tally.broken[i])
            printf("%s %lu  ", invariant_name(i), tally.broken[i]);
    printf("%lu schedules, %.0f a second, %lu failed\n", tally.schedules,
           (double)tally.schedules / seconds, tally.failures);
    return tally.failures > 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
