/* Operator processes: what controller/operator/manager.c puts together, with the fakes in place of
 * clients, lease and event recorder, and the reflectors replaced by deliveries out of the API
 * server's log. Two can be up at once: one that leads, and one that believes it does. */
#include "process.h"

#include <assert.h>
#include <string.h>

#include "base/json.h"
#include "operator/admin_mark.h"
#include "operator/pass.h"
#include "sim.h"

enum { PASSES_MAX = 64, WATCH_LAG_MS = 5, WATCH_LAG_WORST_MS = 3000, LIST_LAG_WORST_MS = 15000 };

struct http {
    char unused;
};
struct leader {
    bool may_write;
};

struct watches { /* of ServiceAccounts; the others have no such state */
    struct process *process;
    struct loop_timer list;
    bool synced;
};

struct process {
    size_t index;
    bool up;
    bool doomed;
    struct loop loop;
    struct leader leader;
    struct kube_client kube;
    struct runtime runtime;
    size_t passes;
    size_t position[API_TYPES]; /* in the log of events */
    int64_t frozen_until_ms[API_TYPES];
    int64_t lag_ms;
    struct loop_timer watch;
    struct watches accounts;
    struct loop_timer life; /* on the world's loop: death, resumption, new start */
    bool replaced;          /* another one leads by now: it ends for good */
    bool lease_is_lost;     /* told when it goes on */
    int64_t looked_ms;      /* at a resource itself, not at its cache */
    int64_t went_on_ms;     /* monotonic: after it stood still; 0: it never did */
};

static struct process processes[PROCESSES_MAX];
static int64_t skew_ms;
static int64_t two_led_ms; /* when two were last seen to lead; 0: never */

/* ---- as others see them ---- */

struct process *process_at(size_t index)
{
    return processes[index].up ? &processes[index] : NULL;
}

bool process_two_lead(void)
{
    size_t count = 0;
    for (size_t i = 0; i < PROCESSES_MAX; i++)
        count += processes[i].up && !processes[i].loop.paused && processes[i].leader.may_write;
    if (count > 1)
        two_led_ms = time_now_ms();
    return count > 1;
}

bool process_two_led(void)
{
    return process_two_lead() ||
           (two_led_ms != 0 && time_now_ms() < two_led_ms + INVENTORY_MS + MINUTE);
}

bool process_just_went_on(void)
{
    enum { MOMENT_MS = SECOND };
    for (size_t i = 0; i < PROCESSES_MAX; i++)
        if (processes[i].went_on_ms != 0 && time_now_ms() < processes[i].went_on_ms + MOMENT_MS)
            return true;
    return false;
}

void process_look(struct process *process)
{
    process->looked_ms = time_now_ms();
}

int64_t process_looked_ms(const struct process *process)
{
    return process->looked_ms;
}

bool process_may_write(const struct process *process)
{
    return process->leader.may_write;
}

bool process_two_will_lead(void)
{
    size_t count = 0;
    for (size_t i = 0; i < PROCESSES_MAX; i++)
        count += loop_timer_armed(&processes[i].life) && processes[i].loop.paused &&
                 !processes[i].lease_is_lost;
    return count > 0 || process_two_lead();
}

unsigned process_owner(const struct process *process)
{
    return process ? (unsigned)process->index + 1 : 0;
}

struct loop *process_loop(struct process *process)
{
    return &process->loop;
}

char process_letter(const struct process *process)
{
    return (char)('A' + (char)process->index);
}

int64_t process_skew_ms(const struct process *process)
{
    return process ? skew_ms : 0;
}

void process_skew_all(int64_t ms)
{
    skew_ms = ms;
}

bool process_doomed(const struct process *process)
{
    return process->doomed;
}

/* ---- operator/leader.h ---- */

bool leader_may_write(const struct leader *leader)
{
    return leader->may_write;
}

/* ---- work, as the manager does it ---- */

static void work(void *context);
static void on_death(void *context);

static bool has_answer_to_keep(const struct process *process)
{
    return memories_unkept(process->runtime.memories) > 0;
}

static void leave_when_idle(struct process *process)
{
    if (process->runtime.stopping && process->passes == 0 && !has_answer_to_keep(process))
        loop_timer_start(&sim.loop, &process->life, 0, on_death, process);
}

static void pass_ended(void *context)
{
    struct process *process = context;
    process->passes--;
    work(process);
    leave_when_idle(process);
}

static bool may_work(const struct process *process)
{
    return !process->runtime.stopping || has_answer_to_keep(process);
}

