/* The operator's rights are read out of manifests/rbac.yaml, which is generated from the chart: no
 * list can fall behind the rules that are granted. */
#include "plugin/rights.h"

#include <assert.h>
#include <string.h>

#include "base/json.h"
#include "kube/yaml.h"
#include "plugin/carry.h"

CARRY(rights_rbac, "manifests/rbac.yaml");

/* ---- from rules to rights ---- */

static void add_right(cJSON *rights, const cJSON *group, const cJSON *resource, const cJSON *name,
                      const cJSON *verb, const char *namespace)
{
    const char *slash = strchr(resource->valuestring, '/');
    size_t length = strcspn(resource->valuestring, "/");
    auto_free char *plain = mem_strndup(resource->valuestring, length);
    cJSON *right = cJSON_CreateObject();
    json_add_string(right, "namespace", namespace);
    json_add_string(right, "group", group->valuestring);
    json_add_string(right, "resource", plain);
    json_add_string(right, "subresource", slash ? slash + 1 : NULL);
    json_add_string(right, "name", name ? name->valuestring : NULL);
    json_add_string(right, "verb", verb->valuestring);
    cJSON_AddItemToArray(rights, right);
}

/* No Role can give it: whoever works on some namespaces does without. */
static bool is_cluster_wide(const char *resource, const char *verb)
{
    return strcmp(resource, "namespaces") == 0 && strcmp(verb, "get") != 0;
}

/* Of one group and one name at most, as the chart writes them. */
static void add_rule(cJSON *rights, const cJSON *rule, const char *namespace, bool accounts)
{
    const cJSON *group = cJSON_GetArrayItem(json_member(rule, "apiGroups"), 0);
    const cJSON *name = cJSON_GetArrayItem(json_member(rule, "resourceNames"), 0);
    const cJSON *resource = NULL;
    cJSON_ArrayForEach(resource, json_member(rule, "resources")) {
        const cJSON *verb = NULL;
        if (!accounts && strcmp(resource->valuestring, "serviceaccounts") == 0)
            continue;
        cJSON_ArrayForEach(verb, json_member(rule, "verbs"))
            if (!namespace || !is_cluster_wide(resource->valuestring, verb->valuestring))
                add_right(rights, group, resource, name, verb, namespace);
    }
}

static void add_rules(cJSON *rights, const cJSON *role, const char *namespace, bool accounts)
{
    const cJSON *rule = NULL;
    cJSON_ArrayForEach(rule, json_member(role, "rules"))
        add_rule(rights, rule, namespace, accounts);
}

/* The only role of that kind in manifests/rbac.yaml. */
static cJSON *carried_role(const char *kind)
{
    static const char BREAK[] = "\n---\n";
    for (const char *text = rights_rbac; text;) {
        const char *end = strstr(text, BREAK);
        size_t length = end ? (size_t)(end - text) : strlen(text);
        cJSON *document = NULL;
        struct err err = ERR_INIT;
        if (yaml_to_json(text, length, &document, &err) &&
            mem_streq(json_string_member(document, "kind"), kind))
            return document;
        cJSON_Delete(document);
        text = end ? end + strlen(BREAK) : NULL;
    }
    return NULL;
}

static void add_carried(cJSON *rights, const char *kind, const char *namespace, bool accounts)
{
    auto_json cJSON *role = carried_role(kind);
    assert(role);
    add_rules(rights, role, namespace, accounts);
}

void rights_of_operator(cJSON *rights, const char *namespace, bool accounts)
{
    add_carried(rights, "ClusterRole", namespace, accounts);
}

void rights_of_leader(cJSON *rights, const char *namespace)
{
    add_carried(rights, "Role", namespace, true);
}

static void add_rules_of(cJSON *rights, const char *rules, const char *namespace)
{
    auto_json cJSON *role = json_parse(rules, strlen(rules));
    assert(role);
    add_rules(rights, role, namespace, true);
}

