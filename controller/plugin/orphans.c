/* Each project is listed once for each kind, with the first admin Secret that can. Whether a
 * resource exists is asked of the whole cluster, since a project may serve several namespaces. */
#include "plugin/orphans.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/timestamp.h"
#include "base/json.h"
#include "operator/admin_key.h"
#include "plugin/layout.h"
#include "plugin/orphan_view.h"
#include "plugin/resources.h"

enum { TEXT_BYTES_MAX = 16 * 1024 * 1024 };

struct listing {
    enum resource_kind kind;
    bool ok;
    struct deepgram_list list;
    struct err err;
};

struct orphans {
    struct session *session;
    const struct command *command;
    struct resources asked; /* whose projects are looked at */
    struct resources all;
    cJSON *secrets; /* metadata */
    cJSON *found;   /* array */
    bool incomplete;
    bool everywhere; /* `all` is the whole cluster */
};

/* ---- one project ---- */

static const char *state_name(enum orphan_state state)
{
    switch (state) {
    case ORPHAN_NAMED:
        break;
    case ORPHAN_IN_FLIGHT:
        return "InFlight";
    case ORPHAN_UNNAMED:
        return "Unnamed";
    case ORPHAN_STRANGER:
        return "NoResource";
    }
    return "Named";
}

static void add_orphan(struct orphans *orphans, const struct resource *asked,
                       const struct inventory_entry *entry, enum orphan_state state,
                       const struct resource *owner)
{
    cJSON *orphan = cJSON_CreateObject();
    json_add_string(orphan, "projectId", asked->spec.project_id);
    json_add_string(orphan, "kind", resource_kind_name(asked->kind));
    json_add_string(orphan, "id", entry->id);
    json_add_string(orphan, "state", state_name(state));
    json_add_int(orphan, "revision", entry->revision);
    json_add_string(orphan, "uid", entry->uid);
    if (owner) {
        auto_free char *name = mem_printf("%s/%s", owner->namespace, owner->name);
        json_add_string(orphan, "resource", name);
    }
    if (entry->expires_at_ms > 0) {
        char expires[TIMESTAMP_BYTES];
        timestamp_format(entry->expires_at_ms, expires);
        json_add_string(orphan, "expiresAt", expires);
    }
    cJSON_AddItemToArray(orphans->found, orphan);
}

static void judge(struct orphans *orphans, const struct resource *asked,
                  const struct deepgram_list *list)
{
    for (size_t i = 0; i < list->count; i++) {
        const struct resource *owner = NULL;
        enum orphan_state state = orphan_view(&list->entries[i], orphans->all.list,
                                              orphans->all.count, orphans->secrets, &owner);
        if (state != ORPHAN_NAMED)
            add_orphan(orphans, asked, &list->entries[i], state, owner);
    }
}

static void read_list(void *context, const struct deepgram_answer *answer)
{
    struct listing *listing = context;
    listing->ok = deepgram_listed(listing->kind, answer, &listing->list, &listing->err);
}

static bool read_key(struct session *session, const struct admin_view *admin,
                     struct secret *ret_key, struct err *err)
{
    auto_json cJSON *secret = NULL;
    return session_ask(session,
                       &(struct kube_call){ .verb = KUBE_GET,
                                            .resource = &KUBE_SECRETS,
                                            .namespace = admin->namespace,
                                            .name = admin->name },
                       &secret, err) &&
           admin_key_read(admin, secret, ret_key, err);
}

static bool list_project(struct orphans *orphans, const struct resource *resource, struct err *err)
{
    struct admin_view admin;
    if (!resources_admin(resource, &orphans->command->options, &admin))
        return err_set(err, ERR_INVALID,
                       "%s relies on the operator's default credentials: name them with "
                       "--default-credentials NS/NAME",
                       resource->name);
    auto_secret struct secret key = { 0 };
    if (!read_key(orphans->session, &admin, &key, err))
        return err_prefix(err, "Secret %s/%s", admin.namespace, admin.name);
    struct listing listing = { .kind = resource->kind, .err = ERR_INIT };
    struct deepgram_request request = { 0 };
    deepgram_list(resource->kind, resource->spec.project_id, &request);
    session_deepgram(orphans->session, &request, &key, read_list, &listing);
    if (listing.ok)
        judge(orphans, resource, &listing.list);
    else
        *err = listing.err;
    deepgram_list_done(&listing.list);
    return listing.ok || err_prefix(err, "Secret %s/%s", admin.namespace, admin.name);
}

/* ---- all of them ---- */

static bool same_project(const struct resource *a, const struct resource *b)
{
    return a->kind == b->kind && mem_streq(a->spec.project_id, b->spec.project_id);
}

