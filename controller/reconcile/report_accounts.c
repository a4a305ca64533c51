/* As long as the accounts aren't known, what a former process wrote stands: a restart changes
 * nothing. */
#include "reconcile/report_accounts.h"

#include <stdio.h>

#include "api/condition.h"
#include "base/json.h"
#include "reconcile/accounts.h"
#include "reconcile/failure.h"

#define CONDITION "ServiceAccountsUpdated"

/* ---- serviceAccounts[] ---- */

static void add_note(cJSON *notes, const char *name, const char *uid, const char *secret_name)
{
    if (cJSON_GetArraySize(notes) >= STATUS_ACCOUNTS_MAX)
        return;
    cJSON *note = cJSON_CreateObject();
    cJSON_AddItemToArray(notes, note);
    json_add_string(note, "name", name);
    json_add_string(note, "uid", uid);
    json_add_string(note, "secretName", secret_name);
}

void report_accounts(cJSON *status, const struct world *world, const struct verdict *verdict)
{
    const struct status *before = &world->resource->status;
    cJSON *notes = cJSON_CreateArray();
    for (size_t i = 0; i < before->account_count; i++)
        if (world->accounts.state != ACCOUNTS_KNOWN || accounts_note_counts(world, i))
            add_note(notes, before->accounts[i].name, before->accounts[i].uid,
                     before->accounts[i].secret_name);
    for (size_t i = 0; i < world->accounts.count; i++)
        if (verdict->noting && mem_streq(world->accounts.items[i].uid, verdict->noting))
            add_note(notes, world->accounts.items[i].name, world->accounts.items[i].uid,
                     world->resource->spec.secret_name);
    if (cJSON_GetArraySize(notes) > 0)
        cJSON_AddItemToObject(status, "serviceAccounts", notes);
    else
        cJSON_Delete(notes);
}

/* ---- the condition ---- */

static void set(cJSON *conditions, const struct world *world, const char *status,
                const char *reason, const char *message)
{
    condition_set(conditions,
                  &(struct condition){
                      .type = CONDITION, .status = status, .reason = reason, .message = message },
                  world->resource->generation, world->now_ms);
}

static void tell_contested(cJSON *conditions, const struct world *world)
{
    const char *secret = world->resource->spec.secret_name;
    const char *account = accounts_lacking(world)->name;
    auto_free char *message =
        mem_printf("Somebody else takes Secret %s out of the imagePullSecrets of ServiceAccount %s "
                   "each time it was put there, so that is done only now and then: find out who "
                   "(kubectl get serviceaccount %s -o yaml --show-managed-fields) and name the "
                   "Secret there too, or take the account off spec.serviceAccounts",
                   secret, account, account);
    set(conditions, world, "False", "ServiceAccountConflict", message);
}

static void tell_missing(cJSON *conditions, const struct world *world, const char *account)
{
    auto_free char *message =
        mem_printf("ServiceAccount %s doesn't exist: create it, or take it off "
                   "spec.serviceAccounts. Secret %s is put into its imagePullSecrets as soon as it "
                   "is there",
                   account, world->resource->spec.secret_name);
    set(conditions, world, "False", "ServiceAccountNotFound", message);
}

static const char *missing(const struct world *world)
{
    for (size_t i = 0; i < world->accounts.count; i++)
        if (!world->accounts.items[i].uid)
            return world->accounts.items[i].name;
    return NULL;
}

static void tell_how_it_stands(cJSON *conditions, const struct world *world)
{
    if (accounts_contested(world)) {
        tell_contested(conditions, world);
    } else if (missing(world)) {
        tell_missing(conditions, world, missing(world));
    } else if (!accounts_lacking(world)) {
        auto_free char *message =
            mem_printf("Secret %s is among the imagePullSecrets of every ServiceAccount that "
                       "spec.serviceAccounts names",
                       world->resource->spec.secret_name);
        set(conditions, world, "True", "Updated", message);
    }
}

void report_accounts_condition(cJSON *conditions, const struct world *world)
{
    const struct failure *failure = world->memory->failures[FAILURE_ACCOUNTS];
    if (!accounts_used(world) || world->resource->deleting)
        condition_remove(conditions, CONDITION);
    else if (world->accounts.refusal)
        set(conditions, world, "False", "KubernetesForbidden", world->accounts.refusal);
    else if (failure_holds(world, FAILURE_ACCOUNTS))
        set(conditions, world, "False", failure->reason, failure->message);
    else if (world->accounts.state == ACCOUNTS_KNOWN && world->accounts.count == 0)
        condition_remove(conditions, CONDITION);
    else if (world->accounts.state == ACCOUNTS_KNOWN && world_published(world))
        tell_how_it_stands(conditions, world);
}
