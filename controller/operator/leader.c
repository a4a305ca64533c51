/* One call is under way at a time: look (GET), then write what lease_decide() wants. A leader knows
 * the lease from the answer to its last write and goes on from that without looking; after anything
 * but a good answer it looks again, because the write may have been carried out all the same. Who
 * waits looks twice as often as a leader retries.
 *
 * A leader renews when a third of the renew deadline has passed, not with every retry period as
 * client-go does: nobody sees a lease end later for it, and renewals are most of what an idle
 * operator does. A call that isn't answered is given up in time for two more before the renew
 * deadline: one frozen connection, or five seconds of silence with the default flags, must not cost
 * the leadership. The deadline has a timer of its own. */
#include "operator/leader.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "api/lease_object.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/log.h"
#include "base/random.h"
#include "reconcile/lease.h"

#define LEASE_NAME "deepgram-operator"
#define NOT_RENEWED "it couldn't be renewed in time"

enum {
    SAFETY_MARGIN_MS = 500, /* for a write that is on its way when the lease ends */
    RELEASE_TIMEOUT_MS = 1000,
    HOST_NAME_BYTES = 65,
};

struct leader {
    struct loop *loop;
    struct kube_client *client;
    bool elect;
    char *namespace;
    char *identity;
    struct lease_policy policy;
    int64_t retry_ms;
    leader_change_fn *change;
    void *context;

    bool leading;
    int64_t renewed_ms; /* monotonic, before the last successful write was sent */
    bool known;         /* `lease` is what the API server has, as far as we know */
    cJSON *lease;       /* NULL: there is none */
    char *version;      /* of the lease seen last, and when it was first seen */
    int64_t seen_since_ms;

    struct kube_call_handle *call;
    int64_t sent_ms;
    struct loop_timer next;     /* next attempt, or the time-out of `call` */
    struct loop_timer deadline; /* of the renewal, while leading */
    enum err_kind complained;   /* kind of the failure that was logged last; NONE after success */
    char *holder_told;          /* other holder that was logged last */

    void (*released)(void *context);
    void *released_context;
};

static void attempt(void *context);

/* ---- the observed lease ---- */

static bool is_ours(const struct leader *leader)
{
    return strcmp(lease_object_holder(leader->lease), leader->identity) == 0;
}

static void forget(struct leader *leader)
{
    cJSON_Delete(take(leader->lease));
    leader->known = false;
}

/* Takes the lease; NULL: there is none. */
static void observe(struct leader *leader, cJSON *lease)
{
    forget(leader);
    leader->lease = lease;
    leader->known = true;
    const char *version = json_string_at(lease, "metadata.resourceVersion");
    if (mem_streq(version, leader->version))
        return;
    mem_replace(&leader->version, version);
    leader->seen_since_ms = clock_monotonic_ms();
}

static struct lease_view view_of(const struct leader *leader)
{
    return (struct lease_view){
        .exists = leader->lease != NULL,
        .holder = lease_object_holder(leader->lease),
        .duration_ms = lease_object_duration_ms(leader->lease),
        .seen_since_ms = leader->seen_since_ms,
    };
}

/* ---- calls ---- */

static void send(struct leader *leader, enum kube_verb verb, const cJSON *body, kube_done_fn *done)
{
    assert(!leader->call);
    const struct kube_call call = {
        .verb = verb,
        .resource = &KUBE_LEASES,
        .namespace = leader->namespace,
        .name = verb == KUBE_CREATE ? NULL : LEASE_NAME,
        .body = body,
        .done = done,
        .context = leader,
    };
    leader->sent_ms = clock_monotonic_ms();
    leader->call = kube_send(leader->client, &call);
}

static void stop(struct leader *leader)
{
    kube_cancel(take(leader->call));
    loop_timer_stop(&leader->next);
    loop_timer_stop(&leader->deadline);
}

static void attempt_in(struct leader *leader, int64_t delay_ms)
{
    loop_timer_start(leader->loop, &leader->next, delay_ms, attempt, leader);
}

/* Replicas that wait look at different times, so that they don't all try at the same moment. */
static int64_t spread(int64_t delay_ms)
{
    return delay_ms + (int64_t)(random_u64() % (uint64_t)(delay_ms / 5 + 1));
}

