/* A message says what was found, `next` what to do. What Deepgram or the API server says is quoted
 * as deepgram/refusal and kube/status put it. */
#include "plugin/checks.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "operator/admin_key.h"
#include "plugin/rights.h"
#include "plugin/schema.h"

enum { MISSING_BYTES_MAX = 4096 };

/* ---- the API server ---- */

enum { OLDEST_MINOR = 29 }; /* CEL in CRDs is stable since then; so says the chart */

bool check_api_server(struct session *session, const char *server, struct findings *findings)
{
    static const char CHECK[] = "API server";
    struct err err = ERR_INIT;
    auto_json cJSON *version = NULL;
    if (!session_get_path(session, "/version", &version, &err)) {
        findings_problem(
            findings, CHECK,
            err.kind == ERR_UNAUTHORIZED
                ? "log in again: the credentials of this kubeconfig or ServiceAccount "
                  "aren't accepted"
                : "check the server's address in the kubeconfig, the network and, in a "
                  "pod, the NetworkPolicy",
            "%s", err.message);
        return false;
    }
    const char *text = json_string_member(version, "gitVersion");
    long minor = strtol(json_string_member(version, "minor") ?: "0", NULL, 10);
    if (minor < OLDEST_MINOR)
        findings_problem(findings, CHECK, "upgrade the cluster",
                         "%s is Kubernetes %s, and the resource types need 1.%d or newer", server,
                         text ? text : "of an unknown version", OLDEST_MINOR);
    else
        findings_ok(findings, CHECK, "%s answers: Kubernetes %s", server, text ? text : "?");
    return true;
}

/* ---- resource types ---- */

static bool is_served(const cJSON *discovery, const char *plural)
{
    const cJSON *resource = NULL;
    cJSON_ArrayForEach(resource, json_member(discovery, "resources"))
        if (mem_streq(json_string_member(resource, "name"), plural))
            return true;
    return false;
}

static void check_schema(struct session *session, struct findings *findings, const char *check)
{
    struct err err = ERR_INIT;
    auto_json cJSON *openapi = NULL;
    if (!session_get_path(session, SCHEMA_OPENAPI_PATH, &openapi, &err)) {
        findings_note(findings, check, NULL, "their fields can't be compared: %s", err.message);
        return;
    }
    auto_buf struct buf missing;
    buf_init(&missing, MISSING_BYTES_MAX);
    for (enum resource_kind kind = 0; kind < RESOURCE_KINDS; kind++) {
        buf_reset(&missing);
        if (schema_missing(kind, openapi, &missing) > 0)
            findings_problem(findings, check,
                             "upgrade the CRDs: `kubectl apply -f crds`, or `helm upgrade` with "
                             "crds.enabled=true",
                             "the CRD of %s is older than this program: it lacks %s",
                             resource_kind_name(kind), buf_text(&missing));
    }
}

bool check_resource_types(struct session *session, struct findings *findings)
{
    static const char CHECK[] = "CRDs";
    static const char NEXT[] = "install them: `kubectl apply -f crds`, or the chart with "
                               "crds.enabled=true";
    struct err err = ERR_INIT;
    auto_json cJSON *discovery = NULL;
    if (!session_get_path(session, "/apis/deepgram.com/v1alpha1", &discovery, &err)) {
        if (err.kind == ERR_NOT_FOUND)
            findings_problem(findings, CHECK, NEXT,
                             "the API server doesn't know deepgram.com/v1alpha1");
        else
            findings_problem(findings, CHECK,
                             "let every user read the discovery documents again "
                             "(ClusterRole system:discovery)",
                             "%s", err.message);
        return false;
    }
    const char *const missing = !is_served(discovery, "deepgramapikeys") ? "DeepgramApiKey"
                                : !is_served(discovery, "deepgrampullsecrets")
                                    ? "DeepgramPullSecret"
                                    : NULL;
    if (missing) {
        findings_problem(findings, CHECK, NEXT, "the API server doesn't know %s", missing);
        return false;
    }
    size_t before = findings->problems;
    check_schema(session, findings, CHECK);
    if (findings->problems == before)
        findings_ok(findings, CHECK,
                    "DeepgramApiKey and DeepgramPullSecret are served as "
                    "deepgram.com/v1alpha1");
    return true;
}

/* ---- rights ---- */

