/* An account is looked at as it is: the condition tells what the operator saw, and the entries in
 * status what it wrote. */
#include "plugin/account_view.h"

#include <string.h>

#include "api/account.h"
#include "api/condition.h"
#include "base/json.h"

bool account_view_needed(const struct resource *resource)
{
    return cJSON_GetArraySize(resource->spec.service_accounts) > 0 ||
           resource->status.account_count > 0;
}

/* ---- the model ---- */

static const cJSON *find(const cJSON *accounts, const char *name)
{
    const cJSON *account = NULL;
    cJSON_ArrayForEach(account, accounts)
        if (mem_streq(json_string_at(account, "metadata.name"), name))
            return account;
    return NULL;
}

static bool is_of(const struct status_account *note, const cJSON *account)
{
    return mem_streq(json_string_at(account, "metadata.uid"), note->uid);
}

static bool is_by_operator(const struct resource *resource, const cJSON *account,
                           const char *secret)
{
    for (size_t i = 0; i < resource->status.account_count; i++) {
        const struct status_account *note = &resource->status.accounts[i];
        if (is_of(note, account) && strcmp(note->secret_name, secret) == 0)
            return true;
    }
    return false;
}

static void add_wanted(cJSON *list, const struct resource *resource, const cJSON *accounts,
                       const char *name)
{
    const char *secret = resource->spec.secret_name;
    cJSON *entry = cJSON_CreateObject();
    cJSON_AddItemToArray(list, entry);
    json_add_string(entry, "name", name);
    json_add_string(entry, "secret", secret);
    cJSON_AddBoolToObject(entry, "wanted", true);
    if (!accounts)
        return;
    const cJSON *account = find(accounts, name);
    cJSON_AddBoolToObject(entry, "exists", account != NULL);
    cJSON_AddBoolToObject(entry, "listed", account_lists(account, secret));
    cJSON_AddBoolToObject(entry, "byOperator",
                          account_lists(account, secret) &&
                              is_by_operator(resource, account, secret));
}

static bool is_wanted(const struct resource *resource, const struct status_account *note)
{
    return json_has_string(resource->spec.service_accounts, note->name) &&
           strcmp(note->secret_name, resource->spec.secret_name) == 0;
}

static void add_leaving(cJSON *list, const cJSON *accounts, const struct status_account *note)
{
    const cJSON *account = find(accounts, note->name);
    if (!is_of(note, account) || !account_lists(account, note->secret_name))
        return;
    cJSON *entry = cJSON_CreateObject();
    cJSON_AddItemToArray(list, entry);
    json_add_string(entry, "name", note->name);
    json_add_string(entry, "secret", note->secret_name);
    cJSON_AddBoolToObject(entry, "wanted", false);
    cJSON_AddBoolToObject(entry, "exists", true);
    cJSON_AddBoolToObject(entry, "listed", true);
    cJSON_AddBoolToObject(entry, "byOperator", true);
}

cJSON *account_view(const struct resource *resource, const cJSON *accounts)
{
    const cJSON *updated =
        condition_find(json_member(resource->status.json, "conditions"), "ServiceAccountsUpdated");
    cJSON *view = cJSON_CreateObject();
    json_add_string(view, "updated", json_string_member(updated, "status") ?: "Unknown");
    json_add_string(view, "reason", json_string_member(updated, "reason"));
    json_add_string(view, "message", json_string_member(updated, "message"));
    cJSON *list = json_add_array(view, "accounts");
    const cJSON *name = NULL;
    cJSON_ArrayForEach(name, resource->spec.service_accounts)
        add_wanted(list, resource, accounts, name->valuestring);
    for (size_t i = 0; i < resource->status.account_count; i++)
        if (!is_wanted(resource, &resource->status.accounts[i]))
            add_leaving(list, accounts, &resource->status.accounts[i]);
    return view;
}

/* ---- the rows ---- */

struct words { /* before and behind the Secret's name */
    const char *state, *before, *behind;
};

static struct words words_of(const cJSON *account)
{
    if (!json_member(account, "exists"))
        return (struct words){ "Unknown", "whether it names ", " can't be looked at" };
    if (!json_bool_at(account, "exists", false))
        return (struct words){ "Missing", "its pods will pull with ", " once it exists" };
    if (!json_bool_at(account, "listed", false))
        return (struct words){ "Not listed", "its pods don't pull with ", "" };
    if (!json_bool_at(account, "wanted", false))
        return (struct words){ "Leaving", "", " is still to be taken out" };
    return (struct words){ "Listed", "its pods pull with ",
                           json_bool_at(account, "byOperator", false)
                               ? ""
                               : ", which somebody else named there" };
}

static void add_account_row(const cJSON *account, size_t depth, struct layout *layout)
{
    struct words words = words_of(account);
    auto_free char *name = mem_printf("ServiceAccount %s", json_string_member(account, "name"));
    auto_free char *detail = mem_printf("%sSecret %s%s", words.before,
                                        json_string_member(account, "secret"), words.behind);
    layout_add(layout, depth, name, "", words.state, detail, NULL);
}

void account_view_rows(const cJSON *view, size_t depth, struct layout *layout)
{
    bool updated = mem_streq(json_string_member(view, "updated"), "True");
    bool known = !mem_streq(json_string_member(view, "updated"), "Unknown");
    const char *message = json_string_member(view, "message");
    auto_free char *detail = mem_printf("%s%s%s", json_string_member(view, "reason") ?: "",
                                        message ? ": " : "", message ? message : "");
    layout_add(layout, depth, "ServiceAccounts", "",
               updated ? "Updated"
               : known ? "Not updated"
                       : "Unknown",
               detail, NULL);
    const cJSON *account = NULL;
    cJSON_ArrayForEach(account, json_member(view, "accounts"))
        add_account_row(account, depth + 1, layout);
}
