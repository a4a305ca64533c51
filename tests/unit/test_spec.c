#include "fixture.h"

#include "api/spec.h"

static void test_complaints_name_the_field(void **state)
{
    (void)state;
    static const struct {
        const char *name, *spec, *error; /* error: how it begins; "" for none */
        enum resource_kind kind;
    } rows[] = {
#define PROJECT "\"projectId\":\"" FIXTURE_PROJECT "\""
        { "minimal", "{" PROJECT "}", "", RESOURCE_API_KEY },
        { "minimal pull Secret", "{" PROJECT "}", "", RESOURCE_PULL_SECRET },
        { "accounts", "{" PROJECT ",\"serviceAccounts\":[\"default\",\"a.b-1\"]}", "",
          RESOURCE_PULL_SECRET },
        { "path for an account", "{" PROJECT ",\"serviceAccounts\":[\"a\",\"../x\"]}",
          "spec.serviceAccounts holds \"../x\", which is not the name of a ServiceAccount",
          RESOURCE_PULL_SECRET },
        { "17 accounts",
          "{" PROJECT ",\"serviceAccounts\":[\"a\",\"a\",\"a\",\"a\",\"a\",\"a\",\"a\",\"a\","
          "\"a\",\"a\",\"a\",\"a\",\"a\",\"a\",\"a\",\"a\",\"a\"]}",
          "spec.serviceAccounts has more than 16 entries", RESOURCE_PULL_SECRET },
        { "null counts as absent",
          "{" PROJECT ",\"comment\":null,\"scopes\":null,\"role\":null,\"validFor\":null,"
          "\"secret\":null,\"rotation\":null,\"credentialsRef\":null,\"suspend\":null}",
          "", RESOURCE_API_KEY },
        { "no spec", "null", "spec.projectId is missing", RESOURCE_API_KEY },
        { "a list for a spec", "[]", "spec.projectId is missing", RESOURCE_API_KEY },
        { "number for the project", "{\"projectId\":7}", "spec.projectId is not a string",
          RESOURCE_API_KEY },
        { "path for the project", "{\"projectId\":\"../../x\"}", "spec.projectId is not a UUID",
          RESOURCE_API_KEY },
        { "project cut", "{\"projectId\":\"11111111-2222-3333-4444-55555555555\"}",
          "spec.projectId is not a UUID", RESOURCE_API_KEY },
        { "reference without a name", "{" PROJECT ",\"credentialsRef\":{}}",
          "spec.credentialsRef.name is missing", RESOURCE_API_KEY },
        { "reference of the wrong type", "{" PROJECT ",\"credentialsRef\":\"x\"}",
          "spec.credentialsRef is not an object", RESOURCE_API_KEY },
        { "path for a reference", "{" PROJECT ",\"credentialsRef\":{\"name\":\"../x\"}}",
          "spec.credentialsRef.name is not the name of a Secret", RESOURCE_API_KEY },
        { "key with a slash", "{" PROJECT ",\"credentialsRef\":{\"name\":\"x\",\"key\":\"a/b\"}}",
          "spec.credentialsRef.key is not the name of", RESOURCE_API_KEY },
        { "number for a comment", "{" PROJECT ",\"comment\":1}", "spec.comment is not a string",
          RESOURCE_API_KEY },
        { "scopes of the wrong type", "{" PROJECT ",\"scopes\":\"a\"}", "spec.scopes is not a list",
          RESOURCE_API_KEY },
        { "number among scopes", "{" PROJECT ",\"scopes\":[\"usage:read\",1]}",
          "spec.scopes holds something that is not a string", RESOURCE_API_KEY },
        { "a role among scopes", "{" PROJECT ",\"scopes\":[\"owner\"]}",
          "spec.scopes may not hold the role owner", RESOURCE_API_KEY },
        { "a role among pull scopes", "{" PROJECT ",\"scopes\":[\"admin\"]}",
          "spec.scopes may not hold the role admin", RESOURCE_PULL_SECRET },
        { "a role in capitals", "{" PROJECT ",\"scopes\":[\"Owner\"]}",
          "spec.scopes holds \"Owner\", which is not a scope", RESOURCE_API_KEY },
        { "a role with a blank", "{" PROJECT ",\"scopes\":[\"owner \"]}",
          "spec.scopes holds \"owner \", which is not a scope", RESOURCE_API_KEY },
        { "empty scope", "{" PROJECT ",\"scopes\":[\"\"]}", "spec.scopes holds \"\"",
          RESOURCE_API_KEY },
        { "fine-grained scope", "{" PROJECT ",\"scopes\":[\"usage:read\",\"a_b:c-1\"]}", "",
          RESOURCE_API_KEY },
        { "33 scopes",
          "{" PROJECT ",\"scopes\":[\"a\",\"a\",\"a\",\"a\",\"a\",\"a\",\"a\",\"a\",\"a\",\"a\","
          "\"a\",\"a\",\"a\",\"a\",\"a\",\"a\",\"a\",\"a\",\"a\",\"a\",\"a\",\"a\",\"a\",\"a\","
          "\"a\",\"a\",\"a\",\"a\",\"a\",\"a\",\"a\",\"a\",\"a\"]}",
          "spec.scopes has more than 32 entries", RESOURCE_API_KEY },
        { "the marker's tags", "{" PROJECT ",\"tags\":[\"ok\",\"uid:x\"]}",
          "spec.tags holds \"uid:x\"", RESOURCE_API_KEY },
        { "empty tag", "{" PROJECT ",\"tags\":[\"\"]}", "spec.tags holds an empty",
          RESOURCE_API_KEY },
        { "unknown role", "{" PROJECT ",\"role\":\"root\"}", "spec.role is \"root\"",
          RESOURCE_API_KEY },
        { "role of a pull Secret is not read", "{" PROJECT ",\"role\":\"root\"}", "",
          RESOURCE_PULL_SECRET },
        { "lifetime twice",
          "{" PROJECT ",\"validFor\":\"1h\",\"expiresAt\":\"2030-01-01T00:00:00Z\"}",
          "spec.validFor and spec.expiresAt exclude each other", RESOURCE_API_KEY },
        { "lifetime in days", "{" PROJECT ",\"validFor\":\"30d\"}",
          "spec.validFor is not a positive duration", RESOURCE_API_KEY },
        { "no lifetime at all", "{" PROJECT ",\"validFor\":\"0s\"}",
          "spec.validFor is not a positive duration", RESOURCE_API_KEY },
        { "number for a lifetime", "{" PROJECT ",\"validFor\":3600}",
          "spec.validFor is not a string", RESOURCE_API_KEY },
        { "date alone", "{" PROJECT ",\"expiresAt\":\"2030-01-01\"}",
          "spec.expiresAt is not an RFC 3339 time", RESOURCE_API_KEY },
        { "the epoch is no expiry", "{" PROJECT ",\"expiresAt\":\"1970-01-01T00:00:00Z\"}",
          "spec.expiresAt is not an RFC 3339 time", RESOURCE_API_KEY },
        { "rotation of the wrong type", "{" PROJECT ",\"rotation\":[]}",
          "spec.rotation is not an object", RESOURCE_PULL_SECRET },
        { "every", "{" PROJECT ",\"rotation\":{\"every\":\"x\"}}",
          "spec.rotation.every is not a positive duration", RESOURCE_PULL_SECRET },
        { "overlap", "{" PROJECT ",\"rotation\":{\"overlap\":\"\"}}",
          "spec.rotation.overlap is not a positive duration", RESOURCE_API_KEY },
        { "before as long as the lifetime",
          "{" PROJECT ",\"validFor\":\"1h\",\"rotation\":{\"before\":\"60m\"}}",
          "spec.rotation.before is not shorter than spec.validFor", RESOURCE_API_KEY },
        { "rollout of the wrong type", "{" PROJECT ",\"rollout\":7}",
          "spec.rollout is not an object", RESOURCE_API_KEY },
        { "an unknown mode", "{" PROJECT ",\"rollout\":{\"mode\":\"restart\"}}",
          "spec.rollout.mode is \"restart\"", RESOURCE_API_KEY },
        { "no timeout", "{" PROJECT ",\"rollout\":{\"timeout\":\"0s\"}}",
          "spec.rollout.timeout is not a positive duration", RESOURCE_API_KEY },
        { "workloads of the wrong type", "{" PROJECT ",\"rollout\":{\"workloads\":{}}}",
          "spec.rollout.workloads is not a list", RESOURCE_API_KEY },
        { "a Job among them", "{" PROJECT ",\"rollout\":{\"workloads\":[{\"kind\":\"Job\"}]}}",
          "spec.rollout.workloads: the kind has to be", RESOURCE_API_KEY },
        { "a path among them",
          "{" PROJECT ",\"rollout\":{\"workloads\":[{\"kind\":\"Deployment\",\"name\":\"../x\"}]}}",
          "spec.rollout.workloads: an entry lacks a valid name", RESOURCE_API_KEY },
        { "33 of them",
          "{" PROJECT
          ",\"rollout\":{\"workloads\":[0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,"
          "0,0,0,0,0,0,0,0,0]}}",
          "spec.rollout.workloads has more than 32 entries", RESOURCE_API_KEY },
        { "a pull Secret has no roll-out", "{" PROJECT ",\"rollout\":7}", "",
          RESOURCE_PULL_SECRET },
        { "deletion policy", "{" PROJECT ",\"deletionPolicy\":\"Keep\"}",
          "spec.deletionPolicy is \"Keep\"", RESOURCE_API_KEY },
        { "suspend", "{" PROJECT ",\"suspend\":\"true\"}", "spec.suspend is neither",
          RESOURCE_API_KEY },
        { "secret of the wrong type", "{" PROJECT ",\"secret\":\"x\"}",
          "spec.secret is not an object", RESOURCE_API_KEY },
        { "secret with capitals", "{" PROJECT ",\"secret\":{\"name\":\"Voice\"}}",
          "spec.secret.name is not the name of a Secret", RESOURCE_API_KEY },
        { "a revision Secret's name", "{" PROJECT ",\"secret\":{\"name\":\"voice-dgkey-r1\"}}",
          "spec.secret.name (the resource's name when absent) has the form", RESOURCE_API_KEY },
        { "label name", "{" PROJECT ",\"secret\":{\"labels\":{\"a b\":\"c\"}}}",
          "spec.secret.labels: \"a b\" is not a valid label", RESOURCE_API_KEY },
        { "label value", "{" PROJECT ",\"secret\":{\"labels\":{\"a\":\"-\"}}}",
          "spec.secret.labels: \"a\" is not a valid label", RESOURCE_API_KEY },
        { "label of ours", "{" PROJECT ",\"secret\":{\"labels\":{\"deepgram.com/a\":\"b\"}}}",
          "spec.secret.labels sets deepgram.com/a", RESOURCE_PULL_SECRET },
        { "number for an annotation", "{" PROJECT ",\"secret\":{\"annotations\":{\"a\":1}}}",
          "spec.secret.annotations: the value of \"a\" is not a string", RESOURCE_API_KEY },
        { "annotation of ours",
          "{" PROJECT ",\"secret\":{\"annotations\":{\"deepgram.com/revision\":\"9\"}}}",
          "spec.secret.annotations sets deepgram.com/revision", RESOURCE_API_KEY },
        { "entry's name", "{" PROJECT ",\"secret\":{\"data\":{\"a/b\":\"\"}}}",
          "spec.secret.data: \"a/b\" is not the name of", RESOURCE_API_KEY },
        { "unknown placeholder", "{" PROJECT ",\"secret\":{\"data\":{\"a\":\"${key}\"}}}",
          "spec.secret.data: entry \"a\": unknown placeholder ${key}", RESOURCE_API_KEY },
        { "other provider", "{" PROJECT ",\"provider\":\"ecr\"}", "spec.provider is \"ecr\"",
          RESOURCE_PULL_SECRET },
        { "the one provider", "{" PROJECT ",\"provider\":\"quay\"}", "", RESOURCE_PULL_SECRET },
        { "a repository", "{" PROJECT ",\"verify\":{\"repository\":\"deepgram/self-hosted-api\"}}",
          "", RESOURCE_PULL_SECRET },
        { "half a repository", "{" PROJECT ",\"verify\":{\"repository\":\"api\"}}",
          "spec.verify.repository is not", RESOURCE_PULL_SECRET },
        { "a repository with a tag", "{" PROJECT ",\"verify\":{\"repository\":\"a/b:1\"}}",
          "spec.verify.repository is not", RESOURCE_PULL_SECRET },
        { "a repository that leads elsewhere",
          "{" PROJECT ",\"verify\":{\"repository\":\"a/../b\"}}", "spec.verify.repository is not",
          RESOURCE_PULL_SECRET },
        { "a streaming address",
          "{" PROJECT ",\"verify\":{\"streaming\":{\"url\":\"ws://api:8080\",\"timeout\":\"5s\"}}}",
          "", RESOURCE_API_KEY },
        { "no streaming address", "{" PROJECT ",\"verify\":{\"streaming\":{}}}",
          "spec.verify.streaming.url is missing", RESOURCE_API_KEY },
        { "a streaming address with a password",
          "{" PROJECT ",\"verify\":{\"streaming\":{\"url\":\"ws://a:b@api\"}}}",
          "spec.verify.streaming.url is not", RESOURCE_API_KEY },
        { "a long wait for it",
          "{" PROJECT ",\"verify\":{\"streaming\":{\"url\":\"ws://api\",\"timeout\":\"301s\"}}}",
          "spec.verify.streaming.timeout is longer", RESOURCE_API_KEY },
        { "the first complaint is kept", "{\"projectId\":\"x\",\"role\":\"root\"}",
          "spec.projectId is not a UUID", RESOURCE_API_KEY },
    };
    for (size_t i = 0; i < ARRAY_LENGTH(rows); i++) {
        auto_json cJSON *json = fixture_json(rows[i].spec);
        struct spec spec;
        struct err err = ERR_INIT;
        bool ok = spec_parse(rows[i].kind, json, "voice", &spec, &err);
        if (ok != (*rows[i].error == '\0') ||
            strncmp(err.message, rows[i].error, strlen(rows[i].error)) != 0)
            fail_msg("%s: %s", rows[i].name, err.message);
        assert_int_equal(err.kind, ok ? ERR_NONE : ERR_INVALID);
        assert_non_null(spec.project_id);
        assert_non_null(spec.credentials_key);
        assert_non_null(spec.secret_name);
    }
}

