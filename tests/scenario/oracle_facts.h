/* What the parts of the oracle know about objects. Pointers are borrowed from them. */
#ifndef SCENARIO_ORACLE_FACTS_H
#define SCENARIO_ORACLE_FACTS_H

#include <cjson/cJSON.h>

#include "api_server.h"
#include "deepgram.h"

const struct api_object *oracle_find_uid(const char *uid); /* NULL when there is none */
/* Does a person want time alone to count? */
bool oracle_ignores_pods(const struct credential_record *record);
/* Is it suspended, or is its spec such that it can't be read? */
bool oracle_is_left_alone(const cJSON *resource);
/* Or does a person want to do it himself? */
bool oracle_restarts(const cJSON *resource);
const char *oracle_annotation(const cJSON *object, const char *name);
/* NULL when it is no revision Secret. */
const char *oracle_revision_id(const cJSON *secret);
/* Does status name the credential as one that isn't revoked? */
bool oracle_status_names(const cJSON *resource, const char *id);
/* An announced create that left neither a revision Secret nor a line in status. */
bool oracle_announcement_open(const cJSON *resource);
/* Is there an earlier one that still works? */
bool oracle_can_go_back(const struct credential_record *bad);
/* Are the comments equal up to their markers, as those of one spec are? */
bool oracle_same_words(const struct credential_record *a, const struct credential_record *b);
/* May one that works be taken for dead, and replaced? It is asked twice itself, and an admin key
 * that isn't shown it can't tell better. */
bool oracle_may_seem_dead(void);
/* Does a revision Secret keep it? */
bool oracle_secret_names(const char *id);
/* Are they equal but for versions and these members of the root, the metadata, the annotations? */
bool oracle_same_without(const cJSON *before, const cJSON *after, const char *const *paths,
                         size_t count);
/* The controlling owner reference, or NULL. */
const cJSON *oracle_controller_of(const cJSON *object);

#endif
