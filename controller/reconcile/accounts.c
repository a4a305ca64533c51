/* Which entries belong where follows from spec and status alone; the watch tells what is there. */
#include "reconcile/accounts.h"

#include <string.h>

#include "reconcile/failure.h"
#include "reconcile/limiter.h"

/* A right that is missing holds a deletion up for so many tries: an API server that has just
 * started refuses everything for a moment. */
enum { TRIES_OF_A_DELETION = 5 };

bool accounts_used(const struct world *world)
{
    return world->accounts.count > 0 || world->resource->status.account_count > 0;
}

struct limit accounts_limit(const struct world *world)
{
    return account_limit(world->accounts.count + world->resource->status.account_count);
}

static int64_t allowed_ms(const struct world *world)
{
    return limiter_allowed_ms(accounts_limit(world), world->memory->accounts_at_ms);
}

/* ---- whose entry belongs where ---- */

static const struct account_view *find(const struct world *world, const char *name)
{
    for (size_t i = 0; i < world->accounts.count; i++)
        if (strcmp(world->accounts.items[i].name, name) == 0)
            return &world->accounts.items[i];
    return NULL;
}

static bool is_target(const struct world *world, const char *secret)
{
    return strcmp(secret, world->resource->spec.secret_name) == 0;
}

static bool belongs(const struct world *world, const struct status_account *note)
{
    const struct account_view *account = find(world, note->name);
    return account && mem_streq(account->uid, note->uid) && is_target(world, note->secret_name) &&
           !world->resource->deleting;
}

bool accounts_note_counts(const struct world *world, size_t i)
{
    return world->accounts.held[i] || belongs(world, &world->resource->status.accounts[i]);
}

bool accounts_noted(const struct world *world, const struct account_view *account)
{
    const struct status *status = &world->resource->status;
    for (size_t i = 0; i < status->account_count; i++) {
        const struct status_account *note = &status->accounts[i];
        if (strcmp(note->name, account->name) == 0 && belongs(world, note))
            return true;
    }
    return false;
}

const struct account_view *accounts_lacking(const struct world *world)
{
    if (!world_published(world) || world->resource->deleting)
        return NULL;
    for (size_t i = 0; i < world->accounts.count; i++)
        if (world->accounts.items[i].uid && !world->accounts.items[i].listed)
            return &world->accounts.items[i];
    return NULL;
}

/* An account keeps the earlier name until it has the new one. */
static const struct status_account *left_over(const struct world *world)
{
    const struct status *status = &world->resource->status;
    for (size_t i = 0; i < status->account_count; i++) {
        const struct status_account *note = &status->accounts[i];
        bool may_go =
            world->resource->deleting || world_published(world) || !find(world, note->name);
        if (world->accounts.held[i] && !belongs(world, note) && may_go)
            return note;
    }
    return NULL;
}

bool accounts_hold(const struct world *world, const char *secret_name)
{
    const struct status *status = &world->resource->status;
    if (world->accounts.refusal || failure_holds(world, FAILURE_ACCOUNTS))
        return false;
    for (size_t i = 0; i < status->account_count; i++)
        if ((world->accounts.state != ACCOUNTS_KNOWN || world->accounts.held[i]) &&
            mem_streq(status->accounts[i].secret_name, secret_name))
            return true;
    return false;
}

bool accounts_contested(const struct world *world)
{
    const struct account_view *lacking = accounts_lacking(world);
    return lacking && accounts_noted(world, lacking) && allowed_ms(world) > world->monotonic_ms;
}

/* ---- the rules ---- */

static bool take_out(struct step *step, const struct status_account *note)
{
    step->account = note->name;
    step->account_uid = note->uid;
    step->secret_name = note->secret_name;
    return rule_step(step, STEP_TAKE_FROM_ACCOUNT);
}

static bool put_in(const struct world *world, struct step *step, const struct account_view *account)
{
    step->account = account->name;
    step->account_uid = account->uid;
    step->secret_name = world->resource->spec.secret_name;
    if (accounts_noted(world, account))
        return rule_step(step, STEP_ADD_TO_ACCOUNT);
    step->verdict.kind = VERDICT_READY;
    step->verdict.noting = account->uid;
    return rule_step(step, STEP_NOTE_ACCOUNT);
}

bool rule_tend_accounts(const struct world *world, struct step *step)
{
    if (!accounts_used(world))
        return false;
    if (world->accounts.state == ACCOUNTS_UNWATCHED)
        return rule_step(step, STEP_WATCH_ACCOUNTS);
    if (world->accounts.state == ACCOUNTS_LOADING || failure_holds(world, FAILURE_ACCOUNTS) ||
        allowed_ms(world) > world->monotonic_ms)
        return false;
    const struct account_view *lacking = accounts_lacking(world);
    bool full = world->resource->status.account_count >= STATUS_ACCOUNTS_MAX;
    if (lacking && (!full || accounts_noted(world, lacking)))
        return put_in(world, step, lacking);
    const struct status_account *note = left_over(world);
    return note && take_out(step, note);
}

int64_t accounts_again_ms(const struct world *world)
{
    if (world->accounts.state != ACCOUNTS_KNOWN || !accounts_used(world))
        return INT64_MAX;
    if (failure_holds(world, FAILURE_ACCOUNTS))
        return world->memory->failures[FAILURE_ACCOUNTS]->retry_at_ms;
    bool waits =
        (accounts_lacking(world) || left_over(world)) && allowed_ms(world) > world->monotonic_ms;
    return waits ? allowed_ms(world) : INT64_MAX;
}

static bool wait_for_rights(const struct world *world, struct step *step)
{
    const struct failure *failure = world->memory->failures[FAILURE_ACCOUNTS];
    return failure->count < TRIES_OF_A_DELETION &&
           rule_verdict(step, VERDICT_TERMINATING, failure->reason, failure->retry_at_ms,
                        "%s: before the resource goes, its Secret is to be taken out of the "
                        "imagePullSecrets of ServiceAccounts. If that can't be done soon, its name "
                        "stays there",
                        failure->message);
}

bool rule_leave_accounts(const struct world *world, struct step *step)
{
    const struct resource *resource = world->resource;
    if (resource->spec.deletion_policy == DELETION_RETAIN || world->namespace_terminating ||
        resource->status.account_count == 0)
        return false;
    if (world->accounts.state == ACCOUNTS_UNWATCHED)
        return rule_step(step, STEP_WATCH_ACCOUNTS);
    if (world->accounts.state == ACCOUNTS_LOADING)
        return !world->accounts.refusal && rule_wait(step, INT64_MAX);
    const struct status_account *note = left_over(world);
    if (!note)
        return false;
    return failure_holds(world, FAILURE_ACCOUNTS) ? wait_for_rights(world, step)
                                                  : take_out(step, note);
}