static void test_comment_length_counts_characters(void **state)
{
    (void)state;
    for (size_t characters = 256; characters <= 257; characters++) {
        auto_free char *comment = mem_alloc(4 * characters + 1);
        for (size_t i = 0; i < characters; i++)
            strcat(comment, "\xF0\x9F\x8E\x99");
        auto_json cJSON *json = cJSON_CreateObject();
        json_add_string(json, "projectId", FIXTURE_PROJECT);
        json_add_string(json, "comment", comment);
        struct spec spec;
        struct err err = ERR_INIT;
        assert_int_equal(spec_parse(RESOURCE_API_KEY, json, "n", &spec, &err), characters == 256);
    }
}

static void test_defaults(void **state)
{
    (void)state;
    auto_resource struct resource *resource = fixture_resource(RESOURCE_API_KEY, "");
    const struct spec *spec = &resource->spec;
    assert_string_equal(spec->project_id, FIXTURE_PROJECT);
    assert_null(spec->credentials_name);
    assert_string_equal(spec->credentials_key, "DEEPGRAM_API_KEY");
    assert_null(spec->comment);
    assert_null(spec->scopes);
    assert_int_equal(spec->role, ROLE_MEMBER);
    assert_int_equal(spec->rotation_before_ms, -1);
    assert_int_equal(spec->rotation_overlap_ms, 3600000);
    assert_int_equal(spec->deletion_policy, DELETION_REVOKE);
    assert_false(spec->suspend);
    assert_string_equal(spec->secret_name, "voice");
    assert_null(spec->secret_data);
    auto_resource struct resource *pull = fixture_resource(RESOURCE_PULL_SECRET, "");
    assert_int_equal(pull->spec.role, ROLE_NONE);
}

