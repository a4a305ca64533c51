/* Leaders against an API server that holds one Lease in memory and answers as a test wants. */
#include "test.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/json.h"
#include "base/log.h"
#include "fake_clock.h"
#include "kube/status.h"
#include "operator/leader.h"

enum { CALLS_MAX = 8 };

enum mode {
    MODE_GOOD,
    MODE_REFUSE_WRITES, /* 403 */
    MODE_FAIL,          /* 500 for everything */
    MODE_LOSE_ANSWERS,  /* writes are carried out, and then the connection breaks */
    MODE_SILENT,        /* no answer ever */
};

struct kube_call_handle {
    struct kube_client *server;
    struct loop_timer timer;
    enum kube_verb verb;
    cJSON *body;
    kube_done_fn *done;
    void *context;
    bool used;
};

struct kube_client {
    struct loop *loop;
    enum mode mode;
    int64_t answer_ms;
    cJSON *lease;
    long version;
    unsigned gets, writes, conflicts;
    struct kube_call_handle calls[CALLS_MAX];
};

static void free_call(struct kube_call_handle *call)
{
    loop_timer_stop(&call->timer);
    cJSON_Delete(take(call->body));
    call->used = false;
}

/* 200 and the lease, or the HTTP status of the refusal. */
static long carry_out(struct kube_client *server, const struct kube_call_handle *call)
{
    if (call->verb == KUBE_GET) {
        server->gets++;
        return server->lease ? 200 : 404;
    }
    server->writes++;
    const char *have = json_string_at(server->lease, "metadata.resourceVersion");
    const char *want = json_string_at(call->body, "metadata.resourceVersion");
    if ((call->verb == KUBE_CREATE) != !server->lease || !mem_streq(have, want)) {
        server->conflicts++;
        return 409;
    }
    cJSON_Delete(server->lease);
    server->lease = cJSON_Duplicate(call->body, true);
    cJSON *metadata = cJSON_GetObjectItem(server->lease, "metadata");
    cJSON_DeleteItemFromObject(metadata, "resourceVersion");
    char version[24];
    snprintf(version, sizeof version, "%ld", ++server->version);
    json_add_string(metadata, "resourceVersion", version);
    return 200;
}

static void on_answer(void *context)
{
    struct kube_call_handle *call = context;
    struct kube_client *server = call->server;
    bool write = call->verb != KUBE_GET;
    long code = server->mode == MODE_FAIL                     ? 500
                : server->mode == MODE_REFUSE_WRITES && write ? 403
                                                              : carry_out(server, call);
    struct err err = ERR_INIT;
    if (server->mode == MODE_LOSE_ANSWERS && write)
        err_set(&err, ERR_TRANSIENT, "connection reset");
    else if (code != 200)
        kube_status_error(code, NULL, &err);
    auto_json cJSON *answer = err.kind ? NULL : cJSON_Duplicate(server->lease, true);
    kube_done_fn *done = call->done;
    void *done_context = call->context;
    free_call(call);
    done(done_context, &answer, err.kind ? &err : NULL);
}

struct kube_call_handle *kube_send(struct kube_client *server, const struct kube_call *call)
{
    assert_ptr_equal(call->resource, &KUBE_LEASES);
    assert_string_equal(call->namespace, "operators");
    if (call->verb == KUBE_CREATE)
        assert_null(call->name);
    else
        assert_string_equal(call->name, "deepgram-operator");
    struct kube_call_handle *handle = server->calls;
    while (handle->used)
        handle++;
    *handle = (struct kube_call_handle){
        .server = server,
        .verb = call->verb,
        .body = cJSON_Duplicate(call->body, true),
        .done = call->done,
        .context = call->context,
        .used = true,
    };
    if (server->mode != MODE_SILENT)
        loop_timer_start(server->loop, &handle->timer, server->answer_ms, on_answer, handle);
    return handle;
}

void kube_give_up(struct kube_call_handle *handle)
{
    if (handle)
        free_call(handle);
}

void kube_cancel(struct kube_call_handle *handle)
{
    kube_give_up(handle);
}

