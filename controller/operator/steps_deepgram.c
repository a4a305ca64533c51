/* The steps at Deepgram. Each reads the admin Secret just before it is used, so that nobody's key
 * is kept in memory or used for another namespace, and asks once more whether this process may
 * write. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/log.h"
#include "base/random.h"
#include "operator/deepgram_call.h"
#include "operator/steps.h"
#include "reconcile/failure.h"
#include "reconcile/limiter.h"

/* ---- create ---- */

static void create_refused(struct pass *pass, const struct err *err)
{
    struct memory *memory = pass->gathered->memory;
    if (err->kind == ERR_UNKNOWN_OUTCOME) {
        memory->unknown_ms = clock_monotonic_ms();
        metrics_add(pass->runtime->metrics, METRIC_UNKNOWN_OUTCOMES, 1,
                    resource_kind_name(pass->kind), NULL);
    } else {
        memory->refused_revision = memory->mint->attempt.revision;
    }
    memory_end_mint(memory);
    deepgram_call_failed(pass, err);
}

static void created(void *context, const struct deepgram_answer *answer)
{
    struct pass *pass = context;
    struct memory *memory = pass->gathered->memory;
    struct credential credential = { 0 };
    struct err err = ERR_INIT;
    if (!deepgram_created(pass->kind, answer, &credential, &err)) {
        credential_done(&credential);
        create_refused(pass, &err);
        return;
    }
    memory_issue(memory, &credential);
    metrics_add(pass->runtime->metrics, METRIC_CREDENTIALS_ISSUED, 1,
                resource_kind_name(pass->kind), NULL);
    log_info("credential issued", "kind", resource_kind_name(pass->kind), "namespace",
             pass->key.namespace, "name", pass->key.name, "id", memory->mint->credential.id, NULL);
    deepgram_call_worked(pass);
    pass_continue(pass);
}

/* Whatever comes of it: it counts. */
static void note_mint(struct pass *pass)
{
    int64_t now_ms = clock_monotonic_ms();
    struct memory *memory = pass->gathered->memory;
    memory->mint_at_ms = limiter_taken(MINT_LIMIT_RESOURCE, memory->mint_at_ms, now_ms);
    inventory_note_mint(pass->gathered->inventory, now_ms);
}

static void create_with_key(struct pass *pass)
{
    if (!deepgram_call_allowed(pass))
        return;
    note_mint(pass);
    deepgram_create(pass->gathered->resource, memory_announced(pass->gathered->memory),
                    &pass->request);
    deepgram_call_send(pass, &pass->admin_key, created);
}

void step_create(struct pass *pass)
{
    deepgram_call_with_key(pass, create_with_key, NULL);
}

/* ---- list ---- */

static void end_list(struct pass *pass, const struct err *err)
{
    struct inventory *inventory = pass->gathered->inventory;
    inventory_fail(inventory, err, clock_monotonic_ms(), random_u64());
    inventory_end(inventory, pass->runtime->queue);
}

/* The admin Secret can't be read or used: no failure of Deepgram's, and nothing else waits for a
 * routine list. But a pause that the API server asks for is one for the whole pass. */
static void list_without_key(struct pass *pass, const struct err *err)
{
    end_list(pass, err);
    if (pass->step.needed || err->kind == ERR_THROTTLED)
        deepgram_call_key_failed(pass, err);
    else
        pass_continue(pass);
}

static void list_failed(struct pass *pass, const struct err *err)
{
    end_list(pass, err);
    if (pass->step.needed) {
        deepgram_call_failed(pass, err);
        return;
    }
    deepgram_call_pause(pass, err);
    log_warn("inventory failed", "kind", resource_kind_name(pass->kind), "namespace",
             pass->key.namespace, "name", pass->key.name, "error", err->message, NULL);
    pass_continue(pass);
}

static void listed(void *context, const struct deepgram_answer *answer)
{
    struct pass *pass = context;
    struct inventory *inventory = pass->gathered->inventory;
    struct deepgram_list list = { 0 };
    struct err err = ERR_INIT;
    if (!deepgram_listed(pass->kind, answer, &list, &err)) {
        deepgram_list_done(&list);
        list_failed(pass, &err);
        return;
    }
    inventory_set(inventory, &list, pass->sent_ms);
    inventory_end(inventory, pass->runtime->queue);
    if (pass->step.needed)
        failure_clear_but_unknown(pass->gathered->memory);
    pass_continue(pass);
}

/* A thousand namespaces that share a project would each keep what belongs to all. Who can use the
 * default credentials may be anywhere. */
static void leave_out_other_namespaces(const struct pass *pass, struct deepgram_listing *listing)
{
    const struct admin_view *admin = &pass->gathered->world.admin;
    const struct caches *caches = pass->runtime->caches;
    if (caches_is_default_credentials(caches, admin->namespace, admin->name))
        return;
    size_t count = 0;
    uint64_t *uids = store_uids_outside(caches->resources[pass->kind], admin->namespace, &count);
    deepgram_listing_leave_out(listing, uids, count);
}

static void list_with_key(struct pass *pass)
{
    deepgram_list(pass->kind, pass->gathered->resource->spec.project_id, &pass->request);
    leave_out_other_namespaces(pass, pass->request.listing);
    deepgram_call_send(pass, &pass->admin_key, listed);
}

void step_list(struct pass *pass)
{
    if (!inventory_begin(pass->gathered->inventory, pass->key.kind, pass->key.namespace,
                         pass->key.name)) {
        pass_end(pass);
        return;
    }
    deepgram_call_with_key(pass, list_with_key, list_without_key);
}
