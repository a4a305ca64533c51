/* A match is written as three bytes, or four for a long one: a byte below a blank, which printed
 * JSON only has inside of strings as an escape, for the length, and two for where it stands. None
 * of them is 0, so that what is shortened is a string as well. Matches begin where a string, a word
 * or a value does, or where another ends: that is where texts of one form are alike.
 *
 * UUIDs, half of what is left then, are written as seven bits a byte. */
#include "kube/phrases.h"

#include <assert.h>
#include <stdint.h>
#include <string.h>

enum {
    SHORT_LOOK = 6, /* bytes by which matches are looked for */
    LONG_LOOK = 19,
    LENGTH_MIN = 5,
    CODE_UUID = ' ' - 1,
    CODE_LONG = CODE_UUID - 1, /* one more byte of length follows */
    LENGTH_LONG = LENGTH_MIN + CODE_LONG - 1,
    LENGTH_MAX = LENGTH_LONG + 254,
    DIGIT = 255,
    PLACES = 2048,
    PLACE_MAX = DIGIT * DIGIT,
    UUID_LENGTH = 36,
    UUID_BYTES = 1 + (32 * 4 + 6) / 7, /* as written */
};

/* Stands in front of each text, as it were. It may change freely, as nothing shortened outlives the
 * process: our objects as the API server and we write them. */
static const char BEFORE[] =
    "{\"metadata\":{\"annotations\":{\"deepgram.com/issuing\":\"[{\\\"revision\\\":1,"
    "\\\"nonce\\\":\\\"\\\",\\\"since\\\":\\\"\\\",\\\"specHash\\\":\\\"\\\",\\\"rotate\\\":"
    "\\\"\\\"}]\"},"
    "\"creationTimestamp\":\"\",\"finalizers\":[\"deepgram.com/"
    "revoke\"],\"generation\":1,\"name\":\"\","
    "\"namespace\":\"\",\"resourceVersion\":\"\",\"uid\":\"\"},"
    "\"spec\":{\"credentialsRef\":{\"key\":\"DEEPGRAM_API_KEY\",\"name\":\"deepgram-admin\"},"
    "\"deletionPolicy\":\"Revoke\",\"projectId\":\"\",\"provider\":\"quay\",\"role\":\"member\","
    "\"rollout\":{\"mode\":\"Restart\",\"timeout\":\"2h\"},\"rotation\":{\"overlap\":\"1h\"},"
    "\"scopes\":[\"self-hosted:products\"],\"suspend\":false},"
    "\"status\":{\"conditions\":[{\"lastTransitionTime\":\"\",\"message\":\"Credential "
    " (revision 1) is in Secret \",\"observedGeneration\":1,\"reason\":\"Published\","
    "\"status\":\"True\",\"type\":\"Ready\"},{\"lastTransitionTime\":\"\","
    "\"message\":\"No pod that uses Secret  is older than revision 1\",\"observedGeneration\":1,"
    "\"reason\":\"Updated\",\"status\":\"True\",\"type\":\"ConsumersUpdated\"}],"
    "\"expiresAt\":\"\",\"id\":\"\",\"issuedAt\":\"\",\"lastHandledRotateRequest\":\"\","
    "\"nextRotationAt\":\"\",\"observedGeneration\":1,\"publishedAt\":\"\",\"revision\":1,"
    "\"revisions\":[{\"id\":\"\",\"issuedAt\":\"\",\"reason\":\"Created\",\"revision\":1,"
    "\"state\":\"Current\"}],\"scopes\":[\"self-hosted:products\",\"member\"],\"secretName\":\"\","
    "\"secretResourceVersion\":\"\"}}"
    "{\"metadata\":{\"name\":\"\",\"namespace\":\"\",\"uid\":\"\",\"resourceVersion\":\"\","
    "\"labels\":{\"app.kubernetes.io/managed-by\":\"deepgram-operator\"},"
    "\"annotations\":{\"deepgram.com/digest\":\"\",\"deepgram.com/id\":\"\","
    "\"deepgram.com/issued-at\":\"\",\"deepgram.com/nonce\":\"\",\"deepgram.com/project\":\"\","
    "\"deepgram.com/published-at\":\"\",\"deepgram.com/resource\":\"DeepgramApiKey/\","
    "\"deepgram.com/revision\":\"1\",\"deepgram.com/scopes\":\"self-hosted:products member\","
    "\"deepgram.com/spec-hash\":\"\",\"deepgram.com/template\":\"\"},"
    "\"ownerReferences\":[{\"apiVersion\":\"deepgram.com/v1alpha1\",\"kind\":\"DeepgramApiKey\","
    "\"name\":\"\",\"uid\":\"\",\"controller\":true,\"blockOwnerDeletion\":true}]}}";

