/* Whether consumers are up to date is the condition ConsumersUpdated; pull credentials and
 * operators without it need nobody's restart. */
#include "plugin/rotation_view.h"

#include <string.h>

#include "api/condition.h"
#include "api/timestamp.h"
#include "base/json.h"

static void say_what_retires(const struct resource *resource, struct buf *text)
{
    char when[TIMESTAMP_BYTES];
    for (size_t i = 0; i < resource->status.revision_count; i++) {
        const struct status_revision *revision = &resource->status.revisions[i];
        if (revision->state != REVISION_RETIRING || revision->revoke_after_ms == 0)
            continue;
        timestamp_format(revision->revoke_after_ms, when);
        buf_printf(text, "; revision %lld is revoked after %s", (long long)revision->number, when);
    }
}

static enum rotation_stage judge_published(const struct resource *resource, struct buf *text)
{
    const cJSON *conditions = json_member(resource->status.json, "conditions");
    const cJSON *updated = condition_find(conditions, "ConsumersUpdated");
    const char *message = json_string_member(updated, "message");
    if (mem_streq(json_string_member(updated, "reason"), "RolledBack")) {
        buf_printf(text, "taken back: %s", message ? message : "pods failed on it");
        return ROTATION_TAKEN_BACK;
    }
    buf_printf(text, "revision %lld is published", (long long)resource->status.revision);
    if (!mem_streq(json_string_member(updated, "status"), "False")) {
        say_what_retires(resource, text);
        return ROTATION_DONE;
    }
    buf_printf(text, "; %s", message ? message : "pods still hold the old one");
    return ROTATION_PUBLISHED;
}

enum rotation_stage rotation_view(const struct resource *resource, const char *token,
                                  struct buf *text)
{
    const cJSON *conditions = json_member(resource->status.json, "conditions");
    const cJSON *ready = condition_find(conditions, "Ready");
    const char *message = json_string_member(ready, "message");
    buf_reset(text);
    if (strcmp(resource->status.last_handled_rotate, token) == 0)
        return judge_published(resource, text);
    if (resource->spec.suspend) {
        buf_puts(text, "spec.suspend is true: set it to false, and the rotation goes on");
        return ROTATION_STUCK;
    }
    if (resource->status.failures > 0 || condition_is_true(conditions, "Stalled")) {
        buf_printf(text, "held up: %s", message ? message : "see `kubectl describe`");
        return condition_is_true(conditions, "Stalled") ? ROTATION_STUCK : ROTATION_ASKED;
    }
    buf_puts(text, "waiting for the operator");
    return ROTATION_ASKED;
}
