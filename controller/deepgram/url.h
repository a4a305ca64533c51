/* Percent-encoding (RFC 3986 section 2.1). Pure. */
#ifndef DEEPGRAM_URL_H
#define DEEPGRAM_URL_H

#include "base/buf.h"

/* Appends text for one path segment or query value: all but letters, digits, '-', '_' and '~' is
 * encoded. The dot, too: ".." has a meaning in paths. */
void url_escape(struct buf *url, const char *text);

#endif
