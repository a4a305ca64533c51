/* The Deepgram key in an admin Secret. Pure. */
#ifndef OPERATOR_ADMIN_KEY_H
#define OPERATOR_ADMIN_KEY_H

#include "base/err.h"
#include "reconcile/world.h"

/* Reads the entry that `admin` names (namespace, name, key) out of the Secret. INVALID says what is
 * wrong with it and what to do; *ret_key is filled otherwise. */
NODISCARD bool admin_key_read(const struct admin_view *admin, const cJSON *secret,
                              struct secret *ret_key, struct err *err);

#endif