/* ---- a world with two replicas ---- */

struct replica {
    struct leader *leader;
    unsigned elected, lost, released;
};

static struct loop *loop;
static struct kube_client server;
static struct replica one;
static struct replica two;
static char errors[64 * 1024]; /* what was logged by count_log_lines() */

static const struct options options = {
    .leader_elect = true,
    .lease_duration_ms = 15000,
    .lease_renew_ms = 10000,
    .lease_retry_ms = 2000,
};

static void on_change(void *context, enum leader_change change)
{
    struct replica *replica = context;
    if (change == LEADER_ELECTED)
        replica->elected++;
    else
        replica->lost++;
}

static void on_released(void *context)
{
    struct replica *replica = context;
    replica->released++;
}

static void start(struct replica *replica)
{
    replica->leader = leader_new(loop, &server, &options, "operators", on_change, replica);
}

static void end(struct replica *replica)
{
    leader_free(replica->leader);
    *replica = (struct replica){ 0 };
}

static int setup(void **state)
{
    (void)state;
    loop = test_loop_new();
    server = (struct kube_client){ .loop = loop, .answer_ms = 20 };
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    end(&one);
    end(&two);
    for (size_t i = 0; i < CALLS_MAX; i++)
        assert_false(server.calls[i].used);
    cJSON_Delete(server.lease);
    loop_free(loop);
    return 0;
}

static int64_t transitions(void)
{
    return json_int_at(server.lease, "spec.leaseTransitions", -1);
}

static char *copy_of(const char *path)
{
    return mem_strdup(json_string_at(server.lease, path));
}

/* ---- tests ---- */

static void test_the_first_creates_the_lease(void **state)
{
    (void)state;
    start(&one);
    assert_int_equal(one.elected, 0);
    assert_false(leader_may_write(one.leader));
    fake_clock_run(loop, 100);
    assert_int_equal(one.elected, 1);
    assert_true(leader_may_write(one.leader));
    assert_int_equal(transitions(), 0);
    assert_int_equal(json_int_at(server.lease, "spec.leaseDurationSeconds", 0), 15);
    assert_string_equal(json_string_at(server.lease, "metadata.namespace"), "operators");
    const char *acquired = json_string_at(server.lease, "spec.acquireTime");
    assert_int_equal(strlen(acquired), strlen("2026-01-01T00:16:40.020000Z"));
    assert_string_equal(acquired + strlen("2026-01-01T00:16:40.020"), "000Z");
    assert_string_equal(acquired, json_string_at(server.lease, "spec.renewTime"));

    char host[65] = "";
    gethostname(host, sizeof host - 1);
    const char *holder = json_string_at(server.lease, "spec.holderIdentity");
    assert_int_equal(strncmp(holder, host, strlen(host)), 0);
    assert_int_equal(strlen(holder), strlen(host) + strlen("_") + 16);
}

static void test_a_leader_renews_with_one_request_three_times_before_the_deadline(void **state)
{
    (void)state;
    start(&one);
    fake_clock_run(loop, 100);
    auto_free char *acquired = copy_of("spec.acquireTime");
    auto_free char *renewed = copy_of("spec.renewTime");
    fake_clock_run(loop, 60000);
    assert_int_equal(server.gets, 1);
    assert_in_range(server.writes, 17, 20);
    assert_int_equal(transitions(), 0);
    assert_string_equal(json_string_at(server.lease, "spec.acquireTime"), acquired);
    assert_string_not_equal(json_string_at(server.lease, "spec.renewTime"), renewed);
    assert_int_equal(one.elected, 1);
    assert_int_equal(one.lost, 0);
    assert_true(leader_may_write(one.leader));
}

static void test_only_one_of_two_leads(void **state)
{
    (void)state;
    start(&one);
    start(&two);
    fake_clock_run(loop, 60000);
    assert_int_equal(one.elected + two.elected, 1);
    assert_int_equal(one.lost + two.lost, 0);
    assert_int_equal(leader_may_write(one.leader) + leader_may_write(two.leader), 1);
    assert_int_equal(server.conflicts, 1);
}

