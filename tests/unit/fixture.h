/* Resources and other objects from JSON text, for tests of what is pure. */
#ifndef TESTS_UNIT_FIXTURE_H
#define TESTS_UNIT_FIXTURE_H

#include "test.h"

#include <string.h>

#include "api/resource.h"
#include "base/json.h"

#define FIXTURE_PROJECT "11111111-2222-3333-4444-555555555555"
#define FIXTURE_UID "0f0e0d0c-0b0a-0908-0706-050403020100"
#define FIXTURE_NONCE "0123456789abcdef0123456789abcdef"
#define FIXTURE_KEY "abcdefghijklmnopqrstuvwxyz01234567890ABC"

/* For `return fixture_run(tests);` in main(). */
#define fixture_run(tests) (json_setup(), test_run(tests))

static inline cJSON *fixture_json(const char *text)
{
    cJSON *json = json_parse(text, strlen(text));
    if (!json)
        fail_msg("not JSON: %s", text);
    return json;
}

/* A resource "team/voice" with these members of spec next to projectId, such as "\"suspend\":true".
 */
static inline struct resource *fixture_resource(enum resource_kind kind, const char *members)
{
    auto_free char *text = mem_printf(
        "{\"metadata\":{\"namespace\":\"team\",\"name\":\"voice\",\"uid\":\"" FIXTURE_UID "\","
        "\"resourceVersion\":\"42\",\"generation\":3},"
        "\"spec\":{\"projectId\":\"" FIXTURE_PROJECT "\"%s%s}}",
        *members ? "," : "", members);
    return resource_new(kind, fixture_json(text));
}

/* Fails with the row's name unless the texts are equal; NULL equals NULL. */
static inline void fixture_expect(const char *row, const char *is, const char *wanted)
{
    if (!mem_streq(is, wanted))
        fail_msg("%s:\n is     %s\n wanted %s", row, is ? is : "NULL", wanted ? wanted : "NULL");
}

/* As above for JSON, printed compactly. */
static inline void fixture_expect_json(const char *row, const cJSON *is, const char *wanted)
{
    auto_free char *text = is ? json_print(is) : NULL;
    fixture_expect(row, text, wanted);
}

#endif
