/* The readers of spec.verify; see api/spec. Pure. */
#ifndef API_SPEC_VERIFY_H
#define API_SPEC_VERIFY_H

#include "api/spec.h"

NODISCARD bool spec_verify_read_repository(const cJSON *json, struct spec *spec, struct err *err);
NODISCARD bool spec_verify_read_streaming(const cJSON *json, struct spec *spec, struct err *err);

#endif
