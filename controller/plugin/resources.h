/* The custom resources that a command is about.
 */
#ifndef PLUGIN_RESOURCES_H
#define PLUGIN_RESOURCES_H

#include "plugin/command.h"
#include "plugin/session.h"
#include "reconcile/world.h"

struct resources {
    struct resource **list; /* sorted by namespace, kind and name */
    size_t count;
};
void resources_done(struct resources *resources);
#define auto_resources __attribute__((cleanup(resources_done)))

const struct kube_resource *resources_type(enum resource_kind kind);

/* One by name, all of one kind, or all of both. NOT_FOUND, and what the API server refuses, in
 * words that say what to do. */
NODISCARD bool resources_load(struct session *session, const struct command *command,
                              const char *namespace, struct resources *ret, struct err *err);
/* All of both kinds, whatever the command says; namespace NULL: everywhere. */
NODISCARD bool resources_load_all(struct session *session, const char *namespace,
                                  struct resources *ret, struct err *err);

/* Does one of them name ServiceAccounts? */
bool resources_name_accounts(const struct resources *resources);

/* Which admin Secret serves a resource; false when it names none and there are no default
 * credentials. Borrows from both. */
NODISCARD bool resources_admin(const struct resource *resource, const struct options *options,
                               struct admin_view *ret_admin);

#endif
