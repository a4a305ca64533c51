/* tests/helm holds the first table against the rules that the chart renders to. */
#include "plugin/rights.h"

#include <string.h>

#include "base/json.h"

struct rule {
    const char *group;
    const char *resource; /* "pods" or "deepgramapikeys/status" */
    const char *name;     /* or NULL: of any name */
    const char *verbs;    /* separated by spaces */
};

static const struct rule OPERATOR[] = {
    { "deepgram.com", "deepgramapikeys", NULL, "get list watch patch" },
    { "deepgram.com", "deepgrampullsecrets", NULL, "get list watch patch" },
    { "deepgram.com", "deepgramapikeys/status", NULL, "patch" },
    { "deepgram.com", "deepgrampullsecrets/status", NULL, "patch" },
    { "deepgram.com", "deepgramapikeys/finalizers", NULL, "update" },
    { "deepgram.com", "deepgrampullsecrets/finalizers", NULL, "update" },
    { "", "secrets", NULL, "get list watch create update patch delete" },
    { "", "pods", NULL, "list watch" },
    { "apps", "deployments", NULL, "get list watch patch" },
    { "apps", "statefulsets", NULL, "get list watch patch" },
    { "apps", "daemonsets", NULL, "get list watch patch" },
    { "events.k8s.io", "events", NULL, "create patch" },
};

/* --namespaces does without. */
static const struct rule OPERATOR_OF_ALL[] = {
    { "", "namespaces", NULL, "get list watch" },
};

static const struct rule LEADER[] = {
    { "coordination.k8s.io", "leases", NULL, "create" },
    { "coordination.k8s.io", "leases", "deepgram-operator", "get update" },
};

static const struct rule PERSON[] = {
    { "deepgram.com", "deepgramapikeys", NULL, "get list patch" },
    { "deepgram.com", "deepgrampullsecrets", NULL, "get list patch" },
    { "", "secrets", NULL, "get list" },
    { "", "pods", NULL, "list" },
    { "apps", "replicasets", NULL, "list" },
};

/* ---- from rules to rights ---- */

static void add_right(cJSON *rights, const struct rule *rule, const char *namespace,
                      const char *verb, size_t length)
{
    cJSON *right = cJSON_CreateObject();
    const char *slash = strchr(rule->resource, '/');
    size_t plain = slash ? (size_t)(slash - rule->resource) : strlen(rule->resource);
    auto_free char *resource = mem_strndup(rule->resource, plain);
    auto_free char *verb_text = mem_strndup(verb, length);
    json_add_string(right, "namespace", namespace);
    json_add_string(right, "group", rule->group);
    json_add_string(right, "resource", resource);
    json_add_string(right, "subresource", slash ? slash + 1 : NULL);
    json_add_string(right, "name", rule->name);
    json_add_string(right, "verb", verb_text);
    cJSON_AddItemToArray(rights, right);
}

static void add_rules(cJSON *rights, const struct rule *rules, size_t count, const char *namespace)
{
    for (size_t i = 0; i < count; i++) {
        const char *verb = rules[i].verbs;
        while (*verb) {
            size_t length = strcspn(verb, " ");
            add_right(rights, &rules[i], namespace, verb, length);
            verb += length + (verb[length] == ' ');
        }
    }
}

void rights_of_operator(cJSON *rights, const char *namespace)
{
    add_rules(rights, OPERATOR, ARRAY_LENGTH(OPERATOR), namespace);
    if (!namespace)
        add_rules(rights, OPERATOR_OF_ALL, ARRAY_LENGTH(OPERATOR_OF_ALL), NULL);
}

void rights_of_leader(cJSON *rights, const char *namespace)
{
    add_rules(rights, LEADER, ARRAY_LENGTH(LEADER), namespace);
}

void rights_of_secret(cJSON *rights, const char *namespace, const char *name)
{
    const struct rule rule = { "", "secrets", name, "get" };
    add_rules(rights, &rule, 1, namespace);
}

void rights_of_person(cJSON *rights, const char *namespace)
{
    add_rules(rights, PERSON, ARRAY_LENGTH(PERSON), namespace);
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
