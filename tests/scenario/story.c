/* The stories, as scripts of words: an action of action.c; `settle` lets things come to rest;
 * +SECONDS lets time pass; !N waits for the Nth request. The world begins with a namespace, an
 * admin Secret, credentials and Secrets of others, and no operator: it starts with the script. */
#include "sim.h"

#include <string.h>

static const struct story STORIES[] = {
    { "issue", "make settle", false },
    { "issue-pull", "make-pull settle", false },
    { "issue-pods", "deploy make settle", false },
    { "heal",
      "make settle deploy settle delete-target settle edit-target settle empty-target "
      "settle relabel-target settle",
      false },
    { "heal-pull", "make-pull settle delete-target settle edit-target settle", false },
    { "labels", "make settle labels settle", false },
    { "spec", "make settle deploy settle spec settle roll settle", false },
    { "spec-pull", "make-pull settle spec settle", false },
    { "spec-mid", "make !9 spec settle", false },
    { "token", "make settle deploy settle token settle roll settle", false },
    { "token-spec", "make settle both settle", false },
    { "overlap", "make settle deploy settle token +20 token +20 roll settle", false },
    { "hourly", "make settle hourly settle an-hour +3700 hourly-no-more settle", false },
    { "expiry", "make-expiring settle an-hour +3600 +1800 settle forever settle", false },
    { "delete", "make settle delete settle", false },
    { "delete-pull", "make-pull settle delete settle", false },
    { "delete-pods", "make settle deploy settle delete +60 undeploy settle", false },
    { "delete-rotating", "make settle deploy settle token settle delete +30 undeploy settle",
      false },
    { "delete-early", "make !4 delete settle", false },
    { "delete-mid", "make !6 delete settle", false },
    { "delete-late", "make !8 delete settle", false },
    { "retain", "make-retained settle delete settle", false },
    { "retain-mid", "make-retained !6 delete settle", false },
    { "suspend", "make settle suspend settle token delete-target settle go-on settle", false },
    { "namespace", "make settle deploy settle delete-namespace settle", false },
    { "namespace-early", "make !5 delete-namespace settle", false },
    { "namespace-mid", "make !7 delete-namespace settle", false },
    { "namespace-two", "make second settle token delete-namespace settle", false },
    { "twin", "make +1 twin settle token settle delete settle", false },
    { "two", "make second settle delete settle delete-second settle", false },
    { "admin-deleted", "make settle delete-admin settle token settle delete settle", false },
    { "admin-missing", "delete-admin make settle make-admin settle", false },
    { "admin-broken", "make settle break-admin token settle mend-admin settle", false },
    { "wipe", "make settle token settle wipe-status settle", false },
    { "strip", "make settle strip-finalizer settle token +1 strip-announcement settle", false },
    { "recreate", "make settle recreate settle", false },
    { "abandon", "make settle deploy settle delete settle abandon settle", false },
    { "adopt",
      "by-hand deploy settle make-adopting settle token settle roll settle delete +60 "
      "undeploy settle",
      false },
    { "conflict", "unasked make settle token settle delete settle", false },
    { "rename", "make settle deploy settle rename settle token settle undeploy settle", false },
    { "retype", "make settle retype-target settle freeze-target spec settle", false },
    { "retain-recreate", "make-retained settle recreate settle", false },
    { "revision-lost", "make settle deploy settle delete-revision settle", false },
    { "console", "make settle console settle", false },
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
