/* From the ground up: what is no use asking when the API server doesn't answer isn't asked. */
#include "plugin/doctor.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/condition.h"
#include "api/timestamp.h"
#include "base/clock.h"
#include "base/json.h"
#include "plugin/checks.h"
#include "plugin/resources.h"
#include "plugin/rights.h"

enum { TEXT_BYTES_MAX = 1024 * 1024, LEASE_GRACE_MS = 60 * 1000 };

static int tell(const struct findings *findings, bool json)
{
    auto_buf struct buf text;
    buf_init(&text, TEXT_BYTES_MAX);
    if (json) {
        auto_free char *printed = json_print_indented(findings->json);
        puts(printed);
    } else {
        findings_render(findings, &text);
        fputs(buf_text(&text), stdout);
    }
    return findings->problems == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

/* ---- of the operator ---- */

static bool watches(const struct options *options, const char *namespace)
{
    return options_namespace_watched(options, namespace);
}

/* What can't be listed is told by the rights. */
static bool any_names_accounts(struct session *session, const char *namespace)
{
    auto_resources struct resources resources = { 0 };
    struct err err = ERR_INIT;
    return resources_load_all(session, namespace, &resources, &err) &&
           resources_name_accounts(&resources);
}

static cJSON *operators_rights(struct session *session, const struct options *options,
                               const char *own_namespace)
{
    cJSON *rights = cJSON_CreateArray();
    if (!options->namespaces)
        rights_of_operator(rights, NULL, any_names_accounts(session, NULL));
    for (char **namespace = options->namespaces; namespace && *namespace; namespace ++)
        rights_of_operator(rights, *namespace, any_names_accounts(session, *namespace));
    if (options->leader_elect)
        rights_of_leader(rights, own_namespace);
    if (options->default_credentials_name &&
        !watches(options, options->default_credentials_namespace))
        rights_of_secret(rights, options->default_credentials_namespace,
                         options->default_credentials_name);
    return rights;
}

static void check_default_credentials(struct session *session, const struct options *options,
                                      struct findings *findings)
{
    if (!options->default_credentials_name)
        return;
    const struct admin_view admin = {
        .namespace = options->default_credentials_namespace,
        .name = options->default_credentials_name,
        .key = CREDENTIALS_DEFAULT_KEY,
    };
    auto_secret struct secret key = { 0 };
    bool ok = check_admin_key(session, &admin, &key, findings);
    (void)ok; /* it is told */
}

static void examine_operator(struct session *session, const struct options *options,
                             const struct kube_config *config, struct findings *findings)
{
    if (!check_api_server(session, config->server, findings))
        return;
    bool served = check_resource_types(session, findings);
    (void)served; /* rights can be held for types that aren't there yet */
    check_rights(
        session, operators_rights(session, options, config->namespace), NULL, "rights",
        "apply manifests/rbac.yaml, or let the chart make the roles (rbac.create) and name "
        "the right namespaces (watchNamespaces)",
        findings);
    check_deepgram(session, options->deepgram_url, findings);
    check_default_credentials(session, options, findings);
}

int doctor_of_operator(const struct options *options)
{
    struct kube_config config = { 0 };
    auto_session struct session *session = NULL;
    auto_findings struct findings findings;
    struct err err = ERR_INIT;
    findings_init(&findings);
    if (kube_config_load(options->kubeconfig, &config, &err) &&
        session_new(options, &config, &session, &err))
        examine_operator(session, options, &config, &findings);
    else
        findings_problem(&findings, "configuration", "see deepgram-operator --help", "%s",
                         err.message);
    int code = tell(&findings, false);
    session_free(take(session));
    kube_config_done(&config);
    return code;
}

/* ---- the operator, as a person sees it ---- */

static void judge_lease(const cJSON *lease, const char *namespace, struct findings *findings)
{
    static const char CHECK[] = "operator";
    auto_free char *next =
        mem_printf("look at its log: kubectl -n %s logs deployment/deepgram-operator", namespace);
    const char *holder = json_string_at(lease, "spec.holderIdentity");
    int64_t renewed = timestamp_or(json_string_at(lease, "spec.renewTime"), 0);
    int64_t age_ms = clock_wall_ms() - renewed;
    char age[TIMESTAMP_BYTES];
    duration_format(age_ms > 0 ? age_ms : 0, age);
    if (!holder || !holder[0])
        findings_problem(findings, CHECK, next, "no replica leads: the last one ended %s ago", age);
    else if (age_ms > LEASE_GRACE_MS)
        findings_problem(findings, CHECK, next, "%s led, but hasn't been heard of for %s", holder,
                         age);
    else
        findings_ok(findings, CHECK, "%s leads", holder);
}

static void check_operator(struct session *session, const char *namespace,
                           struct findings *findings)
{
    auto_json cJSON *lease = NULL;
    struct err err = ERR_INIT;
    if (session_ask(session,
                    &(struct kube_call){ .verb = KUBE_GET,
                                         .resource = &KUBE_LEASES,
                                         .namespace = namespace,
                                         .name = "deepgram-operator" },
                    &lease, &err))
        judge_lease(lease, namespace, findings);
    else if (err.kind == ERR_NOT_FOUND)
        findings_problem(findings, "operator",
                         "install it, or say with --operator-namespace where it runs",
                         "no operator has worked in namespace %s: there is no Lease", namespace);
    else
        findings_note(findings, "operator", NULL, "can't be looked at: %s", err.message);
}

/* ---- resources and their admin keys ---- */

static bool same_admin(const struct admin_view *a, const struct admin_view *b)
{
    return strcmp(a->namespace, b->namespace) == 0 && strcmp(a->name, b->name) == 0 &&
           strcmp(a->key, b->key) == 0;
}

/* Was one like that among those before it? */
static bool is_first(const struct resources *resources, size_t index, const struct options *options,
                     bool and_project)
{
    struct admin_view admin, earlier;
    bool known = resources_admin(resources->list[index], options, &admin);
    for (size_t i = 0; i < index && known; i++) {
        const struct resource *other = resources->list[i];
        if (resources_admin(other, options, &earlier) && same_admin(&admin, &earlier) &&
            (!and_project ||
             (other->kind == resources->list[index]->kind &&
              mem_streq(other->spec.project_id, resources->list[index]->spec.project_id))))
            return false;
    }
    return true;
}

static void check_projects(struct session *session, const struct resources *resources,
                           const struct options *options, const struct admin_view *admin,
                           const struct secret *key, struct findings *findings)
{
    auto_free char *name = mem_printf("Secret %s/%s", admin->namespace, admin->name);
    for (size_t i = 0; i < resources->count; i++) {
        const struct resource *resource = resources->list[i];
        struct admin_view other;
        if (resources_admin(resource, options, &other) && same_admin(admin, &other) &&
            is_first(resources, i, options, true) && resource->spec.project_id)
            check_listing(session, resource->kind, resource->spec.project_id, key, name, findings);
    }
}

static void check_admin_keys(struct session *session, const struct resources *resources,
                             const struct options *options, struct findings *findings)
{
    for (size_t i = 0; i < resources->count; i++) {
        const struct resource *resource = resources->list[i];
        struct admin_view admin;
        if (!resources_admin(resource, options, &admin)) {
            findings_note(findings, "admin key",
                          "name the operator's with --default-credentials NS/NAME",
                          "%s %s/%s relies on default credentials, which weren't looked at",
                          resource_kind_name(resource->kind), resource->namespace, resource->name);
            continue;
        }
        auto_secret struct secret key = { 0 };
        if (is_first(resources, i, options, false) &&
            check_admin_key(session, &admin, &key, findings))
            check_projects(session, resources, options, &admin, &key, findings);
    }
}

static void check_one_resource(const struct resource *resource, struct findings *findings)
{
    const cJSON *conditions = json_member(resource->status.json, "conditions");
    const cJSON *ready = condition_find(conditions, "Ready");
    auto_free char *check = mem_printf("%s/%s in %s", resource_kind_short_name(resource->kind),
                                       resource->name, resource->namespace);
    const char *reason = json_string_member(ready, "reason") ?: "Pending";
    const char *message = json_string_member(ready, "message") ?: "the operator hasn't seen it yet";
    if (condition_is_true(conditions, "Ready"))
        findings_ok(findings, check, "ready: %s", message);
    else
        findings_problem(findings, check,
                         strcmp(reason, "Pending") == 0
                             ? "is an operator at work, and does it watch this namespace?"
                             : "do what the message says; README.md explains each reason",
                         "%s: %s", reason, message);
}

static void check_accounts(const struct resource *resource, struct findings *findings)
{
    const cJSON *updated =
        condition_find(json_member(resource->status.json, "conditions"), "ServiceAccountsUpdated");
    if (!mem_streq(json_string_member(updated, "status"), "False"))
        return;
    auto_free char *check =
        mem_printf("accounts of %s/%s in %s", resource_kind_short_name(resource->kind),
                   resource->name, resource->namespace);
    findings_problem(findings, check, "do what the message says; README.md explains each reason",
                     "%s: %s", json_string_member(updated, "reason"),
                     json_string_member(updated, "message"));
}

static void check_resources(struct session *session, const struct resources *resources,
                            const struct command *command, const char *namespace,
                            struct findings *findings)
{
    if (resources->count == 0)
        findings_note(findings, "resources",
                      namespace ? "look into another with --namespace, or into all with -A" : NULL,
                      "there are none %s%s", namespace ? "in namespace " : "in the cluster",
                      namespace ? namespace : "");
    for (size_t i = 0; i < resources->count; i++) {
        check_one_resource(resources->list[i], findings);
        check_accounts(resources->list[i], findings);
    }
    check_admin_keys(session, resources, &command->options, findings);
}

/* ---- of a person ---- */

static void check_all_rights(struct session *session, const struct command *command,
                             const char *namespace, bool accounts, struct findings *findings)
{
    cJSON *own = cJSON_CreateArray();
    rights_of_person(own, namespace, accounts);
    check_rights(session, own, NULL, "your rights",
                 "ask for the role edit in the namespace; what isn't allowed is left out",
                 findings);
    cJSON *operators = cJSON_CreateArray();
    rights_of_operator(operators, namespace, accounts);
    rights_of_leader(operators, command->operator_namespace);
    auto_free char *user = mem_printf("system:serviceaccount:%s:%s", command->operator_namespace,
                                      command->operator_account);
    auto_free char *whose = mem_printf("rights of %s", command->operator_account);
    check_rights(session, operators, user, whose,
                 "apply manifests/rbac.yaml, or let the chart make the roles (rbac.create, "
                 "watchNamespaces); another ServiceAccount is named with "
                 "--operator-service-account",
                 findings);
}

int doctor_of_person(struct session *session, const struct command *command,
                     const struct kube_config *config, const char *namespace)
{
    auto_findings struct findings findings;
    findings_init(&findings);
    if (check_api_server(session, config->server, &findings)) {
        auto_resources struct resources resources = { 0 };
        struct err err = ERR_INIT;
        bool served = check_resource_types(session, &findings);
        bool listed = served && resources_load_all(session, namespace, &resources, &err);
        check_all_rights(session, command, namespace, resources_name_accounts(&resources),
                         &findings);
        check_operator(session, command->operator_namespace, &findings);
        check_deepgram(session, command->options.deepgram_url, &findings);
        if (listed)
            check_resources(session, &resources, command, namespace, &findings);
        else if (served)
            findings_problem(&findings, "resources",
                             "ask for that right, or use another --namespace", "%s", err.message);
    }
    return tell(&findings, command->json);
}
