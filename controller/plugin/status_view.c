/* A pod reads the key when it starts, so it runs the revision that was published then: the current
 * one if the pod is newer than its publication, otherwise the one that its workload was restarted
 * for (the marker in its template), otherwise an older one. */
#include "plugin/status_view.h"

#include <stdio.h>
#include <string.h>

#include "api/condition.h"
#include "api/revision_number.h"
#include "api/target.h"
#include "api/timestamp.h"
#include "base/json.h"
#include "plugin/account_view.h"
#include "plugin/pod_view.h"

enum { NUMBER_BYTES = 32 };

/* ---- the model: revisions ---- */

static const cJSON *find_named(const cJSON *objects, const char *name)
{
    const cJSON *object = NULL;
    cJSON_ArrayForEach(object, objects)
        if (mem_streq(json_string_at(object, "metadata.name"), name))
            return object;
    return NULL;
}

static cJSON *find_revision(cJSON *revisions, int64_t number)
{
    cJSON *entry = NULL;
    cJSON_ArrayForEach(entry, revisions)
        if (json_int_at(entry, "revision", 0) == number)
            return entry;
    return NULL;
}

static void add_time(cJSON *object, const char *name, int64_t ms)
{
    char text[TIMESTAMP_BYTES];
    if (ms == 0)
        return;
    timestamp_format(ms, text);
    json_add_string(object, name, text);
}

static void add_noted(const struct resource *resource, cJSON *revisions)
{
    for (size_t i = 0; i < resource->status.revision_count; i++) {
        const struct status_revision *noted = &resource->status.revisions[i];
        cJSON *entry = cJSON_CreateObject();
        json_add_int(entry, "revision", noted->number);
        json_add_string(entry, "state", revision_state_name(noted->state));
        json_add_string(entry, "id", noted->id);
        add_time(entry, "issuedAt", noted->issued_at_ms);
        json_add_string(entry, "reason", noted->reason);
        add_time(entry, "revokeAfter", noted->revoke_after_ms);
        cJSON_AddItemToArray(revisions, entry);
    }
}

/* Revision Secrets that status doesn't name were kept by Retain, or aren't published yet. */
static void add_kept(const struct resource *resource, const cJSON *secrets, cJSON *revisions)
{
    const cJSON *secret = NULL;
    cJSON_ArrayForEach(secret, secrets) {
        struct revision revision;
        if (!revision_parse(secret, &revision) || !resource_is_named(resource, revision.resource))
            continue;
        cJSON *entry = find_revision(revisions, revision.number);
        if (!entry) {
            entry = cJSON_CreateObject();
            json_add_int(entry, "revision", revision.number);
            json_add_string(entry, "state", "Kept");
            json_add_string(entry, "id", revision.id);
            add_time(entry, "issuedAt", revision.issued_at_ms);
            cJSON_AddItemToArray(revisions, entry);
        }
        json_add_string(entry, "secret", revision.secret_name);
        add_time(entry, "expiresAt", revision.expires_at_ms);
    }
}

/* Moves all to *sorted, the newest first. */
static void move_sorted(cJSON *revisions, cJSON *sorted)
{
    while (revisions->child) {
        cJSON *newest = revisions->child;
        for (cJSON *entry = newest->next; entry; entry = entry->next)
            if (json_int_at(entry, "revision", 0) > json_int_at(newest, "revision", 0))
                newest = entry;
        cJSON_AddItemToArray(sorted, cJSON_DetachItemViaPointer(revisions, newest));
    }
}

/* ---- the model: the target ---- */

static void add_target(const struct resource *resource, const cJSON *secrets, cJSON *view,
                       struct pod_view_target *ret_target)
{
    const char *name = resource->spec.secret_name;
    const cJSON *secret = find_named(secrets, name);
    const cJSON *annotations = json_at(secret, "metadata.annotations");
    *ret_target = (struct pod_view_target){ .secret = name, .resource = resource->name };
    cJSON *target = json_add_object(view, "target");
    json_add_string(target, "name", name);
    if (secrets)
        cJSON_AddBoolToObject(target, "exists", secret != NULL);
    if (!secret)
        return;
    cJSON_AddBoolToObject(target, "owned", owned_by(secret, resource->uid));
    ret_target->revision =
        revision_number_parse(json_string_member(annotations, ANNOTATION_REVISION));
    ret_target->published_at_ms = target_published_ms(secret);
    if (ret_target->revision > 0)
        json_add_int(target, "revision", ret_target->revision);
    add_time(target, "publishedAt", ret_target->published_at_ms);
}

