#include "fixture.h"

#include <stdio.h>

#include "plugin/orphan_view.h"

static struct resource *resource_with(const char *annotations)
{
    auto_free char *text = mem_printf(
        "{\"metadata\":{\"namespace\":\"team\",\"name\":\"voice\",\"uid\":\"" FIXTURE_UID "\","
        "\"annotations\":{%s}},\"spec\":{\"projectId\":\"" FIXTURE_PROJECT "\"},"
        "\"status\":{\"id\":\"current\",\"revisions\":[{\"revision\":1,\"id\":\"retired\","
        "\"state\":\"Retiring\"}]}}",
        annotations);
    return resource_new(RESOURCE_API_KEY, fixture_json(text));
}

static void test_who_names_it(void **state)
{
    (void)state;
    static char stranger[] = "11111111-0000-0000-0000-000000000000";
    static const struct {
        const char *name, *id, *uid, *nonce;
        enum orphan_state wanted;
    } rows[] = {
        { "the current one", "current", FIXTURE_UID, "a", ORPHAN_NAMED },
        { "a retiring one", "retired", FIXTURE_UID, "a", ORPHAN_NAMED },
        { "one that only a Secret keeps", "stored", FIXTURE_UID, "a", ORPHAN_NAMED },
        { "one that Retain kept", "stored", stranger, "a", ORPHAN_NAMED },
        { "one that is announced", "new", FIXTURE_UID, FIXTURE_NONCE, ORPHAN_IN_FLIGHT },
        { "one of a lost answer", "lost", FIXTURE_UID, "a", ORPHAN_UNNAMED },
        { "one of another cluster", "current", stranger, "a", ORPHAN_STRANGER },
    };
    struct attempt attempt = { .revision = 2, .nonce = FIXTURE_NONCE, .since_ms = 1000 };
    auto_free char *announcement = attempts_print(&attempt, 1);
    auto_json cJSON *quoted = cJSON_CreateString(announcement);
    auto_free char *value = json_print(quoted);
    auto_free char *annotation = mem_printf("\"deepgram.com/issuing\":%s", value);
    auto_resource struct resource *resource = resource_with(annotation);
    assert_int_equal(resource->attempt_count, 1);
    auto_json cJSON *secrets = fixture_json(
        "[{\"metadata\":{\"name\":\"x-dgkey-r1\",\"labels\":{\"app.kubernetes.io/managed-by\":"
        "\"deepgram-operator\"},\"annotations\":{\"deepgram.com/resource\":\"DeepgramApiKey/x\","
        "\"deepgram.com/revision\":\"1\",\"deepgram.com/id\":\"stored\",\"deepgram.com/nonce\":"
        "\"" FIXTURE_NONCE "\"}}}]");
    for (size_t i = 0; i < ARRAY_LENGTH(rows); i++) {
        struct inventory_entry entry = { .id = rows[i].id,
                                         .uid = rows[i].uid,
                                         .nonce = rows[i].nonce };
        const struct resource *owner = NULL;
        enum orphan_state is = orphan_view(&entry, &resource, 1, secrets, &owner);
        if (is != rows[i].wanted || (owner == resource) != (rows[i].uid != stranger))
            fail_msg("%s: %d", rows[i].name, (int)is);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_who_names_it) };
    return fixture_run(tests);
}
