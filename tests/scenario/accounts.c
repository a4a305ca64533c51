/* ServiceAccounts, and what people and other controllers do to them. Only stories that name them
 * have any. */
#include <string.h>

#include "base/json.h"
#include "people.h"
#include "sim.h"

#define ENGINE_ACCOUNT "engine"
#define API_ACCOUNT "api"
/* Of other people: it stands before and behind ours. */
#define THEIRS "theirs"

static void make_account(const char *name)
{
    api_make(API_ACCOUNTS, TEAM,
             "{\"metadata\":{\"name\":\"%s\"},\"imagePullSecrets\":[{\"name\":\"" THEIRS "\"}],"
             "\"secrets\":[{\"name\":\"%s-token\"}]}",
             name, name);
}

static void make_accounts(void)
{
    make_account(ENGINE_ACCOUNT);
    make_account(API_ACCOUNT);
}

static void remake_account(void)
{
    api_delete(API_ACCOUNTS, TEAM, ENGINE_ACCOUNT, NULL);
    make_account(ENGINE_ACCOUNT);
}

static void delete_account(void)
{
    api_delete(API_ACCOUNTS, TEAM, API_ACCOUNT, NULL);
}

/* ---- resources that name them ---- */

#define BOTH_ACCOUNTS "\"serviceAccounts\":[\"" ENGINE_ACCOUNT "\",\"" API_ACCOUNT "\"]"

static void make_named(void)
{
    people_make_resource(API_PULLS, VOICE, VOICE_KEY, "," BOTH_ACCOUNTS);
}

static void make_second_named(void)
{
    people_make_resource(API_PULLS, "video", "video-key",
                         ",\"serviceAccounts\":[\"" ENGINE_ACCOUNT "\"]");
}

static void name_one(void)
{
    people_merge_voice("{\"spec\":{\"serviceAccounts\":[\"" API_ACCOUNT "\"]}}");
}

static void name_both(void)
{
    people_merge_voice("{\"spec\":{" BOTH_ACCOUNTS "}}");
}

/* ---- other writers ---- */

/* The token controller's list; and whoever keeps notes in annotations. */
static void write_tokens(void)
{
    api_merge(API_ACCOUNTS, TEAM, ENGINE_ACCOUNT,
              "{\"metadata\":{\"annotations\":{\"example.com/at\":\"%lld\"}},"
              "\"secrets\":[{\"name\":\"token-%lld\"}]}",
              (long long)time_now_ms(), (long long)time_now_ms());
}

/* Writes the list as it is, but for one name. */
static void change_entries(const char *account, const char *without, const char *with)
{
    const cJSON *before = api_get(API_ACCOUNTS, TEAM, account);
    auto_json cJSON *entries = cJSON_CreateArray();
    const cJSON *entry = NULL;
    cJSON_ArrayForEach(entry, json_member(before, "imagePullSecrets"))
        if (!without || !mem_streq(json_string_member(entry, "name"), without))
            cJSON_AddItemToArray(entries, cJSON_Duplicate(entry, true));
    if (with) {
        cJSON *added = cJSON_CreateObject();
        json_add_string(added, "name", with);
        cJSON_AddItemToArray(entries, added);
    }
    auto_free char *text = json_print(entries);
    api_merge(API_ACCOUNTS, TEAM, account, "{\"imagePullSecrets\":%s}", text);
}

static void add_theirs(void)
{
    change_entries(ENGINE_ACCOUNT, "more", "more");
}

/* As a tool does that has its own idea of the whole list. */
static void drop_ours(void)
{
    change_entries(ENGINE_ACCOUNT, VOICE_KEY, NULL);
}

/* A person names the Secret before the operator does; where it is named already, nothing is done.
 */
static void add_by_hand(void)
{
    const cJSON *account = api_get(API_ACCOUNTS, TEAM, ENGINE_ACCOUNT);
    if (!account || oracle_account_lists(account, VOICE_KEY))
        return;
    change_entries(ENGINE_ACCOUNT, NULL, VOICE_KEY);
    oracle_entry_by_hand(json_string_at(account, "metadata.uid"), VOICE_KEY);
}

/* ---- rights ---- */

static void forbid(void)
{
    sim.accounts_forbidden = true;
    sim.accounts_forgotten = true; /* a deletion doesn't wait for a right for ever */
}

static void allow(void)
{
    sim.accounts_forbidden = false;
}

/* ---- somebody who never gives in ---- */

enum {
    BEAT_MS = SECOND,
    PUTS_AT_ONCE = 14, /* two that are named, two that are noted, and what the others leave */
    PUT_EVERY_MS = 30 * SECOND,
    PATIENCE_MS = 100 * SECOND,
};

static struct {
    struct loop_timer beat;
    int64_t began_ms;
    int64_t dropped;
    bool told;
} war;

void accounts_reset(void)
{
    memset(&war, 0, sizeof war);
}

static void on_beat(void *context)
{
    (void)context;
    war.told = war.told || people_are_told("ServiceAccountConflict");
    if (oracle_account_lists(api_get(API_ACCOUNTS, TEAM, ENGINE_ACCOUNT), VOICE_KEY)) {
        drop_ours();
        war.dropped++;
    }
    /* Whoever starts anew counts anew. */
    int64_t starts = 1 + 2 * (int64_t)sim.schedule->fault_count;
    int64_t lasted_ms = time_now_ms() - war.began_ms;
    if (war.dropped > PUTS_AT_ONCE * starts + lasted_ms / PUT_EVERY_MS)
        sim_broken(LIVELOCK, "put into an account %lld times in vain", (long long)war.dropped);
    if (lasted_ms > PATIENCE_MS && !war.told && sim.schedule->fault_count == 0)
        sim_broken(WEDGED, "nobody is told that somebody else takes it out");
    loop_timer_start(&sim.loop, &war.beat, BEAT_MS, on_beat, NULL);
}

static void begin_war(void)
{
    accounts_reset();
    war.began_ms = time_now_ms();
    loop_timer_start(&sim.loop, &war.beat, BEAT_MS, on_beat, NULL);
}

static void end_war(void)
{
    loop_timer_stop(&war.beat);
}

static const struct action ACCOUNTS[] = {
    { "accounts", make_accounts, 0, false },
    { "make-named", make_named, 1, false },
    { "second-named", make_second_named, 1, false },
    { "name-one", name_one, 0, true },
    { "name-both", name_both, 0, false },
    { "remake-account", remake_account, 0, true },
    { "delete-account", delete_account, 0, false },
    { "write-tokens", write_tokens, 0, true },
    { "add-theirs", add_theirs, 0, true },
    { "drop-ours", drop_ours, 0, true },
    { "add-by-hand", add_by_hand, 0, true },
    { "forbid-accounts", forbid, 0, false },
    { "allow-accounts", allow, 0, false },
    { "accounts-war", begin_war, 0, false },
    { "accounts-peace", end_war, 0, false },
};

const struct action *accounts_at(size_t index)
{
    return index < ARRAY_LENGTH(ACCOUNTS) ? &ACCOUNTS[index] : NULL;
}

bool accounts_action(const struct action *action)
{
    return action >= ACCOUNTS && action < ACCOUNTS + ARRAY_LENGTH(ACCOUNTS);
}
