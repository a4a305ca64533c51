/* One inventory for each project, kind of credential and admin Secret: what Deepgram listed with
 * our marker, by resource UID. Shared by all resources of the project: one LIST answers them all.
 * Another namespace's admin Secret is another inventory, so that nobody's key serves others; it is
 * handed no entries of resources elsewhere (steps_deepgram.c), as a thousand namespaces of one
 * project would each keep them all.
 */
#ifndef OPERATOR_INVENTORIES_H
#define OPERATOR_INVENTORIES_H

#include "deepgram/request.h"
#include "operator/queue.h"
#include "reconcile/world.h"

struct inventories;
struct inventory;

NODISCARD struct inventories *inventories_new(int64_t interval_ms);
void inventories_free(struct inventories *inventories);

/* Made when it is new; lives as long as `inventories`. */
NODISCARD struct inventory *inventories_get(struct inventories *inventories,
                                            enum resource_kind kind, const char *project_id,
                                            const struct admin_view *admin);

/* The part that concerns one resource; entries are borrowed until the next inventory_set(). */
void inventory_view(const struct inventory *inventory, const char *uid,
                    struct inventory_view *ret_view);

/* Is the id in what was kept of the last list, whatever resource its marker names? */
bool inventory_lists(const struct inventory *inventory, const char *id);

/* The project's bucket of the mint limiter, which its inventories share: when the next create is
 * allowed, with that many resources. */
int64_t inventory_mint_allowed_ms(struct inventory *inventory, size_t resources, int64_t now_ms);
void inventory_note_mint(struct inventory *inventory, int64_t now_ms);

/* One of the resources at a time does what serves them all: sends the LIST, or marks the admin
 * Secret. False when another one does: this one is put into the queue at its end. */
bool inventory_begin(struct inventory *inventory, enum queue_kind kind, const char *namespace,
                     const char *name);
/* The LIST was answered: takes over *list; sent_ms is the time at which it was sent. */
void inventory_set(struct inventory *inventory, struct deepgram_list *list, int64_t sent_ms);
/* The LIST failed, or what it needs: none before a back-off, or before err allows it. */
void inventory_fail(struct inventory *inventory, const struct err *err, int64_t now_ms,
                    uint64_t random);
/* Puts whoever waited into the queue; a LIST is set or failed before. */
void inventory_end(struct inventory *inventory, struct queue *queue);

/* Deepgram asked for a pause (429): it holds for the project's credentials of either kind. */
void inventory_pause(struct inventory *inventory, int64_t until_ms);
int64_t inventory_paused_until_ms(const struct inventory *inventory);

#endif