void rights_of_secret(cJSON *rights, const char *namespace, const char *name)
{
    auto_free char *rules =
        mem_printf("{\"rules\":[{\"apiGroups\":[\"\"],\"resources\":[\"secrets\"],"
                   "\"resourceNames\":[\"%s\"],\"verbs\":[\"get\"]}]}",
                   name);
    add_rules_of(rights, rules, namespace);
}

void rights_of_person(cJSON *rights, const char *namespace, bool accounts)
{
    add_rules_of(rights,
                 "{\"rules\":["
                 "{\"apiGroups\":[\"deepgram.com\"],\"resources\":[\"deepgramapikeys\","
                 "\"deepgrampullsecrets\"],\"verbs\":[\"get\",\"list\",\"patch\"]},"
                 "{\"apiGroups\":[\"\"],\"resources\":[\"secrets\"],\"verbs\":[\"get\",\"list\"]},"
                 "{\"apiGroups\":[\"\"],\"resources\":[\"pods\"],\"verbs\":[\"list\"]},"
                 "{\"apiGroups\":[\"apps\"],\"resources\":[\"replicasets\"],\"verbs\":[\"list\"]}"
                 "]}",
                 namespace);
    if (accounts)
        add_rules_of(rights,
                     "{\"rules\":[{\"apiGroups\":[\"\"],\"resources\":[\"serviceaccounts\"],"
                     "\"verbs\":[\"list\"]}]}",
                     namespace);
}

/* ---- reviews ---- */

/* The groups that the API server itself puts a ServiceAccount into. */
static void add_groups(cJSON *spec, const char *user)
{
    static const char PREFIX[] = "system:serviceaccount:";
    cJSON *groups = json_add_array(spec, "groups");
    cJSON_AddItemToArray(groups, cJSON_CreateString("system:authenticated"));
    if (strncmp(user, PREFIX, strlen(PREFIX)) != 0)
        return;
    const char *namespace = user + strlen(PREFIX);
    auto_free char *group =
        mem_printf("system:serviceaccounts:%.*s", (int)strcspn(namespace, ":"), namespace);
    cJSON_AddItemToArray(groups, cJSON_CreateString("system:serviceaccounts"));
    cJSON_AddItemToArray(groups, cJSON_CreateString(group));
}

cJSON *rights_review(const cJSON *right, const char *user)
{
    cJSON *review = cJSON_CreateObject();
    json_add_string(review, "apiVersion", "authorization.k8s.io/v1");
    json_add_string(review, "kind", user ? "SubjectAccessReview" : "SelfSubjectAccessReview");
    cJSON *spec = json_add_object(review, "spec");
    if (user) {
        json_add_string(spec, "user", user);
        add_groups(spec, user);
    }
    cJSON *attributes = cJSON_Duplicate(right, true);
    cJSON_DeleteItemFromObjectCaseSensitive(attributes, "allowed");
    cJSON_AddItemToObject(spec, "resourceAttributes", attributes);
    return review;
}

/* ---- what is missing ---- */

static void describe(const cJSON *right, struct buf *out)
{
    const char *subresource = json_string_member(right, "subresource");
    const char *name = json_string_member(right, "name");
    const char *namespace = json_string_member(right, "namespace");
    buf_printf(out, "%s%s %s%s%s", out->length ? "; " : "", json_string_member(right, "verb"),
               json_string_member(right, "resource"), subresource ? "/" : "",
               subresource ? subresource : "");
    if (name)
        buf_printf(out, " %s", name);
    if (namespace)
        buf_printf(out, " in namespace %s", namespace);
    else
        buf_puts(out, " in all namespaces");
}

size_t rights_missing(const cJSON *rights, struct buf *out)
{
    size_t count = 0;
    const cJSON *right = NULL;
    cJSON_ArrayForEach(right, rights) {
        if (json_bool_at(right, "allowed", false))
            continue;
        describe(right, out);
        count++;
    }
    return count;
}
