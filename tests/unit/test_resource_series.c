#include "test.h"

#include <string.h>
#include <time.h>

#include "base/json.h"
#include "operator/resource_series.h"

static struct resource_series *series;
static struct buf page;

static int setup(void **state)
{
    (void)state;
    series = resource_series_new();
    buf_init(&page, 8 * 1024 * 1024); /* what the server has room for */
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    resource_series_free(series);
    buf_done(&page);
    return 0;
}

static cJSON *resource(const char *name, const char *ready, const char *more)
{
    auto_free char *text = mem_printf(
        "{\"metadata\":{\"namespace\":\"speech\",\"name\":\"%s\"},\"status\":{\"conditions\":["
        "{\"type\":\"Ready\",\"status\":\"%s\"}]%s}}",
        name, ready, more);
    return json_parse(text, strlen(text));
}

static void put(const char *name, const char *ready, const char *more)
{
    auto_json cJSON *after = resource(name, ready, more);
    resource_series_change(series, RESOURCE_API_KEY, NULL, after);
}

static void remove_it(const char *name)
{
    auto_json cJSON *before = resource(name, "True", "");
    resource_series_change(series, RESOURCE_API_KEY, before, NULL);
}

static const char *render(void)
{
    buf_reset(&page);
    resource_series_render(series, &page);
    assert_false(page.failed);
    return buf_text(&page);
}

static const char ALL[] =
    "# HELP deepgram_operator_resource_ready 1 while the resource's condition Ready is True.\n"
    "# TYPE deepgram_operator_resource_ready gauge\n"
    "deepgram_operator_resource_ready{kind=\"DeepgramApiKey\",namespace=\"speech\",name=\"a\"} 1\n"
    "# HELP deepgram_operator_credential_expiry_timestamp_seconds When the published credential "
    "expires; without one that does, there is no series.\n"
    "# TYPE deepgram_operator_credential_expiry_timestamp_seconds gauge\n"
    "deepgram_operator_credential_expiry_timestamp_seconds{kind=\"DeepgramApiKey\","
    "namespace=\"speech\",name=\"a\"} 1767225600\n"
    "# HELP deepgram_operator_next_rotation_timestamp_seconds When the next rotation is due by "
    "time; without one, there is no series.\n"
    "# TYPE deepgram_operator_next_rotation_timestamp_seconds gauge\n"
    "deepgram_operator_next_rotation_timestamp_seconds{kind=\"DeepgramApiKey\","
    "namespace=\"speech\",name=\"a\"} 1767222000\n";

static void test_nothing_without_resources(void **state)
{
    (void)state;
    assert_string_equal(render(), "");
}

static void test_what_a_resource_shows(void **state)
{
    (void)state;
    put("a", "True",
        ",\"expiresAt\":\"2026-01-01T00:00:00Z\",\"nextRotationAt\":\"2025-12-31T23:00:00Z\"");
    assert_string_equal(render(), ALL);
}

static void test_what_a_resource_has_not_has_no_series(void **state)
{
    (void)state;
    put("a", "Unknown", ",\"expiresAt\":\"soon\",\"nextRotationAt\":7");
    const char *text = render();
    assert_non_null(strstr(text, "name=\"a\"} 0\n"));
    assert_null(strstr(text, "timestamp_seconds"));
}

static void test_a_change_replaces_and_an_end_removes(void **state)
{
    (void)state;
    put("a", "True", ",\"expiresAt\":\"2026-01-01T00:00:00Z\"");
    put("b", "True", "");
    put("a", "False", "");
    const char *text = render();
    assert_non_null(strstr(text, "name=\"a\"} 0\n"));
    assert_non_null(strstr(text, "name=\"b\"} 1\n"));
    assert_null(strstr(text, "timestamp_seconds"));
    remove_it("a");
    remove_it("never seen");
    assert_null(strstr(render(), "name=\"a\""));
    remove_it("b");
    assert_string_equal(render(), "");
}

static int64_t cpu_us(void)
{
    struct timespec now;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

static void put_many(size_t count, const char *pattern)
{
    for (size_t i = 0; i < count; i++) {
        auto_free char *name = mem_printf("%s-%zu", pattern, i);
        put(name, "True",
            ",\"expiresAt\":\"2026-01-01T00:00:00Z\",\"nextRotationAt\":\"2025-12-31T23:00:00Z\"");
    }
}

static void test_ten_thousand_fit_and_are_copied_quickly(void **state)
{
    (void)state;
    put_many(10000, "dg-self-hosted-api-key");
    assert_int_equal(resource_series_dropped(series), 0);
    int64_t before_us = cpu_us();
    size_t length = strlen(render());
    int64_t took_us = cpu_us() - before_us;
    print_message("10,000 resources: %zu bytes in %lld ms\n", length, (long long)took_us / 1000);
    assert_in_range(length, 3 * 1024 * 1024, 5 * 1024 * 1024);
    assert_in_range(took_us, 0, 500 * 1000); /* with sanitizers */
}

static void test_what_is_too_much_for_a_page_is_left_out_and_counted(void **state)
{
    (void)state;
    char longest[241];
    memset(longest, 'n', sizeof longest - 1);
    longest[sizeof longest - 1] = '\0';
    put_many(10000, longest);
    size_t dropped = resource_series_dropped(series);
    assert_in_range(dropped, 1000, 9000);
    size_t length = strlen(render());
    assert_in_range(length, 5 * 1024 * 1024, 6 * 1024 * 1024 + 1024);
    auto_free char *first = mem_printf("%s-0", longest);
    remove_it(first);
    put("a", "True", "");
    assert_int_equal(resource_series_dropped(series), dropped);
}

#define series_test(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
    json_setup();
    const struct CMUnitTest tests[] = {
        series_test(test_nothing_without_resources),
        series_test(test_what_a_resource_shows),
        series_test(test_what_a_resource_has_not_has_no_series),
        series_test(test_a_change_replaces_and_an_end_removes),
        series_test(test_ten_thousand_fit_and_are_copied_quickly),
        series_test(test_what_is_too_much_for_a_page_is_left_out_and_counted),
    };
    return test_run(tests);
}
