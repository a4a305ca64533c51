/* Long lists, item by item, as their text comes: a tree of ten thousand items would be ten times as
 * large as the text, and even that is never whole.
 */
#ifndef BASE_JSON_ITEMS_H
#define BASE_JSON_ITEMS_H

#include <cjson/cJSON.h>
#include <stddef.h>

#include "base/mem.h"

struct json_items;

/* The item is borrowed; false: the list is refused. */
typedef bool json_item_fn(void *context, const cJSON *item);

/* Reads an object with an array under that name (borrowed) and hands out the array's items in their
 * order. No name, item or other member may take more than max_value_bytes. */
NODISCARD struct json_items *json_items_new(const char *name, size_t max_value_bytes,
                                            json_item_fn *fn, void *context);
void json_items_free(struct json_items *items);

/* The next bytes of the text, however it is cut. */
void json_items_feed(struct json_items *items, const char *bytes, size_t length);
/* All that was fed is one such object, from its beginning to its end, and no item was refused.
 * Until then, what was handed out is worth nothing. */
NODISCARD bool json_items_are_complete(const struct json_items *items);

#endif
