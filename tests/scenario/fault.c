/* What can go wrong with a request. A table says to which requests each fault can happen, what it
 * makes of one, and how many creates it may rightly cost. */
#include "fault.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "sim.h"

enum {
    PAUSE_MS = 30 * SECOND,
    LEASE_MS = 16 * SECOND, /* until another one leads */
    JUMP_MS = 5 * HOUR,
    JUMP_BACK_MS = 10 * MINUTE,
    TIMEOUT_MS = 30 * SECOND,
};

enum target {
    ANY,
    KUBE_WRITE,
    DEEPGRAM,
    DEEPGRAM_WRITE,
    KEY_CREATE,
    CREDENTIAL_CREATE,
    CREDENTIAL_DELETE
};

struct fault_type {
    const char *name;
    enum target target;
    void (*strike)(struct request *request);
    unsigned per_create; /* creates that it may cost when it hits a create */
    bool cuts_off;       /* it may cost one more of every resource, whatever it hits */
};

/* ---- what each makes of the request ---- */

static void instead(struct request *request, enum reply_kind reply)
{
    request->carried_out = false;
    request->reply_kind = reply;
}

static void error(struct request *request)
{
    instead(request, REPLY_FAILED);
}

static void unreachable(struct request *request)
{
    instead(request, REPLY_NOT_SENT);
}

static void lost(struct request *request)
{
    request->reply_kind = REPLY_LOST;
}

static void cut(struct request *request)
{
    request->reply_kind = REPLY_CUT;
}

/* By what stands in front. */
static void failed(struct request *request)
{
    request->reply_kind = REPLY_FAILED;
}

static void nowhere(struct request *request)
{
    instead(request, REPLY_NOWHERE);
}

static void refused(struct request *request)
{
    instead(request, REPLY_REFUSED);
}

static void meagre(struct request *request)
{
    request->meagre = true;
}

static void young(struct request *request)
{
    request->young = true;
}

static void stillborn(struct request *request)
{
    request->stillborn = true;
}

static void hollow(struct request *request)
{
    request->hollow = true;
}

/* Together with the lag of a list within the settle time. */
static void late(struct request *request)
{
    static const int64_t AFTER_MS[] = { 5 * SECOND, 45 * SECOND, 85 * SECOND };
    instead(request, REPLY_LOST);
    request->late_ms = AFTER_MS[time_random() % ARRAY_LENGTH(AFTER_MS)];
}

/* Written by the API server after the client gave up. */
static void late_write(struct request *request)
{
    instead(request, REPLY_LOST);
    request->late_ms = SECOND + (int64_t)(time_random() % (3 * SECOND));
}

static void conflict(struct request *request)
{
    instead(request, REPLY_CONFLICT);
}

static void throttle(struct request *request)
{
    instead(request, REPLY_THROTTLED);
}

static void crash_before(struct request *request)
{
    process_doom(request->process);
}

static void crash_after(struct request *request)
{
    request->kills = true;
}

static void stale(struct request *request)
{
    static const int64_t FOR_MS[] = { 20 * SECOND, 60 * SECOND, 200 * SECOND };
    (void)request;
    sim.frozen = true;
    enum api_type type = (enum api_type)(time_random() % (API_TYPES + 2));
    process_freeze(type > API_TYPES ? API_TYPES : type,
                   FOR_MS[time_random() % ARRAY_LENGTH(FOR_MS)]);
}

/* False when there is nobody to take over. */
static bool stand_still(struct request *request, bool lease_is_lost)
{
    struct process *spare = process_spare();
    if (!spare)
        return false;
    process_pause(request->process, PAUSE_MS, lease_is_lost);
    process_take_over(spare, LEASE_MS);
    return true;
}

static void second_before(struct request *request)
{
    if (stand_still(request, true))
        request->effect_ms += PAUSE_MS;
}

static void second_after(struct request *request)
{
    stand_still(request, true);
}

