/* What both doctors look at: each check asks, and adds what it found to the findings. Nothing is
 * written or minted anywhere.
 */
#ifndef PLUGIN_CHECKS_H
#define PLUGIN_CHECKS_H

#include "plugin/findings.h"
#include "plugin/session.h"
#include "reconcile/world.h"

/* Does the API server answer, and is it new enough? False when it is no use going on. */
NODISCARD bool check_api_server(struct session *session, const char *server,
                                struct findings *findings);
/* Are the resource types served, in this program's version, with all that it writes? False when
 * they aren't there. */
NODISCARD bool check_resource_types(struct session *session, struct findings *findings);
/* Are these rights (rights.h) held, by oneself (user NULL) or by that user? whose: the name of the
 * check. They are added to the findings' JSON. Takes over `rights`. */
void check_rights(struct session *session, cJSON *rights, const char *user, const char *whose,
                  const char *next, struct findings *findings);
/* Does Deepgram answer, asked without a key? */
void check_deepgram(struct session *session, const char *url, struct findings *findings);
/* Reads an admin Secret and asks Deepgram about the key in it. False, and told, when it is no use;
 * otherwise *ret_key is filled. */
NODISCARD bool check_admin_key(struct session *session, const struct admin_view *admin,
                               struct secret *ret_key, struct findings *findings);
/* May that key list this kind of credential in this project? */
void check_listing(struct session *session, enum resource_kind kind, const char *project_id,
                   const struct secret *key, const char *secret_name, struct findings *findings);

#endif
