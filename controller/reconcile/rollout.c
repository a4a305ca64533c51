/* The order is that of the chart: a new Engine needs a License Proxy, a new API an Engine. A pod's
 * age alone tells which key it holds; the marker only tells what we have done already. */
#include "reconcile/rollout.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/revision_number.h"
#include "api/target.h"
#include "api/timestamp.h"
#include "base/json.h"
#include "reconcile/schedule.h"

/* A pod that is made now would still count as old; a second for its whole seconds, and one more. */
enum { RESTART_AFTER_MS = PUBLICATION_SKEW_MS + 2 * 1000 };

/* In many clusters a new pod waits a moment for its node: nobody has to help there. */
enum { BLOCKED_AFTER_MS = 15 * 1000 };

int64_t rollout_marked(const struct workload_view *workload)
{
    return revision_number_parse(workload->marker);
}

/* ---- order ---- */

static int64_t place(const struct workload_view *workload, const struct spec *spec)
{
    int64_t index = 0;
    const cJSON *item = NULL;
    cJSON_ArrayForEach(item, spec->rollout_workloads) {
        if (mem_streq(json_string_member(item, "kind"), workload_kind_name(workload->kind)) &&
            mem_streq(json_string_member(item, "name"), workload->name))
            return index;
        index++;
    }
    return index + workload->rank;
}

static bool comes_before(const struct workload_view *a, const struct workload_view *b,
                         const struct spec *spec)
{
    int64_t difference = place(a, spec) - place(b, spec);
    if (difference == 0)
        difference = (int64_t)a->kind - (int64_t)b->kind;
    return difference == 0 ? strcmp(a->name, b->name) < 0 : difference < 0;
}

void rollout_sort(struct workload_view *workloads, size_t count, const struct spec *spec)
{
    for (size_t i = 1; i < count; i++) {
        struct workload_view moving = workloads[i];
        size_t at = i;
        for (; at > 0 && comes_before(&moving, &workloads[at - 1], spec); at--)
            workloads[at] = workloads[at - 1];
        workloads[at] = moving;
    }
}

/* ---- words ---- */

static void say(struct rollout *rollout, const char *format, ...) PRINTF_LIKE(2, 3);

/* Appends. */
static void say(struct rollout *rollout, const char *format, ...)
{
    size_t length = strlen(rollout->message);
    va_list args;
    va_start(args, format);
    vsnprintf(rollout->message + length, sizeof rollout->message - length, format, args);
    va_end(args);
}

static void look_again(struct rollout *rollout, int64_t at_ms)
{
    if (at_ms < rollout->again_ms)
        rollout->again_ms = at_ms;
}

/* "0/3 nodes are available: 3 Insufficient nvidia.com/gpu. preemption: …": the numbers change with
 * each node, what is lacking doesn't. */
static void say_what_lacks(struct rollout *rollout, const struct pod_note *note)
{
    static const char MARK[] = "Insufficient ";
    const char *at = note->message ? strstr(note->message, MARK) : NULL;
    if (!at)
        say(rollout, "%s", note->message ? note->message : note->reason);
    for (const char *separator = "insufficient "; at; at = strstr(at, MARK)) {
        at += strlen(MARK);
        size_t length = strspn(at, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                   "0123456789-_./");
        while (length > 0 && at[length - 1] == '.')
            length--;
        say(rollout, "%s%.*s", separator, (int)length, at);
        separator = ", ";
    }
}

static void say_failing(struct rollout *rollout, const struct workload_view *workload)
{
    const struct pod_note *note = &workload->failing;
    say(rollout, "pod %s of %s %s: %s", note->name, workload_kind_name(workload->kind),
        workload->name, note->reason);
    if (note->message)
        say(rollout, " (%s)", note->message);
}

