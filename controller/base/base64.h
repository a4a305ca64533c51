/* base64 (RFC 4648 section 4) and SHA-256 (FIPS 180-4), from OpenSSL's libcrypto. */
#ifndef BASE_BASE64_H
#define BASE_BASE64_H

#include <stddef.h>

#include "base/mem.h"

/* Encoded text without line breaks; free with mem_free. */
NODISCARD char *base64_encode(const void *bytes, size_t length);

/* Decoded bytes, NUL-terminated, free with mem_free; NULL when text isn't base64.
 * Line breaks and spaces are accepted (people paste them), missing padding isn't. */
NODISCARD char *base64_decode(const char *text, size_t *ret_length);

enum { BASE64_SHA256_HEX_BYTES = 65 };
/* Lower-case hexadecimal digest with its NUL. */
void base64_sha256_hex(const void *bytes, size_t length, char ret_hex[BASE64_SHA256_HEX_BYTES]);

#endif
