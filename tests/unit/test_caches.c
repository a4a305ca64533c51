/* From an event to the keys that it concerns. */
#include "caches_fixture.h"
#include "fixture.h"

#include "base/shared_json.h"

static char default_namespace[] = "operator";
static char default_name[] = "default-admin";
static const struct options options = { .default_credentials_namespace = default_namespace,
                                        .default_credentials_name = default_name };

static int setup(void **state)
{
    (void)state;
    caches_open(&options);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    caches_close();
    caches_free(NULL);
    return 0;
}

/* Takes all keys and fails unless they are these, such as "key:ns/a pull:ns/b admin:ns/c", in the
 * order in which they came. */
static void expect_keys(const char *what, const char *wanted)
{
    static const char *const kinds[] = {
        [QUEUE_API_KEY] = "key", [QUEUE_PULL_SECRET] = "pull", [QUEUE_ADMIN_SECRET] = "admin"
    };
    char *text = mem_strdup("");
    struct queue_key key = { 0 };
    while (queue_take(queue, &key)) {
        char *longer = mem_printf("%s%s%s:%s/%s", text, *text ? " " : "", kinds[key.kind],
                                  key.namespace, key.name);
        mem_free(text);
        text = longer;
        queue_finish(queue, &key);
        queue_key_done(&key);
    }
    auto_free char *is = text;
    fixture_expect(what, is, wanted);
}

static void put(struct store *store, const char *text)
{
    store_put(store, fixture_json(text));
}

/* A resource in "ns"; spec may be empty. */
static void put_resource(enum resource_kind kind, const char *name, const char *version,
                         const char *spec)
{
    auto_free char *text = mem_printf("{\"metadata\":{\"namespace\":\"ns\",\"name\":\"%s\",\"uid\":"
                                      "\"uid-%s\",\"resourceVersion\":\"%s\"},\"spec\":{%s}}",
                                      name, name, version, spec);
    put(caches->resources[kind], text);
}

static void put_secret(const char *name, const char *version, const char *metadata)
{
    auto_free char *text = mem_printf("{\"metadata\":{\"namespace\":\"ns\",\"name\":\"%s\",\"uid\":"
                                      "\"uid-%s\",\"resourceVersion\":\"%s\"%s%s}}",
                                      name, name, version, *metadata ? "," : "", metadata);
    put(caches->secrets, text);
}

static void put_pod(const char *name, const char *secret)
{
    auto_free char *text = mem_printf(
        "{\"metadata\":{\"namespace\":\"ns\",\"name\":\"%s\",\"uid\":\"uid-%s\","
        "\"resourceVersion\":\"1\"},\"spec\":{\"imagePullSecrets\":[{\"name\":\"%s\"}]}}",
        name, name, secret);
    put(caches->pods, text);
}

static void remove_object(struct store *store, const char *name)
{
    auto_shared_json const cJSON *object = store_get(store, "ns", name);
    assert_non_null(object);
    store_remove(store, object);
}

#define MADE_FOR(resource) "\"annotations\":{\"deepgram.com/resource\":\"" resource "\"}"
#define REVISION_OF(resource)                                                                      \
    "\"labels\":{\"app.kubernetes.io/managed-by\":\"deepgram-operator\"},\"annotations\":"         \
    "{\"deepgram.com/resource\":\"" resource "\",\"deepgram.com/revision\":\"1\","                 \
    "\"deepgram.com/id\":\"key-1\",\"deepgram.com/nonce\":\"n1\"}"

static void test_a_resource_wakes_itself(void **state)
{
    (void)state;
    put_resource(RESOURCE_API_KEY, "a", "1", "");
    put_resource(RESOURCE_PULL_SECRET, "b", "2", "");
    expect_keys("added", "key:ns/a pull:ns/b");
    put_resource(RESOURCE_API_KEY, "a", "3", "\"suspend\":true");
    expect_keys("changed", "key:ns/a");
    put_resource(RESOURCE_API_KEY, "a", "3", "\"suspend\":true");
    expect_keys("the same again", "");
    remove_object(caches->resources[RESOURCE_API_KEY], "a");
    expect_keys("gone", "key:ns/a");
}

