/* A message says what was found, `next` what to do. What Deepgram or the API server says is quoted
 * as deepgram/refusal and kube/status put it. */
#include "plugin/checks.h"

#include <stdlib.h>

#include "base/json.h"
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
