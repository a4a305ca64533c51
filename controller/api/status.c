/* Status is the operator's own, but anybody with the right to write it may have put anything there:
 * nothing of it is used in a path unchecked. */
#include "api/status.h"

#include <string.h>

#include "api/condition.h"
#include "api/name.h"
#include "api/revision_number.h"
#include "api/timestamp.h"
#include "base/json.h"

static const char *const state_names[] = {
    [REVISION_ISSUED] = "Issued",
    [REVISION_CURRENT] = "Current",
    [REVISION_RETIRING] = "Retiring",
    [REVISION_REVOKED] = "Revoked",
};

const char *revision_state_name(enum revision_state state)
{
    return state_names[state];
}

static bool read_state(const char *name, enum revision_state *ret)
{
    for (size_t i = 0; i < ARRAY_LENGTH(state_names); i++) {
        if (mem_streq(name, state_names[i])) {
            *ret = (enum revision_state)i;
            return true;
        }
    }
    return false;
}

static int64_t count_at(const cJSON *json, const char *path)
{
    int64_t count = json_int_at(json, path, 0);
    return count > 0 ? count : 0;
}

/* The last number is nobody's: what claims it is as good as wiped. */
static int64_t read_number(const cJSON *json)
{
    int64_t number = revision_number_at(json, "revision");
    return number < REVISION_NUMBER_MAX ? number : 0;
}

static bool read_revision(const cJSON *json, struct status_revision *ret)
{
    struct status_revision revision = {
        .number = read_number(json),
        .id = json_string_at(json, "id"),
        .issued_at_ms = timestamp_or(json_string_at(json, "issuedAt"), 0),
        .reason = json_string_at(json, "reason"),
        .revoke_after_ms = timestamp_or(json_string_at(json, "revokeAfter"), 0),
        .failed_at_ms = timestamp_or(json_string_at(json, "failedAt"), 0),
    };
    if (revision.number == 0 || !name_is_credential_id(revision.id) ||
        !read_state(json_string_at(json, "state"), &revision.state))
        return false;
    *ret = revision;
    return true;
}

static void read_revisions(const cJSON *array, struct status *status)
{
    if (!cJSON_IsArray(array))
        return;
    const cJSON *item = NULL;
    cJSON_ArrayForEach(item, array)
        if (status->revision_count < STATUS_REVISIONS_MAX &&
            read_revision(item, &status->revisions[status->revision_count]))
            status->revision_count++;
}

static void read_accounts(const cJSON *array, struct status *status)
{
    if (!cJSON_IsArray(array))
        return;
    const cJSON *item = NULL;
    cJSON_ArrayForEach(item, array) {
        struct status_account account = { json_string_at(item, "name"), json_string_at(item, "uid"),
                                          json_string_at(item, "secretName") };
        if (status->account_count < STATUS_ACCOUNTS_MAX && name_is_subdomain(account.name) &&
            account.uid && account.uid[0] != '\0' && name_is_subdomain(account.secret_name))
            status->accounts[status->account_count++] = account;
    }
}

void status_parse(const cJSON *json, struct status *ret_status)
{
    const cJSON *conditions = json_at(json, "conditions");
    const char *id = json_string_at(json, "id");
    const char *secret_name = json_string_at(json, "secretName");
    *ret_status = (struct status){
        .json = json,
        .observed_generation = count_at(json, "observedGeneration"),
        .revision = read_number(json),
        .id = name_is_credential_id(id) ? id : "",
        .secret_name = name_is_subdomain(secret_name) ? secret_name : "",
        .secret_resource_version = mem_or_empty(json_string_at(json, "secretResourceVersion")),
        .last_handled_rotate = mem_or_empty(json_string_at(json, "lastHandledRotateRequest")),
        .issued_at_ms = timestamp_or(json_string_at(json, "issuedAt"), 0),
        .published_at_ms = timestamp_or(json_string_at(json, "publishedAt"), 0),
        .expires_at_ms = timestamp_or(json_string_at(json, "expiresAt"), 0),
        .failures = count_at(json, "failures"),
        .next_attempt_at_ms = timestamp_or(json_string_at(json, "nextAttemptAt"), 0),
        .reconciling = condition_is_true(conditions, "Reconciling"),
        .stalled = condition_is_true(conditions, "Stalled"),
        .stalled_reason =
            mem_or_empty(json_string_at(condition_find(conditions, "Stalled"), "reason")),
        .ready_reason = mem_or_empty(json_string_at(condition_find(conditions, "Ready"), "reason")),
    };
    ret_status->consumers_updated = condition_is_true(conditions, "ConsumersUpdated");
    ret_status->consumers_reason =
        mem_or_empty(json_string_at(condition_find(conditions, "ConsumersUpdated"), "reason"));
    read_revisions(json_at(json, "revisions"), ret_status);
    read_accounts(json_at(json, "serviceAccounts"), ret_status);
}
