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
        memory->refused_revision = memory->announced.revision;
    }
    memory->announced = (struct attempt){ 0 };
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
    memory->issued = credential;
    memory->issued_for = memory->announced;
    memory->announced = (struct attempt){ 0 };
    metrics_add(pass->runtime->metrics, METRIC_CREDENTIALS_ISSUED, 1,
                resource_kind_name(pass->kind), NULL);
    log_info("credential issued", "kind", resource_kind_name(pass->kind), "namespace",
             pass->key.namespace, "name", pass->key.name, "id", memory->issued.id, NULL);
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
    deepgram_create(pass->gathered->resource, &pass->gathered->memory->announced, &pass->request);
    deepgram_call_send(pass, &pass->admin_key, created);
}

void step_create(struct pass *pass)
{
    deepgram_call_with_key(pass, create_with_key, NULL);
}

/* ---- check ---- */

enum { NEW_KEY_LAG_MS = 30 * 1000 };

static void checked(void *context, const struct deepgram_answer *answer)
{
    struct pass *pass = context;
    struct memory *memory = pass->gathered->memory;
    struct err err = ERR_INIT;
    if (deepgram_answer_ok(DEEPGRAM_CHECK, answer, &err)) {
        memory->checked_revision = pass->step.revision;
        deepgram_call_worked(pass);
        pass_continue(pass);
        return;
    }
    if (err.kind == ERR_UNAUTHORIZED) { /* dead on arrival: never published */
        const struct world_revision *revision =
            world_revision(&pass->gathered->world, pass->step.revision);
        int64_t age_ms = pass->gathered->world.now_ms - revision->secret->issued_at_ms;
        if (age_ms > NEW_KEY_LAG_MS) /* lists lag as long: so may this */
            mem_replace(&memory->discard_id, revision->id);
        err_set(&err, ERR_TRANSIENT,
                "Deepgram doesn't accept the new credential %s (yet): it is asked again, and after "
                "half a minute revoked and another one is issued",
                revision->id);
    }
    deepgram_call_failed(pass, &err);
}

static void check_with_key(struct pass *pass, const struct secret *key)
{
    deepgram_check(&pass->request);
    deepgram_call_send(pass, key, checked);
}

static void check_read(void *context, cJSON **object, const struct err *err)
{
    struct pass *pass = context;
    struct credential credential = { 0 };
    struct err problem = ERR_INIT;
    if (err)
        pass_fail(pass, FAILURE_KUBERNETES, NULL, err);
    else if (!revision_read(*object, &credential, &problem))
        pass_fail(pass, FAILURE_KUBERNETES, NULL, &problem);
    else
        check_with_key(pass, &credential.secret);
    credential_done(&credential);
}

void step_check(struct pass *pass)
{
    const struct world_revision *revision =
        world_revision(&pass->gathered->world, pass->step.revision);
    if (pass->credential_revision == pass->step.revision)
        check_with_key(pass, &pass->credential.secret);
    else
        pass_kube(pass, KUBE_GET, &KUBE_SECRETS, revision->secret->secret_name, NULL, NULL, false,
                  check_read);
}

/* ---- list ---- */

static void end_list(struct pass *pass)
{
    struct inventory *inventory = pass->gathered->inventory;
    inventory_fail(inventory, clock_monotonic_ms(), random_u64());
    inventory_end(inventory, pass->runtime->queue);
}

/* The admin Secret can't be read or used: no failure of Deepgram's. */
static void list_without_key(struct pass *pass, const struct err *err)
{
    end_list(pass);
    if (pass->step.needed)
        deepgram_call_key_failed(pass, err);
    else
        pass_continue(pass);
}

static void list_failed(struct pass *pass, const struct err *err)
{
    end_list(pass);
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

static void list_with_key(struct pass *pass)
{
    deepgram_list(pass->kind, pass->gathered->resource->spec.project_id, &pass->request);
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
