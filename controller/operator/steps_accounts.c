/* The steps that change ServiceAccounts. imagePullSecrets is one value to the API server (see
 * api/account), so that it is changed as the cache shows it, and written with that version as
 * precondition; when somebody was faster, it is read again.
 *
 * Changes of accounts come by a watch of their own (operator/watches.h), and not by asking now and
 * then: an account that is made, or that loses its entry, is about to be used, and a pod that
 * starts without the entry never gets it. */
#include "api/account.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/log.h"
#include "base/shared_json.h"
#include "operator/steps.h"
#include "reconcile/accounts.h"
#include "reconcile/failure.h"
#include "reconcile/limiter.h"

static struct store *accounts(const struct pass *pass)
{
    return pass->runtime->caches->accounts;
}

/* A refusal concerns the accounts alone; an API server that can't be reached, everything. */
static void account_failed(struct pass *pass, const struct err *err)
{
    bool refused = err->kind == ERR_FORBIDDEN || err->kind == ERR_INVALID;
    if (err->kind == ERR_NOT_FOUND) {
        store_remove_written(accounts(pass), pass->key.namespace, pass->step.account,
                             pass->step.account_uid);
        pass_continue(pass);
    } else {
        pass_fail(pass, refused ? FAILURE_ACCOUNTS : FAILURE_KUBERNETES, NULL, err);
    }
}

static void read_account(struct pass *pass, kube_done_fn *done)
{
    pass_kube(pass, KUBE_GET, &KUBE_SERVICE_ACCOUNTS, pass->step.account, NULL, NULL, false, done);
}

static void read_again(void *context, cJSON **object, const struct err *err)
{
    struct pass *pass = context;
    if (err)
        account_failed(pass, err);
    else
        pass_written(pass, accounts(pass), object, NULL);
}

static void account_written(void *context, cJSON **object, const struct err *err)
{
    struct pass *pass = context;
    if (err && err->kind == ERR_CONFLICT) {
        read_account(pass, read_again);
        return;
    }
    if (err) {
        account_failed(pass, err);
        return;
    }
    struct memory *memory = pass->gathered->memory;
    memory->accounts_at_ms = limiter_taken(accounts_limit(&pass->gathered->world),
                                           memory->accounts_at_ms, clock_monotonic_ms());
    failure_clear(memory, FAILURE_ACCOUNTS);
    log_info("ServiceAccount changed", "kind", resource_kind_name(pass->kind), "namespace",
             pass->key.namespace, "name", pass->key.name, "account", pass->step.account, "step",
             step_name(pass->step.kind), NULL);
    pass_written(pass, accounts(pass), object, NULL);
}

typedef cJSON *patch_fn(const cJSON *account, const char *secret);

/* As the cache shows it by now, which is the precondition. */
static void change(struct pass *pass, patch_fn *patch_for)
{
    auto_shared_json const cJSON *account =
        store_get(accounts(pass), pass->key.namespace, pass->step.account);
    bool same = mem_streq(json_string_at(account, "metadata.uid"), pass->step.account_uid);
    cJSON *patch = same ? patch_for(account, pass->step.secret_name) : NULL;
    if (patch)
        pass_kube(pass, KUBE_MERGE_PATCH, &KUBE_SERVICE_ACCOUNTS, pass->step.account, NULL, patch,
                  false, account_written);
    else
        pass_continue(pass); /* it changed meanwhile */
}

static void add(struct pass *pass)
{
    change(pass, account_patch_add);
}

static void take_out(struct pass *pass)
{
    change(pass, account_patch_take);
}

/* Whose the entry is stands in status. */
void step_add_to_account(struct pass *pass)
{
    pass_if_unchanged(pass, add);
}

void step_take_from_account(struct pass *pass)
{
    pass_if_unchanged(pass, take_out);
}

static void looked(void *context, cJSON **object, const struct err *err)
{
    struct pass *pass = context;
    if (err || !mem_streq(json_string_at(*object, "metadata.uid"), pass->step.account_uid) ||
        account_lists(*object, pass->step.secret_name))
        read_again(pass, object, err);
    else
        step_report(pass);
}

/* A cache that lags would make somebody else's entry ours. */
void step_note_account(struct pass *pass)
{
    read_account(pass, looked);
}

void step_watch_accounts(struct pass *pass)
{
    watches_begin_accounts(pass->runtime->watches);
    pass_continue(pass);
}