/* Of these many moments within the time between two renewals, some come right after a renewal that
 * the other replica, which has drifted off by then, sees late. */
enum { MOMENTS = 34, MOMENT_MS = 100 };

static void two_replicas_for(int64_t run_ms)
{
    start(&one);
    fake_clock_run(loop, 100);
    start(&two);
    fake_clock_run(loop, run_ms);
}

static void test_a_dead_leader_is_followed_within_its_lease_and_two_seconds(void **state)
{
    (void)state;
    for (int i = 0; i < MOMENTS; i++) {
        two_replicas_for(60000 + i * MOMENT_MS);
        end(&one);
        fake_clock_run(loop, 11500);
        assert_int_equal(two.elected, 0);
        fake_clock_run(loop, 5500); /* 17 s in all: the lease's duration and two more */
        assert_int_equal(two.elected, 1);
        assert_int_equal(transitions(), 1);
        const char *acquired = json_string_at(server.lease, "spec.acquireTime");
        assert_true(strcmp(acquired, json_string_at(server.lease, "spec.renewTime")) <= 0);
        end(&two);
        cJSON_Delete(take(server.lease));
    }
}

static void test_a_released_lease_is_taken_within_two_seconds(void **state)
{
    (void)state;
    for (int i = 0; i < MOMENTS; i++) {
        two_replicas_for(60000 + i * MOMENT_MS);
        leader_release(one.leader, on_released, &one);
        assert_false(leader_may_write(one.leader));
        assert_int_equal(one.released, 0);
        fake_clock_run(loop, 100);
        assert_int_equal(one.released, 1);
        const char *holder = json_string_at(server.lease, "spec.holderIdentity");
        assert_true(holder[0] == '\0' || two.elected);
        fake_clock_run(loop, 1200);
        assert_int_equal(two.elected, 1);
        assert_int_equal(one.lost, 0);
        assert_int_equal(one.released, 1);
        assert_int_equal(transitions(), 1);
        end(&one);
        end(&two);
        cJSON_Delete(take(server.lease));
    }
}

static void test_a_release_while_a_renewal_is_under_way(void **state)
{
    (void)state;
    start(&one);
    fake_clock_run(loop, 100);
    unsigned writes = server.writes;
    server.mode = MODE_SILENT;
    fake_clock_run(loop, 2000);
    server.mode = MODE_GOOD;
    leader_release(one.leader, on_released, &one);
    fake_clock_run(loop, 100);
    assert_int_equal(one.released, 1);
    assert_int_equal(server.writes, writes + 1);
    assert_string_equal(json_string_at(server.lease, "spec.holderIdentity"), "");
}

static void test_a_release_leaves_a_lease_of_somebody_else_alone(void **state)
{
    (void)state;
    start(&one);
    fake_clock_run(loop, 100);
    start(&two);
    fake_clock_run(loop, 1000);
    unsigned writes = server.writes;
    leader_release(two.leader, on_released, &two);
    fake_clock_run(loop, 500);
    assert_int_equal(two.released, 1);
    assert_int_equal(server.writes, writes);
    assert_true(leader_may_write(one.leader));
}

static void test_a_release_waits_no_longer_than_a_second(void **state)
{
    (void)state;
    start(&one);
    fake_clock_run(loop, 100);
    server.mode = MODE_SILENT;
    leader_release(one.leader, on_released, &one);
    fake_clock_run(loop, 990);
    assert_int_equal(one.released, 0);
    fake_clock_run(loop, 20);
    assert_int_equal(one.released, 1);
    fake_clock_run(loop, 60000);
    assert_int_equal(one.released, 1);
    assert_int_equal(one.lost, 0);
}