/* What spec.rollout.workloads names in vain holds up nothing, but should be known. */
static void say_unknown(const struct world *world, struct rollout *rollout)
{
    for (size_t i = 0; i < world->consumers.workload_count; i++) {
        const struct workload_view *workload = &world->consumers.workloads[i];
        if (workload->uid && workload->refers)
            continue;
        say(rollout, ". %s %s of spec.rollout.workloads %s", workload_kind_name(workload->kind),
            workload->name, workload->uid ? "doesn't refer to the Secret" : "doesn't exist");
    }
}

/* They are no part of the roll-out, but of why the older credential doesn't go. */
static void say_left_behind(const struct world *world, struct rollout *rollout)
{
    const struct old_target_view *old = &world->old_target;
    if (old->pods > 0)
        say(rollout,
            ". %zu pod(s) refer to Secret %s, an earlier spec.secret.name, among them %s: what "
            "they may hold stays alive until none does",
            old->pods, old->name, old->example);
}

/* ---- where a workload stands ---- */

static bool is_ours(const struct workload_view *workload)
{
    return workload->chosen && workload->uid && workload->refers;
}

/* Pods that come and go later are no part of the roll-out. */
static bool is_finished(const struct world *world)
{
    const struct status *status = &world->resource->status;
    return status->consumers_updated && status->revision == world_published(world)->number;
}

static bool is_marked(const struct world *world, const struct workload_view *workload)
{
    return rollout_marked(workload) == world_published(world)->number;
}

bool rollout_is_done(const struct world *world, const struct workload_view *workload)
{
    return workload->old_pods == 0 &&
           (workload->unready_pods == 0 || !is_marked(world, workload) || is_finished(world));
}

static const struct workload_view *next_workload(const struct world *world, size_t *ret_done,
                                                 size_t *ret_total)
{
    const struct workload_view *next = NULL;
    for (size_t i = 0; i < world->consumers.workload_count; i++) {
        const struct workload_view *workload = &world->consumers.workloads[i];
        if (!is_ours(workload))
            continue;
        ++*ret_total;
        if (next)
            continue;
        if (rollout_is_done(world, workload))
            ++*ret_done;
        else
            next = workload;
    }
    return next;
}

/* ---- the workload whose turn it is ---- */

static void block(struct rollout *rollout, const struct workload_view *workload, const char *by)
{
    rollout->phase = ROLLOUT_BLOCKED;
    rollout->blocked = workload;
    rollout->blocked_by = by;
}

static const char *why_held(const char *held)
{
    if (strcmp(held, "paused") == 0)
        return "it is paused: resume it (kubectl rollout resume)";
    if (strcmp(held, "OnDelete") == 0)
        return "its update strategy is OnDelete: delete its older pods";
    return "its update strategy has a partition: older pods below it stay until it is lowered or "
           "they are deleted";
}

static void hold(struct rollout *rollout, const struct workload_view *workload)
{
    say(rollout, ", %s", why_held(workload->held));
    block(rollout, workload, workload->held);
}

static void wait_for_node(const struct world *world, const struct workload_view *workload,
                          struct rollout *rollout)
{
    int64_t blocked_ms = workload->unschedulable.since_ms + BLOCKED_AFTER_MS;
    say(rollout, ", %zu pending: ", workload->unschedulable_pods);
    say_what_lacks(rollout, &workload->unschedulable);
    say(rollout, " (pod %s)", workload->unschedulable.name);
    if (world->now_ms >= blocked_ms)
        block(rollout, workload, ROLLOUT_NO_NODE);
    else
        look_again(rollout, blocked_ms);
}

/* Half of what the pods are given. */
static int64_t unusual_from_ms(const struct world *world, const struct workload_view *workload)
{
    return workload->failing.since_ms + world->resource->spec.rollout_timeout_ms / 2;
}

bool rollout_is_starting(const struct world *world, const struct workload_view *workload)
{
    return mem_streq(workload->failing.reason, POD_NOT_READY) &&
           world->now_ms < unusual_from_ms(world, workload);
}

