#include "fixture.h"

#include "plugin/findings.h"
#include "plugin/rights.h"
#include "plugin/schema.h"

static const cJSON *find(const cJSON *rights, const char *resource, const char *verb)
{
    const cJSON *right = NULL;
    cJSON_ArrayForEach(right, rights)
        if (mem_streq(json_string_member(right, "resource"), resource) &&
            mem_streq(json_string_member(right, "verb"), verb))
            return right;
    return NULL;
}

static void test_namespaces_are_watched_by_an_operator_of_all(void **state)
{
    (void)state;
    auto_json cJSON *all = cJSON_CreateArray();
    auto_json cJSON *one = cJSON_CreateArray();
    rights_of_operator(all, NULL, false);
    rights_of_operator(one, "speech", false);
    assert_non_null(find(all, "namespaces", "watch"));
    assert_null(find(one, "namespaces", "watch"));
    assert_non_null(find(one, "namespaces", "get"));
    fixture_expect("in one namespace",
                   json_string_member(find(one, "secrets", "delete"), "namespace"), "speech");
    assert_null(json_member(find(all, "secrets", "delete"), "namespace"));
}

static void test_accounts_are_for_those_who_name_them(void **state)
{
    (void)state;
    for (int named = 0; named <= 1; named++) {
        auto_json cJSON *operators = cJSON_CreateArray();
        auto_json cJSON *own = cJSON_CreateArray();
        rights_of_operator(operators, "speech", named);
        rights_of_person(own, "speech", named);
        assert_int_equal(find(operators, "serviceaccounts", "patch") != NULL, named);
        assert_int_equal(find(own, "serviceaccounts", "list") != NULL, named);
        assert_non_null(find(operators, "secrets", "patch"));
        assert_non_null(find(own, "pods", "list"));
    }
}

static void test_reviews(void **state)
{
    (void)state;
    auto_json cJSON *rights = cJSON_CreateArray();
    rights_of_secret(rights, "ops", "admin");
    cJSON_AddBoolToObject(cJSON_GetArrayItem(rights, 0), "allowed", true);
    auto_json cJSON *own = rights_review(cJSON_GetArrayItem(rights, 0), NULL);
    fixture_expect_json("own", own,
                        "{\"apiVersion\":\"authorization.k8s.io/v1\",\"kind\":"
                        "\"SelfSubjectAccessReview\",\"spec\":{\"resourceAttributes\":{"
                        "\"namespace\":\"ops\",\"group\":\"\",\"resource\":\"secrets\",\"name\":"
                        "\"admin\",\"verb\":\"get\"}}}");
    auto_json cJSON *others =
        rights_review(cJSON_GetArrayItem(rights, 0), "system:serviceaccount:ops:operator");
    fixture_expect("kind", json_string_at(others, "kind"), "SubjectAccessReview");
    fixture_expect_json("groups", json_at(others, "spec.groups"),
                        "[\"system:authenticated\",\"system:serviceaccounts\","
                        "\"system:serviceaccounts:ops\"]");
}

static void test_what_is_missing_is_said_in_words(void **state)
{
    (void)state;
    auto_json cJSON *rights = fixture_json(
        "[{\"resource\":\"pods\",\"verb\":\"list\",\"allowed\":true},"
        "{\"resource\":\"leases\",\"name\":\"x\",\"verb\":\"update\",\"namespace\":\"ops\","
        "\"allowed\":false},{\"resource\":\"deepgramapikeys\",\"subresource\":\"status\","
        "\"verb\":\"patch\"}]");
    auto_buf struct buf text;
    buf_init(&text, 1024);
    assert_int_equal(rights_missing(rights, &text), 2);
    assert_string_equal(buf_text(&text), "update leases x in namespace ops; patch "
                                         "deepgramapikeys/status in all namespaces");
}

static void test_findings_end_with_their_number(void **state)
{
    (void)state;
    auto_findings struct findings findings;
    auto_buf struct buf text;
    buf_init(&text, 1024);
    findings_init(&findings);
    findings_ok(&findings, "one", "%s", "fine");
    findings_note(&findings, "two", NULL, "so so");
    findings_render(&findings, &text);
    assert_string_equal(buf_text(&text), "ok    one  fine\n"
                                         "note  two  so so\n"
                                         "\nEverything is in order.\n");
    buf_reset(&text);
    findings_problem(&findings, "three", "mend it", "broken");
    findings_render(&findings, &text);
    assert_string_equal(buf_text(&text), "ok       one    fine\n"
                                         "note     two    so so\n"
                                         "PROBLEM  three  broken\n"
                                         "                → mend it\n"
                                         "\n1 problem.\n");
    assert_int_equal(findings.problems, 1);
}

/* The API server's own document is compared in tests/integration. */
static void test_a_schema_without_our_fields(void **state)
{
    (void)state;
    auto_json cJSON *openapi =
        fixture_json("{\"components\":{\"schemas\":{\"com.deepgram.v1alpha1.DeepgramPullSecret\":{"
                     "\"properties\":{\"spec\":{\"properties\":{\"projectId\":{}}}}}}}}");
    auto_buf struct buf missing;
    buf_init(&missing, 8192);
    assert_true(schema_missing(RESOURCE_PULL_SECRET, openapi, &missing) > 5);
    assert_null(strstr(buf_text(&missing), "projectId"));
    assert_non_null(strstr(buf_text(&missing), "spec.provider"));
    assert_non_null(strstr(buf_text(&missing), "status.revisions"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_namespaces_are_watched_by_an_operator_of_all),
        cmocka_unit_test(test_accounts_are_for_those_who_name_them),
        cmocka_unit_test(test_reviews),
        cmocka_unit_test(test_what_is_missing_is_said_in_words),
        cmocka_unit_test(test_findings_end_with_their_number),
        cmocka_unit_test(test_a_schema_without_our_fields),
    };
    return fixture_run(tests);
}