cJSON *status_view(const struct resource *resource, const struct status_sources *sources)
{
    cJSON *view = cJSON_CreateObject();
    const cJSON *ready = condition_find(json_member(resource->status.json, "conditions"), "Ready");
    json_add_string(view, "kind", resource_kind_name(resource->kind));
    json_add_string(view, "namespace", resource->namespace);
    json_add_string(view, "name", resource->name);
    json_add_string(view, "ready", json_string_member(ready, "status") ?: "Unknown");
    json_add_string(view, "reason", json_string_member(ready, "reason") ?: "Pending");
    json_add_string(view, "message", json_string_member(ready, "message"));
    cJSON_AddBoolToObject(view, "deleting", resource->deleting);
    cJSON_AddBoolToObject(view, "suspended", resource->spec.suspend);
    if (resource->status.revision > 0)
        json_add_int(view, "revision", resource->status.revision);
    json_add_string(view, "nextRotationAt",
                    json_string_at(resource->status.json, "nextRotationAt"));
    auto_json cJSON *revisions = cJSON_CreateArray();
    add_noted(resource, revisions);
    add_kept(resource, sources->secrets, revisions);
    move_sorted(revisions, json_add_array(view, "revisions"));
    struct pod_view_target target;
    add_target(resource, sources->secrets, view, &target);
    if (sources->pods)
        cJSON_AddItemToObject(view, "consumers",
                              pod_view(sources->pods, sources->replica_sets,
                                       json_member(resource->status.json, "consumers"), &target));
    if (account_view_needed(resource))
        cJSON_AddItemToObject(view, "serviceAccounts",
                              account_view(resource, sources->service_accounts));
    return view;
}

/* ---- the rows ---- */

static const char *number_text(const cJSON *object, const char *name, char text[NUMBER_BYTES])
{
    int64_t number = json_int_at(object, name, 0);
    if (number == 0)
        return "-";
    snprintf(text, NUMBER_BYTES, "%lld", (long long)number);
    return text;
}

static void add_detail(struct buf *text, const char *before, const char *value)
{
    if (value)
        buf_printf(text, "%s%s%s", text->length ? ", " : "", before, value);
}

static void add_resource_row(const cJSON *view, struct layout *layout)
{
    auto_free char *name =
        mem_printf("%s %s/%s", json_string_member(view, "kind"),
                   json_string_member(view, "namespace"), json_string_member(view, "name"));
    bool ready = mem_streq(json_string_member(view, "ready"), "True");
    const char *state = json_bool_at(view, "deleting", false) ? "Terminating"
                        : ready                               ? "Ready"
                                                              : "Not ready";
    const char *message = json_string_member(view, "message");
    auto_free char *detail = mem_printf("%s%s%s", json_string_member(view, "reason"),
                                        message ? ": " : "", message ? message : "");
    char number[NUMBER_BYTES];
    layout_add(layout, 0, name, number_text(view, "revision", number), state, detail, NULL);
}

static void add_revision_row(const cJSON *revision, struct layout *layout)
{
    char number[NUMBER_BYTES];
    const char *secret = json_string_member(revision, "secret");
    auto_free char *name = mem_printf(secret ? "Secret %s" : "%s", secret ? secret : "(no Secret)");
    auto_buf struct buf detail;
    buf_init(&detail, 1024);
    add_detail(&detail, "id ", json_string_member(revision, "id"));
    add_detail(&detail, "issued ", json_string_member(revision, "issuedAt"));
    add_detail(&detail, "because ", json_string_member(revision, "reason"));
    add_detail(&detail, "expires ", json_string_member(revision, "expiresAt"));
    add_detail(&detail, "to be revoked after ", json_string_member(revision, "revokeAfter"));
    layout_add(layout, 1, name, number_text(revision, "revision", number),
               json_string_member(revision, "state"), buf_text(&detail), NULL);
}

static void add_target_row(const cJSON *target, struct layout *layout)
{
    char number[NUMBER_BYTES];
    auto_free char *name = mem_printf("Secret %s", json_string_member(target, "name"));
    auto_buf struct buf detail;
    buf_init(&detail, 1024);
    const char *state = "Published";
    if (!json_member(target, "exists"))
        state = "Unknown";
    else if (!json_bool_at(target, "exists", false))
        state = "Missing";
    else if (!json_bool_at(target, "owned", false))
        state = "Not owned";
    add_detail(&detail, "what pods read", "");
    add_detail(&detail, "published ", json_string_member(target, "publishedAt"));
    layout_add(layout, 1, name, number_text(target, "revision", number), state, buf_text(&detail),
               NULL);
}

void status_view_rows(const cJSON *view, struct layout *layout)
{
    add_resource_row(view, layout);
    const cJSON *revision = NULL;
    cJSON_ArrayForEach(revision, json_member(view, "revisions"))
        add_revision_row(revision, layout);
    add_target_row(json_member(view, "target"), layout);
    pod_view_rows(json_member(view, "consumers"), 2, layout);
    const cJSON *accounts = json_member(view, "serviceAccounts");
    if (accounts)
        account_view_rows(accounts, 1, layout);
}
