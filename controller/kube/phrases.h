/* Cached objects are mostly ours, and half of their text is the same in all of them. Phrases that
 * they share are kept as one byte each. Pure.
 */
#ifndef KUBE_PHRASES_H
#define KUBE_PHRASES_H

#include "base/mem.h"

/* text: JSON as json_print() writes it, in which no byte is below a blank. */
NODISCARD char *phrases_shorten(const char *text);
/* The text that phrases_shorten() was given. */
NODISCARD char *phrases_restore(const char *text);

#endif
