/* Only lookups and no judgement: what the facts mean is decided in reconcile/. */
#include "operator/gather.h"

#include <string.h>

#include "api/name.h"
#include "api/revision_number.h"
#include "api/target.h"
#include "api/timestamp.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/shared_json.h"
#include "deepgram/request.h"
#include "operator/accounts.h"
#include "operator/consumers.h"

static void gather_secret(void *context, const cJSON *secret)
{
    struct gathered *gathered = context;
    gathered->secrets =
        mem_realloc(gathered->secrets, (gathered->secret_count + 1) * sizeof gathered->secrets[0]);
    gathered->secrets[gathered->secret_count++] = shared_json_hold(secret);
}

static void gather_revisions(struct runtime *runtime, struct gathered *gathered)
{
    const struct resource *resource = gathered->resource;
    auto_free char *key = caches_revision_key(resource->kind, resource->namespace, resource->name);
    store_visit(runtime->caches->secrets, key, gather_secret, gathered);
    gathered->revisions = mem_calloc(gathered->secret_count, sizeof gathered->revisions[0]);
    size_t count = 0;
    for (size_t i = 0; i < gathered->secret_count; i++)
        if (revision_parse(gathered->secrets[i], &gathered->revisions[count]))
            count++;
    gathered->world.secrets = gathered->revisions;
    gathered->world.secret_count = count;
}

static char *other_owner(const cJSON *secret)
{
    const cJSON *owner = owner_controller(secret);
    return owner ? mem_printf("%s/%s", mem_or_empty(json_string_member(owner, "kind")),
                              mem_or_empty(json_string_member(owner, "name")))
                 : mem_strdup("");
}

/* By a revision Secret, or, as that may have gone first, by status or by Deepgram's list. */
static bool is_known(const struct gathered *gathered, const char *id)
{
    const struct status *status = &gathered->resource->status;
    for (size_t i = 0; i < gathered->world.secret_count; i++)
        if (mem_streq(id, gathered->revisions[i].id))
            return true;
    for (size_t i = 0; i < status->revision_count; i++)
        if (mem_streq(id, status->revisions[i].id))
            return true;
    return inventory_view_holds(&gathered->world.inventory, id);
}

/* Made for this resource: it says so, holds a credential of ours, and nobody controls it. */
static bool is_lost(const struct gathered *gathered, const cJSON *secret)
{
    const struct resource *resource = gathered->resource;
    const cJSON *annotations = json_at(secret, "metadata.annotations");
    auto_free char *owner = other_owner(secret);
    return owner[0] == '\0' &&
           resource_is_named(resource, json_string_member(annotations, ANNOTATION_RESOURCE)) &&
           is_known(gathered, json_string_member(annotations, ANNOTATION_ID));
}

/* The target of another resource, which somebody took its owner off? It takes it over again. */
static bool is_of_another(const struct runtime *runtime, const struct resource *resource,
                          const cJSON *secret)
{
    auto_shared_json const cJSON *named = caches_resource_named(runtime->caches, secret);
    return named && !mem_streq(json_string_at(named, "metadata.uid"), resource->uid);
}

