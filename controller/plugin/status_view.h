/* What `kubectl deepgram status` shows of one resource: the resource, its revisions with their
 * Secrets, the target Secret, who uses it, which revision each pod runs, and
 * which ServiceAccounts name it. Pure: a JSON model
 * made from what the API server told, and the rows of the tree made from the model. No secret value
 * is ever read.
 */
#ifndef PLUGIN_STATUS_VIEW_H
#define PLUGIN_STATUS_VIEW_H

#include "api/resource.h"
#include "plugin/layout.h"

/* Of the resource's namespace; each is NULL where the API server doesn't tell. */
struct status_sources {
    const cJSON *secrets;          /* array of metadata */
    const cJSON *pods;             /* array of whole pods */
    const cJSON *replica_sets;     /* array of metadata */
    const cJSON *service_accounts; /* array of whole ones; only where the resource needs them */
};

/* The caller deletes it. */
NODISCARD cJSON *status_view(const struct resource *resource, const struct status_sources *sources);
/* Appends the rows for one model. */
void status_view_rows(const cJSON *view, struct layout *layout);

#endif
