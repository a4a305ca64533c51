/* The entries of ServiceAccounts: which of them are the operator's, told by what it wrote into
 * status before and into the account then. Only these may it take out (I7), all of them have to go
 * before their Secret does (I2), none may be left (I7), and where one is wanted it stays. */
#include "oracle_accounts.h"

#include <string.h>

#include "api/account.h"
#include "api/condition.h"
#include "api/target.h"
#include "base/json.h"
#include "oracle_facts.h"
#include "sim.h"

enum {
    ENTRIES_MAX = 32,
    /* Somebody who writes the same name in the same moment can't be told apart. */
    SAME_MOMENT_MS = SECOND,
};

struct entry {
    char uid[40];    /* of the account */
    char secret[64]; /* its name */
    char owner[40];  /* the resource whose status told of it last */
    bool noted;      /* status tells of it */
    bool written;    /* by the operator, and not taken out since */
    int64_t by_hand_ms;
};

static struct {
    struct entry entries[ENTRIES_MAX];
    size_t count;
} known;

void oracle_accounts_reset(void)
{
    memset(&known, 0, sizeof known);
}

static struct entry *find(const char *uid, const char *secret)
{
    for (size_t i = 0; i < known.count; i++)
        if (mem_streq(known.entries[i].uid, uid) && mem_streq(known.entries[i].secret, secret))
            return &known.entries[i];
    return NULL;
}

static struct entry *find_or_add(const char *uid, const char *secret)
{
    static struct entry overflow; /* an endless schedule ends by its own limits */
    struct entry *entry = find(uid, secret);
    if (entry)
        return entry;
    entry = known.count < ENTRIES_MAX ? &known.entries[known.count++] : &overflow;
    *entry = (struct entry){ 0 };
    snprintf(entry->uid, sizeof entry->uid, "%s", uid);
    snprintf(entry->secret, sizeof entry->secret, "%s", secret);
    return entry;
}

static const cJSON *account_of(const struct entry *entry)
{
    const struct api_object *object = oracle_find_uid(entry->uid);
    return object ? object->json : NULL;
}

bool oracle_account_lists(const cJSON *account, const char *secret)
{
    return account_lists(account, secret);
}

void oracle_entry_by_hand(const char *uid, const char *secret)
{
    struct entry *entry = find_or_add(uid, secret);
    entry->by_hand_ms = time_now_ms();
    entry->written = false;
}

void oracle_entries_forgotten(const char *owner)
{
    for (size_t i = 0; i < known.count; i++)
        if (mem_streq(known.entries[i].owner, owner))
            known.entries[i].written = false;
}

/* ---- what status tells ---- */

/* What was in a request for longer than its process looked can't be known to it. */
static bool may_be_late(void)
{
    static const enum fault_kind DELAYS[] = { FAULT_SECOND_BEFORE, FAULT_SPLIT, FAULT_LATE_WRITE };
    for (size_t i = 0; i < ARRAY_LENGTH(DELAYS); i++)
        if (fault_planned(DELAYS[i]))
            return true;
    return false;
}

static void check_note(const struct entry *entry)
{
    bool theirs = entry->by_hand_ms != 0 && !entry->written &&
                  entry->by_hand_ms + SAME_MOMENT_MS < time_now_ms();
    if (!entry->noted && theirs && account_lists(account_of(entry), entry->secret) &&
        !may_be_late())
        sim_broken(I7, "took %s for its own, which somebody else had put into an account",
                   entry->secret);
}

void oracle_accounts_noted(const cJSON *resource)
{
    const char *owner = json_string_at(resource, "metadata.uid");
    bool before[ENTRIES_MAX] = { 0 };
    for (size_t i = 0; i < known.count; i++) {
        before[i] = known.entries[i].noted;
        if (mem_streq(known.entries[i].owner, owner))
            known.entries[i].noted = false;
    }
    const cJSON *note = NULL;
    cJSON_ArrayForEach(note, json_at(resource, "status.serviceAccounts")) {
        struct entry *entry =
            find_or_add(json_string_member(note, "uid"), json_string_member(note, "secretName"));
        size_t index = (size_t)(entry - known.entries);
        entry->noted = index < ENTRIES_MAX && before[index];
        check_note(entry);
        entry->noted = true;
        snprintf(entry->owner, sizeof entry->owner, "%s", owner);
    }
}