static const struct kube_resource SELF_REVIEWS = { "authorization.k8s.io", "v1",
                                                   "selfsubjectaccessreviews",
                                                   "SelfSubjectAccessReview" };
static const struct kube_resource REVIEWS = { "authorization.k8s.io", "v1", "subjectaccessreviews",
                                              "SubjectAccessReview" };

/* Fills in `allowed` of each; false when the API server doesn't tell. */
static bool ask_for_each(struct session *session, cJSON *rights, const char *user, struct err *err)
{
    size_t count = (size_t)cJSON_GetArraySize(rights);
    auto_free struct reply *replies = mem_calloc(count, sizeof *replies);
    size_t i = 0;
    cJSON *right = NULL;
    cJSON_ArrayForEach(right, rights) {
        auto_json cJSON *review = rights_review(right, user);
        session_start(session,
                      &(struct kube_call){ .verb = KUBE_CREATE,
                                           .resource = user ? &REVIEWS : &SELF_REVIEWS,
                                           .body = review },
                      &replies[i++]);
    }
    session_wait(session);
    bool ok = true;
    i = 0;
    cJSON_ArrayForEach(right, rights) {
        const struct reply *reply = &replies[i++];
        cJSON_AddBoolToObject(right, "allowed",
                              json_bool_at(reply->object, "status.allowed", false));
        cJSON_Delete(reply->object);
        if (reply->failed)
            *err = reply->err;
        ok = ok && !reply->failed;
    }
    return ok;
}

static void record(struct findings *findings, cJSON *rights, const char *whose)
{
    cJSON *all = cJSON_GetObjectItemCaseSensitive(findings->json, "rights");
    if (!all)
        all = json_add_array(findings->json, "rights");
    cJSON *entry = cJSON_CreateObject();
    json_add_string(entry, "check", whose);
    cJSON_AddItemToObject(entry, "rights", rights);
    cJSON_AddItemToArray(all, entry);
}

void check_rights(struct session *session, cJSON *rights, const char *user, const char *whose,
                  const char *next, struct findings *findings)
{
    struct err err = ERR_INIT;
    if (!ask_for_each(session, rights, user, &err)) {
        findings_note(findings, whose,
                      user ? "ask somebody who may create subjectaccessreviews, or run `helm test`"
                           : NULL,
                      "can't be looked at: %s", err.message);
        cJSON_Delete(rights);
        return;
    }
    auto_buf struct buf missing;
    buf_init(&missing, MISSING_BYTES_MAX);
    size_t count = rights_missing(rights, &missing);
    if (count > 0)
        findings_problem(findings, whose, next, "not allowed to %s", buf_text(&missing));
    else
        findings_ok(findings, whose, "all %d that are needed are there",
                    cJSON_GetArraySize(rights));
    record(findings, rights, whose);
}

/* ---- Deepgram ---- */

struct reachable {
    const char *url;
    struct findings *findings;
};

static void judge_reachable(void *context, const struct deepgram_answer *answer)
{
    static const char CHECK[] = "Deepgram";
    const struct reachable *reachable = context;
    if (answer->transport != DEEPGRAM_ANSWERED)
        findings_problem(reachable->findings, CHECK,
                         "check the network from here to there: DNS, firewall, NetworkPolicy, "
                         "HTTPS_PROXY, and --ca-file where a proxy has certificates of its own",
                         "%s can't be reached: %s", reachable->url, answer->failure);
    else if (answer->status >= 500 || answer->status == 429)
        findings_problem(reachable->findings, CHECK,
                         "wait, and look at Deepgram's status page if it lasts",
                         "%s is reached, but fails with HTTP %ld", reachable->url, answer->status);
    else if (answer->status != 401)
        findings_problem(
            reachable->findings, CHECK,
            "check --deepgram-url, and whether a proxy answers in Deepgram's place",
            "%s answers a request without a key with HTTP %ld, where Deepgram says 401",
            reachable->url, answer->status);
    else
        findings_ok(reachable->findings, CHECK,
                    "%s is reached, and refuses a request without a key", reachable->url);
}

void check_deepgram(struct session *session, const char *url, struct findings *findings)
{
    struct reachable reachable = { url, findings };
    session_deepgram_anonymous(session, "/v1/auth/token", judge_reachable, &reachable);
}

/* ---- admin keys ---- */

struct described {
    bool ok;
    bool may_write;
    bool told;
    struct err err;
};