static void split(struct request *request)
{
    if (stand_still(request, false))
        request->effect_ms += PAUSE_MS;
}

static struct loop_timer clock_timer;

static void set_clock_right(void *context)
{
    (void)context;
    sim_trace("the operator's clock is set right");
    process_skew_all(0);
}

static void jump(int64_t ms)
{
    sim.mints_allowed++; /* a rotation by time comes sooner or a second time */
    process_skew_all(ms);
    loop_timer_start(&sim.loop, &clock_timer, JUMP_BACK_MS, set_clock_right, NULL);
}

static void clock_ahead(struct request *request)
{
    (void)request;
    jump(JUMP_MS);
}

static void clock_back(struct request *request)
{
    (void)request;
    jump(-JUMP_MS);
}

static void list_lag(struct request *request)
{
    (void)request;
    sim.deepgram.list_lag_ms = LIST_LAG_MS;
}

/* ---- the table ---- */

static const struct fault_type TYPES[FAULT_KINDS] = {
    [FAULT_ERROR] = { "error", ANY, error, 1, false },
    [FAULT_UNREACHABLE] = { "unreachable", ANY, unreachable, 0, false },
    [FAULT_LOST] = { "lost", ANY, lost, 1, false },
    [FAULT_FAILED] = { "failed", ANY, failed, 1, false },
    [FAULT_NOWHERE] = { "nowhere", DEEPGRAM, nowhere, 0, false },
    [FAULT_REFUSED] = { "refused", DEEPGRAM, refused, 0, false },
    [FAULT_MEAGRE] = { "meagre", CREDENTIAL_CREATE, meagre, 1, false },
    [FAULT_YOUNG] = { "young", KEY_CREATE, young, 0, false },
    [FAULT_CUT] = { "cut", DEEPGRAM, cut, 1, false },
    [FAULT_STILLBORN] = { "stillborn", KEY_CREATE, stillborn, 1, false },
    [FAULT_HOLLOW] = { "hollow", CREDENTIAL_DELETE, hollow, 0, false },
    [FAULT_LATE] = { "late", DEEPGRAM_WRITE, late, 1, false },
    [FAULT_LATE_WRITE] = { "late-write", KUBE_WRITE, late_write, 0, false },
    [FAULT_CONFLICT] = { "conflict", KUBE_WRITE, conflict, 0, false },
    [FAULT_THROTTLE] = { "throttle", ANY, throttle, 0, false },
    [FAULT_CRASH_BEFORE] = { "crash-before", ANY, crash_before, 0, true },
    [FAULT_CRASH_AFTER] = { "crash-after", ANY, crash_after, 0, true },
    [FAULT_STALE] = { "stale", ANY, stale, 0, false },
    [FAULT_SECOND_BEFORE] = { "second-before", ANY, second_before, 0, true },
    [FAULT_SECOND_AFTER] = { "second-after", ANY, second_after, 0, true },
    [FAULT_SPLIT] = { "split", ANY, split, 0, true },
    [FAULT_CLOCK_AHEAD] = { "clock-ahead", ANY, clock_ahead, 0, false },
    [FAULT_CLOCK_BACK] = { "clock-back", ANY, clock_back, 0, false },
    [FAULT_LIST_LAG] = { "list-lag", ANY, list_lag, 0, false },
    [FAULT_USER] = { "user", ANY, NULL, 0, false },
};

const char *fault_name(const struct fault *fault)
{
    return fault->kind == FAULT_USER ? fault->action->name : TYPES[fault->kind].name;
}

bool fault_applies(enum fault_kind kind, const struct request_note *note)
{
    switch (TYPES[kind].target) {
    case ANY:
        return true;
    case KUBE_WRITE:
        return !note->to_deepgram && note->writes;
    case DEEPGRAM:
        return note->to_deepgram;
    case DEEPGRAM_WRITE:
        return note->to_deepgram && note->writes;
    case KEY_CREATE:
        return strncmp(note->what, "POST deepgram keys", strlen("POST deepgram keys")) == 0;
    case CREDENTIAL_CREATE:
        return strncmp(note->what, "POST deepgram", strlen("POST deepgram")) == 0;
    case CREDENTIAL_DELETE:
        return strncmp(note->what, "DELETE deepgram", strlen("DELETE deepgram")) == 0;
    }
    return false;
}

