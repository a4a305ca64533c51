/* Merging what status, revision Secrets and memory say into one list of revisions, and the few
 * questions that several rules ask of it. */
#include "reconcile/world.h"

#include <assert.h>
#include <string.h>

#include "api/revision_number.h"
#include "base/fingerprint.h"

static struct world_revision *find(struct world *world, int64_t number)
{
    for (size_t i = 0; i < world->revision_count; i++)
        if (world->revisions[i].number == number)
            return &world->revisions[i];
    return NULL;
}

static struct world_revision *find_id(struct world *world, const char *id)
{
    for (size_t i = 0; i < world->revision_count; i++)
        if (strcmp(world->revisions[i].id, id) == 0)
            return &world->revisions[i];
    return NULL;
}

/* Inserts in ascending order. When there are too many, the oldest give way: they come back once
 * newer ones are gone. */
static struct world_revision *find_or_add(struct world *world, int64_t number)
{
    struct world_revision *found = find(world, number);
    if (found)
        return found;
    if (world->revision_count == WORLD_REVISIONS_MAX) {
        if (number < world->revisions[0].number)
            return NULL;
        memmove(world->revisions, world->revisions + 1,
                (WORLD_REVISIONS_MAX - 1) * sizeof world->revisions[0]);
        world->revision_count--;
    }
    size_t at = world->revision_count;
    while (at > 0 && world->revisions[at - 1].number > number)
        at--;
    memmove(world->revisions + at + 1, world->revisions + at,
            (world->revision_count - at) * sizeof world->revisions[0]);
    world->revision_count++;
    world->revisions[at] = (struct world_revision){ .number = number };
    return &world->revisions[at];
}

static void derive_highest(struct world *world)
{
    const struct resource *resource = world->resource;
    int64_t highest = resource->status.revision;
    for (size_t i = 0; i < resource->status.revision_count; i++)
        if (resource->status.revisions[i].number > highest)
            highest = resource->status.revisions[i].number;
    for (size_t i = 0; i < resource->attempt_count; i++)
        if (resource->attempts[i].revision > highest)
            highest = resource->attempts[i].revision;
    for (size_t i = 0; i < world->secret_count; i++)
        if (world->secrets[i].number > highest)
            highest = world->secrets[i].number;
    for (size_t i = 0; i < world->inventory.count; i++)
        if (world->inventory.entries[i].revision > highest)
            highest = world->inventory.entries[i].revision;
    if (world->target.ours && world->target.revision > highest)
        highest = world->target.revision;
    world->highest_revision = highest;
}

/* Ours by its owner; or nobody's, taken off by a deletion that was to retain it, and named here. */
bool world_belongs(const struct resource *resource, const struct revision *secret)
{
    if (secret->owner_uid)
        return strcmp(secret->owner_uid, resource->uid) == 0;
    for (size_t i = 0; i < resource->status.revision_count; i++)
        if (strcmp(resource->status.revisions[i].id, secret->id) == 0)
            return true;
    for (size_t i = 0; i < resource->attempt_count; i++)
        if (strcmp(resource->attempts[i].nonce, secret->nonce) == 0)
            return true;
    return false;
}

/* The id tells which revision the target holds: a number that a person changed must not make a
 * second revision of the same credential, of which one would be retired. */
static void derive_target(struct world *world)
{
    struct target_view *target = &world->target;
    const struct world_revision *numbered = find(world, target->revision);
    if (numbered && strcmp(numbered->id, target->id) == 0)
        return;
    const struct world_revision *held = find_id(world, target->id);
    if (held)
        target->revision = held->number;
    if (held || numbered) /* its number or its id was changed */
        target->metadata_current = false;
    if (held || numbered || target->revision <= 0)
        return;
    struct world_revision *revision = find_or_add(world, target->revision);
    if (revision)
        revision->id = target->id;
}

