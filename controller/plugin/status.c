/* What may not be read is left out of the tree, and said once. Secrets are asked for by their
 * metadata only. */
#include "plugin/status.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "plugin/account_view.h"
#include "plugin/resources.h"
#include "plugin/status_view.h"

enum { TEXT_BYTES_MAX = 16 * 1024 * 1024 };

static const struct kube_resource REPLICA_SETS = { "apps", "v1", "replicasets", "ReplicaSet" };

struct sources {
    cJSON *secrets;
    cJSON *pods;
    cJSON *replica_sets;
    cJSON *service_accounts;
};

static void sources_done(struct sources *sources)
{
    cJSON_Delete(sources->secrets);
    cJSON_Delete(sources->pods);
    cJSON_Delete(sources->replica_sets);
    cJSON_Delete(sources->service_accounts);
    *sources = (struct sources){ 0 };
}

static cJSON *list_or_say(struct session *session, const struct kube_resource *resource,
                          const char *namespace, bool metadata_only)
{
    cJSON *items = NULL;
    struct err err = ERR_INIT;
    if (!session_list(session, resource, namespace, metadata_only, &items, &err))
        fprintf(stderr, "kubectl-deepgram: without %s: %s\n", resource->plural, err.message);
    return items;
}

/* From the first of a namespace on. */
static bool need_accounts(const struct resources *resources, size_t first)
{
    const char *namespace = resources->list[first]->namespace;
    for (size_t i = first; i < resources->count; i++)
        if (strcmp(resources->list[i]->namespace, namespace) == 0 &&
            account_view_needed(resources->list[i]))
            return true;
    return false;
}

static void load(struct session *session, const char *namespace, bool accounts,
                 struct sources *sources)
{
    sources_done(sources);
    sources->secrets = list_or_say(session, &KUBE_SECRETS, namespace, true);
    sources->pods = list_or_say(session, &KUBE_PODS, namespace, false);
    sources->replica_sets = list_or_say(session, &REPLICA_SETS, namespace, true);
    if (accounts)
        sources->service_accounts = list_or_say(session, &KUBE_SERVICE_ACCOUNTS, namespace, false);
}

/* Resources come sorted by namespace. */
static cJSON *view_all(struct session *session, const struct resources *resources)
{
    cJSON *views = cJSON_CreateArray();
    struct sources sources = { 0 };
    const char *loaded = NULL;
    for (size_t i = 0; i < resources->count; i++) {
        const struct resource *resource = resources->list[i];
        if (!loaded || strcmp(loaded, resource->namespace) != 0)
            load(session, resource->namespace, need_accounts(resources, i), &sources);
        loaded = resource->namespace;
        cJSON_AddItemToArray(
            views, status_view(resource, &(struct status_sources){ sources.secrets, sources.pods,
                                                                   sources.replica_sets,
                                                                   sources.service_accounts }));
    }
    sources_done(&sources);
    return views;
}

static void print_trees(const cJSON *views)
{
    auto_layout struct layout layout = { 0 };
    auto_buf struct buf text;
    buf_init(&text, TEXT_BYTES_MAX);
    layout_add(&layout, 0, "NAME", "REVISION", "STATE", "DETAILS", NULL);
    const cJSON *view = NULL;
    cJSON_ArrayForEach(view, views)
        status_view_rows(view, &layout);
    layout_render(&layout, &text);
    fputs(buf_text(&text), stdout);
}

int status_run(struct session *session, const struct command *command, const char *namespace)
{
    auto_resources struct resources resources = { 0 };
    struct err err = ERR_INIT;
    if (!resources_load(session, command, namespace, &resources, &err)) {
        fprintf(stderr, "kubectl-deepgram: %s\n", err.message);
        return EXIT_FAILURE;
    }
    auto_json cJSON *views = view_all(session, &resources);
    if (command->json) {
        auto_free char *printed = json_print_indented(views);
        puts(printed);
    } else if (resources.count == 0) {
        printf("There are no resources %s%s.%s\n", namespace ? "in namespace " : "in the cluster",
               namespace ? namespace : "",
               namespace ? " Look into another with --namespace, or into all with -A." : "");
    } else {
        print_trees(views);
    }
    return EXIT_SUCCESS;
}