static void test_what_is_given_is_read(void **state)
{
    (void)state;
    auto_resource struct resource *resource = fixture_resource(
        RESOURCE_API_KEY,
        "\"credentialsRef\":{\"name\":\"admin\",\"key\":\"token\"},\"comment\":\"c\","
        "\"role\":\"admin\",\"tags\":[\"t\"],\"validFor\":\"720h\",\"deletionPolicy\":\"Retain\","
        "\"suspend\":true,\"rotation\":{\"every\":\"24h\",\"before\":\"48h\",\"overlap\":\"2h\"},"
        "\"secret\":{\"name\":\"key\",\"labels\":{\"a\":\"b\"},\"annotations\":{\"c/d\":\"e\"},"
        "\"data\":{\"api.toml\":\"key = \\\"${apiKey}\\\"\"}}");
    const struct spec *spec = &resource->spec;
    assert_string_equal(resource->spec_error, "");
    assert_string_equal(spec->credentials_name, "admin");
    assert_string_equal(spec->credentials_key, "token");
    assert_int_equal(spec->role, ROLE_ADMIN);
    assert_int_equal(spec->valid_for_ms, INT64_C(720) * 3600 * 1000);
    assert_int_equal(spec->rotation_every_ms, 24 * 3600 * 1000);
    assert_int_equal(spec->rotation_before_ms, 48 * 3600 * 1000);
    assert_int_equal(spec->rotation_overlap_ms, 2 * 3600 * 1000);
    assert_int_equal(spec->deletion_policy, DELETION_RETAIN);
    assert_true(spec->suspend);
    assert_string_equal(spec->secret_name, "key");
    assert_string_equal(json_string_member(spec->secret_labels, "a"), "b");
    assert_string_equal(json_string_member(spec->secret_annotations, "c/d"), "e");
    assert_int_equal(cJSON_GetArraySize(spec->secret_data), 1);
}