static void test_a_short_failure_is_survived(void **state)
{
    (void)state;
    static const enum mode modes[] = { MODE_FAIL, MODE_LOSE_ANSWERS, MODE_SILENT };
    start(&one);
    fake_clock_run(loop, 100);
    for (size_t i = 0; i < ARRAY_LENGTH(modes); i++) {
        server.mode = modes[i];
        fake_clock_run(loop, 4900);
        assert_true(leader_may_write(one.leader));
        server.mode = MODE_GOOD;
        fake_clock_run(loop, 6000);
        assert_true(leader_may_write(one.leader));
    }
    assert_int_equal(one.elected, 1);
    assert_int_equal(one.lost, 0);
    assert_int_equal(transitions(), 0);
}

static void test_a_long_failure_loses_the_lease_once_and_for_good(void **state)
{
    (void)state;
    static const enum mode modes[] = { MODE_FAIL, MODE_LOSE_ANSWERS, MODE_SILENT };
    for (size_t i = 0; i < ARRAY_LENGTH(modes); i++) {
        server.mode = MODE_GOOD;
        start(&one);
        fake_clock_run(loop, 40000);
        assert_true(leader_may_write(one.leader));
        server.mode = modes[i];
        fake_clock_run(loop, 6600);
        assert_int_equal(one.lost, 0);
        fake_clock_run(loop, 3500);
        assert_int_equal(one.lost, 1);
        assert_false(leader_may_write(one.leader));
        server.mode = MODE_GOOD;
        unsigned gets = server.gets;
        fake_clock_run(loop, 60000);
        assert_int_equal(one.lost, 1);
        assert_int_equal(one.elected, 1);
        assert_int_equal(server.gets, gets);
        end(&one);
    }
}

static void test_a_lost_answer_to_the_first_write_is_found_at_the_next_look(void **state)
{
    (void)state;
    server.mode = MODE_LOSE_ANSWERS;
    start(&one);
    fake_clock_run(loop, 1000);
    assert_int_equal(one.elected, 0);
    assert_non_null(server.lease);
    server.mode = MODE_GOOD;
    fake_clock_run(loop, 3000);
    assert_int_equal(one.elected, 1);
    assert_int_equal(transitions(), 0);
}

static void test_a_paused_leader_may_not_write_before_anybody_else_may(void **state)
{
    (void)state;
    start(&one);
    fake_clock_run(loop, 100);
    server.mode = MODE_SILENT;
    fake_clock_pause(14400);
    assert_true(leader_may_write(one.leader));
    fake_clock_pause(200);
    assert_false(leader_may_write(one.leader));
    fake_clock_run(loop, 20);
    assert_int_equal(one.lost, 1);
}

static void test_a_lease_counts_from_before_the_write_was_sent(void **state)
{
    (void)state;
    server.answer_ms = 2000;
    start(&one);
    fake_clock_run(loop, 4100); /* 2 s to look, 2 s to write */
    assert_int_equal(one.elected, 1);
    fake_clock_pause(12300);
    assert_true(leader_may_write(one.leader));
    fake_clock_pause(300);
    assert_false(leader_may_write(one.leader));
}

static void test_a_lease_taken_over_is_lost(void **state)
{
    (void)state;
    start(&one);
    fake_clock_run(loop, 100);
    cJSON *spec = cJSON_GetObjectItem(server.lease, "spec");
    cJSON_ReplaceItemInObject(spec, "holderIdentity", cJSON_CreateString("somebody"));
    cJSON *metadata = cJSON_GetObjectItem(server.lease, "metadata");
    cJSON_ReplaceItemInObject(metadata, "resourceVersion", cJSON_CreateString("777"));
    fake_clock_run(loop, 6000);
    assert_int_equal(one.lost, 1);
    assert_false(leader_may_write(one.leader));
    assert_string_equal(json_string_at(server.lease, "spec.holderIdentity"), "somebody");
}

static void test_a_deleted_lease_is_made_again(void **state)
{
    (void)state;
    start(&one);
    fake_clock_run(loop, 100);
    cJSON_Delete(take(server.lease));
    fake_clock_run(loop, 6000);
    assert_non_null(server.lease);
    assert_int_equal(one.lost, 0);
    assert_true(leader_may_write(one.leader));
}