static void test_whoever_waits_for_a_target_is_woken_when_it_is_left(void **state)
{
    (void)state;
    put_resource(RESOURCE_API_KEY, "first", "1", "\"secret\":{\"name\":\"s\"}");
    put_resource(RESOURCE_PULL_SECRET, "second", "2", "\"secret\":{\"name\":\"s\"}");
    put_resource(RESOURCE_API_KEY, "s", "3", "");
    expect_keys("all", "key:ns/first pull:ns/second key:ns/s");
    put_resource(RESOURCE_API_KEY, "first", "4", "\"secret\":{\"name\":\"t\"}");
    expect_keys("turned elsewhere", "key:ns/first key:ns/s pull:ns/second");
    put_resource(RESOURCE_PULL_SECRET, "second", "5",
                 "\"secret\":{\"name\":\"s\"},\"comment\":\"\"");
    expect_keys("not left", "pull:ns/second");
    remove_object(caches->resources[RESOURCE_API_KEY], "s");
    expect_keys("gone", "key:ns/s pull:ns/second");
}

static void test_an_admin_secret_is_looked_at_when_it_is_left(void **state)
{
    (void)state;
    put_resource(RESOURCE_API_KEY, "a", "1", "\"credentialsRef\":{\"name\":\"admin\"}");
    put_resource(RESOURCE_API_KEY, "b", "2", "");
    expect_keys("added", "key:ns/a key:ns/b");
    put_resource(RESOURCE_API_KEY, "a", "3",
                 "\"credentialsRef\":{\"name\":\"admin\"},\"comment\":\"\"");
    expect_keys("still used", "key:ns/a");
    put_resource(RESOURCE_API_KEY, "a", "4", "\"credentialsRef\":{\"name\":\"other\"}");
    expect_keys("another one", "key:ns/a admin:ns/admin");
    remove_object(caches->resources[RESOURCE_API_KEY], "a");
    expect_keys("gone", "key:ns/a admin:ns/other");
    remove_object(caches->resources[RESOURCE_API_KEY], "b");
    expect_keys("default credentials", "key:ns/b");
}

static void test_whom_a_secret_concerns(void **state)
{
    (void)state;
    put_resource(RESOURCE_API_KEY, "a", "1", "\"credentialsRef\":{\"name\":\"admin\"}");
    put_resource(RESOURCE_PULL_SECRET, "b", "2", "\"secret\":{\"name\":\"target-b\"}");
    expect_keys("added", "key:ns/a pull:ns/b");
    static const struct {
        const char *what, *name, *metadata, *keys;
    } rows[] = {
        { "somebody's", "other", "", "" },
        { "a target", "target-b", "", "pull:ns/b" },
        { "a target of the default name", "a", "", "key:ns/a" },
        { "an admin Secret", "admin", "", "key:ns/a" },
        { "one that is marked", "marked", "\"finalizers\":[\"x\",\"deepgram.com/in-use\"]",
          "admin:ns/marked" },
        { "a revision Secret", "a-dgkey-r1", REVISION_OF("DeepgramApiKey/a"), "key:ns/a" },
        { "a target of an earlier name", "before", MADE_FOR("DeepgramPullSecret/b"), "pull:ns/b" },
        { "one made for nobody we know", "odd", MADE_FOR("DeepgramApi/a"), "" },
        { "one whose note makes no sense", "odder", MADE_FOR("DeepgramApiKey"), "" },
    };
    for (size_t i = 0; i < ARRAY_LENGTH(rows); i++) {
        put_secret(rows[i].name, "1", rows[i].metadata);
        expect_keys(rows[i].what, rows[i].keys);
        remove_object(caches->secrets, rows[i].name);
        expect_keys(rows[i].what, rows[i].keys);
    }
}

static void test_the_default_credentials_concern_those_without_their_own(void **state)
{
    (void)state;
    put_resource(RESOURCE_API_KEY, "own", "1", "\"credentialsRef\":{\"name\":\"admin\"}");
    put_resource(RESOURCE_API_KEY, "a", "2", "");
    put_resource(RESOURCE_PULL_SECRET, "b", "3", "");
    expect_keys("added", "key:ns/own key:ns/a pull:ns/b");
    put(caches->secrets, "{\"metadata\":{\"namespace\":\"operator\",\"name\":\"default-admin\","
                         "\"resourceVersion\":\"4\"}}");
    expect_keys("default credentials", "key:ns/a pull:ns/b");
    put(caches->secrets, "{\"metadata\":{\"namespace\":\"ns\",\"name\":\"default-admin\","
                         "\"resourceVersion\":\"5\"}}");
    expect_keys("a namesake elsewhere", "");
}