static void list_all(struct orphans *orphans)
{
    const struct resources *asked = &orphans->asked;
    auto_free bool *done = mem_calloc(asked->count, sizeof *done);
    for (size_t i = 0; i < asked->count; i++) {
        struct err err = ERR_INIT;
        bool listed = done[i] || !asked->list[i]->spec.project_id;
        for (size_t j = i; j < asked->count && !listed; j++)
            if (same_project(asked->list[i], asked->list[j]))
                listed = list_project(orphans, asked->list[j], &err);
        for (size_t j = i; j < asked->count; j++)
            done[j] = done[j] || same_project(asked->list[i], asked->list[j]);
        if (listed)
            continue;
        orphans->incomplete = true;
        fprintf(stderr, "kubectl-deepgram: project %s can't be listed for %s: %s\n",
                asked->list[i]->spec.project_id, resource_kind_name(asked->list[i]->kind),
                err.message);
    }
}

static bool load(struct orphans *orphans, const char *namespace, struct err *err)
{
    struct err narrower = ERR_INIT;
    if (!resources_load_all(orphans->session, namespace, &orphans->asked, err))
        return false;
    orphans->everywhere =
        resources_load_all(orphans->session, NULL, &orphans->all, &narrower) &&
        session_list(orphans->session, &KUBE_SECRETS, NULL, true, &orphans->secrets, &narrower);
    if (orphans->everywhere)
        return true;
    if (!namespace)
        return err_set(err, narrower.kind, "%s", narrower.message);
    fprintf(stderr,
            "kubectl-deepgram: only namespace %s can be looked into (%s): a credential without a "
            "resource here may belong to one elsewhere\n",
            namespace, narrower.message);
    resources_done(&orphans->all);
    return resources_load_all(orphans->session, namespace, &orphans->all, err) &&
           session_list(orphans->session, &KUBE_SECRETS, namespace, true, &orphans->secrets, err);
}

static bool any_in_state(const cJSON *found, const char *state)
{
    const cJSON *orphan = NULL;
    cJSON_ArrayForEach(orphan, found)
        if (mem_streq(json_string_member(orphan, "state"), state))
            return true;
    return false;
}

static void print_table(const struct orphans *orphans)
{
    auto_layout struct layout layout = { 0 };
    auto_buf struct buf text;
    buf_init(&text, TEXT_BYTES_MAX);
    layout_add(&layout, 0, "PROJECT", "KIND", "ID", "STATE", "REVISION", "RESOURCE", NULL);
    const cJSON *orphan = NULL;
    cJSON_ArrayForEach(orphan, orphans->found) {
        const char *resource = json_string_member(orphan, "resource");
        auto_free char *owner = resource ? mem_strdup(resource)
                                         : mem_printf("uid %s", json_string_member(orphan, "uid"));
        auto_free char *number = mem_printf("%lld", (long long)json_int_at(orphan, "revision", 0));
        layout_add(&layout, 0, json_string_member(orphan, "projectId"),
                   json_string_member(orphan, "kind"), json_string_member(orphan, "id"),
                   json_string_member(orphan, "state"), number, owner, NULL);
    }
    layout_render(&layout, &text);
    fputs(buf_text(&text), stdout);
    if (any_in_state(orphans->found, "InFlight"))
        puts("\nInFlight: announced on its resource; stored or revoked within a few minutes.");
    if (any_in_state(orphans->found, "Unnamed"))
        puts("\nUnnamed: its resource doesn't name it; the operator revokes it after its next list "
             "of the project.");
    if (any_in_state(orphans->found, "NoResource"))
        puts("\nNoResource: left by Retain, by deepgram.com/abandon, or by another cluster. The "
             "operator never\ntouches it: if nobody uses it, revoke it in the Deepgram console.");
}

static int tell(const struct orphans *orphans)
{
    if (orphans->command->json) {
        auto_free char *printed = json_print_indented(orphans->found);
        puts(printed);
    } else if (orphans->asked.count == 0) {
        puts("There are no resources here, so no projects to look at; -A looks into all "
             "namespaces.");
    } else if (cJSON_GetArraySize(orphans->found) > 0) {
        print_table(orphans);
    } else if (!orphans->incomplete) {
        puts("No orphans: a resource names each of the operator's credentials.");
    }
    return orphans->incomplete ? EXIT_FAILURE : EXIT_SUCCESS;
}

int orphans_run(struct session *session, const struct command *command, const char *namespace)
{
    struct orphans orphans = { .session = session, .command = command };
    struct err err = ERR_INIT;
    int code = EXIT_FAILURE;
    orphans.found = cJSON_CreateArray();
    if (load(&orphans, namespace, &err)) {
        list_all(&orphans);
        code = tell(&orphans);
    } else {
        fprintf(stderr, "kubectl-deepgram: %s\n", err.message);
    }
    resources_done(&orphans.asked);
    resources_done(&orphans.all);
    cJSON_Delete(orphans.secrets);
    cJSON_Delete(orphans.found);
    return code;
}