static void attempt_later(struct leader *leader, int64_t at_least_ms)
{
    int64_t delay_ms = leader->leading ? leader->retry_ms : spread(leader->retry_ms);
    attempt_in(leader, delay_ms > at_least_ms ? delay_ms : at_least_ms);
}

/* Twice as often as the holder renews, so that a lease which is given up or no longer renewed is
 * seen soon, and at the very moment at which it runs out. */
static void look_again(struct leader *leader)
{
    struct lease_view view = view_of(leader);
    int64_t delay_ms = spread(leader->retry_ms / 2);
    int64_t left_ms = lease_runs_out_ms(&view, &leader->policy) - clock_monotonic_ms();
    if (delay_ms > left_ms)
        delay_ms = left_ms > 0 ? left_ms : 0;
    attempt_in(leader, delay_ms);
}

/* Once per kind of failure in a row: a missing permission isn't logged every two seconds. A
 * conflict is somebody else being faster. */
static void complain(struct leader *leader, const struct err *err)
{
    if (err->kind == leader->complained || err->kind == ERR_CONFLICT)
        return;
    leader->complained = err->kind;
    log_warn(leader->leading ? "can't renew the lease, trying again"
                             : "can't get the lease, trying again",
             "lease", LEASE_NAME, "namespace", leader->namespace, "error", err->message, NULL);
}

static void failed(struct leader *leader, const struct err *err)
{
    forget(leader);
    complain(leader, err);
    attempt_later(leader, err->retry_after_ms);
}

static void on_no_answer(void *context)
{
    struct leader *leader = context;
    kube_give_up(take(leader->call));
    struct err err = ERR_INIT;
    err_set(&err, ERR_TRANSIENT, "the API server didn't answer in time");
    complain(leader, &err);
    forget(leader);
    attempt(leader);
}

static void expect_answer(struct leader *leader)
{
    loop_timer_start(leader->loop, &leader->next, leader->policy.renew_deadline_ms / 4,
                     on_no_answer, leader);
}

static void lose(struct leader *leader, const char *why)
{
    stop(leader);
    leader->leading = false;
    log_error("lost the lease", "lease", LEASE_NAME, "identity", leader->identity, "why", why,
              NULL);
    leader->change(leader->context, LEADER_LOST);
}

static void on_deadline(void *context)
{
    lose(context, NOT_RENEWED);
}

static void on_written(void *context, cJSON **object, const struct err *err)
{
    struct leader *leader = context;
    leader->call = NULL;
    if (err) {
        failed(leader, err);
        return;
    }
    observe(leader, take(*object));
    leader->complained = ERR_NONE;
    leader->renewed_ms = leader->sent_ms;
    int64_t left_ms = leader->renewed_ms + leader->policy.renew_deadline_ms - clock_monotonic_ms();
    loop_timer_start(leader->loop, &leader->deadline, left_ms > 0 ? left_ms : 0, on_deadline,
                     leader);
    bool elected = !leader->leading;
    leader->leading = true;
    attempt_in(leader, leader->policy.renew_deadline_ms / 3);
    if (!elected)
        return;
    log_info("elected", "lease", LEASE_NAME, "identity", leader->identity, NULL);
    leader->change(leader->context, LEADER_ELECTED);
}

static void write_lease(struct leader *leader)
{
    auto_json cJSON *body =
        lease_object_held(leader->lease, leader->namespace, LEASE_NAME, leader->identity,
                          leader->policy.duration_ms, clock_wall_ms());
    send(leader, leader->lease ? KUBE_UPDATE : KUBE_CREATE, body, on_written);
    expect_answer(leader);
}

static void wait_for_holder(struct leader *leader)
{
    const char *holder = lease_object_holder(leader->lease);
    leader->complained = ERR_NONE;
    if (!mem_streq(holder, leader->holder_told))
        log_info("another replica leads", "lease", LEASE_NAME, "holder", holder, NULL);
    mem_replace(&leader->holder_told, holder);
    look_again(leader);
}

