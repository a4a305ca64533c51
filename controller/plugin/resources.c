/* Names of resource types and namespaces are said again in every message: a person may have meant
 * another one. */
#include "plugin/resources.h"

#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "plugin/account_view.h"

void resources_done(struct resources *resources)
{
    for (size_t i = 0; i < resources->count; i++)
        resource_free(resources->list[i]);
    mem_free(resources->list);
    *resources = (struct resources){ 0 };
}

const struct kube_resource *resources_type(enum resource_kind kind)
{
    return kind == RESOURCE_API_KEY ? &KUBE_API_KEYS : &KUBE_PULL_SECRETS;
}

static void add(struct resources *resources, enum resource_kind kind, cJSON *json)
{
    resources->list =
        mem_realloc(resources->list, (resources->count + 1) * sizeof resources->list[0]);
    resources->list[resources->count++] = resource_new(kind, json);
}

static int compare(const void *a, const void *b)
{
    const struct resource *left = *(struct resource *const *)a;
    const struct resource *right = *(struct resource *const *)b;
    int order = strcmp(left->namespace, right->namespace);
    if (order == 0)
        order = (int)left->kind - (int)right->kind;
    return order ? order : strcmp(left->name, right->name);
}

static bool explain(enum resource_kind kind, const char *name, const char *namespace,
                    struct err *err)
{
    if (err->kind == ERR_NOT_FOUND && name)
        return err_set(err, ERR_NOT_FOUND,
                       "there is no %s %s in namespace %s: `kubectl get deepgram -A` lists what "
                       "there is",
                       resource_kind_name(kind), name, namespace);
    if (err->kind == ERR_NOT_FOUND)
        return err_set(err, ERR_NOT_FOUND,
                       "the API server doesn't know the resource type %s: install the operator's "
                       "CRDs (`kubectl deepgram doctor` says more)",
                       resource_kind_name(kind));
    return false;
}

static bool load_kind(struct session *session, enum resource_kind kind, const char *namespace,
                      struct resources *resources, struct err *err)
{
    auto_json cJSON *items = NULL;
    if (!session_list(session, resources_type(kind), namespace, false, &items, err))
        return explain(kind, NULL, namespace, err);
    while (items->child)
        add(resources, kind, cJSON_DetachItemViaPointer(items, items->child));
    return true;
}

static bool load_one(struct session *session, const struct command *command, const char *namespace,
                     struct resources *resources, struct err *err)
{
    cJSON *object = NULL;
    if (!session_ask(session,
                     &(struct kube_call){ .verb = KUBE_GET,
                                          .resource = resources_type(command->kind),
                                          .namespace = namespace,
                                          .name = command->name },
                     &object, err))
        return explain(command->kind, command->name, namespace, err);
    add(resources, command->kind, object);
    return true;
}

bool resources_load(struct session *session, const struct command *command, const char *namespace,
                    struct resources *ret, struct err *err)
{
    auto_resources struct resources found = { 0 };
    if (command->name && !load_one(session, command, namespace, &found, err))
        return false;
    for (enum resource_kind kind = 0; kind < RESOURCE_KINDS && !command->name; kind++)
        if ((!command->has_kind || command->kind == kind) &&
            !load_kind(session, kind, namespace, &found, err))
            return false;
    if (found.count > 0)
        qsort(found.list, found.count, sizeof found.list[0], compare);
    *ret = found;
    found = (struct resources){ 0 };
    return true;
}

bool resources_load_all(struct session *session, const char *namespace, struct resources *ret,
                        struct err *err)
{
    const struct command all = { .verb = COMMAND_STATUS };
    return resources_load(session, &all, namespace, ret, err);
}

bool resources_name_accounts(const struct resources *resources)
{
    for (size_t i = 0; i < resources->count; i++)
        if (account_view_needed(resources->list[i]))
            return true;
    return false;
}

bool resources_admin(const struct resource *resource, const struct options *options,
                     struct admin_view *ret_admin)
{
    bool is_default = !resource->spec.credentials_name;
    *ret_admin = (struct admin_view){
        .is_default = is_default,
        .namespace = is_default ? options->default_credentials_namespace : resource->namespace,
        .name = is_default ? options->default_credentials_name : resource->spec.credentials_name,
        .key = is_default ? CREDENTIALS_DEFAULT_KEY : resource->spec.credentials_key,
    };
    return ret_admin->name != NULL;
}
