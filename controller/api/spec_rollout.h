/* spec.rollout of a DeepgramApiKey: what becomes of the pods that hold a replaced key. Pure.
 */
#ifndef API_SPEC_ROLLOUT_H
#define API_SPEC_ROLLOUT_H

#include "api/spec.h"

NODISCARD bool spec_rollout_read(const cJSON *json, struct spec *spec, struct err *err);

#endif