static void act(struct leader *leader)
{
    struct lease_view view = view_of(leader);
    switch (lease_decide(&view, &leader->policy, leader->leading, leader->renewed_ms,
                         clock_monotonic_ms())) {
    case LEASE_ACQUIRE:
    case LEASE_RENEW:
        write_lease(leader);
        break;
    case LEASE_WAIT:
        wait_for_holder(leader);
        break;
    case LEASE_LOST:
        lose(leader, is_ours(leader) ? NOT_RENEWED : "another replica has it");
        break;
    }
}

static void on_seen(void *context, cJSON **object, const struct err *err)
{
    struct leader *leader = context;
    leader->call = NULL;
    if (err && err->kind != ERR_NOT_FOUND) {
        failed(leader, err);
        return;
    }
    observe(leader, err ? NULL : take(*object));
    act(leader);
}

static void attempt(void *context)
{
    struct leader *leader = context;
    if (leader->leading && leader->known) {
        act(leader);
        return;
    }
    send(leader, KUBE_GET, NULL, on_seen);
    expect_answer(leader);
}

/* ---- release ---- */

static void finish_release(void *context)
{
    struct leader *leader = context;
    stop(leader);
    leader->released(leader->released_context);
}

static void on_released(void *context, cJSON **object, const struct err *err)
{
    (void)object;
    struct leader *leader = context;
    leader->call = NULL;
    if (err)
        log_info("the lease was not released and runs out by itself", "error", err->message, NULL);
    finish_release(leader);
}

static void on_seen_for_release(void *context, cJSON **object, const struct err *err)
{
    struct leader *leader = context;
    leader->call = NULL;
    if (!err)
        observe(leader, take(*object));
    if (err || !is_ours(leader)) {
        finish_release(leader);
        return;
    }
    auto_json cJSON *body = lease_object_released(leader->lease, clock_wall_ms());
    send(leader, KUBE_UPDATE, body, on_released);
}

/* It looks first: a renewal that was under way may have been carried out. */
void leader_release(struct leader *leader, void (*done)(void *context), void *context)
{
    stop(leader);
    leader->leading = false;
    leader->released = done;
    leader->released_context = context;
    if (leader->elect)
        send(leader, KUBE_GET, NULL, on_seen_for_release);
    loop_timer_start(leader->loop, &leader->next, leader->elect ? RELEASE_TIMEOUT_MS : 0,
                     finish_release, leader);
}

/* ---- the interface ---- */

static void lead_alone(void *context)
{
    struct leader *leader = context;
    leader->leading = true;
    leader->change(leader->context, LEADER_ELECTED);
}

static char *make_identity(void)
{
    char host[HOST_NAME_BYTES] = "";
    gethostname(host, sizeof host - 1);
    return mem_printf("%s_%016llx", host, (unsigned long long)random_u64());
}

struct leader *leader_new(struct loop *loop, struct kube_client *client,
                          const struct options *options, const char *namespace,
                          leader_change_fn *change, void *context)
{
    struct leader *leader = mem_alloc(sizeof *leader);
    *leader = (struct leader){
        .loop = loop,
        .client = client,
        .elect = options->leader_elect,
        .namespace = mem_strdup(namespace),
        .identity = make_identity(),
        .retry_ms = options->lease_retry_ms,
        .change = change,
        .context = context,
    };
    leader->policy = (struct lease_policy){
        .identity = leader->identity,
        .duration_ms = options->lease_duration_ms,
        .renew_deadline_ms = options->lease_renew_ms,
    };
    loop_timer_start(loop, &leader->next, 0, leader->elect ? attempt : lead_alone, leader);
    return leader;
}

void leader_free(struct leader *leader)
{
    if (!leader)
        return;
    stop(leader);
    forget(leader);
    mem_free(leader->version);
    mem_free(leader->holder_told);
    mem_free(leader->identity);
    mem_free(leader->namespace);
    mem_free(leader);
}

bool leader_may_write(const struct leader *leader)
{
    if (!leader->elect || !leader->leading)
        return leader->leading;
    int64_t end_ms = leader->renewed_ms + leader->policy.duration_ms - SAFETY_MARGIN_MS;
    return clock_monotonic_ms() < end_ms;
}
