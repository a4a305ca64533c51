/* What comes over a stream, one message a line, and the same bytes as a registry's token. */
#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "base/json.h"
#include "deepgram/listen.h"
#include "deepgram/registry.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

static void check_stream(const char *text, size_t length)
{
    struct listen_answer answer = { 0 };
    while (length > 0) {
        const char *end = memchr(text, '\n', length);
        size_t line = end ? (size_t)(end - text) : length;
        struct err err = ERR_INIT;
        bool ok = listen_read(&answer, text, line, &err);
        assert(ok == (err.kind == ERR_NONE) && ok == (err.message[0] == '\0'));
        text += line + (end != NULL);
        length -= line + (end != NULL);
    }
    assert(answer.channels >= 0 && answer.seconds >= 0);
    assert(strlen(answer.model) < sizeof answer.model);
    auto_free char *told = listen_describe(&answer);
    assert(told[0] != '\0');
}

static void check_token(const char *text, size_t length)
{
    const struct deepgram_answer answer = {
        .transport = DEEPGRAM_ANSWERED, .status = 200, .body = text, .body_length = length
    };
    struct err err = ERR_INIT;
    bool ok = registry_token_answered("deepgram/self-hosted-api", &answer, &err);
    assert(ok == (err.kind == ERR_NONE));
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    json_setup();
    auto_free char *text = mem_strndup((const char *)bytes, length);
    check_stream(text, strlen(text));
    check_token((const char *)bytes, length);
    return 0;
}