static void test_whom_a_pod_concerns(void **state)
{
    (void)state;
    put_resource(RESOURCE_PULL_SECRET, "b", "1", "\"secret\":{\"name\":\"target\"}");
    put_secret("before", "2", MADE_FOR("DeepgramPullSecret/b"));
    expect_keys("added", "pull:ns/b");
    put_pod("p", "target");
    expect_keys("refers to the target", "pull:ns/b");
    remove_object(caches->pods, "p");
    expect_keys("gone", "pull:ns/b");
    put_pod("q", "before");
    expect_keys("refers to the target of an earlier name", "pull:ns/b");
    put_pod("r", "other");
    expect_keys("refers to something else", "");
}

static void count(void *context, const cJSON *object)
{
    (void)object;
    ++*(size_t *)context;
}

static void expect_found(struct store *store, char *index_key, size_t wanted)
{
    auto_free char *key = index_key;
    size_t found = 0;
    store_visit(store, key, count, &found);
    if (found != wanted)
        fail_msg("%s: %zu", key, found);
}

static void test_what_is_found_by_what(void **state)
{
    (void)state;
    put_resource(RESOURCE_API_KEY, "a", "1", "\"credentialsRef\":{\"name\":\"admin\"}");
    put_resource(RESOURCE_API_KEY, "b", "2", "\"secret\":{\"name\":\"a\"}");
    put_secret("a-dgkey-r1", "3", REVISION_OF("DeepgramApiKey/a"));
    put_secret("a", "4", MADE_FOR("DeepgramApiKey/a"));
    put_secret("other", "5", "");
    put_pod("p", "a");
    struct store *keys = caches->resources[RESOURCE_API_KEY];
    expect_found(keys, caches_target_key("ns", "a"), 2);
    expect_found(keys, caches_target_key("other", "a"), 0);
    expect_found(keys, caches_admin_key("ns", "admin"), 1);
    expect_found(keys, caches_admin_key(NULL, NULL), 1);
    expect_found(caches->secrets, caches_revision_key(RESOURCE_API_KEY, "ns", "a"), 1);
    expect_found(caches->secrets, caches_revision_key(RESOURCE_PULL_SECRET, "ns", "a"), 0);
    expect_found(caches->secrets, caches_owned_key(RESOURCE_API_KEY, "ns", "a"), 1);
    expect_found(caches->secrets, caches_owned_key(RESOURCE_API_KEY, "ns", "b"), 0);
    expect_found(caches->pods, caches_pod_key("ns", "a"), 1);
    expect_found(caches->pods, caches_pod_key("other", "a"), 0);
}

/* More than fit into the index: the pod is found by some of them, and nothing breaks. */
static void test_a_pod_with_many_secrets(void **state)
{
    (void)state;
    auto_json cJSON *pod = fixture_json("{\"metadata\":{\"namespace\":\"ns\",\"name\":\"p\","
                                        "\"resourceVersion\":\"1\"},\"spec\":{}}");
    cJSON *pulls =
        json_add_array(cJSON_GetObjectItemCaseSensitive(pod, "spec"), "imagePullSecrets");
    for (int i = 0; i < STORE_INDEX_KEYS_MAX + 4; i++) {
        auto_free char *name = mem_printf("s%d", i);
        cJSON *pull = cJSON_CreateObject();
        json_add_string(pull, "name", name);
        cJSON_AddItemToArray(pulls, pull);
    }
    store_put(caches->pods, take(pod));
    expect_found(caches->pods, caches_pod_key("ns", "s0"), 1);
    expect_found(caches->pods, caches_pod_key("ns", "s15"), 1);
}

static void test_at_the_start_everything_is_looked_at(void **state)
{
    (void)state;
    put_resource(RESOURCE_API_KEY, "a", "1", "");
    put_resource(RESOURCE_PULL_SECRET, "b", "2", "");
    put_secret("marked", "3", "\"finalizers\":[\"deepgram.com/in-use\"]");
    put_secret("other", "4", "\"finalizers\":[\"x/y\"]");
    expect_keys("added", "key:ns/a pull:ns/b admin:ns/marked");
    caches_enqueue_all(caches);
    expect_keys("all", "key:ns/a pull:ns/b admin:ns/marked");
}