/* Neither a resource that goes nor a suspended one puts anything back. */
static bool may_go_back(const struct world *world)
{
    return world_fallback(world) && !world->resource->deleting && !world->resource->spec.suspend;
}

static void watch_new_pods(const struct world *world, const struct workload_view *workload,
                           struct rollout *rollout)
{
    if (!workload->failing.name)
        return;
    int64_t end_ms = workload->failing.since_ms + world->resource->spec.rollout_timeout_ms;
    if (rollout_is_starting(world, workload)) {
        say(rollout, ", %zu starting", workload->unready_pods);
        look_again(rollout, unusual_from_ms(world, workload));
    } else if (!may_go_back(world)) {
        say(rollout, ", ");
        say_failing(rollout, workload);
    } else if (world->now_ms >= end_ms) {
        rollout->action = ROLLOUT_DO_TAKE_BACK;
        rollout->message[0] = '\0';
        say_failing(rollout, workload);
    } else {
        char when[TIMESTAMP_BYTES];
        timestamp_format(end_ms, when);
        look_again(rollout, end_ms);
        say(rollout, ", ");
        say_failing(rollout, workload);
        say(rollout, "; unless that ends, the older credential is put back at %s", when);
    }
}

static void follow(const struct world *world, const struct workload_view *workload,
                   struct rollout *rollout)
{
    if (workload->leaving_pods > 0)
        say(rollout, ", %zu terminating", workload->leaving_pods);
    if (workload->held && workload->old_pods > workload->leaving_pods)
        hold(rollout, workload);
    watch_new_pods(world, workload, rollout);
}

/* A roll-out that was under way before ours is not interrupted, unless it comes to nothing: its
 * pods fail for longer than ours would be given. */
static bool must_wait_for_earlier(const struct world *world, const struct workload_view *workload,
                                  struct rollout *rollout)
{
    int64_t end_ms = workload->stuck.since_ms + world->resource->spec.rollout_timeout_ms;
    bool stuck = workload->stuck.name && !workload->failing.name;
    if (workload->settled || (stuck && world->now_ms >= end_ms))
        return false;
    say(rollout, ", waiting for the roll-out that is under way there");
    watch_new_pods(world, workload, rollout);
    if (stuck)
        look_again(rollout, end_ms);
    return true;
}

static void begin(const struct world *world, const struct workload_view *workload,
                  struct rollout *rollout)
{
    int64_t ready_ms = workload->published_at_ms;
    if (ready_ms < world->target.published_at_ms)
        ready_ms = world->target.published_at_ms;
    ready_ms += RESTART_AFTER_MS;
    if (workload->old_pods == workload->leaving_pods) {
        say(rollout, ", %zu terminating", workload->leaving_pods);
    } else if (workload->held) {
        hold(rollout, workload);
    } else if (must_wait_for_earlier(world, workload, rollout)) {
        return;
    } else if (world->now_ms < ready_ms) {
        look_again(rollout, ready_ms);
    } else {
        rollout->action = ROLLOUT_DO_RESTART;
        rollout->workload = workload;
    }
}

static void work_on(const struct world *world, const struct workload_view *workload, size_t done,
                    size_t total, struct rollout *rollout)
{
    rollout->phase = ROLLOUT_RUNNING;
    say(rollout, "%zu of %zu: %s %zu/%zu pods on revision %lld", done + 1, total, workload->name,
        workload->pods - workload->old_pods, workload->pods,
        (long long)world_published(world)->number);
    if (workload->unschedulable.name)
        wait_for_node(world, workload, rollout);
    if (is_marked(world, workload))
        follow(world, workload, rollout);
    else
        begin(world, workload, rollout);
}

/* ---- the whole ---- */