static void test_an_error_leaves_the_rest_readable(void **state)
{
    (void)state;
    auto_resource struct resource *resource = fixture_resource(
        RESOURCE_API_KEY, "\"role\":\"root\",\"deletionPolicy\":\"Retain\",\"suspend\":true,"
                          "\"credentialsRef\":{\"name\":\"a/b\"}");
    assert_int_equal(resource->spec.deletion_policy, DELETION_RETAIN);
    assert_true(resource->spec.suspend);
    assert_string_equal(resource->spec.project_id, FIXTURE_PROJECT);
    /* not NULL: that would be the operator's default credentials */
    assert_string_equal(resource->spec.credentials_name, "");
}

static void test_scopes_in_order_without_doubles(void **state)
{
    (void)state;
    static const struct {
        const char *name, *members, *scopes;
        enum resource_kind kind;
    } rows[] = {
        { "default", "", "[\"self-hosted:products\",\"member\"]", RESOURCE_API_KEY },
        { "empty list", "\"scopes\":[]", "[\"self-hosted:products\",\"member\"]",
          RESOURCE_API_KEY },
        { "no role", "\"role\":\"none\"", "[\"self-hosted:products\"]", RESOURCE_API_KEY },
        { "own scopes", "\"scopes\":[\"b\",\"a\",\"b\"],\"role\":\"owner\"",
          "[\"b\",\"a\",\"owner\"]", RESOURCE_API_KEY },
        { "pull Secret", "", "[\"self-hosted:products\"]", RESOURCE_PULL_SECRET },
    };
    for (size_t i = 0; i < ARRAY_LENGTH(rows); i++) {
        auto_resource struct resource *resource = fixture_resource(rows[i].kind, rows[i].members);
        auto_json cJSON *scopes = spec_scopes(resource);
        fixture_expect_json(rows[i].name, scopes, rows[i].scopes);
    }
}