/* ---- writes ---- */

static const char *name_at(const cJSON *entry)
{
    return json_string_member(entry, "name");
}

/* What one did who leads no longer, and doesn't know it, the other one can't know; nor anybody what
 * is carried out long after it was given up. */
static struct entry *find_noted(const char *uid, const char *secret, const char *violation)
{
    struct entry *entry = find(uid, secret);
    bool late = fault_planned(FAULT_LATE_WRITE) && sim.schedule->fault_count > 1;
    sim.accounts_forgotten =
        sim.accounts_forgotten || process_two_lead() || process_just_went_on() || late;
    if (entry && (entry->noted || sim.accounts_forgotten))
        return entry;
    if (!sim.accounts_forgotten)
        sim_broken(I7, "%s: %s", violation, secret);
    return NULL;
}

static bool names(const cJSON *resource, const cJSON *account)
{
    const cJSON *name = NULL;
    cJSON_ArrayForEach(name, json_at(resource, "spec.serviceAccounts"))
        if (mem_streq(cJSON_GetStringValue(name), json_string_at(account, "metadata.name")))
            return true;
    return false;
}

/* Pods of the account find their images in the meantime too. */
static void check_successor(const cJSON *after, const struct entry *entry)
{
    const struct api_object *resource = oracle_find_uid(entry->owner);
    const char *present = resource ? json_string_at(resource->json, "spec.secret.name") : NULL;
    if (present && !json_at(resource->json, "metadata.deletionTimestamp") &&
        names(resource->json, after) && !mem_streq(present, entry->secret) &&
        !account_lists(after, present) && sim.schedule->fault_count == 0)
        sim_broken(I2, "took %s out of an account that had no other yet", entry->secret);
}

static void check_taken_out(const cJSON *after, const char *secret)
{
    struct entry *entry = find_noted(json_string_at(after, "metadata.uid"), secret,
                                     "took out of an account what it hadn't put there");
    if (!entry)
        return;
    entry->written = false;
    const struct api_object *owner = oracle_find_uid(entry->owner);
    if (owner && sim.schedule->fault_count == 0 &&
        json_at(owner->json, "metadata.deletionTimestamp") &&
        mem_streq(json_string_at(owner->json, "spec.deletionPolicy"), "Retain"))
        sim_broken(I2, "took %s out of an account, and it is to be retained", secret);
    check_successor(after, entry);
}

static void check_put_in(const char *uid, const char *secret)
{
    struct entry *entry =
        find_noted(uid, secret, "put into an account what nothing tells to be its own");
    if (entry)
        entry->written = true;
}

/* What both have is in the same order, and what is new comes behind it. */
static void check_order(const cJSON *before, const cJSON *after)
{
    const cJSON *is = json_member(after, "imagePullSecrets");
    const cJSON *now = is ? is->child : NULL;
    const cJSON *then = NULL;
    cJSON_ArrayForEach(then, json_member(before, "imagePullSecrets")) {
        if (!account_lists(after, name_at(then)))
            continue;
        if (!cJSON_Compare(now, then, true))
            sim_broken(I7, "wrote what others put into an account in another order");
        now = now ? now->next : NULL;
    }
}

void oracle_account_written(const cJSON *before, const cJSON *after)
{
    static const char *const OURS[] = { "imagePullSecrets" };
    if (!before || !after || !oracle_same_without(before, after, OURS, ARRAY_LENGTH(OURS))) {
        sim_broken(I7, "changed more of an account than its imagePullSecrets");
        return;
    }
    const char *uid = json_string_at(before, "metadata.uid");
    const cJSON *entry = NULL;
    check_order(before, after);
    cJSON_ArrayForEach(entry, json_member(before, "imagePullSecrets"))
        if (!account_lists(after, name_at(entry)))
            check_taken_out(after, name_at(entry));
    cJSON_ArrayForEach(entry, json_member(after, "imagePullSecrets"))
        if (!account_lists(before, name_at(entry)))
            check_put_in(uid, name_at(entry));
}

