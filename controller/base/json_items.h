/* Long lists, item by item: a tree of ten thousand items would be ten times as large as its text.
 */
#ifndef BASE_JSON_ITEMS_H
#define BASE_JSON_ITEMS_H

#include <cjson/cJSON.h>
#include <stddef.h>

#include "base/mem.h"

/* The item is borrowed; false ends the reading. */
typedef bool json_item_fn(void *context, const cJSON *item);

/* Reads an object with an array under that name and hands out the array's items in their order,
 * then true. False when the text isn't such an object, to its end, or when fn said so: what was
 * handed out before is worth nothing then. */
NODISCARD bool json_items(const char *text, size_t length, const char *name, json_item_fn *fn,
                          void *context);

#endif