static void test_hash_follows_what_a_credential_is_made_of(void **state)
{
    (void)state;
    static const struct {
        const char *name, *one, *other;
        bool same;
        enum resource_kind kind;
    } rows[] = {
        { "explicit defaults", "",
          "\"comment\":\"team/voice\",\"scopes\":[\"self-hosted:products\"],\"role\":\"member\","
          "\"tags\":[]",
          true, RESOURCE_API_KEY },
        { "explicit provider", "", "\"provider\":\"quay\"", true, RESOURCE_PULL_SECRET },
        { "order and doubles of scopes", "\"scopes\":[\"a\",\"b\"]",
          "\"scopes\":[\"b\",\"a\",\"b\"]", true, RESOURCE_API_KEY },
        { "order of tags", "\"tags\":[\"a\",\"b\"]", "\"tags\":[\"b\",\"a\"]", true,
          RESOURCE_API_KEY },
        { "spelling of a duration", "\"validFor\":\"1h\"", "\"validFor\":\"60m\"", true,
          RESOURCE_API_KEY },
        { "spelling of a time", "\"expiresAt\":\"2030-01-01T00:00:00Z\"",
          "\"expiresAt\":\"2030-01-01T01:00:00.0+01:00\"", true, RESOURCE_API_KEY },
        { "how it is published, rotated and left", "",
          "\"secret\":{\"name\":\"x\",\"data\":{\"a\":\"${keyId}\"},\"labels\":{\"a\":\"b\"}},"
          "\"credentialsRef\":{\"name\":\"x\"},\"rotation\":{\"every\":\"1h\",\"overlap\":\"2h\"},"
          "\"suspend\":true,\"deletionPolicy\":\"Retain\"",
          true, RESOURCE_API_KEY },
        { "comment", "", "\"comment\":\"x\"", false, RESOURCE_API_KEY },
        { "pull comment", "", "\"comment\":\"x\"", false, RESOURCE_PULL_SECRET },
        { "scopes", "", "\"scopes\":[\"a\"]", false, RESOURCE_API_KEY },
        { "role", "", "\"role\":\"none\"", false, RESOURCE_API_KEY },
        { "tags", "", "\"tags\":[\"a\"]", false, RESOURCE_API_KEY },
        { "a tag is not a scope", "\"tags\":[\"a\"]", "\"scopes\":[\"a\",\"self-hosted:products\"]",
          false, RESOURCE_API_KEY },
        { "lifetime", "", "\"validFor\":\"1h\"", false, RESOURCE_API_KEY },
        { "expiry", "\"expiresAt\":\"2030-01-01T00:00:00Z\"",
          "\"expiresAt\":\"2030-01-01T00:00:01Z\"", false, RESOURCE_API_KEY },
    };
    for (size_t i = 0; i < ARRAY_LENGTH(rows); i++) {
        auto_resource struct resource *one = fixture_resource(rows[i].kind, rows[i].one);
        auto_resource struct resource *other = fixture_resource(rows[i].kind, rows[i].other);
        fixture_expect(rows[i].name, one->spec_error, "");
        fixture_expect(rows[i].name, other->spec_error, "");
        assert_int_equal(strspn(one->spec_hash, "0123456789abcdef"), 16);
        if ((strcmp(one->spec_hash, other->spec_hash) == 0) != rows[i].same)
            fail_msg("%s: %s, %s", rows[i].name, one->spec_hash, other->spec_hash);
    }
}

