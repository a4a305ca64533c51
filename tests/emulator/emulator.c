/* The life of a request: who asks, which fault hits it, its effect, its entry in the journal.
 * Effects happen on arrival even when the answer is slow: a client that gives up waiting has a
 * credential at Deepgram that it knows nothing of. */

#include "emulator.h"

#include <string.h>

#include "access.h"
#include "admin.h"
#include "api.h"
#include "timestamp.h"

void emulator_init(struct emulator *emulator, const struct settings *settings)
{
    *emulator = (struct emulator){ .settings = *settings, .initial_settings = *settings };
}

void emulator_reset(struct emulator *emulator)
{
    state_reset(&emulator->state);
    faults_clear(&emulator->faults);
    faults_seed(&emulator->faults, 0);
    journal_clear(&emulator->journal);
    emulator->settings = emulator->initial_settings;
    emulator->generation++;
}

static struct call call_make(struct emulator *emulator, const struct request *request,
                             const struct route *route)
{
    return (struct call){
        .state = &emulator->state,
        .settings = &emulator->settings,
        .request = request,
        .route = route,
        .now_ms = timestamp_now_ms(),
        .actor = access_find_actor(&emulator->state, request->authorization),
    };
}

static void handle_api(struct emulator *emulator, const struct request *request, struct plan *plan)
{
    struct route route = route_match(request->method, request->path);
    struct call call = call_make(emulator, request, &route);
    const struct fault *fault = faults_take(&emulator->faults, &route);

    plan->delay_ms = emulator->settings.latency_ms;
    plan->seq = journal_add(&emulator->journal, &call, fault ? fault_name(fault) : NULL,
                            ++emulator->in_flight);
    if (!fault || fault_carries_out(fault)) {
        api_carry_out(&call);
        journal_set_credential(&emulator->journal, plan->seq, call.credential_id);
        plan->reply = call.reply;
    }
    plan->fault = fault ? fault_name(fault) : NULL;
    if (fault)
        fault_shape(fault, plan);
    bool answered = plan->ending == ENDING_ANSWER || plan->ending == ENDING_CUT;
    journal_set_status(&emulator->journal, plan->seq, answered ? plan->reply.status : 0);
    route_done(&route);
}

void emulator_handle(struct emulator *emulator, struct request *request, struct plan *ret_plan)
{
    const char admin[] = "/admin/";
    *ret_plan = (struct plan){ .ending = ENDING_ANSWER, .generation = emulator->generation };
    if (request->body)
        request->json = cJSON_ParseWithOpts(request->body, NULL, true);
    if (strncmp(request->path, admin, sizeof admin - 1) == 0)
        admin_handle(emulator, request, &ret_plan->reply);
    else
        handle_api(emulator, request, ret_plan);
}

void emulator_ended(struct emulator *emulator, const struct plan *plan)
{
    if (plan->seq)
        emulator->in_flight--;
}

void emulator_carry_out_late(struct emulator *emulator, const struct request *request,
                             const struct plan *plan)
{
    if (plan->generation != emulator->generation)
        return;
    struct route route = route_match(request->method, request->path);
    struct call call = call_make(emulator, request, &route);
    api_carry_out(&call);
    journal_set_credential(&emulator->journal, plan->seq, call.credential_id);
    reply_done(&call.reply);
    route_done(&route);
}
