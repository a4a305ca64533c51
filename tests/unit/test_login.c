#include "test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/json.h"
#include "kube/login.h"

/* In place of base/clock: both clocks can be put forward. */
static int64_t ahead_ms;

static int64_t read_clock_ms(clockid_t id)
{
    struct timespec now;
    clock_gettime(id, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000 + ahead_ms;
}

int64_t clock_monotonic_ms(void)
{
    return read_clock_ms(CLOCK_MONOTONIC);
}

int64_t clock_wall_ms(void)
{
    return read_clock_ms(CLOCK_REALTIME);
}

struct world {
    struct loop *loop;
    struct kube_config config;
    struct kube_login *login;
    char path[64];
    bool done;
    bool ok;
};

static void write_token(struct world *world, const char *token)
{
    FILE *file = fopen(world->path, "w");
    assert_non_null(file);
    fputs(token, file);
    fclose(file);
}

static int set_up(void **state)
{
    struct world *world = mem_alloc(sizeof *world);
    strcpy(world->path, "/tmp/test_login.XXXXXX");
    close(mkstemp(world->path));
    world->loop = test_loop_new();
    ahead_ms = 0;
    *state = world;
    return 0;
}

static int tear_down(void **state)
{
    struct world *world = *state;
    kube_login_free(world->login);
    loop_free(world->loop);
    kube_config_done(&world->config);
    unlink(world->path);
    mem_free(world);
    return 0;
}

static void on_login(void *context, const struct kube_credential *credential, const struct err *err)
{
    struct world *world = context;
    assert_int_equal(!credential, err != NULL);
    world->done = true;
    world->ok = credential != NULL;
}

/* The token that a request sent now would carry. */
static const char *token(struct world *world)
{
    if (!kube_login_current(world->login)) {
        struct kube_login_waiter waiter;
        world->done = false;
        kube_login_wait(world->login, &waiter, on_login, world);
        assert_true(test_loop_until(world->loop, &world->done, 5000));
        assert_true(world->ok);
    }
    return secret_reveal(&kube_login_current(world->login)->secret);
}

static void test_a_token_file_is_read_again_after_a_minute(void **state)
{
    struct world *world = *state;
    world->config.token_file = mem_strdup(world->path);
    world->login = kube_login_new(world->loop, &world->config);
    write_token(world, "first");
    assert_string_equal(token(world), "first");
    write_token(world, "second");
    ahead_ms += 59 * 1000;
    assert_string_equal(token(world), "first");
    ahead_ms += 2 * 1000;
    assert_string_equal(token(world), "second");
}

static void test_a_refused_token_file_is_read_again_at_once(void **state)
{
    struct world *world = *state;
    world->config.token_file = mem_strdup(world->path);
    world->login = kube_login_new(world->loop, &world->config);
    write_token(world, "first");
    assert_string_equal(token(world), "first");
    unsigned first = kube_login_current(world->login)->number;
    write_token(world, "second");
    assert_true(kube_login_refused(world->login, first));
    assert_string_equal(token(world), "second");
    assert_true(kube_login_refused(world->login, first)); /* a late 401 to the old one */
    assert_non_null(kube_login_current(world->login));
}

static void test_a_fixed_token_gets_no_better(void **state)
{
    struct world *world = *state;
    secret_set(&world->config.token, "fixed", 5);
    world->login = kube_login_new(world->loop, &world->config);
    assert_string_equal(token(world), "fixed");
    assert_false(kube_login_refused(world->login, kube_login_current(world->login)->number));
    assert_string_equal(token(world), "fixed");
}

static void test_a_plugins_credential_lasts_until_its_expiry(void **state)
{
    struct world *world = *state;
    struct kube_exec *exec = world->config.exec = mem_alloc(sizeof *exec);
    exec->api_version = mem_strdup("client.authentication.k8s.io/v1");
    exec->command = mem_strdup("cat");
    exec->args = mem_calloc(2, sizeof *exec->args);
    exec->args[0] = mem_strdup(world->path);
    exec->env = mem_calloc(1, sizeof *exec->env);
    static const char answer[] = "{\"kind\":\"ExecCredential\",\"apiVersion\":"
                                 "\"client.authentication.k8s.io/v1\",\"status\":{\"token\":\"%s\","
                                 "\"clientCertificateData\":\"C\",\"clientKeyData\":\"K\","
                                 "\"expirationTimestamp\":\"2500-01-01T00:00:00Z\"}}";
    auto_free char *first = mem_printf(answer, "first");
    auto_free char *second = mem_printf(answer, "second");
    write_token(world, first);
    world->login = kube_login_new(world->loop, &world->config);
    assert_string_equal(token(world), "first");
    const struct http_tls *tls = &kube_login_current(world->login)->tls;
    assert_string_equal(tls->client_certificate_pem, "C");
    assert_string_equal(secret_reveal(tls->client_key_pem), "K");

    write_token(world, second);
    ahead_ms += (int64_t)1000 * 3600 * 24;
    assert_string_equal(token(world), "first");
    ahead_ms += (int64_t)1000 * 3600 * 24 * 365 * 600;
    assert_null(kube_login_current(world->login));
}

static void test_whoever_stops_waiting_hears_nothing(void **state)
{
    struct world *world = *state;
    world->config.token_file = mem_strdup(world->path);
    write_token(world, "t");
    world->login = kube_login_new(world->loop, &world->config);
    struct kube_login_waiter gone;
    kube_login_wait(world->login, &gone, on_login, world);
    kube_login_stop_waiting(world->login, &gone);
    assert_false(test_loop_until(world->loop, &world->done, 30));
}

#define in_world(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        in_world(test_a_token_file_is_read_again_after_a_minute),
        in_world(test_a_refused_token_file_is_read_again_at_once),
        in_world(test_a_fixed_token_gets_no_better),
        in_world(test_a_plugins_credential_lasts_until_its_expiry),
        in_world(test_whoever_stops_waiting_hears_nothing),
    };
    json_setup();
    return test_run(tests);
}
