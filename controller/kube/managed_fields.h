/* metadata.managedFields is the larger part of most objects and nothing that we read, but when a
 * target was published: otherwise it is cut out of the text, so that it need not be parsed. Pure.
 */
#ifndef KUBE_MANAGED_FIELDS_H
#define KUBE_MANAGED_FIELDS_H

#include <cjson/cJSON.h>
#include <stddef.h>

#include "base/mem.h"

/* json_parse() of the text without the member managedFields of any object that is a member named
 * metadata, unless it names FIELD_MANAGER_PUBLICATION. NULL when it isn't JSON (what is wrong
 * inside of managedFields isn't noticed). */
NODISCARD cJSON *managed_fields_parse_without(const char *text, size_t length);

#endif
