/* The part of a spec below spec.secret. Readers in the form that spec_parse() runs: false with
 * INVALID, or the member of *spec is set. Pure.
 */
#ifndef API_SPEC_SECRET_H
#define API_SPEC_SECRET_H

#include "api/spec.h"

/* spec->secret_name is the default when the name isn't given. */
NODISCARD bool spec_secret_read_name(const cJSON *json, struct spec *spec, struct err *err);
NODISCARD bool spec_secret_read_labels(const cJSON *json, struct spec *spec, struct err *err);
NODISCARD bool spec_secret_read_annotations(const cJSON *json, struct spec *spec, struct err *err);
/* API keys only. */
NODISCARD bool spec_secret_read_data(const cJSON *json, struct spec *spec, struct err *err);

#endif
