#include "test.h"

#include <string.h>

#include "base/json.h"
#include "kube/watch_decoder.h"

enum { EVENT_BYTES_MAX = 512 };

/* What came out, one "TYPE name" a line. */
struct heard {
    char text[1024];
    struct buf *taken; /* counts bytes of taken objects when set */
};

static void on_event(void *context, struct watch_event *event)
{
    static const char *const names[] = { "ADDED", "MODIFIED", "DELETED", "BOOKMARK", "ERROR" };
    struct heard *heard = context;
    const char *name = json_string_at(event->object, "metadata.name");
    auto_free char *line = mem_printf("%s %s%s\n", names[event->type], name ? name : "-",
                                      event->initial_events_end ? " end" : "");
    strncat(heard->text, line, sizeof heard->text - strlen(heard->text) - 1);
    assert_null(json_at(event->object, "metadata.managedFields"));
    if (heard->taken) {
        auto_json cJSON *mine = take(event->object);
        auto_free char *text = json_print(mine);
        buf_puts(heard->taken, text);
    }
}

static const char STREAM[] =
    "{\"type\":\"ADDED\",\"object\":{\"metadata\":{\"name\":\"a\",\"managedFields\":[{\"x\":1}]}}}"
    "\n"
    "{\"type\":\"MODIFIED\",\"object\":{\"metadata\":{\"name\":\"b\\n\"}}}\r\n"
    "\n  \n"
    "{\"type\":\"DELETED\",\"object\":{\"metadata\":{\"name\":\"c\"}}}\n"
    "{\"type\":\"BOOKMARK\",\"object\":{\"metadata\":{\"resourceVersion\":\"7\"}}}\n"
    "{\"type\":\"BOOKMARK\",\"object\":{\"metadata\":{\"annotations\":{"
    "\"k8s.io/initial-events-end\":\"true\"}}}}\n"
    "{\"type\":\"ERROR\",\"object\":{\"kind\":\"Status\",\"code\":410}}\n";
static const char HEARD[] =
    "ADDED a\nMODIFIED b\n\nDELETED c\nBOOKMARK -\nBOOKMARK - end\nERROR -\n";

static void test_cut_anywhere(void **state)
{
    (void)state;
    for (size_t step = 1; step <= sizeof STREAM; step++) {
        struct heard heard = { 0 };
        struct watch_decoder decoder;
        struct err err = ERR_INIT;
        watch_decoder_init(&decoder, EVENT_BYTES_MAX, on_event, &heard);
        for (size_t at = 0; at < sizeof STREAM - 1; at += step) {
            size_t left = sizeof STREAM - 1 - at;
            assert_true(watch_decoder_feed(&decoder, STREAM + at, left < step ? left : step, &err));
        }
        assert_string_equal(heard.text, HEARD);
        assert_false(watch_decoder_has_partial(&decoder));
        watch_decoder_done(&decoder);
        watch_decoder_done(&decoder);
    }
}

static void test_an_object_may_be_taken(void **state)
{
    (void)state;
    auto_buf struct buf taken;
    buf_init(&taken, 4096);
    struct heard heard = { .taken = &taken };
    struct watch_decoder decoder;
    struct err err = ERR_INIT;
    watch_decoder_init(&decoder, EVENT_BYTES_MAX, on_event, &heard);
    assert_true(watch_decoder_feed(&decoder, STREAM, strcspn(STREAM, "\n") + 1, &err));
    assert_string_equal(buf_text(&taken), "{\"metadata\":{\"name\":\"a\"}}");
    watch_decoder_done(&decoder);
}

static void test_a_cut_event_is_partial(void **state)
{
    (void)state;
    struct heard heard = { 0 };
    struct watch_decoder decoder;
    struct err err = ERR_INIT;
    watch_decoder_init(&decoder, EVENT_BYTES_MAX, on_event, &heard);
    assert_true(watch_decoder_feed(&decoder, "{\"type\":\"ADD", 12, &err));
    assert_true(watch_decoder_has_partial(&decoder));
    assert_string_equal(heard.text, "");
    watch_decoder_done(&decoder);
}

static void test_malformed(void **state)
{
    (void)state;
    static const char *const rows[] = {
        "not json\n",
        "{\"type\":\"ADDED\"}\n",
        "{\"type\":\"ADDED\",\"object\":null}\n",
        "{\"type\":\"ADDED\",\"object\":[]}\n",
        "{\"type\":\"RENAMED\",\"object\":{}}\n",
        "{\"type\":7,\"object\":{}}\n",
        "{\"object\":{}}\n",
        "[]\n",
        "7\n",
        "{\"type\":\"ADDED\",\"object\":{}} trailing\n",
    };
    for (size_t i = 0; i < ARRAY_LENGTH(rows); i++) {
        struct heard heard = { 0 };
        struct watch_decoder decoder;
        struct err err = ERR_INIT;
        watch_decoder_init(&decoder, EVENT_BYTES_MAX, on_event, &heard);
        assert_false(watch_decoder_feed(&decoder, rows[i], strlen(rows[i]), &err));
        assert_int_equal(err.kind, ERR_MALFORMED);
        assert_string_equal(heard.text, "");
        watch_decoder_done(&decoder);
    }
}

static void test_odd_metadata_is_no_crash(void **state)
{
    (void)state;
    static const char text[] =
        "{\"type\":\"BOOKMARK\",\"object\":{\"metadata\":[1,2]}}\n"
        "{\"type\":\"BOOKMARK\",\"object\":{\"metadata\":\"x\"}}\n"
        "{\"type\":\"ADDED\",\"object\":{\"metadata\":{\"annotations\":7}}}\n";
    struct heard heard = { 0 };
    struct watch_decoder decoder;
    struct err err = ERR_INIT;
    watch_decoder_init(&decoder, EVENT_BYTES_MAX, on_event, &heard);
    assert_true(watch_decoder_feed(&decoder, text, strlen(text), &err));
    assert_string_equal(heard.text, "BOOKMARK -\nBOOKMARK -\nADDED -\n");
    watch_decoder_done(&decoder);
}

static void test_too_large(void **state)
{
    (void)state;
    char text[EVENT_BYTES_MAX + 2];
    memset(text, ' ', sizeof text);
    text[EVENT_BYTES_MAX + 1] = '\n';
    for (size_t step = 1; step <= sizeof text; step += sizeof text - 1) { /* bytewise; at once */
        struct heard heard = { 0 };
        struct watch_decoder decoder;
        struct err err = ERR_INIT;
        watch_decoder_init(&decoder, EVENT_BYTES_MAX, on_event, &heard);
        bool ok = true;
        for (size_t at = 0; ok && at < sizeof text; at += step)
            ok = watch_decoder_feed(&decoder, text + at, step, &err);
        assert_false(ok);
        assert_int_equal(err.kind, ERR_MALFORMED);
        assert_non_null(strstr(err.message, "larger than 512 bytes"));
        watch_decoder_done(&decoder);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_cut_anywhere),
        cmocka_unit_test(test_an_object_may_be_taken),
        cmocka_unit_test(test_a_cut_event_is_partial),
        cmocka_unit_test(test_malformed),
        cmocka_unit_test(test_odd_metadata_is_no_crash),
        cmocka_unit_test(test_too_large),
    };
    json_setup();
    return test_run(tests);
}