enum { BEFORE_LENGTH = sizeof BEFORE - 1 };

static_assert(BEFORE_LENGTH < PLACE_MAX / 2, "there is room for texts");

struct phrases { /* by the hash of what stands there, plus one: where; 0: nowhere */
    uint16_t places[PLACES];
};

struct shortening {
    const char *text;
    size_t length;
    struct phrases known; /* up to where it is */
};

struct match {
    size_t place;
    size_t length;
};

static bool may_begin(char byte)
{
    return byte == '"' || byte == ' ';
}

static size_t hash(const char *text, size_t length)
{
    uint64_t first = 0;
    uint64_t last = 0;
    memcpy(&first, text, SHORT_LOOK);
    memcpy(&last, text + length - SHORT_LOOK, SHORT_LOOK);
    uint64_t middle = length > SHORT_LOOK ? (uint64_t)text[length / 2] << 48 : 0;
    return (size_t)(((first + middle) * 0x9E3779B97F4A7C15u + last) * 0xC2B2AE3D27D4EB4Fu >> 53);
}

static void note(struct phrases *known, const char *text, size_t left, size_t place)
{
    if (place >= PLACE_MAX - 1)
        return;
    if (left >= SHORT_LOOK)
        known->places[hash(text, SHORT_LOOK)] = (uint16_t)(place + 1);
    if (left >= LONG_LOOK)
        known->places[hash(text, LONG_LOOK)] = (uint16_t)(place + 1);
}

/* What stands at that place, as far as the text up to `at` is known. */
static const char *standing_at(const char *known, size_t at, size_t place, size_t *ret_left)
{
    bool before = place < BEFORE_LENGTH;
    *ret_left = before ? BEFORE_LENGTH - place : BEFORE_LENGTH + at - place;
    return before ? BEFORE + place : known + place - BEFORE_LENGTH;
}

static struct match try(const struct shortening *in, size_t at, size_t look)
{
    size_t most = in->length - at < LENGTH_MAX ? in->length - at : LENGTH_MAX;
    size_t place = most >= look ? in->known.places[hash(in->text + at, look)] : 0;
    if (place-- == 0)
        return (struct match){ 0 };
    size_t left = 0;
    const char *there = standing_at(in->text, at, place, &left);
    size_t length = 0;
    while (length < most && length < left && there[length] == in->text[at + length])
        length++;
    return (struct match){ place, length };
}

static struct match find(const struct shortening *in, size_t at)
{
    struct match one = try(in, at, LONG_LOOK);
    struct match other = try(in, at, SHORT_LOOK);
    return one.length > other.length ? one : other;
}

static char *write_match(char *end, const struct match *match)
{
    bool is_long = match->length >= LENGTH_LONG;
    *end++ = (char)(is_long ? CODE_LONG : match->length - LENGTH_MIN + 1);
    if (is_long)
        *end++ = (char)(match->length - LENGTH_LONG + 1);
    *end++ = (char)(match->place / DIGIT + 1);
    *end++ = (char)(match->place % DIGIT + 1);
    return end;
}

static const char *read_match(const char *from, struct match *ret)
{
    const unsigned char *at = (const unsigned char *)from;
    size_t code = *at++;
    ret->length = code == CODE_LONG ? LENGTH_LONG + *at++ - 1u : LENGTH_MIN + code - 1;
    ret->place = (at[0] - 1u) * DIGIT + at[1] - 1u;
    return (const char *)at + 2;
}

struct phrases *phrases_new(void)
{
    struct phrases *phrases = mem_alloc(sizeof *phrases);
    for (size_t i = 0; i < BEFORE_LENGTH; i++)
        if (may_begin(BEFORE[i]))
            note(phrases, BEFORE + i, BEFORE_LENGTH - i, i);
    return phrases;
}

