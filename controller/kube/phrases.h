/* Cached objects are mostly ours: most of their text is the same in all of them, or stands in them
 * twice (an id, a time). What a text has in common with what is in front of it, or with our objects
 * as they usually look, is kept as a reference. Pure.
 */
#ifndef KUBE_PHRASES_H
#define KUBE_PHRASES_H

#include "base/mem.h"

/* text: JSON as json_print() writes it, in which no byte is below a blank. */
NODISCARD char *phrases_shorten(const char *text);
/* The text that phrases_shorten() was given. */
NODISCARD char *phrases_restore(const char *text);

#endif