static void gather_target(struct runtime *runtime, struct gathered *gathered)
{
    const struct resource *resource = gathered->resource;
    struct target_view *view = &gathered->world.target;
    gathered->target =
        store_get(runtime->caches->secrets, resource->namespace, resource->spec.secret_name);
    const cJSON *target = gathered->target;
    const cJSON *annotations = json_at(target, "metadata.annotations");
    gathered->target_owner = other_owner(target);
    view->exists = target != NULL;
    view->ours = owned_by(target, resource->uid);
    view->lost = is_lost(gathered, target);
    view->adopt = target && gathered->target_owner[0] == '\0' &&
                  mem_streq(json_string_member(annotations, ANNOTATION_ADOPT), "true") &&
                  !is_of_another(runtime, resource, target);
    view->anchored = owner_is_anchored(target);
    view->deleting = json_at(target, "metadata.deletionTimestamp") != NULL;
    view->resource_version = mem_or_empty(json_string_at(target, "metadata.resourceVersion"));
    view->uid = mem_or_empty(json_string_at(target, "metadata.uid"));
    view->owner = gathered->target_owner;
    view->revision = revision_number_parse(json_string_member(annotations, ANNOTATION_REVISION));
    const char *id = json_string_member(annotations, ANNOTATION_ID);
    view->id = name_is_credential_id(id) ? id : "";
    view->published_at_ms = target_published_ms(target);
    view->metadata_current =
        view->published_at_ms != 0 && target_metadata_current(resource, view->revision, target);
    int64_t made_ms = timestamp_or(json_string_at(target, "metadata.creationTimestamp"), 0);
    if (view->published_at_ms == 0 && !view->ours && resource_published_here(resource) &&
        made_ms > resource->status.published_at_ms)
        view->published_at_ms = made_ms;
    view->updated = target_was_updated(target);
}

/* The default credentials are shared: nobody gets a key from them that can manage others. */
static bool asks_for_products_only(const struct resource *resource)
{
    const cJSON *scope = NULL;
    cJSON_ArrayForEach(scope, resource->spec.scopes)
        if (strncmp(scope->valuestring, "self-hosted:", strlen("self-hosted:")) != 0)
            return false;
    return true;
}

static enum admin_state admin_state(const struct runtime *runtime, const struct gathered *gathered)
{
    const struct resource *resource = gathered->resource;
    const struct admin_view *view = &gathered->world.admin;
    if (view->is_default &&
        !options_default_credentials_allowed(runtime->options, resource->namespace))
        return ADMIN_NOT_ALLOWED;
    if (!view->is_default && !gathered->admin)
        return ADMIN_MISSING;
    if (view->is_default && resource->kind == RESOURCE_API_KEY &&
        resource->spec.role > runtime->options->max_role)
        return ADMIN_ROLE_TOO_HIGH;
    if (view->is_default && !asks_for_products_only(resource))
        return ADMIN_SCOPE_NOT_ALLOWED;
    return json_at(gathered->admin, "metadata.deletionTimestamp") ? ADMIN_DELETING : ADMIN_USABLE;
}

static void gather_admin(struct runtime *runtime, struct gathered *gathered)
{
    const struct resource *resource = gathered->resource;
    const struct options *options = runtime->options;
    struct admin_view *view = &gathered->world.admin;
    view->is_default = resource->spec.credentials_name == NULL;
    view->namespace = view->is_default ? mem_or_empty(options->default_credentials_namespace)
                                       : resource->namespace;
    view->name = view->is_default ? mem_or_empty(options->default_credentials_name)
                                  : resource->spec.credentials_name;
    view->key = view->is_default ? CREDENTIALS_DEFAULT_KEY : resource->spec.credentials_key;
    gathered->admin = store_get(runtime->caches->secrets, view->namespace, view->name);
    view->resource_version =
        mem_or_empty(json_string_at(gathered->admin, "metadata.resourceVersion"));
    view->marked = view->is_default || caches_is_marked(gathered->admin);
    view->state = admin_state(runtime, gathered);
}

/* ---- a target of an earlier name ---- */

static bool is_old_name(const struct resource *resource, const char *name)
{
    return name && name[0] != '\0' && !mem_streq(name, resource->spec.secret_name);
}

/* One that is no longer ours stays where it is, but its pods still hold what we put into it. */
static void keep_old_target(void *context, const cJSON *secret)
{
    struct gathered *gathered = context;
    const char *name = json_string_at(secret, "metadata.name");
    if (!is_old_name(gathered->resource, name))
        return;
    if (owned_by(secret, gathered->resource->uid)) {
        if (!gathered->old_target)
            gathered->old_target = shared_json_hold(secret);
    } else if (is_lost(gathered, secret)) {
        mem_replace(&gathered->lost_target_name, name);
    }
}

