/* `deepgram-operator leftovers`: are there resources that would be stuck without an operator? The
 * chart asks before it is uninstalled together with its CRDs. Reads only.
 */
#ifndef PLUGIN_LEFTOVERS_H
#define PLUGIN_LEFTOVERS_H

#include "operator/options.h"

/* Of the namespaces that the operator watches. Returns the exit code: 1 when there are any, or when
 * that can't be told. */
NODISCARD int leftovers_run(const struct options *options);

#endif