bool fault_parse(const char *text, struct fault *ret_fault)
{
    char *end = NULL;
    unsigned long at = strtoul(text, &end, 10);
    if (end == text || *end != ':')
        return false;
    size_t length = strcspn(end + 1, ",");
    *ret_fault = (struct fault){ .at = (unsigned)at };
    for (enum fault_kind kind = 0; kind < FAULT_USER; kind++) {
        if (strlen(TYPES[kind].name) == length && strncmp(TYPES[kind].name, end + 1, length) == 0) {
            ret_fault->kind = kind;
            return true;
        }
    }
    ret_fault->kind = FAULT_USER;
    ret_fault->action = action_find(end + 1, length);
    return ret_fault->action != NULL;
}

/* ---- striking ---- */

static void on_user(void *context)
{
    struct fault *fault = context;
    action_perform(fault->action);
}

/* A person acts while the request is on its way, not inside the operator's call. */
static void strike_user(struct fault *fault)
{
    loop_timer_start(&sim.loop, &fault->timer, 0, on_user, fault);
}

struct request_note request_note(const struct request *request)
{
    struct request_note note = { .to_deepgram = request->to_deepgram, .writes = request->writes };
    snprintf(note.what, sizeof note.what, "%s", request->what);
    return note;
}

bool fault_can_strike(enum fault_kind kind, const struct request *request)
{
    struct request_note note = request_note(request);
    bool changed = request->reply_kind != REPLY_OWN || !request->carried_out;
    return fault_applies(kind, &note) && !(changed && kind <= FAULT_THROTTLE) &&
           !process_doomed(request->process);
}

static void strike(struct fault *fault, struct request *request)
{
    if (!fault_can_strike(fault->kind, request))
        return;
    sim_trace(">>> %s at #%u %s", fault_name(fault), request->number, request->what);
    fault->fired = true;
    const struct fault_type *type = &TYPES[fault->kind];
    if (fault->kind == FAULT_USER) {
        strike_user(fault);
        return;
    }
    if (request->creates)
        sim.mints_allowed += (process_two_will_lead() ? 2 : 1) * type->per_create;
    if (type->cuts_off)
        sim.mints_allowed += (int64_t)api_resource_count();
    type->strike(request);
}

bool fault_planned(enum fault_kind kind)
{
    for (size_t i = 0; i < sim.schedule->fault_count; i++)
        if (sim.schedule->faults[i].kind == kind)
            return true;
    return false;
}

void fault_strike(struct request *request)
{
    struct schedule *schedule = sim.schedule;
    if (sim.judging)
        return;
    if (sim.next_create != FAULT_USER && request->creates) {
        TYPES[sim.next_create].strike(request);
        sim.next_create = FAULT_USER;
    }
    for (size_t i = 0; i < schedule->fault_count; i++)
        if (!schedule->faults[i].fired && schedule->faults[i].at == request->number)
            strike(&schedule->faults[i], request);
    if (sim.on_request)
        sim.on_request(request);
}

void fault_add(enum fault_kind kind, struct request *request)
{
    struct schedule *schedule = sim.schedule;
    assert(schedule->fault_count < FAULTS_MAX);
    struct fault *fault = &schedule->faults[schedule->fault_count++];
    *fault = (struct fault){ .at = request->number, .kind = kind };
    strike(fault, request);
}

void fault_reset(void)
{
    memset(&clock_timer, 0, sizeof clock_timer);
    for (size_t i = 0; i < sim.schedule->fault_count; i++) {
        sim.schedule->faults[i].fired = false;
        sim.schedule->faults[i].timer = (struct loop_timer){ 0 };
    }
}