static void work(void *context)
{
    struct process *process = context;
    struct queue_key key = { 0 };
    while (process->passes < PASSES_MAX && may_work(process) &&
           queue_take(process->runtime.queue, &key)) {
        process->passes++;
        if (key.kind == QUEUE_ADMIN_SECRET)
            admin_mark_run(&process->runtime, &key, pass_ended, process);
        else
            pass_run(&process->runtime, &key, pass_ended, process);
    }
}

/* ---- watches ---- */

static struct store *store_of(struct process *process, enum api_type type)
{
    struct caches *caches = process->runtime.caches;
    switch (type) {
    case API_KEYS:
        return caches->resources[RESOURCE_API_KEY];
    case API_PULLS:
        return caches->resources[RESOURCE_PULL_SECRET];
    case API_SECRETS:
        return caches->secrets;
    case API_PODS:
        return caches->pods;
    case API_DEPLOYMENTS:
        return caches->workloads[WORKLOAD_DEPLOYMENT];
    case API_ACCOUNTS:
        return caches->accounts;
    case API_NAMESPACES:
    case API_TYPES:
        break;
    }
    return caches->namespaces;
}

/* Secrets and namespaces are watched by their metadata only. */
static cJSON *watched(enum api_type type, const cJSON *json)
{
    if (type != API_SECRETS && type != API_NAMESPACES)
        return cJSON_Duplicate(json, true);
    cJSON *object = cJSON_CreateObject();
    cJSON_AddItemToObject(object, "metadata", cJSON_Duplicate(json_member(json, "metadata"), true));
    return object;
}

static void deliver(struct process *process, const struct api_event *event)
{
    struct store *store = store_of(process, event->type);
    cJSON *object = watched(event->type, event->json);
    if (!event->deleted) {
        store_put(store, object);
        return;
    }
    store_remove(store, object);
    cJSON_Delete(object);
}

/* When the event may be shown to the process. */
static int64_t shown_ms(const struct process *process, const struct api_event *event)
{
    int64_t due_ms = event->at_ms + process->lag_ms;
    int64_t thaw_ms = process->frozen_until_ms[event->type];
    return thaw_ms > due_ms ? thaw_ms : due_ms;
}

/* The next event of a type that the process has not seen; NULL when it is up to date. */
static const struct api_event *next_event(struct process *process, enum api_type type)
{
    size_t *at = &process->position[type];
    while (*at < sim.api.event_count && sim.api.events[*at].type != type)
        ++*at;
    return *at < sim.api.event_count ? &sim.api.events[*at] : NULL;
}

static void on_watch(void *context);

static void wake_at(struct process *process, int64_t due_ms)
{
    int64_t now_ms = time_now_ms();
    if (!loop_timer_armed(&process->watch) || process->watch.due_ms_ > due_ms)
        loop_timer_start(&process->loop, &process->watch, due_ms > now_ms ? due_ms - now_ms : 0,
                         on_watch, process);
}

static bool is_watched(const struct process *process, enum api_type type)
{
    return type != API_ACCOUNTS || process->accounts.synced;
}

static void on_watch(void *context)
{
    struct process *process = context;
    process->lag_ms = time_vary(WATCH_LAG_MS, WATCH_LAG_WORST_MS);
    for (enum api_type type = 0; type < API_TYPES; type++) {
        if (!is_watched(process, type))
            continue;
        const struct api_event *event = NULL;
        while ((event = next_event(process, type)) != NULL) {
            int64_t due_ms = shown_ms(process, event);
            if (due_ms > time_now_ms()) {
                wake_at(process, due_ms);
                break;
            }
            deliver(process, event);
            process->position[type]++;
        }
    }
}

void process_tell_watches(void)
{
    for (size_t i = 0; i < PROCESSES_MAX; i++)
        if (processes[i].up)
            wake_at(&processes[i], time_now_ms() + processes[i].lag_ms);
}

/* A pod that isn't seen is protected by the overlap alone, which has to be the longer. */
static int64_t longest_freeze_ms(enum api_type type)
{
    return type == API_PODS ? OVERLAP_MS - 10 * SECOND : INT64_MAX;
}

void process_freeze(enum api_type type, int64_t for_ms)
{
    for (size_t i = 0; i < PROCESSES_MAX; i++)
        for (enum api_type each = 0; each < API_TYPES; each++) {
            int64_t longest_ms = longest_freeze_ms(each);
            if (processes[i].up && (type == API_TYPES || each == type))
                processes[i].frozen_until_ms[each] =
                    time_now_ms() + (for_ms < longest_ms ? for_ms : longest_ms);
        }
}