static void test_what_others_put_into_the_lease_stays(void **state)
{
    (void)state;
    auto_free char *text = mem_strdup(
        "{\"metadata\":{\"name\":\"deepgram-operator\",\"labels\":{\"a\":\"b\"},"
        "\"resourceVersion\":\"5\"},\"spec\":{\"holderIdentity\":\"\",\"strategy\":\"x\","
        "\"leaseTransitions\":7}}");
    server.lease = json_parse(text, strlen(text));
    start(&one);
    fake_clock_run(loop, 5000);
    assert_int_equal(one.elected, 1);
    assert_string_equal(json_string_at(server.lease, "metadata.labels.a"), "b");
    assert_string_equal(json_string_at(server.lease, "spec.strategy"), "x");
    assert_int_equal(transitions(), 8);
}

static size_t count_log_lines(int64_t run_ms)
{
    FILE *file = tmpfile();
    assert_non_null(file);
    int saved = dup(STDERR_FILENO);
    dup2(fileno(file), STDERR_FILENO);
    fake_clock_run(loop, run_ms);
    dup2(saved, STDERR_FILENO);
    close(saved);
    rewind(file);
    errors[fread(errors, 1, sizeof errors - 1, file)] = '\0';
    fclose(file);
    size_t lines = 0;
    for (const char *p = errors; (p = strchr(p, '\n')) != NULL; p++)
        lines++;
    return lines;
}

static void test_a_missing_permission_is_logged_once(void **state)
{
    (void)state;
    log_setup(LOG_JSON, LOG_WARN);
    server.mode = MODE_REFUSE_WRITES;
    start(&one);
    assert_int_equal(count_log_lines(60000), 1);
    assert_non_null(strstr(errors, "\"error\":"));
    assert_in_range(server.gets, 20, 31);
    server.mode = MODE_FAIL;
    assert_int_equal(count_log_lines(60000), 1);
    log_setup(LOG_JSON, LOG_ERROR);
    assert_int_equal(one.elected, 0);
}

static void test_without_election_it_leads_for_ever(void **state)
{
    (void)state;
    struct options alone = options;
    alone.leader_elect = false;
    one.leader = leader_new(loop, &server, &alone, "operators", on_change, &one);
    assert_int_equal(one.elected, 0);
    fake_clock_run(loop, 60000);
    assert_int_equal(one.elected, 1);
    assert_true(leader_may_write(one.leader));
    assert_int_equal(server.gets + server.writes, 0);
    leader_release(one.leader, on_released, &one);
    assert_false(leader_may_write(one.leader));
    fake_clock_run(loop, 20);
    assert_int_equal(one.released, 1);
}

#define leader_test(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
    json_setup();
    log_setup(LOG_JSON, LOG_ERROR);
    const struct CMUnitTest tests[] = {
        leader_test(test_the_first_creates_the_lease),
        leader_test(test_a_leader_renews_with_one_request_three_times_before_the_deadline),
        leader_test(test_only_one_of_two_leads),
        leader_test(test_a_dead_leader_is_followed_within_its_lease_and_two_seconds),
        leader_test(test_a_released_lease_is_taken_within_two_seconds),
        leader_test(test_a_release_while_a_renewal_is_under_way),
        leader_test(test_a_release_leaves_a_lease_of_somebody_else_alone),
        leader_test(test_a_release_waits_no_longer_than_a_second),
        leader_test(test_a_short_failure_is_survived),
        leader_test(test_a_long_failure_loses_the_lease_once_and_for_good),
        leader_test(test_a_lost_answer_to_the_first_write_is_found_at_the_next_look),
        leader_test(test_a_paused_leader_may_not_write_before_anybody_else_may),
        leader_test(test_a_lease_counts_from_before_the_write_was_sent),
        leader_test(test_a_lease_taken_over_is_lost),
        leader_test(test_a_deleted_lease_is_made_again),
        leader_test(test_what_others_put_into_the_lease_stays),
        leader_test(test_a_missing_permission_is_logged_once),
        leader_test(test_without_election_it_leads_for_ever),
    };
    return test_run(tests);
}
