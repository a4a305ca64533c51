/* Templates of the entries of a target Secret: `${apiKey}`, `${keyId}` and `${projectId}` are
 * replaced, `$${` is a literal `${`, any other `${` is refused, and a lone `$` is itself. Pure.
 */
#ifndef API_TEMPLATE_H
#define API_TEMPLATE_H

#include "base/buf.h"
#include "base/err.h"
#include "base/secret.h"

/* Appends to out, which holds the key afterwards. INVALID names an unknown or unclosed placeholder,
 * or says that out is full; out may then hold a part. */
NODISCARD bool template_expand(const char *text, const struct secret *api_key, const char *key_id,
                               const char *project_id, struct buf *out, struct err *err);
/* As above without values, for checking a spec. */
NODISCARD bool template_check(const char *text, struct err *err);

#endif
