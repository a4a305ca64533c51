#include "test.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/json.h"
#include "base/log.h"

/* Runs the statement with stderr in a pipe; the text is in `output` afterwards. */
static char output[64 * 1024];

static int capture_begin(int pipe_ends[2])
{
    assert_int_equal(pipe(pipe_ends), 0);
    int saved = dup(STDERR_FILENO);
    dup2(pipe_ends[1], STDERR_FILENO);
    return saved;
}

static void capture_end(int saved, const int pipe_ends[2])
{
    dup2(saved, STDERR_FILENO);
    close(saved);
    close(pipe_ends[1]);
    ssize_t length = 0;
    size_t total = 0;
    while ((length = read(pipe_ends[0], output + total, sizeof output - 1 - total)) > 0)
        total += (size_t)length;
    output[total] = '\0';
    close(pipe_ends[0]);
}

#define CAPTURE(statement)                                                                         \
    do {                                                                                           \
        int ends_[2];                                                                              \
        int saved_ = capture_begin(ends_);                                                         \
        statement;                                                                                 \
        capture_end(saved_, ends_);                                                                \
    } while (0)

static void test_json_lines_can_be_parsed(void **state)
{
    (void)state;
    log_setup(LOG_JSON, LOG_INFO);
    CAPTURE(log_warn("it \"happened\"\n", "kind", "A\\B", "bad", "\xFFz", "skipped", NULL, "name",
                     "\x01gr\xC3\xBC", NULL));
    auto_json cJSON *line = json_parse(output, strlen(output));
    assert_non_null(line);
    assert_string_equal(json_string_at(line, "level"), "warn");
    assert_string_equal(json_string_at(line, "msg"), "it \"happened\"\n");
    assert_string_equal(json_string_at(line, "kind"), "A\\B");
    assert_string_equal(json_string_at(line, "bad"), "\xEF\xBF\xBDz");
    assert_string_equal(json_string_at(line, "name"), "\x01gr\xC3\xBC");
    assert_null(json_at(line, "skipped"));
    const char *time = json_string_at(line, "time");
    assert_int_equal(strlen(time), strlen("2026-01-02T03:04:05.678Z"));
    assert_int_equal(time[10], 'T');
    assert_ptr_equal(strchr(output, '\n'), output + strlen(output) - 1);
}

static void test_text_lines_quote_only_what_needs_it(void **state)
{
    (void)state;
    log_setup(LOG_TEXT, LOG_INFO);
    CAPTURE(log_info("issued", "a", "plain", "b", "two words", "c", "", "d", "x\ny", NULL));
    assert_non_null(
        strstr(output, "Z info  issued a=plain b=\"two words\" c=\"\" d=\"x\\u000ay\"\n"));
}

static void test_lower_levels_are_silent(void **state)
{
    (void)state;
    log_setup(LOG_JSON, LOG_WARN);
    CAPTURE(log_debug("x", NULL); log_info("x", NULL));
    assert_string_equal(output, "");
    CAPTURE(log_error("x", NULL));
    assert_non_null(strstr(output, "\"level\":\"error\""));
}

static void test_an_endless_value_is_cut_not_the_line(void **state)
{
    (void)state;
    char endless[20000];
    memset(endless, '"', sizeof endless - 1);
    endless[sizeof endless - 1] = '\0';
    log_setup(LOG_JSON, LOG_INFO);
    CAPTURE(log_info("m", "long", endless, "after", "kept", NULL));
    auto_json cJSON *line = json_parse(output, strlen(output));
    assert_string_equal(json_string_at(line, "after"), "kept");
    assert_int_equal(strlen(json_string_at(line, "long")), 4096);
}

static void test_names_of_levels_and_formats(void **state)
{
    (void)state;
    enum log_level level = LOG_INFO;
    assert_true(log_level_parse("debug", &level));
    assert_int_equal(level, LOG_DEBUG);
    assert_true(log_level_parse("error", &level));
    assert_int_equal(level, LOG_ERROR);
    assert_false(log_level_parse("loud", &level));
    assert_false(log_level_parse("", &level));
    assert_int_equal(level, LOG_ERROR);
    enum log_format format = LOG_JSON;
    assert_true(log_format_parse("text", &format));
    assert_int_equal(format, LOG_TEXT);
    assert_true(log_format_parse("json", &format));
    assert_int_equal(format, LOG_JSON);
    assert_false(log_format_parse("xml", &format));
}

int main(void)
{
    json_setup();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_json_lines_can_be_parsed),
        cmocka_unit_test(test_text_lines_quote_only_what_needs_it),
        cmocka_unit_test(test_lower_levels_are_silent),
        cmocka_unit_test(test_an_endless_value_is_cut_not_the_line),
        cmocka_unit_test(test_names_of_levels_and_formats),
    };
    return test_run(tests);
}
