/* What a stream is answered with, and the sound that is sent. */
#include "fixture.h"

#include "deepgram/listen.h"

#define RESULTS                                                                                    \
    "{\"type\":\"Results\",\"channel_index\":[0,1],\"duration\":1.0,\"start\":0.0,"                \
    "\"channel\":{\"alternatives\":[{\"transcript\":\"\",\"confidence\":0,\"words\":[]}]},"        \
    "\"metadata\":{\"request_id\":\"r\",\"model_info\":{\"name\":\"general-nova-3\"}}}"
#define METADATA                                                                                   \
    "{\"type\":\"Metadata\",\"request_id\":\"r\",\"duration\":1.0,\"channels\":1,"                 \
    "\"models\":[\"m\"],\"model_info\":{\"m\":{\"name\":\"general-nova-3\"}}}"

struct row {
    const char *name;
    const char *text;
    enum err_kind kind;
    const char *told; /* of what was understood, or of the error */
};

static const struct row ROWS[] = {
    { "results", RESULTS, ERR_NONE, "model general-nova-3" },
    { "metadata", METADATA, ERR_NONE, "model general-nova-3, 1 channel, 1 s heard" },
    { "metadata without a model",
      "{\"type\":\"Metadata\",\"request_id\":\"r\",\"duration\":0.5,\"channels\":2}", ERR_NONE,
      "2 channels, 0.5 s heard" },
    { "senseless numbers",
      "{\"type\":\"Metadata\",\"request_id\":\"r\",\"duration\":-1e300,\"channels\":1e300}",
      ERR_NONE, "0 s heard" },
    { "a message that is passed over", "{\"type\":\"SpeechStarted\"}", ERR_NONE,
      "without details" },
    { "one of a later version", "{\"type\":\"Unheard\",\"of\":1}", ERR_NONE, "without details" },
    { "an error", "{\"type\":\"Error\",\"variant\":\"V\",\"description\":\"no model\"}",
      ERR_INVALID, "no model" },
    { "an error without words", "{\"type\":\"Error\"}", ERR_INVALID, "no further details" },
    { "an error that quotes a key", "{\"type\":\"Error\",\"message\":\"bad " FIXTURE_KEY "\"}",
      ERR_INVALID, "bad ***" },
    { "an older error", "{\"err_code\":\"X\",\"err_msg\":\"no\\nlicense\"}", ERR_INVALID,
      "no license" },
    { "no JSON", "<html>", ERR_MALFORMED, "a message that isn't JSON or has no type" },
    { "half a message", "{\"type\":\"Resu", ERR_MALFORMED,
      "a message that isn't JSON or has no type" },
    { "nothing", "", ERR_MALFORMED, "a message that isn't JSON or has no type" },
    { "no object", "[\"Results\"]", ERR_MALFORMED, "a message that isn't JSON or has no type" },
    { "results without alternatives",
      "{\"type\":\"Results\",\"duration\":1,\"start\":0,\"channel\":{}}", ERR_MALFORMED,
      "Results without alternatives, start or duration" },
    { "results without a start",
      "{\"type\":\"Results\",\"duration\":1,\"channel\":{\"alternatives\":[]}}", ERR_MALFORMED,
      "Results without alternatives, start or duration" },
    { "metadata without an id", "{\"type\":\"Metadata\",\"duration\":1,\"channels\":1}",
      ERR_MALFORMED, "Metadata without request_id, duration or channels" },
};

static void test_messages(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(ROWS); i++) {
        struct listen_answer answer = { 0 };
        struct err err = ERR_INIT;
        bool ok = listen_read(&answer, ROWS[i].text, strlen(ROWS[i].text), &err);
        auto_free char *told = ok ? listen_describe(&answer) : mem_strdup(err.message);
        if (err.kind != ROWS[i].kind)
            fail_msg("%s: %s", ROWS[i].name, err_kind_name(err.kind));
        fixture_expect(ROWS[i].name, told, ROWS[i].told);
    }
}

static void test_only_metadata_completes_an_answer(void **state)
{
    (void)state;
    struct listen_answer answer = { 0 };
    struct err err = ERR_INIT;
    assert_true(listen_read(&answer, RESULTS, strlen(RESULTS), &err));
    assert_true(answer.has_results);
    assert_false(answer.is_complete);
    assert_true(listen_read(&answer, METADATA, strlen(METADATA), &err));
    assert_true(answer.is_complete);
}

static int sample(const unsigned char *chunk, size_t index)
{
    return (int16_t)(chunk[2 * index] | chunk[2 * index + 1] << 8);
}

/* 440 waves in a second, each as loud as the others. */
static void test_the_sound_is_a_tone(void **state)
{
    (void)state;
    struct listen_tone tone = { 0 };
    unsigned char chunk[LISTEN_CHUNK_BYTES];
    int crossings = 0, loudest = 0, before = 0;
    for (int i = 0; i < LISTEN_CHUNKS; i++) {
        loudest = 0;
        listen_sound(&tone, chunk);
        for (size_t n = 0; n < LISTEN_CHUNK_SAMPLES; n++) {
            int now = sample(chunk, n);
            crossings += before < 0 && now >= 0;
            loudest = now > loudest ? now : loudest;
            before = now;
        }
        assert_in_range(loudest, 7900, 8000);
    }
    assert_in_range(crossings, 438, 441);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_messages),
        cmocka_unit_test(test_only_metadata_completes_an_answer),
        cmocka_unit_test(test_the_sound_is_a_tone),
    };
    return fixture_run(tests);
}
