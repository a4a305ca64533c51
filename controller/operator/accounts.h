/* The ServiceAccounts that a resource names, and whether its entries are in them, as the cache
 * shows it.
 */
#ifndef OPERATOR_ACCOUNTS_H
#define OPERATOR_ACCOUNTS_H

#include "operator/caches.h"

struct accounts {
    struct accounts_view view; /* borrows from the rest, and from the resource */
    struct account_view *items;
    cJSON *uids; /* of the accounts */
};

/* Never NULL. */
NODISCARD struct accounts *accounts_gather(const struct caches *caches,
                                           const struct resource *resource);
void accounts_free(struct accounts *accounts);

#endif