static void test_namespaces_that_go(void **state)
{
    (void)state;
    put(caches->namespaces, "{\"metadata\":{\"name\":\"ns\",\"resourceVersion\":\"1\"}}");
    put(caches->namespaces, "{\"metadata\":{\"name\":\"going\",\"resourceVersion\":\"2\","
                            "\"deletionTimestamp\":\"2026-01-01T00:00:00Z\"}}");
    assert_false(caches_namespace_terminating(caches, "ns"));
    assert_true(caches_namespace_terminating(caches, "going"));
    assert_false(caches_namespace_terminating(caches, "unknown"));
    expect_keys("its objects tell on their own", "");
}

static void put_account(const char *name, const char *version, const char *members)
{
    auto_free char *text = mem_printf("{\"metadata\":{\"namespace\":\"ns\",\"name\":\"%s\","
                                      "\"uid\":\"uid-%s\",\"resourceVersion\":\"%s\"}%s}",
                                      name, name, version, members);
    put(caches->accounts, text);
}

static void test_an_account_wakes_whoever_names_it_or_left_something_in_it(void **state)
{
    (void)state;
    put(caches->resources[RESOURCE_PULL_SECRET],
        "{\"metadata\":{\"namespace\":\"ns\",\"name\":\"a\",\"uid\":\"1\","
        "\"resourceVersion\":\"1\"},\"spec\":{\"serviceAccounts\":[\"engine\",\"api\"]},"
        "\"status\":{\"serviceAccounts\":[{\"name\":\"api\"},{\"name\":\"old\"}]}}");
    put(caches->resources[RESOURCE_PULL_SECRET],
        "{\"metadata\":{\"namespace\":\"ns\",\"name\":\"b\",\"uid\":\"2\","
        "\"resourceVersion\":\"2\"},\"spec\":{\"serviceAccounts\":[7,\"engine\"]},"
        "\"status\":{\"serviceAccounts\":\"odd\"}}");
    put_resource(RESOURCE_PULL_SECRET, "c", "3", "");
    expect_keys("resources", "pull:ns/a pull:ns/b pull:ns/c");
    expect_found(caches->resources[RESOURCE_PULL_SECRET], caches_account_key("ns", "api"), 1);
    put_account("engine", "4", "");
    expect_keys("named by two", "pull:ns/a pull:ns/b");
    put_account("api", "5", "");
    expect_keys("named twice by one", "pull:ns/a");
    put_account("old", "6", ",\"imagePullSecrets\":[{\"name\":\"a\"}]");
    expect_keys("named no longer", "pull:ns/a");
    put_account("default", "7", "");
    expect_keys("nobody's", "");
    put_account("engine", "8", ",\"secrets\":[{\"name\":\"token\"}]");
    expect_keys("nothing that counts", "");
    put_account("engine", "9", ",\"imagePullSecrets\":[{\"name\":\"x\"}]");
    expect_keys("another list", "pull:ns/a pull:ns/b");
    remove_object(caches->accounts, "old");
    expect_keys("gone", "pull:ns/a");
    put(caches->resources[RESOURCE_PULL_SECRET],
        "{\"metadata\":{\"namespace\":\"ns\",\"name\":\"a\",\"uid\":\"1\","
        "\"resourceVersion\":\"10\"}}");
    expect_keys("the resource", "pull:ns/a");
    put_account("api", "11", ",\"imagePullSecrets\":[{\"name\":\"x\"}]");
    expect_keys("named no longer", "");
    expect_found(caches->resources[RESOURCE_PULL_SECRET], caches_account_key("ns", "api"), 0);
}

static void test_news_of_all_accounts_wakes_those_with_any(void **state)
{
    (void)state;
    put(caches->resources[RESOURCE_PULL_SECRET],
        "{\"metadata\":{\"namespace\":\"ns\",\"name\":\"a\",\"uid\":\"1\","
        "\"resourceVersion\":\"1\"},\"spec\":{\"serviceAccounts\":[\"engine\"]}}");
    put_resource(RESOURCE_PULL_SECRET, "b", "2", "");
    expect_keys("resources", "pull:ns/a pull:ns/b");
    caches_set_accounts(caches, ACCOUNTS_LOADING, NULL);
    expect_keys("on the way", "pull:ns/a");
    caches_set_accounts(caches, ACCOUNTS_LOADING, "Forbidden");
    expect_keys("not shown", "pull:ns/a");
    caches_set_accounts(caches, ACCOUNTS_LOADING, "Forbidden");
    expect_keys("no news", "");
    caches_set_accounts(caches, ACCOUNTS_KNOWN, NULL);
    expect_keys("known", "pull:ns/a");
    assert_null(caches->accounts_refusal);
}

