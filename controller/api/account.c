/* The list is atomic to the API server: no field manager owns a single entry of it, so whoever
 * changes one writes back what the others put there, in their order. */
#include "api/account.h"

#include "api/field.h"
#include "api/name.h"
#include "base/json.h"

enum { ACCOUNTS_MAX = 16 };

static bool check_name(const char *name, struct err *err)
{
    if (!name_is_subdomain(name))
        return err_set(err, ERR_INVALID,
                       "spec.serviceAccounts holds \"%.64s\", which is not the name of a "
                       "ServiceAccount",
                       name);
    return true;
}

bool account_read_names(const cJSON *json, struct spec *spec, struct err *err)
{
    const cJSON *names = NULL;
    if (!field_list(json, "serviceAccounts", check_name, &names, err))
        return false;
    if (cJSON_GetArraySize(names) > ACCOUNTS_MAX)
        return err_set(err, ERR_INVALID, "spec.serviceAccounts has more than %d entries",
                       ACCOUNTS_MAX);
    spec->service_accounts = names;
    return true;
}

static bool names(const cJSON *entry, const char *secret)
{
    return mem_streq(json_string_member(entry, "name"), secret);
}

bool account_lists(const cJSON *account, const char *secret)
{
    const cJSON *entry = NULL;
    cJSON_ArrayForEach(entry, json_member(account, "imagePullSecrets"))
        if (names(entry, secret))
            return true;
    return false;
}

static cJSON *all_but(const cJSON *account, const char *secret)
{
    cJSON *entries = cJSON_CreateArray();
    const cJSON *entry = NULL;
    cJSON_ArrayForEach(entry, json_member(account, "imagePullSecrets"))
        if (!names(entry, secret))
            cJSON_AddItemToArray(entries, cJSON_Duplicate(entry, true));
    return entries;
}

static cJSON *patch(const cJSON *account, cJSON *entries)
{
    cJSON *patch = cJSON_CreateObject();
    cJSON *metadata = json_add_object(patch, "metadata");
    json_add_string(metadata, "uid", json_string_at(account, "metadata.uid"));
    json_add_string(metadata, "resourceVersion",
                    json_string_at(account, "metadata.resourceVersion"));
    cJSON_AddItemToObject(patch, "imagePullSecrets", entries);
    return patch;
}

cJSON *account_patch_add(const cJSON *account, const char *secret)
{
    if (account_lists(account, secret))
        return NULL;
    cJSON *entry = cJSON_CreateObject();
    json_add_string(entry, "name", secret);
    cJSON *entries = all_but(account, secret);
    cJSON_AddItemToArray(entries, entry);
    return patch(account, entries);
}

cJSON *account_patch_take(const cJSON *account, const char *secret)
{
    return account_lists(account, secret) ? patch(account, all_but(account, secret)) : NULL;
}