int64_t process_pods_unseen_until_ms(void)
{
    int64_t until_ms = 0;
    for (size_t i = 0; i < PROCESSES_MAX; i++)
        if (processes[i].up && processes[i].frozen_until_ms[API_PODS] > until_ms)
            until_ms = processes[i].frozen_until_ms[API_PODS];
    return until_ms;
}

static bool same_object(const struct api_event *a, const struct api_event *b)
{
    return a->type == b->type &&
           mem_streq(json_string_at(a->json, "metadata.name"),
                     json_string_at(b->json, "metadata.name")) &&
           mem_streq(json_string_at(a->json, "metadata.namespace"),
                     json_string_at(b->json, "metadata.namespace"));
}

static size_t events_until(int64_t at_ms)
{
    size_t count = sim.api.event_count;
    while (count > 0 && sim.api.events[count - 1].at_ms > at_ms)
        count--;
    return count;
}

/* A first list: what exists after `upto` events. */
static void list(struct process *process, enum api_type type, size_t upto)
{
    for (size_t i = 0; i < upto; i++) {
        const struct api_event *event = &sim.api.events[i];
        bool superseded = event->deleted || event->type != type;
        for (size_t j = i + 1; j < upto && !superseded; j++)
            superseded = same_object(event, &sim.api.events[j]);
        if (!superseded)
            deliver(process, event);
    }
    process->position[type] = upto;
}

/* Each watch may be behind the others, and stay so for a while. Of pods alone the first list is
 * what it really is, a consistent read (KEP-3157): nobody can look again whether there is one. */
static void list_all(struct process *process, int64_t behind_ms)
{
    for (enum api_type type = 0; type < API_TYPES; type++) {
        if (!is_watched(process, type))
            continue;
        bool is_late = type == sim.late_type;
        int64_t late_ms = is_late ? LATE_MS : time_vary(0, behind_ms);
        if (type == API_PODS)
            late_ms = 0;
        list(process, type, events_until(time_now_ms() - late_ms));
        process->frozen_until_ms[type] =
            time_now_ms() + (is_late ? LATE_MS : time_vary(0, late_ms));
    }
}

/* ---- operator/watches.h ---- */

enum { LIST_MS = 60, LIST_WORST_MS = 500, LIST_AGAIN_MS = 5 * SECOND };

static void list_accounts(void *context)
{
    struct watches *watches = context;
    struct process *process = watches->process;
    if (sim.accounts_forbidden) {
        caches_set_accounts(process->runtime.caches, ACCOUNTS_LOADING, "serviceaccounts: no");
        loop_timer_start(&process->loop, &watches->list, LIST_AGAIN_MS, list_accounts, watches);
        return;
    }
    watches->synced = true;
    list(process, API_ACCOUNTS, sim.api.event_count);
    caches_set_accounts(process->runtime.caches, ACCOUNTS_KNOWN, NULL);
}

void watches_begin_accounts(struct watches *watches)
{
    struct process *process = watches->process;
    if (process->runtime.caches->accounts_state != ACCOUNTS_UNWATCHED)
        return;
    caches_set_accounts(process->runtime.caches, ACCOUNTS_LOADING, NULL);
    loop_timer_start(&process->loop, &watches->list, time_vary(LIST_MS, LIST_WORST_MS),
                     list_accounts, watches);
}

/* ---- life and death ---- */

void process_reset(void)
{
    for (size_t i = 0; i < PROCESSES_MAX; i++) {
        processes[i] = (struct process){ .index = i };
        processes[i].loop.process = &processes[i];
    }
    skew_ms = 0;
    two_led_ms = 0;
}

static struct http http_client;

/* What nothing tells of any more, only a process that saw it knows. */
static void excuse_ignorance(void)
{
    if (sim.erased[0] == '\0')
        return;
    sim.blinded = true;
    oracle_excuse(sim.erased);
}

