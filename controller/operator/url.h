/* The addresses that Deepgram and the registry may have: https, or http where nobody can listen in.
 */
#ifndef OPERATOR_URL_H
#define OPERATOR_URL_H

#include "base/err.h"

/* An absolute http or https URL with a host, without user name, query and fragment. */
NODISCARD bool url_check(const char *url, struct err *err);
/* False when a credential sent to it would travel in the clear: http to another host than
 * localhost, 127.0.0.0/8 or [::1]. For URLs that url_check() accepts. */
NODISCARD bool url_is_private(const char *url);

#endif
