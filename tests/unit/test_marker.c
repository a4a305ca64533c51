#include "fixture.h"

#include "api/marker.h"

#define OWN " [deepgram-operator uid=" FIXTURE_UID " rev=7 nonce=" FIXTURE_NONCE "]"

static void test_comment_ends_in_the_marker(void **state)
{
    (void)state;
    static const struct {
        const char *name, *members, *comment;
    } rows[] = {
        { "default", "", "team/voice" OWN },
        { "empty", "\"comment\":\"\"", "team/voice" OWN },
        { "quotes, line ends, emoji", "\"comment\":\"a \\\"b\\\"\\n\xF0\x9F\x8E\x99\"",
          "a \"b\"\n\xF0\x9F\x8E\x99" OWN },
        { "somebody else's marker",
          "\"comment\":\"x [deepgram-operator uid=victim rev=1 nonce=ab]\"",
          "x [deepgram-operator uid=victim rev=1 nonce=ab]" OWN },
        { "half a marker", "\"comment\":\"x [deepgram-operator uid=\"",
          "x [deepgram-operator uid=" OWN },
    };
    for (size_t i = 0; i < ARRAY_LENGTH(rows); i++) {
        auto_resource struct resource *resource =
            fixture_resource(RESOURCE_API_KEY, rows[i].members);
        auto_free char *comment = marker_comment(resource, 7, FIXTURE_NONCE);
        fixture_expect(rows[i].name, comment, rows[i].comment);
        struct marker marker;
        assert_true(marker_parse(comment, NULL, &marker));
        fixture_expect(rows[i].name, marker.uid, FIXTURE_UID);
        fixture_expect(rows[i].name, marker.nonce, FIXTURE_NONCE);
        assert_int_equal(marker.revision, 7);
    }
}

static void test_tags_hold_the_marker_too(void **state)
{
    (void)state;
    auto_resource struct resource *resource =
        fixture_resource(RESOURCE_API_KEY, "\"tags\":[\"b\",\"a\",\"b\"]");
    auto_json cJSON *tags = marker_tags(resource, 7, FIXTURE_NONCE);
    fixture_expect_json("tags", tags,
                        "[\"b\",\"a\",\"deepgram-operator\",\"uid:" FIXTURE_UID "\",\"rev:7\","
                        "\"nonce:" FIXTURE_NONCE "\"]");
    struct marker marker;
    assert_true(marker_parse("somebody shortened the comm", tags, &marker));
    assert_string_equal(marker.uid, FIXTURE_UID);
    assert_int_equal(marker.revision, 7);
}

static void test_what_is_a_marker(void **state)
{
    (void)state;
    static const struct {
        const char *name, *comment, *tags;
        const char *uid; /* NULL: no marker */
    } rows[] = {
        { "comment alone", "x [deepgram-operator uid=u rev=1 nonce=n]", NULL, "u" },
        { "nothing but the marker", "[deepgram-operator uid=u rev=1 nonce=n]", NULL, "u" },
        { "the last one counts",
          "[deepgram-operator uid=spoof rev=1 nonce=n] [deepgram-operator uid=u rev=1 nonce=n]",
          NULL, "u" },
        { "comment before tags", "[deepgram-operator uid=u rev=1 nonce=n]",
          "[\"deepgram-operator\",\"uid:t\",\"rev:1\",\"nonce:n\"]", "u" },
        { "tags in any order", NULL,
          "[\"nonce:n\",\"rev:1\",\"x\",\"uid:t\",\"deepgram-operator\"]", "t" },
        { "the same tag twice", NULL,
          "[\"deepgram-operator\",\"uid:t\",\"uid:t\",\"rev:1\",\"nonce:n\"]", "t" },
        { "text behind it", "[deepgram-operator uid=u rev=1 nonce=n] x", NULL, NULL },
        { "cut by one", "[deepgram-operator uid=u rev=1 nonce=n", NULL, NULL },
        { "cut spoof before ours",
          "[deepgram-operator uid=spoof rev=1 nonce=n] [deepgram-operator uid=u re", NULL, NULL },
        { "revision 0", "[deepgram-operator uid=u rev=0 nonce=n]", NULL, NULL },
        { "negative revision", "[deepgram-operator uid=u rev=-1 nonce=n]", NULL, NULL },
        { "huge revision", "[deepgram-operator uid=u rev=99999999999999999999 nonce=n]", NULL,
          NULL },
        { "no uid", "[deepgram-operator uid= rev=1 nonce=n]", NULL, NULL },
        { "uid with a blank", "[deepgram-operator uid=a b rev=1 nonce=n]", NULL, NULL },
        { "uid too long",
          "[deepgram-operator uid=aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa "
          "rev=1 nonce=n]",
          NULL, NULL },
        { "no nonce", "[deepgram-operator uid=u rev=1 nonce=]", NULL, NULL },
        { "nonce too long",
          "[deepgram-operator uid=u rev=1 nonce=0123456789abcdef0123456789abcdef0]", NULL, NULL },
        { "plain comment", "team/voice", NULL, NULL },
        { "tags without ours", NULL, "[\"uid:t\",\"rev:1\",\"nonce:n\"]", NULL },
        { "tags that contradict", NULL,
          "[\"deepgram-operator\",\"uid:t\",\"uid:other\",\"rev:1\",\"nonce:n\"]", NULL },
        { "a tag missing", NULL, "[\"deepgram-operator\",\"uid:t\",\"rev:1\"]", NULL },
        { "numbers for tags", NULL, "[\"deepgram-operator\",1,null,{}]", NULL },
        { "tags that are no list", NULL, "{\"deepgram-operator\":\"uid:t\"}", NULL },
        { "nothing", NULL, NULL, NULL },
    };
    for (size_t i = 0; i < ARRAY_LENGTH(rows); i++) {
        auto_json cJSON *tags = rows[i].tags ? fixture_json(rows[i].tags) : NULL;
        struct marker marker = { .uid = "untouched" };
        bool found = marker_parse(rows[i].comment, tags, &marker);
        assert_int_equal(found, rows[i].uid != NULL);
        fixture_expect(rows[i].name, marker.uid, rows[i].uid ? rows[i].uid : "untouched");
    }
}

static void test_reserved_tags(void **state)
{
    (void)state;
    assert_true(marker_reserves_tag("deepgram-operator"));
    assert_true(marker_reserves_tag("uid:x"));
    assert_true(marker_reserves_tag("rev:"));
    assert_true(marker_reserves_tag("nonce:x"));
    assert_false(marker_reserves_tag("team"));
    assert_false(marker_reserves_tag("revision"));
    assert_false(marker_reserves_tag(""));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_comment_ends_in_the_marker),
        cmocka_unit_test(test_tags_hold_the_marker_too),
        cmocka_unit_test(test_what_is_a_marker),
        cmocka_unit_test(test_reserved_tags),
    };
    return fixture_run(tests);
}