void phrases_free(struct phrases *phrases)
{
    mem_free(phrases);
}

static bool is_dash_of_uuid(size_t i)
{
    return i == 8 || i == 13 || i == 18 || i == 23;
}

/* 0 to 15, or 16: no digit as the API server and Deepgram write them. */
static unsigned hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return (unsigned)(c - '0');
    return c >= 'a' && c <= 'f' ? (unsigned)(c - 'a' + 10) : 16;
}

static bool is_uuid(const char *text)
{
    size_t i = 0;
    while (i < UUID_LENGTH && (is_dash_of_uuid(i) ? text[i] == '-' : hex_digit(text[i]) < 16))
        i++;
    return i == UUID_LENGTH;
}

static char *write_uuid(char *end, const char *text)
{
    *end++ = CODE_UUID;
    unsigned bits = 0;
    unsigned pending = 0;
    for (size_t i = 0; i < UUID_LENGTH; i++) {
        if (is_dash_of_uuid(i))
            continue;
        bits = bits << 4 | hex_digit(text[i]);
        pending += 4;
        if (pending >= 7) {
            pending -= 7;
            *end++ = (char)(0x80 | (bits >> pending & 0x7F));
        }
    }
    *end++ = (char)(0x80 | (bits << (7 - pending) & 0x7F));
    return end;
}

static void read_uuid(const char *from, char ret_text[UUID_LENGTH])
{
    unsigned bits = 0;
    unsigned pending = 0;
    from++;
    for (size_t i = 0; i < UUID_LENGTH; i++) {
        if (is_dash_of_uuid(i)) {
            ret_text[i] = '-';
            continue;
        }
        if (pending < 4) {
            bits = bits << 7 | ((unsigned char)*from++ & 0x7F);
            pending += 7;
        }
        pending -= 4;
        ret_text[i] = "0123456789abcdef"[bits >> pending & 0xF];
    }
}

char *phrases_shorten(const struct phrases *phrases, const char *text)
{
    struct shortening in = { .text = text, .length = strlen(text), .known = *phrases };
    auto_free char *shortened = mem_alloc(in.length + 1);
    char *end = shortened;
    bool begins = true;
    for (size_t at = 0; at < in.length;) {
        begins = begins || may_begin(text[at]);
        struct match match = begins ? find(&in, at) : (struct match){ 0 };
        if (begins)
            note(&in.known, text + at, in.length - at, BEFORE_LENGTH + at);
        bool found = match.length >= LENGTH_MIN;
        if (begins && match.length < UUID_LENGTH && is_uuid(text + at)) {
            end = write_uuid(end, text + at);
            match.length = UUID_LENGTH;
            found = true;
        } else if (found) {
            end = write_match(end, &match);
        } else {
            *end++ = text[at];
        }
        begins = found || text[at] == '"';
        at += found ? match.length : 1;
    }
    return mem_strndup(shortened, (size_t)(end - shortened));
}

static bool is_reference(char byte)
{
    return byte > 0 && byte < ' ';
}

static size_t restored_length(const char *text)
{
    size_t length = 0;
    while (*text != '\0') {
        struct match match = { .length = 1 };
        if (*text == CODE_UUID) {
            match.length = UUID_LENGTH;
            text += UUID_BYTES;
        } else {
            text = is_reference(*text) ? read_match(text, &match) : text + 1;
        }
        length += match.length;
    }
    return length;
}

char *phrases_restore(const char *text)
{
    char *restored = mem_alloc(restored_length(text) + 1);
    size_t length = 0;
    while (*text != '\0') {
        if (*text == CODE_UUID) {
            read_uuid(text, restored + length);
            text += UUID_BYTES;
            length += UUID_LENGTH;
        } else if (is_reference(*text)) {
            struct match match;
            text = read_match(text, &match);
            size_t left = 0;
            const char *there = standing_at(restored, length, match.place, &left);
            memcpy(restored + length, there, match.length);
            length += match.length;
        } else {
            restored[length++] = *text++;
        }
    }
    return restored;
}
