/* Who needs which rights at the API server: the operator (the rules of the chart and of
 * manifests/rbac.yaml), and whoever uses the kubectl plugin. Pure: lists of rights as JSON objects
 * {namespace, group, resource, subresource, name, verb, allowed}, and the access reviews that ask
 * for each.
 */
#ifndef PLUGIN_RIGHTS_H
#define PLUGIN_RIGHTS_H

#include <cjson/cJSON.h>

#include "base/buf.h"

/* What the operator needs to work on a namespace; NULL: on all, and cluster-wide. accounts: also
 * what it needs once a resource names ServiceAccounts. */
void rights_of_operator(cJSON *rights, const char *namespace, bool accounts);
/* For leader election, in its own namespace. */
void rights_of_leader(cJSON *rights, const char *namespace);
/* To read a Secret by name. */
void rights_of_secret(cJSON *rights, const char *namespace, const char *name);
/* What `kubectl deepgram` needs in a namespace; NULL: in all. */
void rights_of_person(cJSON *rights, const char *namespace, bool accounts);

/* The review that asks whether one of them is held: a SelfSubjectAccessReview, or with user (a
 * ServiceAccount's full name) a SubjectAccessReview. The caller deletes it. */
NODISCARD cJSON *rights_review(const cJSON *right, const char *user);

/* Appends what isn't allowed in words: "patch deepgramapikeys/status in namespace speech; …".
 * Returns how many there are. */
size_t rights_missing(const cJSON *rights, struct buf *out);

#endif
