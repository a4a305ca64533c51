/* The command line of the simulated world. */
#include <getopt.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/json.h"
#include "explore.h"

static int usage(void)
{
    fputs("scenario [--single] [--double] [--random]   which faults; without, each story once\n"
          "         [--story NAME]                     this one only\n"
          "         [--fault NAME,NAME…]               of --single and --double, one fault is of "
          "these\n"
          "         [--every N]                        of --double, every so many-th pair\n"
          "         [--seeds N] [--seed FIRST]         of --random\n"
          "         [--shard I/N]                      every Nth schedule, from I on\n"
          "         [--first | --keep-going]           stop at the first failure, or never\n"
          "         [--trace]                          show what happened\n"
          "scenario --replay 'story=… …'               one schedule with its trace\n",
          stderr);
    return 2;
}

static int replay(char *text)
{
    bool broken = false;
    if (!explore_replay(text, &broken))
        return usage();
    return broken ? EXIT_FAILURE : EXIT_SUCCESS;
}

static double now_s(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static int run_plan(const struct plan *plan)
{
    struct tally tally;
    double begin_s = now_s();
    explore(plan, &tally);
    for (enum invariant i = I1; i < INVARIANTS; i++)
        if (tally.broken[i])
            printf("%s %lu\n", invariant_name(i), tally.broken[i]);
    printf("%lu schedules, %.0f a second, %lu failed\n", tally.schedules,
           (double)tally.schedules / (now_s() - begin_s), tally.failures);
    return tally.failures > 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}

static unsigned long number(const char *text)
{
    return strtoul(text, NULL, 10);
}

/* 0: there is no fault of such a name. */
static unsigned long kinds(char *names)
{
    unsigned long found = 0;
    char *rest = NULL;
    for (char *name = strtok_r(names, ",", &rest); name; name = strtok_r(NULL, ",", &rest)) {
        struct fault fault = { 0 };
        while (fault.kind < FAULT_USER && strcmp(fault_name(&fault), name) != 0)
            fault.kind++;
        if (fault.kind == FAULT_USER)
            return 0;
        found |= 1ul << fault.kind;
    }
    return found;
}

static bool read_shard(const char *text, struct plan *plan)
{
    return sscanf(text, "%u/%u", &plan->shard, &plan->shards) == 2 && plan->shards > 0;
}

int main(int argc, char **argv)
{
    static const struct option OPTIONS[] = {
        { "single", no_argument, NULL, 's' },       { "double", no_argument, NULL, 'd' },
        { "random", no_argument, NULL, 'r' },       { "seeds", required_argument, NULL, 'n' },
        { "seed", required_argument, NULL, 'f' },   { "story", required_argument, NULL, 'y' },
        { "fault", required_argument, NULL, 'a' },  { "shard", required_argument, NULL, 'h' },
        { "first", no_argument, NULL, '1' },        { "every", required_argument, NULL, 'e' },
        { "trace", no_argument, NULL, 't' },        { "keep-going", no_argument, NULL, 'k' },
        { "replay", required_argument, NULL, 'R' }, { 0 },
    };
    struct plan plan = { .seeds = 2000, .first_seed = 1, .every = 1, .shards = 1 };
    json_setup();
    for (int c; (c = getopt_long(argc, argv, "", OPTIONS, NULL)) != -1;) {
        plan.single = plan.single || c == 's';
        plan.pairs = plan.pairs || c == 'd';
        plan.random = plan.random || c == 'r';
        plan.first_only = plan.first_only || c == '1';
        plan.trace = plan.trace || c == 't';
        plan.keep_going = plan.keep_going || c == 'k';
        if (c == 'n')
            plan.seeds = number(optarg);
        if (c == 'f')
            plan.first_seed = number(optarg);
        if (c == 'e')
            plan.every = number(optarg);
        if (c == 'y')
            plan.story = optarg;
        if (c == 'a')
            plan.kinds = kinds(optarg);
        if (c == 'R')
            return replay(optarg);
        if (c == '?' || (c == 'a' && plan.kinds == 0) || (c == 'h' && !read_shard(optarg, &plan)))
            return usage();
    }
    return run_plan(&plan);
}