void world_derive(struct world *world)
{
    const struct status *status = &world->resource->status;
    world->revision_count = 0;
    for (size_t i = 0; i < status->revision_count; i++) {
        struct world_revision *revision = find_or_add(world, status->revisions[i].number);
        if (!revision)
            continue;
        revision->noted = &status->revisions[i];
        revision->id = status->revisions[i].id;
        revision->gone = status->revisions[i].state == REVISION_REVOKED;
        revision->failed = status->revisions[i].failed_at_ms != 0;
    }
    for (size_t i = 0; i < world->secret_count; i++) {
        const struct revision *secret = &world->secrets[i];
        /* A namesake's Secret counts for numbering only: its credential is not ours. */
        if (!world_belongs(world->resource, secret))
            continue;
        struct world_revision *revision = find_or_add(world, secret->number);
        if (!revision)
            continue;
        revision->id = secret->id;
        revision->secret = secret; /* also while somebody's finalizer holds it up */
        revision->failed = revision->failed || secret->failed_at_ms != 0;
    }
    if (world->target.ours && world->target.id[0] != '\0')
        derive_target(world);
    for (size_t i = 0; i < world->revision_count; i++) {
        struct world_revision *revision = &world->revisions[i];
        assert(revision->id);
        if (memory_is_gone(world->memory, revision->id))
            revision->gone = true;
    }
    derive_highest(world);
}

enum { MARKER_BELIEVED_MAX = 1000000 }; /* anybody may write one */

void world_count_markers(struct world *world)
{
    for (size_t i = 0; i < world->consumers.workload_count; i++) {
        int64_t marked = revision_number_parse(world->consumers.workloads[i].marker);
        if (marked > world->highest_revision && marked <= MARKER_BELIEVED_MAX)
            world->highest_revision = marked;
    }
}

const struct world_revision *world_newest(const struct world *world)
{
    const struct world_revision *published = world_published(world);
    for (size_t i = world->revision_count; i > 0; i--) {
        const struct world_revision *revision = &world->revisions[i - 1];
        bool too_late = published && published != revision && world_is_expired(world, revision);
        if (revision->secret && !revision->gone && !revision->failed && !too_late &&
            !mem_streq(revision->id, world->memory->discard_id))
            return revision;
    }
    return NULL;
}

const struct world_revision *world_taken_back(const struct world *world)
{
    const struct world_revision *used = world_published(world);
    if (!used || used->failed)
        used = world_newest(world);
    for (size_t i = world->revision_count; i > 0; i--) {
        const struct world_revision *revision = &world->revisions[i - 1];
        if (revision->failed && (!used || revision->number > used->number))
            return revision;
    }
    return NULL;
}

bool world_is_expired(const struct world *world, const struct world_revision *revision)
{
    return revision->secret && revision->secret->expires_at_ms != 0 &&
           revision->secret->expires_at_ms <= world->now_ms;
}

const struct world_revision *world_fallback(const struct world *world)
{
    const struct world_revision *published = world_published(world);
    for (size_t i = world->revision_count; published && i > 0; i--) {
        const struct world_revision *revision = &world->revisions[i - 1];
        if (revision->number >= published->number || !revision->secret || revision->gone ||
            revision->failed)
            continue;
        return world_is_expired(world, revision) ? NULL : revision;
    }
    return NULL;
}

const struct world_revision *world_revision(const struct world *world, int64_t number)
{
    return find((struct world *)world, number);
}

const struct world_revision *world_published(const struct world *world)
{
    if (!world->target.ours || world->target.deleting)
        return NULL;
    const struct world_revision *revision = world_revision(world, world->target.revision);
    return revision && !revision->gone ? revision : NULL;
}

bool world_target_differs(const struct world *world)
{
    return world->target.exists &&
           fingerprint(world->target.resource_version) == world->memory->target_differs;
}

bool world_is_useless(const struct world *world)
{
    return fingerprint(world->target.resource_version) == world->memory->target_useless;
}

uint64_t world_mends(const struct world *world)
{
    return fingerprint_add(fingerprint(world->admin.resource_version), world->resource->rotate);
}

bool world_holds_credential(const struct world *world)
{
    for (size_t i = 0; i < world->revision_count; i++)
        if (!world->revisions[i].gone)
            return true;
    return false;
}

bool world_attempt_open(const struct world *world, const struct attempt *attempt)
{
    const struct memory *memory = world->memory;
    const struct mint *issued = memory_issued(memory);
    return attempt->revision != memory->refused_revision &&
           !(issued && attempt->revision == issued->attempt.revision) &&
           !memory_announces(memory, attempt->nonce) && !world_revision(world, attempt->revision);
}

