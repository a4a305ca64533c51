/* Foreign text must not make our own output invalid: JSON logs and conditions are UTF-8. */
#ifndef BASE_UTF8_H
#define BASE_UTF8_H

#include <stddef.h>

#include "base/mem.h"

/* Bytes (1 to 4) of the well-formed UTF-8 character at the start of the NUL-terminated text; 0 when
 * there is none, and at its end. */
NODISCARD size_t utf8_character_length(const char *text);

#endif
