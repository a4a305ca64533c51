/* Addresses of streaming endpoints: what is taken, and what of it. */
#include "fixture.h"

#include "api/stream_url.h"

static void test_taken(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        const char *parts;
    } rows[] = {
        { "ws://api", "plain api 80 /v1/listen" },
        { "wss://api/", "tls api 443 /v1/listen" },
        { "ws://deepgram-api.speech.svc.cluster.local:8080/v1/listen",
          "plain deepgram-api.speech.svc.cluster.local 8080 /v1/listen" },
        { "wss://a.b:65535/x/y_z~1", "tls a.b 65535 /x/y_z~1" },
        { "ws://10.0.0.1:1", "plain 10.0.0.1 1 /v1/listen" },
        { "ws://[::1]:8080/v1/listen", "plain ::1 8080 /v1/listen" },
        { "ws://[fd00::a]", "plain fd00::a 80 /v1/listen" },
    };
    for (size_t i = 0; i < ARRAY_LENGTH(rows); i++) {
        struct stream_url url;
        if (!stream_url_parse(rows[i].text, &url))
            fail_msg("%s", rows[i].text);
        auto_free char *parts =
            mem_printf("%s %s %d %s", url.tls ? "tls" : "plain", url.host, url.port, url.path);
        fixture_expect(rows[i].text, parts, rows[i].parts);
    }
}

static void test_refused(void **state)
{
    (void)state;
    static const char *const rows[] = {
        "",
        "ws",
        "ws:",
        "ws://",
        "ws:///v1",
        "http://api",
        "WS://api",
        "wsss://api",
        "ws://user@api",
        "ws://user:pass@api/v1/listen",
        "ws://api?token=x",
        "ws://api/v1/listen?x=y",
        "ws://api/#x",
        "ws://api:0",
        "ws://api:65536",
        "ws://api:123456",
        "ws://api:",
        "ws://api:80a",
        "ws://-api",
        "ws://api-",
        "ws://.api",
        "ws://a b",
        "ws://api/a b",
        "ws://api/%2e",
        "ws://[::1",
        "ws://[]",
        "ws://[1.2.3.4]",
        "ws://[::1]x",
        "ws://api\r\nX: y",
    };
    struct stream_url url;
    for (size_t i = 0; i < ARRAY_LENGTH(rows); i++)
        if (stream_url_parse(rows[i], &url))
            fail_msg("%s", rows[i]);
    assert_false(stream_url_parse(NULL, &url));
    auto_free char *host = mem_printf("ws://%0254d", 1);
    assert_false(stream_url_parse(host, &url));
    auto_free char *path = mem_printf("ws://api/%0257d", 1);
    assert_false(stream_url_parse(path, &url));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_taken),
        cmocka_unit_test(test_refused),
    };
    return fixture_run(tests);
}
