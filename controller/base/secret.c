/* The wiping itself is mem_free's; this type exists so that a secret can't end in a printf and
 * every look at it can be found by name. */
#include "base/secret.h"

void secret_set(struct secret *secret, const char *bytes, size_t length)
{
    char *copy = mem_strndup(bytes, length);
    secret_done(secret);
    *secret = (struct secret){ .bytes_ = copy, .length_ = length };
}

void secret_done(struct secret *secret)
{
    if (!secret)
        return;
    mem_free(secret->bytes_);
    *secret = (struct secret){ 0 };
}

void secret_move(struct secret *to, struct secret *from)
{
    if (to == from)
        return;
    secret_done(to);
    *to = *from;
    *from = (struct secret){ 0 };
}

void secret_copy(struct secret *to, const struct secret *from)
{
    if (to == from)
        return;
    if (from->bytes_)
        secret_set(to, from->bytes_, from->length_);
    else
        secret_done(to);
}

bool secret_is_empty(const struct secret *secret)
{
    return secret->length_ == 0;
}

size_t secret_length(const struct secret *secret)
{
    return secret->length_;
}

const char *secret_reveal(const struct secret *secret)
{
    return secret->bytes_ ? secret->bytes_ : "";
}
