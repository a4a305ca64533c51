/* Cached objects are mostly ours: most of their text is the same in all of them, or stands in them
 * twice (an id, a time). What a text has in common with what is in front of it, or with our objects
 * as they usually look, is kept as a reference. Pure.
 */
#ifndef KUBE_PHRASES_H
#define KUBE_PHRASES_H

#include "base/mem.h"

struct phrases; /* how our objects look */

NODISCARD struct phrases *phrases_new(void);
void phrases_free(struct phrases *phrases);

/* text: JSON as json_print() writes it, in which no byte is below a blank. */
NODISCARD char *phrases_shorten(const struct phrases *phrases, const char *text);
/* The text that phrases_shorten() was given. */
NODISCARD char *phrases_restore(const char *text);

#endif
