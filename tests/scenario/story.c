/* The stories, as scripts of words: an action of action.c; `settle` lets things come to rest;
 * +SECONDS lets time pass; !N waits for the Nth request. The world begins with a namespace, an
 * admin Secret, credentials and Secrets of others, and no operator: it starts with the script. */
#include "story.h"

#include <string.h>

#include "sim.h"

static const struct story STORIES[] = {
    { "issue", "make settle" },
    { "issue-pull", "make-pull settle" },
    { "issue-pods", "deploy make settle" },
    { "heal", "make settle deploy settle delete-target settle edit-target settle empty-target "
              "settle relabel-target settle" },
    { "heal-pull", "make-pull settle delete-target settle edit-target settle" },
    { "renumber", "make settle renumber-target settle" },
    { "pull-pods", "make-pull settle pulling +5 token settle" },
    { "pull-pods-delete", "make-pull settle pulling +5 delete +30 undeploy settle" },
    { "template", "make settle template settle" },
    { "delete-held", "make hold-resource settle token settle delete settle free-resource settle" },
    { "labels", "make settle labels settle" },
    { "spec", "make settle deploy settle spec settle roll settle" },
    { "spec-pull", "make-pull settle spec settle" },
    { "spec-early", "make !3 spec settle" },
    { "spec-refused", "make settle +60 break-admin spec settle delete-revision settle mend-admin "
                      "settle" },
    { "spec-kept", "lose-next make settle +60 spec delete-revision settle" },
    { "spec-roll", "make settle deploy settle spec +1 roll settle" },
    { "spec-mid", "make !9 spec settle" },
    { "token", "make settle deploy settle token settle roll settle" },
    { "token-spec", "make settle both settle" },
    { "overlap", "make settle deploy settle token +20 token +20 roll settle" },
    { "hourly", "make settle hourly settle an-hour +3700 hourly-no-more settle" },
    { "hourly-on", "make settle hourly settle an-hour +3700 settle" },
    { "expire", "make-expiring settle an-hour +7300 settle" },
    { "expiry", "make-expiring settle an-hour +3600 +1800 settle forever settle" },
    { "delete", "make settle delete settle" },
    { "delete-pull", "make-pull settle delete settle" },
    { "delete-pods", "make settle deploy settle delete +60 undeploy settle" },
    { "delete-rotating", "make settle deploy settle token settle delete +30 undeploy settle" },
    { "delete-early", "make !4 delete settle" },
    { "delete-mid", "make !6 delete settle" },
    { "delete-late", "make !8 delete settle" },
    { "delete-lagging", "lag make +15 delete settle" },
    { "delete-lost", "lose-next make +20 delete settle" },
    { "delete-awaiting", "late-next make +20 delete settle" },
    { "delete-door", "make settle slow-pods bare-pod +4 delete +30 undeploy settle" },
    { "delete-unsure", "make !7 slow-secrets delete settle" },
    { "delete-seized", "make settle delete !11 seize settle" },
    { "seized", "make settle deploy settle seize +30 delete +60 undeploy settle" },
    { "labels-seized", "make settle labels !11 seize settle" },
    { "lesser-lost", "make settle engine settle token +20 delete-older lessen-admin settle "
                     "mend-admin +1300 settle" },
    { "lesser-orphan", "make settle lose-next token !18 lessen-admin +60 mend-admin settle" },
    { "delete-soon", "make +20 delete settle" },
    { "forgotten", "make settle deploy settle delete +5 delete-revision delete-target wipe-status "
                   "settle undeploy settle" },
    { "admin-forgotten", "lose-next make settle +200 deploy settle delete-admin delete +5 "
                         "delete-revision delete-target wipe-status settle undeploy settle" },
    { "admin-erased", "lose-next make settle +200 deploy settle delete-admin +5 "
                      "delete-revision delete-target wipe-status settle undeploy settle" },
    { "amnesia", "make settle deploy settle token settle delete-older wipe-status settle roll "
                 "settle" },
    { "orphan-renamed", "make settle deploy settle token settle rename settle delete-older "
                        "wipe-status settle undeploy settle" },
    { "rush", "make settle token +2 token +2 token +2 token +2 token +2 token +2 token +2 token "
              "+2 token +2 token +2 token +2 token settle" },
    { "rush-all", "make second third settle token-all +2 token-all +2 token-all +2 token-all +2 "
                  "token-all +2 token-all +2 token-all +2 token-all +2 token-all settle" },
    { "default", "make-default settle token settle forge-revision settle token settle delete "
                 "settle" },
    { "default-guess", "make-default settle forge-guess settle token settle" },
    { "default-theft", "make-default second settle forge-theft settle token settle" },
    { "from-elsewhere", "from-elsewhere make settle token settle delete settle" },
    { "retain", "make-retained settle delete settle" },
    { "retain-no-more", "make-retained settle token settle revoke +5 delete settle" },
    { "retain-mid", "make-retained !6 delete settle" },
    { "retain-foreground", "make-retained settle token settle delete-foreground settle "
                           "make-over-retained settle" },
    { "foreground",
      "make settle deploy settle token settle delete-foreground +60 undeploy settle" },
    { "restart-late",
      "late-secrets make !7 restart-operator settle token +1 restart-operator settle" },
    { "restart-early", "late-resources make !9 restart-operator settle" },
    { "expire-kept", "make-expiring settle an-hour an-hour +4000 delete-revision +9000 settle "
                     "forever settle" },
    { "suspend-bare", "make settle engine settle token +50 suspend delete-target settle go-on "
                      "settle" },
    { "suspend", "make settle suspend settle token delete-target settle go-on settle" },
    { "spec-broken", "make settle break-spec settle token delete-target settle mend-spec settle" },
    { "suspend-long", "make settle token +5 suspend +700 go-on settle" },
    { "namespace", "make settle deploy settle delete-namespace settle" },
    { "namespace-early", "make !5 delete-namespace settle" },
    { "namespace-mid", "make !7 delete-namespace settle" },
    { "namespace-two", "make second settle token delete-namespace settle" },
    { "twin", "make +1 twin settle token settle delete settle" },
    { "two-long", "long-lists make !10 second settle" },
    { "two-kinds", "make settle twin +1 rename lose-next settle token settle delete-twin settle" },
    { "two", "make second settle delete settle delete-second settle" },
    { "admin-deleted", "make settle delete-admin settle token settle delete settle" },
    { "admin-going", "make settle delete-admin console +700 make-admin settle" },
    { "admin-missing", "delete-admin make settle make-admin settle" },
    { "admin-broken", "make settle break-admin token settle mend-admin settle" },
    { "backed-off", "break-admin make +1 restart-operator +30 restart-operator +30 mend-admin "
                    "settle" },
    { "down", "make settle down token +300 delete +300 content settle" },
    { "down-list", "make settle down +1000 content settle" },
    { "broken-long", "break-admin make +300 mend-admin settle" },
    { "picky-spec", "picky make +30 restart-operator +30 content spec settle" },
    { "picky-mended", "make settle picky token +30 content break-admin mend-admin settle" },
    { "quoted", "make settle quote-marker token settle delete settle" },
    { "admin-lesser", "make settle lessen-admin token settle +60 mend-admin settle" },
    { "admin-lesser-delete", "make settle lessen-admin delete +60 mend-admin settle" },
    { "admin-held", "hold-admin make settle token settle delete settle free-admin" },
    { "wipe", "make settle token settle wipe-status settle" },
    { "strip", "make settle strip-finalizer settle token +1 strip-announcement settle" },
    { "recreate", "make settle recreate settle" },
    { "abandon", "make settle deploy settle delete settle abandon settle" },
    { "adopt", "by-hand deploy settle make-adopting settle token settle roll settle delete +60 "
               "undeploy settle" },
    { "adopt-limited", "by-hand-limited deploy make settle roll settle" },
    { "adopt-shared",
      "by-hand paste make-adopting second settle token settle delete-second settle" },
    { "adopt-dead", "by-hand-dead make-adopting settle delete settle" },
    { "adopt-pull", "by-hand-pull pulling settle make-adopting-pull settle token settle delete +60 "
                    "undeploy settle" },
    { "adopt-pull-late", "by-hand-pull break-admin make-adopting-pull settle mend-admin settle" },
    { "held", "make settle hold-target delete-target settle free-target settle" },
    { "held-delete", "make settle hold-target delete +60 free-target settle" },
    { "released", "make settle deploy settle release-target settle unmark-admin settle" },
    { "rollout", "make settle engine settle token settle token settle" },
    { "rollout-marked", "make settle engine settle mark-engine settle token settle" },
    { "rollout-mixed", "make settle engine deploy settle spec settle roll settle" },
    { "rollout-theirs", "make settle engine settle token +1 restart-engine settle" },
    { "rollout-wait", "make-waiting settle engine settle token settle restart-engine settle" },
    { "rollout-ignore", "make-ignoring settle deploy settle token settle" },
    { "rollout-paused", "make settle engine settle pause token settle resume settle" },
    { "rollout-delete", "make settle engine settle token +20 delete settle drop-engine settle" },
    { "rolled-back", "make-impatient settle engine settle fail-next token settle +330 settle" },
    { "rolled-back-token", "make-impatient settle engine settle fail-next token settle +330 "
                           "settle token settle" },
    { "rolled-back-late", "make-expiring settle engine settle suspend +6900 fail-next token go-on "
                          "+400 settle" },
    { "fight", "make settle deploy settle war +150 peace settle" },
    { "status-fight", "make settle deploy settle status-war +40 status-peace settle" },
    { "co-own", "make settle co-own delete-target settle co-own token settle delete settle" },
    { "co-own-again", "make-retained settle co-own settle recreate settle" },
    { "co-own-retain", "make-retained settle co-own settle delete settle" },
    { "conflict", "unasked make settle token settle delete settle" },
    { "rename", "make settle deploy settle rename settle token settle undeploy settle" },
    { "rename-retain", "make settle deploy settle rename settle retain delete settle" },
    { "retype", "make settle retype-target settle freeze-target spec settle" },
    { "retain-recreate", "make-retained settle recreate settle" },
    { "retain-seized",
      "make-retained settle recreate !28 own-target settle release-target settle" },
    { "revision-lost", "make settle deploy settle delete-revision settle" },
    { "revision-held", "make settle hold-revision token +100 hold-revision delete-revision settle "
                       "free-revisions settle" },
    { "revision-held-on", "make settle hold-revision recreate settle free-revisions settle" },
    { "console", "make settle console +700 settle" },
    { "accounts", "accounts make-named settle token settle name-one settle delete settle" },
    { "accounts-later", "make-named settle accounts settle remake-account settle delete-account "
                        "settle" },
    { "accounts-rename", "accounts make-named settle rename settle" },
    { "accounts-dead", "accounts make-named settle picky console +700 rename +60 content spec "
                       "settle" },
    { "accounts-behind", "accounts make-named settle name-one +5 late-resources restart-operator "
                         "settle" },
    { "accounts-in-use", "accounts make-named settle deploy settle forbid-accounts delete +200 "
                         "settle" },
    { "accounts-retain", "accounts make-named settle retain delete settle" },
    { "accounts-two", "accounts second-named make-named settle delete settle" },
    { "accounts-theirs", "accounts break-admin make-named +5 add-by-hand mend-admin settle "
                         "drop-ours settle add-theirs name-one settle" },
    { "accounts-fight", "accounts make-named settle accounts-war +150 accounts-peace settle" },
    { "accounts-forbidden", "accounts forbid-accounts make-named settle allow-accounts settle "
                            "forbid-accounts delete settle" },
    { "rename-lost", "make settle deploy settle rename settle delete-target settle token settle "
                     "undeploy settle" },
    { "rename-lost-pull", "make-pull settle deploy settle rename settle delete-target settle token "
                          "settle undeploy settle" },
    { "renumber-wiped", "make settle engine settle token +59 renumber-target wipe-status settle" },
    { "rename-lost-delete", "make settle deploy settle token settle rename settle delete-target "
                            "settle delete settle undeploy settle" },
    { "rename-seized", "make settle deploy settle rename settle seize settle token settle "
                       "roll settle" },
    { "held-rename", "make settle hold-target rename settle token settle free-target settle" },
    { "held-rename-retain", "make-retained settle hold-target rename settle delete settle "
                            "free-target settle" },
    { "held-rename-delete", "make settle hold-target rename delete +60 free-target settle" },
    { "held-rename-pull", "accounts make-named settle hold-target rename settle free-target "
                          "settle" },
    { "lost-seized", "make settle lose-next token !14 seize settle" },
    { "engine-first", "engine +10 make settle" },
    { "accounts-forever", "accounts make-named settle forbid-accounts delete +2400 settle" },
    { "accounts-held", "accounts make-named settle accounts-war +40 rename +5 token +150 "
                       "accounts-peace settle" },
    { "early-pull", "make-pull !3 late-resources !9 restart-operator settle" },
    { "spec-back", "make-impatient settle engine settle fail-next spec settle +330 settle" },
    { "lesser-console", "make settle deploy settle token settle lessen-admin +700 console +1300 "
                        "settle" },
    { "late-restart", "make settle +1000 late-next token +3 restart-operator +3 delete settle" },
    { "list-throttle", "make settle +450 !12 token settle" },
    { "anchor-seized", "make-retained !9 seize settle" },
    { "revision-lost-edit", "make settle deploy settle token settle delete-revision edit-target "
                            "settle" },
    { "stream-deaf", "make-streaming settle deploy settle token settle deaf roll settle content "
                     "settle" },
    { "lose-twice", "lose-next make !10 lose-next settle" },
    { "seized-first", "make settle seize +30 deploy settle delete settle" },
    { "failed-twice", "make-impatient settle engine settle fail-next spec +400 fail-next +700 "
                      "settle +900 settle mend-admin go-on +1500 settle" },
    { "stream", "make-streaming settle deploy settle token settle roll settle" },
    { "stream-delete", "make-streaming settle deploy settle token settle roll +6 delete settle "
                       "undeploy settle" },
};

const struct story *story_at(size_t index)
{
    return index < ARRAY_LENGTH(STORIES) ? &STORIES[index] : NULL;
}

const struct story *story_find(const char *name)
{
    for (size_t i = 0; i < ARRAY_LENGTH(STORIES); i++)
        if (strcmp(STORIES[i].name, name) == 0)
            return &STORIES[i];
    return NULL;
}

bool story_is_long(const struct story *story)
{
    return strcmp(story->name, "rush-all") == 0 || strcmp(story->name, "failed-twice") == 0;
}