static void test_hash_is_the_same_in_every_version(void **state)
{
    (void)state;
    auto_resource struct resource *key = fixture_resource(RESOURCE_API_KEY, "");
    auto_resource struct resource *pull = fixture_resource(RESOURCE_PULL_SECRET, "");
    /* An upgrade that changes these rotates every credential there is. */
    assert_string_equal(key->spec_hash, "df58087f4d0ad206");
    assert_string_equal(pull->spec_hash, "43fb31ad1dfb6bc7");
}

static void test_roles_have_names(void **state)
{
    (void)state;
    for (int i = ROLE_NONE; i <= ROLE_OWNER; i++) {
        enum role role = ROLE_NONE;
        assert_true(role_parse(role_name((enum role)i), &role));
        assert_int_equal(role, i);
    }
    enum role untouched = ROLE_ADMIN;
    assert_false(role_parse("root", &untouched));
    assert_false(role_parse(NULL, &untouched));
    assert_int_equal(untouched, ROLE_ADMIN);
}

static void test_a_roll_out(void **state)
{
    (void)state;
    struct spec spec;
    struct err err = ERR_INIT;
    auto_json cJSON *none = fixture_json("{" PROJECT "}");
    assert_true(spec_parse(RESOURCE_API_KEY, none, "voice", &spec, &err));
    assert_int_equal(spec.rollout_mode, ROLLOUT_RESTART);
    assert_int_equal(spec.rollout_timeout_ms, 2 * 3600 * 1000);
    assert_null(spec.rollout_workloads);
    auto_json cJSON *all = fixture_json(
        "{" PROJECT
        ",\"rollout\":{\"mode\":\"Ignore\",\"timeout\":\"90s\",\"workloads\":[{\"kind\":"
        "\"DaemonSet\",\"name\":\"a\"}]}}");
    assert_true(spec_parse(RESOURCE_API_KEY, all, "voice", &spec, &err));
    assert_int_equal(spec.rollout_mode, ROLLOUT_IGNORE);
    assert_int_equal(spec.rollout_timeout_ms, 90 * 1000);
    assert_int_equal(cJSON_GetArraySize(spec.rollout_workloads), 1);
    auto_json cJSON *empty = fixture_json("{" PROJECT ",\"rollout\":{\"workloads\":[]}}");
    assert_true(spec_parse(RESOURCE_API_KEY, empty, "voice", &spec, &err));
    assert_null(spec.rollout_workloads);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_roll_out),
        cmocka_unit_test(test_complaints_name_the_field),
        cmocka_unit_test(test_comment_length_counts_characters),
        cmocka_unit_test(test_defaults),
        cmocka_unit_test(test_what_is_given_is_read),
        cmocka_unit_test(test_an_error_leaves_the_rest_readable),
        cmocka_unit_test(test_scopes_in_order_without_doubles),
        cmocka_unit_test(test_hash_follows_what_a_credential_is_made_of),
        cmocka_unit_test(test_hash_is_the_same_in_every_version),
        cmocka_unit_test(test_roles_have_names),
    };
    return fixture_run(tests);
}