bool world_any_attempt_open(const struct world *world)
{
    for (size_t i = 0; i < world->resource->attempt_count; i++)
        if (world_attempt_open(world, &world->resource->attempts[i]))
            return true;
    return false;
}

/* Lists lag: one taken shortly after says nothing against it, a later one does. */
static bool is_believed_gone(const struct world *world, const char *id)
{
    int64_t gone_ms = memory_gone_ms(world->memory, id);
    return gone_ms != NEVER && world->inventory.listed_at_ms < gone_ms + world->settle_ms;
}

/* What counts as gone and is listed long after lives all the same. */
static bool named(const struct world *world, const char *id)
{
    for (size_t i = 0; i < world->revision_count; i++)
        if (!world->revisions[i].gone && strcmp(world->revisions[i].id, id) == 0)
            return true;
    for (size_t i = 0; i < world->secret_count; i++)
        if (strcmp(world->secrets[i].id, id) == 0)
            return true;
    return memory_holds(world->memory, id) || mem_streq(world->target.id, id) ||
           is_believed_gone(world, id);
}

bool inventory_view_holds(const struct inventory_view *view, const char *id)
{
    for (size_t i = 0; i < view->count; i++)
        if (mem_streq(view->entries[i].id, id))
            return true;
    return false;
}

bool world_holds_target(const struct world *world)
{
    if (world->target.ours)
        return true;
    if (!world->target.lost)
        return false;
    for (size_t i = 0; i < world->revision_count; i++)
        if (strcmp(world->revisions[i].id, world->target.id) == 0)
            return true;
    return inventory_view_holds(&world->inventory, world->target.id);
}

bool world_can_list(const struct world *world)
{
    return world->admin.state == ADMIN_USABLE || world->admin.state == ADMIN_DELETING;
}

size_t world_pods_in_use(const struct world *world)
{
    if (!world->target.exists || world_holds_target(world))
        return world->consumers.pods;
    /* Those that are newer hold what somebody else put there since. */
    bool was_ours =
        (world->resource->status.revision > 0 || world->memory->had_revision) &&
        (world->target.published_at_ms != 0 || resource_published_here(world->resource));
    return was_ours ? world->consumers.old_pods : 0;
}

bool world_is_being_adopted(const struct world *world, const struct world_revision *revision)
{
    return world->target.adopt && world->target.id[0] == '\0' && revision->secret &&
           revision->secret->nonce[0] == '\0';
}

/* Nothing tells any more what was published, and in a resource that goes, or one that this process
 * published, something may have been: there is time to wait for its pods. */
static bool is_forgotten(const struct world *world)
{
    bool was_there =
        world->resource->deleting || world->namespace_terminating || world->memory->had_published;
    return was_there && !world_published(world) && !world_holds_target(world) &&
           world->resource->status.revision == 0;
}

/* As is what the last create left. */
static bool was_never_published(const struct world *world, const struct inventory_entry *orphan)
{
    const struct resource *resource = world->resource;
    if (is_forgotten(world))
        return false;
    for (size_t i = 0; i < resource->attempt_count; i++)
        if (strcmp(resource->attempts[i].nonce, orphan->nonce) == 0)
            return true;
    return false;
}

/* What was never published, nobody can hold; anything else may have been once. */
static bool may_be_held(const struct world *world, const struct inventory_entry *orphan)
{
    if (mem_streq(world->old_target.id, orphan->id))
        return true;
    if (was_never_published(world, orphan))
        return false;
    if (world->old_target.pods > 0)
        return true;
    if (world->target.exists && !world_holds_target(world))
        return world_pods_in_use(world) > 0;
    return world_published(world) ? world->consumers.old_pods > 0 : world->consumers.pods > 0;
}

const struct inventory_entry *world_orphan(const struct world *world)
{
    for (size_t i = 0; i < world->inventory.count; i++)
        if (!named(world, world->inventory.entries[i].id))
            return &world->inventory.entries[i];
    return NULL;
}

const struct inventory_entry *world_loose_orphan(const struct world *world)
{
    for (size_t i = 0; i < world->inventory.count; i++) {
        const struct inventory_entry *entry = &world->inventory.entries[i];
        if (!named(world, entry->id) && !may_be_held(world, entry))
            return entry;
    }
    return NULL;
}