static void put_workload(const char *name, const char *version, const char *secret,
                         const char *annotations)
{
    auto_free char *text = mem_printf(
        "{\"metadata\":{\"namespace\":\"ns\",\"name\":\"%s\",\"uid\":\"uid-%s\","
        "\"resourceVersion\":\"%s\"},\"spec\":{\"template\":{\"metadata\":{\"annotations\":{%s}},"
        "\"spec\":{\"volumes\":[{\"secret\":{\"secretName\":\"%s\"}}]}}}}",
        name, name, version, annotations, secret);
    put(caches->workloads[WORKLOAD_DEPLOYMENT], text);
}

static void test_a_workload_wakes_whoever_feeds_it(void **state)
{
    (void)state;
    put_resource(RESOURCE_API_KEY, "a", "1", "");
    put_resource(RESOURCE_API_KEY, "b", "2", "");
    expect_keys("resources", "key:ns/a key:ns/b");
    put_workload("w", "3", "a", "");
    expect_keys("new", "key:ns/a");
    put_workload("w", "4", "a", "");
    expect_keys("nothing that counts", "");
    put_workload("w", "5", "a", "\"revision.deepgram.com/a\":\"2\"");
    expect_keys("marked", "key:ns/a");
    put_workload("w", "6", "b", "");
    expect_keys("fed by another", "key:ns/a key:ns/b");
    remove_object(caches->workloads[WORKLOAD_DEPLOYMENT], "w");
    expect_keys("gone", "key:ns/b");
}

static void test_a_pod_wakes_nobody_by_what_no_decision_knows_of(void **state)
{
    (void)state;
    put_resource(RESOURCE_API_KEY, "a", "1", "");
    put_pod("p", "a");
    expect_keys("new", "key:ns/a");
    put(caches->pods, "{\"metadata\":{\"namespace\":\"ns\",\"name\":\"p\",\"uid\":\"uid-p\","
                      "\"resourceVersion\":\"2\",\"labels\":{\"x\":\"y\"}},\"spec\":"
                      "{\"imagePullSecrets\":[{\"name\":\"a\"}]}}");
    expect_keys("a label", "");
    put(caches->pods, "{\"metadata\":{\"namespace\":\"ns\",\"name\":\"p\",\"uid\":\"uid-p\","
                      "\"resourceVersion\":\"3\",\"deletionTimestamp\":\"t\"},\"spec\":"
                      "{\"imagePullSecrets\":[{\"name\":\"a\"}]}}");
    expect_keys("it goes", "key:ns/a");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_a_resource_wakes_itself, setup, teardown),
        cmocka_unit_test_setup_teardown(test_whoever_waits_for_a_target_is_woken_when_it_is_left,
                                        setup, teardown),
        cmocka_unit_test_setup_teardown(test_an_admin_secret_is_looked_at_when_it_is_left, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(test_whom_a_secret_concerns, setup, teardown),
        cmocka_unit_test_setup_teardown(
            test_the_default_credentials_concern_those_without_their_own, setup, teardown),
        cmocka_unit_test_setup_teardown(test_whom_a_pod_concerns, setup, teardown),
        cmocka_unit_test_setup_teardown(test_what_is_found_by_what, setup, teardown),
        cmocka_unit_test_setup_teardown(test_a_pod_with_many_secrets, setup, teardown),
        cmocka_unit_test_setup_teardown(test_at_the_start_everything_is_looked_at, setup, teardown),
        cmocka_unit_test_setup_teardown(test_namespaces_that_go, setup, teardown),
        cmocka_unit_test_setup_teardown(
            test_an_account_wakes_whoever_names_it_or_left_something_in_it, setup, teardown),
        cmocka_unit_test_setup_teardown(test_news_of_all_accounts_wakes_those_with_any, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(test_a_workload_wakes_whoever_feeds_it, setup, teardown),
        cmocka_unit_test_setup_teardown(test_a_pod_wakes_nobody_by_what_no_decision_knows_of, setup,
                                        teardown),
    };
    return fixture_run(tests);
}
