/* The values of command line flags: each setter checks a text and fills the field of struct options
 * that it is given, freeing what was there. INVALID says what is wrong and what would do.
 */
#ifndef OPERATOR_OPTION_VALUE_H
#define OPERATOR_OPTION_VALUE_H

#include "base/err.h"

typedef bool option_set_fn(void *field, const char *value, struct err *err);

option_set_fn option_set_text;                /* char *, not empty */
option_set_fn option_set_bool;                /* bool: true or false */
option_set_fn option_set_duration;            /* int64_t in ms, > 0 */
option_set_fn option_set_in_flight;           /* long, 1 to 1000 */
option_set_fn option_set_url;                 /* char *, see url.h; trailing slashes are dropped */
option_set_fn option_set_namespaces;          /* char **, NULL-terminated; NULL for "" */
option_set_fn option_set_default_credentials; /* the struct options: NAMESPACE/NAME */
option_set_fn option_set_max_role;            /* enum role, not ROLE_NONE */
option_set_fn option_set_ca_file;    /* char *: the file's text, with a certificate in it */
option_set_fn option_set_log_format; /* enum log_format */
option_set_fn option_set_log_level;  /* enum log_level */

/* Frees a list of option_set_namespaces; NULL is fine. */
void option_free_names(char **names);

#endif