void process_start(size_t index, int64_t behind_ms)
{
    excuse_ignorance();
    struct process *process = &processes[index];
    assert(!process->up);
    loop_timer_stop(&process->life);
    struct process *outer = memory_enter(process);
    process->up = true;
    process->doomed = false;
    process->replaced = false;
    process->passes = 0;
    process->loop.paused = false;
    process->leader.may_write = true;
    /* The answers to its first lists bear a Date. */
    process->kube = (struct kube_client){ .clock_known = true,
                                          .clock_offset_ms = time_server_ms() - time_now_ms() };
    process->lag_ms = WATCH_LAG_MS;
    memset(process->frozen_until_ms, 0, sizeof process->frozen_until_ms);
    struct runtime *runtime = &process->runtime;
    *runtime = (struct runtime){ .options = &sim.options,
                                 .loop = &process->loop,
                                 .kube = &process->kube,
                                 .leader = &process->leader,
                                 .watches = &process->accounts };
    process->accounts = (struct watches){ .process = process };
    runtime->gateway = gateway_new(&http_client, &sim.options, NULL);
    runtime->queue = queue_new(&process->loop, work, process);
    runtime->caches = caches_new(runtime->queue, &sim.options);
    runtime->memories = memories_new();
    runtime->inventories = inventories_new(sim.options.inventory_interval_ms);
    list_all(process, behind_ms);
    caches_enqueue_all(runtime->caches);
    wake_at(process, time_now_ms());
    memory_enter(outer);
    sim_trace("process %c starts", process_letter(process));
}

static void end(struct process *process)
{
    (void)process_two_lead(); /* for the last time */
    process->up = false;
    while (process->loop.count > 0)
        loop_timer_stop(process->loop.timers[0]);
    loop_timer_stop(&process->life);
}

/* Its first lists come out of the caches of API servers, each of which may be behind. */
static void on_back(void *context)
{
    struct process *process = context;
    process_start(process->index, LIST_LAG_WORST_MS);
}

/* Its watches have run all the time, and may be a little behind. */
static void on_election(void *context)
{
    struct process *process = context;
    process_start(process->index, WATCH_LAG_WORST_MS);
}

void process_crash(struct process *process, int64_t back_after_ms)
{
    sim_trace("process %c dies", process_letter(process));
    assert(memory_current() != process);
    requests_orphan(process);
    end(process);
    memory_drop(process_owner(process));
    if (back_after_ms >= 0 && !process->replaced)
        loop_timer_start(&sim.loop, &process->life, back_after_ms, on_back, process);
}

static void on_death(void *context)
{
    process_crash(context, 3 * SECOND);
}

void process_doom(struct process *process)
{
    process->doomed = true;
    loop_timer_start(&sim.loop, &process->life, 0, on_death, process);
}

void process_terminate(struct process *process)
{
    enum { SHUTDOWN_MS = 10 * SECOND };
    if (process->runtime.stopping || process->loop.paused || loop_timer_armed(&process->life))
        return;
    sim_trace("process %c is to stop", process_letter(process));
    process->runtime.stopping = true;
    loop_timer_start(&sim.loop, &process->life, SHUTDOWN_MS, on_death, process);
    leave_when_idle(process);
}

static void on_step_down(void *context)
{
    process_crash(context, -1);
}

static void lose_lease(void *context)
{
    struct process *process = context;
    process->leader.may_write = false;
    loop_timer_start(&sim.loop, &process->life, 200, on_step_down, process);
}

static void on_resume(void *context)
{
    struct process *process = context;
    sim_trace("process %c goes on", process_letter(process));
    process->loop.paused = false;
    process->went_on_ms = time_now_ms();
    if (process->lease_is_lost)
        lose_lease(process);
    else
        loop_timer_start(&sim.loop, &process->life, 5 * SECOND, lose_lease, process);
}

void process_pause(struct process *process, int64_t for_ms, bool lease_is_lost)
{
    sim_trace("process %c stands still", process_letter(process));
    process->loop.paused = true;
    process->replaced = true;
    process->lease_is_lost = lease_is_lost;
    loop_timer_start(&sim.loop, &process->life, for_ms, on_resume, process);
}

struct process *process_spare(void)
{
    for (size_t i = 0; i < PROCESSES_MAX; i++)
        if (!processes[i].up && !loop_timer_armed(&processes[i].life))
            return &processes[i];
    return NULL;
}

void process_take_over(struct process *process, int64_t after_ms)
{
    loop_timer_start(&sim.loop, &process->life, after_ms, on_election, process);
}

size_t process_trials(const struct process *process)
{
    return process->runtime.trials;
}

size_t process_stop(struct process *process)
{
    struct runtime *runtime = &process->runtime;
    struct process *outer = memory_enter(process);
    gateway_free(runtime->gateway);
    caches_free(runtime->caches);
    queue_free(runtime->queue);
    memories_free(runtime->memories);
    inventories_free(runtime->inventories);
    memory_enter(outer);
    end(process);
    return memory_count(process_owner(process));
}
