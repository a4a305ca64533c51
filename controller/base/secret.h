/* A secret value: an API key, a token, a password. It owns its bytes, wipes them when released,
 * and has no printf. secret_reveal() is the only way to the bytes; its callers are an allow-list
 * in `make lint`.
 */
#ifndef BASE_SECRET_H
#define BASE_SECRET_H

#include <stddef.h>

#include "base/mem.h"

struct secret {
    char *bytes_; /* NUL-terminated, owned */
    size_t length_;
};

/* Takes a copy; the caller wipes its own. */
void secret_set(struct secret *secret, const char *bytes, size_t length);
/* Wipes and frees; callable twice. */
void secret_done(struct secret *secret);
/* Hands the value from one owner to another; *from is empty afterwards. */
void secret_move(struct secret *to, struct secret *from);
void secret_copy(struct secret *to, const struct secret *from);
NODISCARD bool secret_is_empty(const struct secret *secret);
NODISCARD size_t secret_length(const struct secret *secret);
/* NUL-terminated, borrowed until secret_done; "" when empty. */
NODISCARD const char *secret_reveal(const struct secret *secret);

#define auto_secret __attribute__((cleanup(secret_done)))

#endif
