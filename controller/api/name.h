/* Is a text valid where Kubernetes or Deepgram asks for a name? Names from foreign objects end in
 * paths and metadata, so that they are looked at before they are used. Pure; NULL is never valid.
 */
#ifndef API_NAME_H
#define API_NAME_H

#include "base/mem.h"

enum { NAME_MAX_BYTES = 253 };

/* An object's name: a DNS subdomain (RFC 1123). */
NODISCARD bool name_is_subdomain(const char *text);
/* The name of a label or annotation: "app" or "example.com/app". */
NODISCARD bool name_is_qualified(const char *text);
/* The value of a label; "" is one. */
NODISCARD bool name_is_label_value(const char *text);
/* The name of an entry of a Secret. */
NODISCARD bool name_is_data_key(const char *text);
/* A UUID in its usual form, of any version. */
NODISCARD bool name_is_uuid(const char *text);
/* What may be an id of a credential at Deepgram: 1 to 128 letters, digits, '-' and '_'. Anything
 * else could turn the path of one credential into another path. */
NODISCARD bool name_is_credential_id(const char *text);

#endif
