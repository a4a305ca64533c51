/* Names of workloads end in paths, so that they are looked at here. */
#include "api/spec_rollout.h"

#include <string.h>

#include "api/field.h"
#include "api/name.h"
#include "api/workload.h"
#include "base/json.h"

enum { WORKLOADS_MAX = 32 };

static bool read_mode(const cJSON *json, struct spec *spec, struct err *err)
{
    static const char *const MODES[] = {
        [ROLLOUT_RESTART] = "Restart",
        [ROLLOUT_WAIT] = "Wait",
        [ROLLOUT_IGNORE] = "Ignore",
    };
    const char *name = MODES[ROLLOUT_RESTART];
    if (!field_string(json, "rollout.mode", &name, err))
        return false;
    for (size_t i = 0; i < ARRAY_LENGTH(MODES); i++) {
        if (strcmp(name, MODES[i]) == 0) {
            spec->rollout_mode = (enum rollout_mode)i;
            return true;
        }
    }
    return err_set(err, ERR_INVALID,
                   "spec.rollout.mode is \"%.64s\", but has to be Restart, Wait or Ignore", name);
}

static bool check_workload(const cJSON *item, struct err *err)
{
    enum workload_kind kind = WORKLOAD_DEPLOYMENT;
    const char *name = json_string_member(item, "kind");
    if (!workload_kind_parse(name, &kind))
        return err_set(err, ERR_INVALID,
                       "spec.rollout.workloads: the kind has to be Deployment, StatefulSet or "
                       "DaemonSet");
    if (!name_is_subdomain(json_string_member(item, "name")))
        return err_set(err, ERR_INVALID, "spec.rollout.workloads: an entry lacks a valid name");
    return true;
}

static bool read_workloads(const cJSON *json, struct spec *spec, struct err *err)
{
    const cJSON *value = field_given(json, "rollout.workloads");
    if (value && !cJSON_IsArray(value))
        return err_set(err, ERR_INVALID, "spec.rollout.workloads is not a list");
    if (cJSON_GetArraySize(value) > WORKLOADS_MAX)
        return err_set(err, ERR_INVALID, "spec.rollout.workloads has more than %d entries",
                       WORKLOADS_MAX);
    const cJSON *item = NULL;
    cJSON_ArrayForEach(item, value)
        if (!check_workload(item, err))
            return false;
    spec->rollout_workloads = cJSON_GetArraySize(value) > 0 ? value : NULL;
    return true;
}

bool spec_rollout_read(const cJSON *json, struct spec *spec, struct err *err)
{
    const cJSON *rollout = NULL;
    return field_object(json, "rollout", &rollout, err) && read_mode(json, spec, err) &&
           read_workloads(json, spec, err) &&
           field_duration(json, "rollout.timeout", &spec->rollout_timeout_ms, err);
}