static bool is_there(const struct entry *entry)
{
    return entry->written && account_lists(account_of(entry), entry->secret);
}

void oracle_account_secret_deleted(const cJSON *target)
{
    const char *owner = json_string_at(oracle_controller_of(target), "uid");
    const char *name = json_string_at(target, "metadata.name");
    const struct api_object *resource = owner ? oracle_find_uid(owner) : NULL;
    if (!mem_streq(json_string_at(target, "type"), SECRET_TYPE_DOCKER) ||
        json_bool_at(target, "immutable", false))
        return; /* that is made anew, whatever happens meanwhile */
    if (!resource || api_namespace_terminating(TEAM) ||
        (!json_at(resource->json, "metadata.deletionTimestamp") &&
         mem_streq(json_string_at(resource->json, "spec.secret.name"), name)))
        return; /* to be made anew at once */
    for (size_t i = 0; i < known.count; i++) {
        const struct entry *entry = &known.entries[i];
        if (is_there(entry) && mem_streq(entry->secret, name) && mem_streq(entry->owner, owner) &&
            !sim.accounts_forgotten)
            sim_broken(I2, "deleted %s, which pods of an account still get", name);
    }
}

/* ---- at rest ---- */

/* Without an admin key, say: what it has stays until there is another. */
static bool has_no_target(const cJSON *resource)
{
    return !api_get(API_SECRETS, TEAM, json_string_at(resource, "spec.secret.name"));
}

static void judge_left(const struct entry *entry)
{
    const struct api_object *owner = oracle_find_uid(entry->owner);
    if (!is_there(entry) || oracle_excused(entry->owner) || sim.accounts_forgotten)
        return;
    if (!owner)
        sim_broken(I7, "left %s in an account, and its resource is gone", entry->secret);
    else if (!json_at(owner->json, "metadata.deletionTimestamp") &&
             ((!mem_streq(json_string_at(owner->json, "spec.secret.name"), entry->secret) &&
               !has_no_target(owner->json)) ||
              !names(owner->json, account_of(entry))))
        sim_broken(I7, "left %s in an account, where nobody wants it any more", entry->secret);
}

static void judge_told(const struct api_object *object, bool all)
{
    const cJSON *told =
        condition_find(json_at(object->json, "status.conditions"), "ServiceAccountsUpdated");
    const char *reason = json_string_member(told, "reason");
    if (!mem_streq(reason, all ? "Updated" : "ServiceAccountNotFound"))
        sim_broken(WEDGED, "%s tells %s of its accounts", object->name,
                   reason ? reason : "nothing");
}

void oracle_judge_accounts_of(const struct api_object *object)
{
    const char *secret = json_string_at(object->json, "spec.secret.name");
    const cJSON *name = NULL;
    const cJSON *named = json_at(object->json, "spec.serviceAccounts");
    bool all = true;
    cJSON_ArrayForEach(name, named) {
        const cJSON *account = api_get(API_ACCOUNTS, TEAM, cJSON_GetStringValue(name));
        all = all && account;
        if (account && !account_lists(account, secret))
            sim_broken(WEDGED, "ServiceAccount %s never got %s", cJSON_GetStringValue(name),
                       secret);
    }
    if (cJSON_GetArraySize(named) > 0)
        judge_told(object, all);
}

void oracle_judge_accounts_in_time(void)
{
    for (size_t i = 0; i < sim.api.count && !sim.accounts_forbidden; i++)
        if (sim.api.objects[i].type == API_PULLS &&
            !json_at(sim.api.objects[i].json, "metadata.deletionTimestamp"))
            oracle_judge_accounts_of(&sim.api.objects[i]);
}

void oracle_judge_entries(void)
{
    for (size_t i = 0; i < known.count; i++)
        judge_left(&known.entries[i]);
}