static bool has_any(const cJSON *scopes, const char *const *wanted, size_t count)
{
    const cJSON *scope = NULL;
    cJSON_ArrayForEach(scope, scopes)
        for (size_t i = 0; i < count; i++)
            if (mem_streq(scope->valuestring, wanted[i]))
                return true;
    return false;
}

static void judge_key(void *context, const struct deepgram_answer *answer)
{
    static const char *const WRITERS[] = { "owner", "admin", "keys:write" };
    struct described *described = context;
    struct credential credential = { 0 };
    described->ok =
        deepgram_described(RESOURCE_API_KEY, DEEPGRAM_CHECK, answer, &credential, &described->err);
    described->told = cJSON_GetArraySize(credential.scopes) > 0;
    described->may_write = has_any(credential.scopes, WRITERS, ARRAY_LENGTH(WRITERS));
    credential_done(&credential);
}

bool check_admin_key(struct session *session, const struct admin_view *admin,
                     struct secret *ret_key, struct findings *findings)
{
    auto_free char *check = mem_printf("admin key %s/%s", admin->namespace, admin->name);
    struct err err = ERR_INIT;
    auto_json cJSON *secret = NULL;
    if (!session_ask(session,
                     &(struct kube_call){ .verb = KUBE_GET,
                                          .resource = &KUBE_SECRETS,
                                          .namespace = admin->namespace,
                                          .name = admin->name },
                     &secret, &err)) {
        auto_free char *create = mem_printf("create it: kubectl -n %s create secret generic %s "
                                            "--from-file=%s=/path/to/key",
                                            admin->namespace, admin->name, admin->key);
        findings_problem(findings, check, err.kind == ERR_NOT_FOUND ? create : "ask for that right",
                         "%s",
                         err.kind == ERR_NOT_FOUND ? "the Secret doesn't exist" : err.message);
        return false;
    }
    if (!admin_key_read(admin, secret, ret_key, &err)) {
        findings_problem(findings, check, "put the bare key into it", "%s", err.message);
        return false;
    }
    struct described described = { .err = ERR_INIT };
    struct deepgram_request request = { 0 };
    deepgram_check(&request);
    session_deepgram(session, &request, ret_key, judge_key, &described);
    if (!described.ok)
        findings_problem(findings, check,
                         described.err.kind == ERR_UNAUTHORIZED
                             ? "put a working key into the Secret; the operator uses it at once"
                             : "mend that first",
                         "%s",
                         described.err.kind == ERR_UNAUTHORIZED
                             ? "Deepgram doesn't accept the key: it is wrong, expired or revoked"
                             : described.err.message);
    else if (described.told && !described.may_write)
        findings_problem(findings, check, "use a key with the role admin or owner",
                         "Deepgram knows the key, but it may not write keys");
    else
        findings_ok(findings, check, "Deepgram knows the key%s",
                    described.told ? ", and it may write keys" : "");
    return described.ok;
}

struct listed {
    enum resource_kind kind;
    bool ok;
    size_t ours;
    struct err err;
};

static void judge_list(void *context, const struct deepgram_answer *answer)
{
    struct listed *listed = context;
    struct deepgram_list list = { 0 };
    listed->ok = deepgram_listed(listed->kind, answer, &list, &listed->err);
    listed->ours = list.count;
    deepgram_list_done(&list);
}

void check_listing(struct session *session, enum resource_kind kind, const char *project_id,
                   const struct secret *key, const char *secret_name, struct findings *findings)
{
    struct listed listed = { .kind = kind, .err = ERR_INIT };
    struct deepgram_request request = { 0 };
    deepgram_list(kind, project_id, &request);
    session_deepgram(session, &request, key, judge_list, &listed);
    auto_free char *check = mem_printf("project %s", project_id);
    const char *noun = kind == RESOURCE_API_KEY ? "API keys" : "pull credentials";
    if (listed.ok)
        findings_ok(findings, check, "%s can be listed with %s; %zu of them are the operator's",
                    noun, secret_name, listed.ours);
    else
        findings_problem(
            findings, check,
            listed.err.kind == ERR_NOT_FOUND
                ? "compare spec.projectId with the console: a key sees its own project "
                  "only"
                : "use a key with the role admin or owner",
            "%s can't be listed with %s: %s", noun, secret_name, listed.err.message);
}
