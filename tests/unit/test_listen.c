#include "test.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "net/listen.h"

static bool can_connect(const char *ip, int port)
{
    struct sockaddr_in v4 = { .sin_family = AF_INET, .sin_port = htons((in_port_t)port) };
    struct sockaddr_in6 v6 = { .sin6_family = AF_INET6, .sin6_port = htons((in_port_t)port) };
    bool is_v6 = strchr(ip, ':') != NULL;
    assert_int_equal(inet_pton(is_v6 ? AF_INET6 : AF_INET, ip,
                               is_v6 ? (void *)&v6.sin6_addr : (void *)&v4.sin_addr),
                     1);
    int fd = socket(is_v6 ? AF_INET6 : AF_INET, SOCK_STREAM, 0);
    bool connected = fd >= 0 && (is_v6 ? connect(fd, (struct sockaddr *)&v6, sizeof v6)
                                       : connect(fd, (struct sockaddr *)&v4, sizeof v4)) == 0;
    if (fd >= 0)
        close(fd);
    return connected;
}

static bool has_ipv6(void)
{
    int fd = socket(AF_INET6, SOCK_STREAM, 0);
    struct sockaddr_in6 loopback = { .sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT };
    bool has = fd >= 0 && bind(fd, (struct sockaddr *)&loopback, sizeof loopback) == 0;
    if (fd >= 0)
        close(fd);
    return has;
}

static void test_listens_where_it_is_told(void **state)
{
    (void)state;
    static const struct {
        const char *listen;
        bool v4, v6;
    } rows[] = {
        { ":0", true, true },       { "0.0.0.0:0", true, false }, { "127.0.0.1:0", true, false },
        { "[::1]:0", false, true }, { "[::]:0", false, true },
    };
    for (size_t i = 0; i < ARRAY_LENGTH(rows); i++) {
        if (!has_ipv6() && !rows[i].v4)
            continue;
        struct err err = ERR_INIT;
        int fd = -1, port = -1;
        if (!listen_open(rows[i].listen, &fd, &port, &err))
            fail_msg("%s", err.message);
        assert_true(port > 0);
        assert_int_equal(can_connect("127.0.0.1", port), rows[i].v4);
        if (has_ipv6())
            assert_int_equal(can_connect("::1", port), rows[i].v6);
        close(fd);
    }
}

static void test_anything_else_is_refused_with_words(void **state)
{
    (void)state;
    static const char *const rows[] = {
        "",         "8080",         ":",        ":65536", ":-1",     ":+1",
        ":80x",     "host:80",      "[::1]80",  "::1:80", "[::1:80", "[]:80",
        "1.2.3:80", "[1.2.3.4]:80", ":0000080", " :80",   "[:80",    "]:80",
    };
    for (size_t i = 0; i < ARRAY_LENGTH(rows); i++) {
        struct err err = ERR_INIT;
        int fd = -2, port = -2;
        if (listen_open(rows[i], &fd, &port, &err))
            fail_msg("accepted \"%s\"", rows[i]);
        assert_int_equal(err.kind, ERR_INVALID);
        assert_non_null(strstr(err.message, rows[i]));
        assert_int_equal(fd, -2);
        assert_int_equal(port, -2);
    }
}

static void test_a_port_in_use_is_named(void **state)
{
    (void)state;
    struct err err = ERR_INIT;
    int fd = -1, port = 0;
    assert_true(listen_open("127.0.0.1:0", &fd, &port, &err));
    auto_free char *again = mem_printf("127.0.0.1:%d", port);
    int second = -1;
    assert_false(listen_open(again, &second, &port, &err));
    assert_non_null(strstr(err.message, again));
    assert_non_null(strstr(err.message, strerror(EADDRINUSE)));
    close(fd);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_listens_where_it_is_told),
        cmocka_unit_test(test_anything_else_is_refused_with_words),
        cmocka_unit_test(test_a_port_in_use_is_named),
    };
    return test_run(tests);
}
