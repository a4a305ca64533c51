/* Foreign words, fit to be shown to a person. Pure. */
#ifndef DEEPGRAM_QUOTE_H
#define DEEPGRAM_QUOTE_H

#include <stddef.h>

/* White space and controls become single blanks, words that could be a secret "***", and the rest
 * is dropped when `to` is full. */
void quote(char *to, size_t size, const char *text);

#endif
