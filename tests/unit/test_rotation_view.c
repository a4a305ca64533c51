#include "fixture.h"

#include "plugin/rotation_view.h"

#define CONDITION(type, status, reason, message)                                                   \
    "{\"type\":\"" type "\",\"status\":\"" status "\",\"reason\":\"" reason                        \
    "\",\"message\":\"" message "\"}"
#define HANDLED "\"lastHandledRotateRequest\":\"t2\",\"revision\":2,"

static void test_stages(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        const char *spec;
        const char *status;
        enum rotation_stage stage;
        const char *text;
    } rows[] = {
        { "not seen yet", "", "\"lastHandledRotateRequest\":\"t1\"", ROTATION_ASKED,
          "waiting for the operator" },
        { "suspended", ",\"suspend\":true", "\"revision\":1", ROTATION_STUCK, "spec.suspend" },
        { "fails, and is tried again", "",
          "\"failures\":2,\"conditions\":[" CONDITION("Ready", "True", "Published",
                                                      "Deepgram is away") "]",
          ROTATION_ASKED, "held up: Deepgram is away" },
        { "stalled", "",
          "\"conditions\":[" CONDITION("Stalled", "True", "Unauthorized", "x") "," CONDITION(
              "Ready", "True", "Published", "a new key is needed") "]",
          ROTATION_STUCK, "held up: a new key is needed" },
        { "published, and nobody tells of consumers", "",
          HANDLED "\"revisions\":[{\"revision\":1,\"id\":\"a\",\"state\":\"Retiring\","
                  "\"revokeAfter\":\"2026-01-01T11:00:00Z\"}]",
          ROTATION_DONE,
          "revision 2 is published; revision 1 is revoked after "
          "2026-01-01T11:00:00Z" },
        { "consumers still restart", "",
          HANDLED "\"conditions\":[" CONDITION("ConsumersUpdated", "False", "RollingOut",
                                               "Deployment api is restarted") "]",
          ROTATION_PUBLISHED, "revision 2 is published; Deployment api is restarted" },
        { "consumers are up to date", "",
          HANDLED "\"conditions\":[" CONDITION("ConsumersUpdated", "True", "Updated", "") "]",
          ROTATION_DONE, "revision 2 is published" },
        { "nobody looks at pods", "",
          HANDLED "\"conditions\":[" CONDITION("ConsumersUpdated", "Unknown", "Ignored", "") "]",
          ROTATION_DONE, "revision 2 is published" },
        { "taken back", "",
          HANDLED "\"conditions\":[" CONDITION("ConsumersUpdated", "False", "RolledBack",
                                               "Pod x fails") "]",
          ROTATION_TAKEN_BACK, "taken back: Pod x fails" },
    };
    for (size_t i = 0; i < ARRAY_LENGTH(rows); i++) {
        auto_free char *json = mem_printf(
            "{\"metadata\":{\"namespace\":\"team\",\"name\":\"voice\",\"uid\":\"" FIXTURE_UID
            "\"},\"spec\":{\"projectId\":\"" FIXTURE_PROJECT "\"%s},\"status\":{%s}}",
            rows[i].spec, rows[i].status);
        auto_resource struct resource *resource =
            resource_new(RESOURCE_API_KEY, fixture_json(json));
        auto_buf struct buf text;
        buf_init(&text, 1024);
        enum rotation_stage stage = rotation_view(resource, "t2", &text);
        if (stage != rows[i].stage || !strstr(buf_text(&text), rows[i].text))
            fail_msg("%s: stage %d, %s", rows[i].name, (int)stage, buf_text(&text));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_stages) };
    return fixture_run(tests);
}