struct old_pods {
    struct gathered *gathered;
    const char *gone; /* its name, when no Secret of it holds the credential any more */
    int64_t until_ms; /* what was created later holds something else */
};

/* A node reads pull credentials each time that it pulls: of what is gone it holds none. */
static bool only_pulled(const struct old_pods *old, const cJSON *pod)
{
    return old->gone && json_has_string(json_member(pod, "pulls"), old->gone);
}

static void count_old_target_pod(void *context, const cJSON *pod)
{
    const struct old_pods *old = context;
    struct gathered *gathered = old->gathered;
    if (json_bool_at(pod, "finished", false) || only_pulled(old, pod) ||
        timestamp_or(json_string_at(pod, "metadata.creationTimestamp"), 0) > old->until_ms)
        return;
    gathered->world.old_target.pods++;
    if (!gathered->old_target_example)
        gathered->old_target_example = mem_strdup(json_string_at(pod, "metadata.name"));
}

/* Are there any? */
static bool count_pods_of(const struct runtime *runtime, const char *name, struct old_pods old)
{
    struct gathered *gathered = old.gathered;
    gathered->world.old_target.name = name;
    auto_free char *pods = caches_pod_key(gathered->resource->namespace, name);
    store_visit(runtime->caches->pods, pods, count_old_target_pod, &old);
    return gathered->world.old_target.pods > 0;
}

/* Until when pods may have got the revision: somebody else's Secret may be there since. One that is
 * older than the revision is the very Secret that held it. */
static int64_t held_until_ms(const cJSON *secret, const struct revision *revision)
{
    int64_t made_ms = timestamp_or(json_string_at(secret, "metadata.creationTimestamp"),
                                   target_published_ms(secret));
    return made_ms > revision->issued_at_ms ? made_ms + PUBLICATION_SKEW_MS : INT64_MAX;
}

/* The Secret is gone or somebody else's, and its pods run on: the revision tells for which it was
 * issued. */
static bool count_pods_left(const struct runtime *runtime, struct gathered *gathered,
                            const struct revision *revision)
{
    const struct resource *resource = gathered->resource;
    const char *name = revision->issued_for;
    if (!is_old_name(resource, name) || !world_belongs(resource, revision))
        return false;
    auto_shared_json const cJSON *secret =
        store_get(runtime->caches->secrets, resource->namespace, name);
    bool holds_it = mem_streq(
        json_string_member(json_at(secret, "metadata.annotations"), ANNOTATION_ID), revision->id);
    struct old_pods left = { gathered, holds_it ? NULL : name, held_until_ms(secret, revision) };
    return count_pods_of(runtime, name, left);
}

static void gather_old_target(struct runtime *runtime, struct gathered *gathered)
{
    const struct resource *resource = gathered->resource;
    struct old_target_view *view = &gathered->world.old_target;
    auto_free char *key = caches_owned_key(resource->kind, resource->namespace, resource->name);
    store_visit(runtime->caches->secrets, key, keep_old_target, gathered);
    view->exists = gathered->old_target != NULL;
    const char *name = json_string_at(gathered->old_target, "metadata.name");
    if (!view->exists)
        name =
            gathered->lost_target_name ? gathered->lost_target_name : resource->status.secret_name;
    bool found = is_old_name(resource, name) &&
                 count_pods_of(runtime, name, (struct old_pods){ gathered, NULL, INT64_MAX });
    found = found || view->exists;
    for (size_t i = 0; i < gathered->world.secret_count && !found; i++)
        found = count_pods_left(runtime, gathered, &gathered->revisions[i]);
    view->example = mem_or_empty(gathered->old_target_example);
    view->deleting = json_at(gathered->old_target, "metadata.deletionTimestamp") != NULL;
    view->uid = json_string_at(gathered->old_target, "metadata.uid");
    view->resource_version = json_string_at(gathered->old_target, "metadata.resourceVersion");
    view->id =
        json_string_member(json_at(gathered->old_target, "metadata.annotations"), ANNOTATION_ID);
}

