/* YAML (JSON included) as a JSON tree, for kubeconfig files. Pure, on libyaml.
 *
 * Plain null, ~, true and false become what they are in JSON; every other scalar is a string.
 * Aliases become copies. Depth and total size are bounded, so neither nesting nor
 * aliases of aliases can exhaust anything.
 */
#ifndef KUBE_YAML_H
#define KUBE_YAML_H

#include <cjson/cJSON.h>

#include "base/err.h"

/* The first document of the text; JSON null when it is empty. INVALID with the line otherwise. */
NODISCARD bool yaml_to_json(const char *text, size_t length, cJSON **ret_json, struct err *err);

#endif
