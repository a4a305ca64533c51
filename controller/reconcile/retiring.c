/* Revoked too early, a credential stops its pods; not at all, it leaks: each condition stands for
 * one way to lose a pod. */
#include "reconcile/retiring.h"

#include <string.h>

#include "reconcile/accounts.h"
#include "reconcile/verify.h"

/* When the next routine list may be sent; every resource comes by, the first one sends it. */
static int64_t next_list_ms(const struct world *world)
{
    const struct inventory_view *inventory = &world->inventory;
    int64_t next = inventory->due_ms;
    if (inventory->blocked_until_ms > next)
        next = inventory->blocked_until_ms;
    return world->project_blocked_until_ms > next ? world->project_blocked_until_ms : next;
}

/* One list a project now and then, whoever of its resources comes first. */
bool rule_refresh_inventory(const struct world *world, struct step *step)
{
    return world_can_list(world) && next_list_ms(world) <= world->monotonic_ms &&
           rule_step(step, STEP_LIST);
}

/* Lists lag, and the last one knows nothing of what came after it. */
static bool should_be_listed(const struct world *world, const struct world_revision *revision)
{
    int64_t issued = revision->secret  ? revision->secret->issued_at_ms
                     : revision->noted ? revision->noted->issued_at_ms
                                       : 0;
    return rules_monotonic(world, issued + world->settle_ms) <= world->inventory.listed_at_ms;
}

/* Not in the list although it should be: asked for by name, because a list alone proves nothing. */
bool rule_confirm_missing(const struct world *world, struct step *step)
{
    int64_t listed_at = world->inventory.listed_at_ms;
    if (listed_at == NEVER || !world_can_list(world) || rules_deepgram_rests(world))
        return false;
    for (size_t i = 0; i < world->revision_count; i++) {
        const struct world_revision *revision = &world->revisions[i];
        if (revision->gone || revision->listed || !should_be_listed(world, revision) ||
            memory_is_confirmed(world->memory, revision->id, listed_at))
            continue;
        step->revision = revision->number;
        step->id = revision->id;
        return rule_step(step, STEP_CONFIRM);
    }
    return false;
}

/* Pods that may still hold it. */
static size_t holders(const struct world *world, const struct world_revision *revision)
{
    if (world->resource->spec.rollout_mode == ROLLOUT_IGNORE)
        return 0;
    bool taken_back = revision->number > world_published(world)->number;
    size_t pods = taken_back ? world->consumers.failed_pods : world->consumers.old_pods;
    return world->old_target.pods + pods;
}

/* What was adopted twice, as its first revision Secret was deleted, goes with the later one. */
static bool has_newer_twin(const struct world *world, const struct world_revision *revision)
{
    for (size_t i = 0; i < world->revision_count; i++)
        if (world->revisions[i].number > revision->number &&
            strcmp(world->revisions[i].id, revision->id) == 0)
            return true;
    return false;
}

/* Replaced by what is published, its overlap over, and no pod left that may still hold it. */
static bool may_retire(const struct world *world, const struct world_revision *revision)
{
    const struct world_revision *published = world_published(world);
    return published && (revision->number < published->number || revision->failed) &&
           strcmp(revision->id, published->id) != 0 && !has_newer_twin(world, revision) &&
           !revision->gone && revision->noted && revision->noted->state == REVISION_RETIRING &&
           !world->old_target.exists && world->now_ms >= revision->noted->revoke_after_ms &&
           holders(world, revision) == 0 && (revision->failed || verify_is_done(world));
}

/* Found alive since it was published: another leader, or a person, may have revoked it. */
static bool is_proven(const struct world *world, const struct world_revision *published)
{
    enum { WHOLE_SECOND_MS = 1000 }; /* that is how the publication is noted */
    int64_t listed_at = world->inventory.listed_at_ms;
    int64_t published_at = world->target.published_at_ms + WHOLE_SECOND_MS;
    return memory_is_confirmed(world->memory, published->id, listed_at) ||
           (published->listed && listed_at >= rules_monotonic(world, published_at));
}

/* The one that took over is asked for before its predecessor goes: it may be the last that lives.
 */
bool rule_revoke_retired(const struct world *world, struct step *step)
{
    const struct world_revision *published = world_published(world);
    for (size_t i = 0; i < world->revision_count; i++) {
        if (!may_retire(world, &world->revisions[i]))
            continue;
        if (rule_admin_problem(world, step, false) || rule_wait_for_deepgram(world, step))
            return true;
        if (!world->revisions[i].failed && !is_proven(world, published)) {
            step->revision = published->number;
            step->id = published->id;
            return rule_step(step, STEP_CONFIRM);
        }
        step->id = world->revisions[i].id;
        step->why = "Retired";
        return rule_step(step, STEP_REVOKE);
    }
    return false;
}

/* spec.secret.name was changed: the old target goes once no pod refers to it, nor any account that
 * further pods are made with. */
bool rule_drop_old_target(const struct world *world, struct step *step)
{
    const struct world_revision *published = world_published(world);
    const struct old_target_view *old = &world->old_target;
    if (!old->exists || old->deleting || old->pods > 0 || !published ||
        published->number != world->resource->status.revision || accounts_hold(world, old->name))
        return false;
    step->secret_name = old->name;
    return rule_step(step, STEP_DELETE_TARGET);
}

int64_t retiring_again_ms(const struct world *world)
{
    int64_t again = world_can_list(world) ? next_list_ms(world) : INT64_MAX;
    for (size_t i = 0; i < world->resource->status.revision_count; i++) {
        const struct status_revision *noted = &world->resource->status.revisions[i];
        if (noted->state != REVISION_RETIRING)
            continue;
        again = rules_sooner(again, rules_poll_pods_ms(world));
        if (noted->revoke_after_ms > world->now_ms)
            again = rules_sooner(again, rules_monotonic(world, noted->revoke_after_ms));
    }
    return again;
}
