/* The checks of Deepgram and of the keys that it is asked with. What it says is quoted as
 * deepgram/refusal puts it. */
#include "plugin/checks.h"

#include "base/json.h"
#include "operator/admin_key.h"

/* ---- is it there? ---- */

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
    for (size_t i = 0; i < count; i++)
        if (json_has_string(scopes, wanted[i]))
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