static size_t count_resources(const struct runtime *runtime)
{
    return store_count(runtime->caches->resources[RESOURCE_API_KEY]) +
           store_count(runtime->caches->resources[RESOURCE_PULL_SECRET]);
}

/* What later mends are told from. */
static void note_first_sight(struct gathered *gathered)
{
    struct memory *memory = gathered->memory;
    if (memory->known_since_ms == gathered->world.monotonic_ms)
        memory->first_mends = world_mends(&gathered->world);
}

/* What the look before has read is taken over when it is the same. */
static struct resource *read_resource(enum resource_kind kind, const cJSON *json,
                                      struct gathered *before)
{
    if (before && before->json == json)
        return take(before->resource);
    return resource_new(kind, cJSON_CreateObjectReference(json->child));
}

struct gathered *gather(struct runtime *runtime, enum resource_kind kind, const char *namespace,
                        const char *name, struct gathered *before)
{
    const cJSON *json = store_get(runtime->caches->resources[kind], namespace, name);
    if (!json)
        return NULL;
    struct gathered *gathered = mem_alloc(sizeof *gathered);
    struct world *world = &gathered->world;
    gathered->json = json;
    gathered->resource = read_resource(kind, json, before);
    world->resource = gathered->resource;
    world->now_ms = kube_now_ms(runtime->kube);
    world->monotonic_ms = clock_monotonic_ms();
    world->settle_ms = runtime->options->settle_ms;
    world->checkable = credential_kind(kind)->checkable;
    world->namespace_terminating = caches_namespace_terminating(runtime->caches, namespace);
    gathered->memory = memories_get(runtime->memories, kind, namespace, name,
                                    gathered->resource->uid, world->monotonic_ms);
    world->memory = gathered->memory;
    if (gathered->resource->deleting && gathered->memory->deleting_since_ms == NEVER)
        gathered->memory->deleting_since_ms = world->monotonic_ms;
    gather_admin(runtime, gathered);
    note_first_sight(gathered);
    gathered->inventory = inventories_get(runtime->inventories, kind,
                                          gathered->resource->spec.project_id, &world->admin);
    inventory_view(gathered->inventory, gathered->resource->uid, &world->inventory);
    gather_revisions(runtime, gathered);
    gather_target(runtime, gathered);
    gather_old_target(runtime, gathered);
    world->project_blocked_until_ms = inventory_paused_until_ms(gathered->inventory);
    world->project_mint_at_ms = inventory_mint_allowed_ms(
        gathered->inventory, count_resources(runtime), world->monotonic_ms);
    world_derive(world);
    struct memory *memory = gathered->memory;
    memory->had_revision = memory->had_revision || world->revision_count > 0;
    memory->had_published = memory->had_published || world_published(world);
    gathered->consumers = consumers_gather(runtime->caches, world);
    world->consumers = gathered->consumers->view;
    gathered->accounts = accounts_gather(runtime->caches, gathered->resource);
    world->accounts = gathered->accounts->view;
    world_count_markers(world);
    for (size_t i = 0; i < world->revision_count; i++)
        world->revisions[i].listed = inventory_lists(gathered->inventory, world->revisions[i].id);
    return gathered;
}

void gathered_free(struct gathered *gathered)
{
    if (!gathered)
        return;
    for (size_t i = 0; i < gathered->secret_count; i++)
        shared_json_drop(gathered->secrets[i]);
    mem_free(gathered->secrets);
    mem_free(gathered->revisions);
    shared_json_drop(gathered->target);
    shared_json_drop(gathered->admin);
    shared_json_drop(gathered->old_target);
    mem_free(gathered->lost_target_name);
    mem_free(gathered->old_target_example);
    consumers_free(gathered->consumers);
    accounts_free(gathered->accounts);
    mem_free(gathered->target_owner);
    resource_free(gathered->resource);
    shared_json_drop(gathered->json);
    mem_free(gathered);
}