/* Of all pods, those that are left when every workload that is ours is done. */
static void wait_for_others(const struct world *world, struct rollout *rollout)
{
    const struct consumers_view *consumers = &world->consumers;
    const struct spec *spec = &world->resource->spec;
    size_t left = consumers->old_pods;
    for (size_t i = 0; i < consumers->workload_count; i++)
        if (is_ours(&consumers->workloads[i]))
            left -= consumers->workloads[i].old_pods;
    long long number = world_published(world)->number;
    if (left == 0 || is_finished(world)) {
        rollout->phase = ROLLOUT_DONE;
        say(rollout, "No pod that uses Secret %s is older than revision %lld", spec->secret_name,
            number);
        return;
    }
    rollout->phase = ROLLOUT_WAITING;
    say(rollout,
        "%zu pod(s) that use Secret %s are older than revision %lld and are not restarted by the "
        "operator, among them %s: the older credential stays alive until they are gone",
        left, spec->secret_name, number, consumers->loose_example);
}

/* The first credential has no predecessor that a pod could hold. */
static bool is_first(const struct world *world)
{
    return world->revisions[0].number == world_published(world)->number;
}

static void roll_out(const struct world *world, struct rollout *rollout)
{
    size_t done = 0;
    size_t total = 0;
    const struct workload_view *next = next_workload(world, &done, &total);
    if (is_first(world) || is_finished(world)) {
        rollout->phase = ROLLOUT_DONE;
        say(rollout, "No pod that uses Secret %s is older than revision %lld",
            world->resource->spec.secret_name, (long long)world_published(world)->number);
    } else if (next) {
        work_on(world, next, done, total, rollout);
    } else {
        wait_for_others(world, rollout);
    }
    if (rollout->action == ROLLOUT_DO_TAKE_BACK)
        return;
    say_unknown(world, rollout);
    if (!is_first(world))
        say_left_behind(world, rollout);
}

/* The marker goes back to what the older pods have, so that they stay. */
static void take_back(const struct world *world, const struct world_revision *failed,
                      struct rollout *rollout)
{
    rollout->phase = ROLLOUT_TAKEN_BACK;
    const struct world_revision *published = world_published(world);
    say(rollout, "Pods failed on revision %lld", (long long)failed->number);
    if (failed->secret && failed->secret->failure[0] != '\0')
        say(rollout, ", %s", failed->secret->failure);
    say(rollout, ": revision %lld is back in Secret %s", (long long)published->number,
        world->resource->spec.secret_name);
    int64_t retry_ms = schedule_retry_ms(world);
    if (retry_ms > 0) {
        char when[TIMESTAMP_BYTES];
        timestamp_format(retry_ms, when);
        say(rollout,
            ". Another one is tried at %s, or at a new value of the annotation " ANNOTATION_ROTATE,
            when);
    }
    for (size_t i = 0; i < world->consumers.workload_count; i++) {
        const struct workload_view *workload = &world->consumers.workloads[i];
        const struct world_revision *marked = world_revision(world, rollout_marked(workload));
        if (!workload->uid || !marked || !marked->failed)
            continue;
        int64_t ready_ms = world->target.published_at_ms + RESTART_AFTER_MS;
        if (world->now_ms < ready_ms) {
            rollout->again_ms = ready_ms;
            return;
        }
        rollout->action = ROLLOUT_DO_PUT_BACK;
        rollout->workload = workload;
        return;
    }
}

void rollout_decide(const struct world *world, struct rollout *ret_rollout)
{
    *ret_rollout = (struct rollout){ .again_ms = INT64_MAX };
    const struct world_revision *published = world_published(world);
    const struct world_revision *failed = world_taken_back(world);
    const struct spec *spec = &world->resource->spec;
    if (world->resource->kind != RESOURCE_API_KEY || !published || !published->secret)
        return;
    if (spec->rollout_mode == ROLLOUT_IGNORE) {
        ret_rollout->phase = ROLLOUT_IGNORED;
        say(ret_rollout, "spec.rollout.mode is Ignore: a replaced credential is revoked after "
                         "rotation.overlap, whatever pods hold it");
    } else if (failed && !published->failed) {
        take_back(world, failed, ret_rollout);
    } else if (!published->failed) {
        roll_out(world, ret_rollout);
    }
}
