/* Only lookups, as in operator/gather. */
#include "operator/accounts.h"

#include "api/account.h"
#include "base/json.h"
#include "base/shared_json.h"

static const char *keep_uid(struct accounts *accounts, const cJSON *account)
{
    const char *uid = json_string_at(account, "metadata.uid");
    if (!uid)
        return NULL;
    cJSON *kept = cJSON_CreateString(uid);
    cJSON_AddItemToArray(accounts->uids, kept);
    return kept->valuestring;
}

static void gather_named(struct accounts *accounts, const struct caches *caches,
                         const struct resource *resource)
{
    const cJSON *names = resource->spec.service_accounts;
    accounts->items = mem_calloc((size_t)cJSON_GetArraySize(names), sizeof accounts->items[0]);
    accounts->view.items = accounts->items;
    const cJSON *name = NULL;
    cJSON_ArrayForEach(name, names) {
        auto_shared_json const cJSON *account =
            store_get(caches->accounts, resource->namespace, name->valuestring);
        accounts->items[accounts->view.count++] = (struct account_view){
            .name = name->valuestring,
            .uid = keep_uid(accounts, account),
            .listed = account_lists(account, resource->spec.secret_name),
        };
    }
}

static void gather_noted(struct accounts *accounts, const struct caches *caches,
                         const struct resource *resource)
{
    const struct status *status = &resource->status;
    for (size_t i = 0; i < status->account_count; i++) {
        const struct status_account *note = &status->accounts[i];
        auto_shared_json const cJSON *account =
            store_get(caches->accounts, resource->namespace, note->name);
        accounts->view.held[i] = mem_streq(json_string_at(account, "metadata.uid"), note->uid) &&
                                 account_lists(account, note->secret_name);
    }
}

struct accounts *accounts_gather(const struct caches *caches, const struct resource *resource)
{
    struct accounts *accounts = mem_alloc(sizeof *accounts);
    accounts->view.state = caches->accounts_state;
    accounts->view.refusal = caches->accounts_refusal;
    accounts->uids = cJSON_CreateArray();
    gather_named(accounts, caches, resource);
    gather_noted(accounts, caches, resource);
    return accounts;
}

void accounts_free(struct accounts *accounts)
{
    if (!accounts)
        return;
    cJSON_Delete(accounts->uids);
    mem_free(accounts->items);
    mem_free(accounts);
}
