/* What the operator asks of others takes time, and is where the world can fail it: each request is
 * numbered when it leaves, carried out a little later, and answered later again. */
#include "request.h"

#include <assert.h>
#include <string.h>
#include <utlist.h>

#include "sim.h"

static struct request *under_way;

void requests_reset(void)
{
    under_way = NULL; /* their memory went with the world's */
}

struct request *request_new(size_t detail_size)
{
    struct process *process = memory_enter(NULL);
    struct request *request = mem_alloc(sizeof *request + detail_size);
    memory_enter(process);
    request->process = process;
    request->detail = request + 1;
    DL_APPEND(under_way, request);
    return request;
}

static void free_when_over(struct request *request)
{
    if (loop_timer_armed(&request->effect) || loop_timer_armed(&request->reply) ||
        loop_timer_armed(&request->late))
        return;
    DL_DELETE(under_way, request);
    if (request->release)
        request->release(request);
    mem_free(request);
}

static void on_reply(void *context)
{
    struct request *request = context;
    request->answer(request);
    request->process = NULL;
    free_when_over(request);
}

static void perform(struct request *request)
{
    sim_trace("%c#%u %s", request->letter, request->number, request->what);
    request->perform(request);
}

static void on_late(void *context)
{
    struct request *request = context;
    perform(request);
    free_when_over(request);
}

static void on_effect(void *context)
{
    struct request *request = context;
    if (request->carried_out)
        perform(request);
    if (request->kills && request->process)
        process_crash(request->process, 3 * SECOND); /* sets request->process to NULL */
    if (request->process)
        loop_timer_start(process_loop(request->process), &request->reply, request->reply_ms,
                         on_reply, request);
    free_when_over(request);
}

void request_start(struct request *request, int64_t latency_ms)
{
    request->number = ++sim.requests;
    request->letter = process_letter(request->process);
    request->carried_out = true;
    request->began_ms = time_now_ms();
    request->effect_ms = time_vary(latency_ms, 20 * latency_ms);
    request->reply_ms = time_vary(latency_ms, 20 * latency_ms);
    if (request->writes)
        sim.writes++;
    struct process *process = memory_enter(NULL);
    if (request->refused) {
        request->carried_out = false;
        request->reply_kind = REPLY_NOT_SENT;
    } else if (!process_doomed(process)) {
        fault_strike(request);
    }
    if (process_doomed(process))
        request->carried_out = false; /* it dies before this leaves */
    loop_timer_start(&sim.loop, &request->effect, request->effect_ms, on_effect, request);
    if (request->late_ms > 0)
        loop_timer_start(&sim.loop, &request->late, request->late_ms, on_late, request);
    memory_enter(process);
}

void request_cancel(struct request *request)
{
    request->process = NULL;
    loop_timer_stop(&request->reply);
    free_when_over(request);
}

void requests_orphan(struct process *process)
{
    struct request *request = NULL;
    struct request *next = NULL;
    DL_FOREACH_SAFE(under_way, request, next) {
        if (request->process != process)
            continue;
        request->process = NULL;
        loop_timer_stop(&request->reply);
        request->kills = false;
    }
}

bool requests_revoking(void)
{
    const struct request *request = NULL;
    DL_FOREACH(under_way, request)
        if (request->to_deepgram && request->writes && !request->creates)
            return true;
    return false;
}

bool requests_pending(void)
{
    return under_way != NULL;
}
