/* An answer of whoever answers in Deepgram's place. The first byte chooses transport and status,
 * the rest is the body. */
#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "api/name.h"
#include "base/json.h"
#include "deepgram/answer.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

static void check_created(enum resource_kind kind, const struct deepgram_answer *answer)
{
    struct credential credential;
    struct err err = ERR_INIT;
    if (deepgram_created(kind, answer, &credential, &err)) {
        assert(answer->status / 100 == 2 && !secret_is_empty(&credential.secret));
        assert(name_is_credential_id(credential.id));
        assert(kind == RESOURCE_API_KEY || credential.username[0] != '\0');
    } else {
        assert(err.kind != ERR_NONE && err.message[0] && secret_is_empty(&credential.secret));
        assert(answer->status / 100 != 2 || err.kind == ERR_UNKNOWN_OUTCOME);
    }
    credential_done(&credential);
}

static size_t check_listed(enum resource_kind kind, const struct deepgram_answer *answer,
                           size_t piece)
{
    struct deepgram_answer read = *answer;
    read.listing = deepgram_listing_new(kind);
    for (size_t at = 0; at < answer->body_length; at += piece) {
        size_t left = answer->body_length - at;
        assert(deepgram_listing_feed(read.listing, answer->body + at, left < piece ? left : piece));
    }
    struct deepgram_list list;
    struct err err = ERR_INIT;
    bool ok = deepgram_listed(kind, &read, &list, &err);
    assert(ok == (err.kind == ERR_NONE) && (ok || list.count == 0));
    for (size_t i = 0; i < list.count; i++)
        assert(name_is_credential_id(list.entries[i].id) && list.entries[i].revision > 0);
    size_t count = list.count + list.foreign;
    deepgram_list_done(&list);
    deepgram_listing_free(read.listing);
    return ok ? count : SIZE_MAX;
}

/* However it is cut, it says the same. */
static void check_pieces(enum resource_kind kind, const struct deepgram_answer *answer)
{
    size_t whole = check_listed(kind, answer, SIZE_MAX);
    assert(check_listed(kind, answer, 1) == whole && check_listed(kind, answer, 7) == whole);
}

static void check_gone(enum deepgram_operation operation, const struct deepgram_answer *answer)
{
    bool gone = false;
    struct err err = ERR_INIT;
    bool ok = deepgram_credential_answer(operation, answer, &gone, &err);
    assert(ok == (err.kind == ERR_NONE) && (!gone || answer->status == 404));
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    static const long statuses[] = { 200, 404, 400, 401, 403, 429, 500, 302 };
    if (length == 0)
        return 0;
    json_setup();
    struct deepgram_answer answer = {
        .transport = bytes[0] < 0xF0
                         ? DEEPGRAM_ANSWERED
                         : (enum deepgram_transport)(bytes[0] % (DEEPGRAM_TOO_LARGE + 1)),
        .status = statuses[bytes[0] % ARRAY_LENGTH(statuses)],
        .body = (const char *)bytes + 1,
        .body_length = length - 1,
    };
    for (int kind = 0; kind < RESOURCE_KINDS; kind++) {
        check_pieces((enum resource_kind)kind, &answer);
        if (answer.transport == DEEPGRAM_ANSWERED)
            check_created((enum resource_kind)kind, &answer);
    }
    check_gone(DEEPGRAM_GET, &answer);
    check_gone(DEEPGRAM_REVOKE, &answer);
    return 0;
}
