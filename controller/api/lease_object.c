/* Durations are whole seconds here, because the type is; leaseTransitions counts the changes of
 * holder, and acquireTime is the time of the last one. */
#include "api/lease_object.h"

#include <string.h>

#include "api/microtime.h"
#include "base/json.h"

enum { RELEASED_DURATION_SECONDS = 1 }; /* for those who look at the time and not at the holder */

const char *lease_object_holder(const cJSON *lease)
{
    const char *holder = json_string_at(lease, "spec.holderIdentity");
    return holder ? holder : "";
}

int64_t lease_object_duration_ms(const cJSON *lease)
{
    int64_t seconds = json_int_at(lease, "spec.leaseDurationSeconds", 0);
    return seconds > 0 && seconds <= INT32_MAX ? seconds * 1000 : 0;
}

static void set_string(cJSON *object, const char *name, const char *text)
{
    cJSON_DeleteItemFromObjectCaseSensitive(object, name);
    json_add_string(object, name, text);
}

static void set_int(cJSON *object, const char *name, int64_t number)
{
    cJSON_DeleteItemFromObjectCaseSensitive(object, name);
    json_add_int(object, name, number);
}

static cJSON *new_lease(const char *namespace, const char *name)
{
    cJSON *lease = cJSON_CreateObject();
    json_add_string(lease, "apiVersion", "coordination.k8s.io/v1");
    json_add_string(lease, "kind", "Lease");
    cJSON *metadata = json_add_object(lease, "metadata");
    json_add_string(metadata, "name", name);
    json_add_string(metadata, "namespace", namespace);
    return lease;
}

static cJSON *spec_of(cJSON *lease)
{
    cJSON *spec = cJSON_GetObjectItemCaseSensitive(lease, "spec");
    if (cJSON_IsObject(spec))
        return spec;
    cJSON_DeleteItemFromObjectCaseSensitive(lease, "spec");
    return json_add_object(lease, "spec");
}

cJSON *lease_object_held(const cJSON *seen, const char *namespace, const char *name,
                         const char *identity, int64_t duration_ms, int64_t now_ms)
{
    char now[TIMESTAMP_BYTES];
    microtime_format(now_ms, now);
    cJSON *lease = seen ? cJSON_Duplicate(seen, true) : new_lease(namespace, name);
    cJSON *spec = spec_of(lease);
    if (strcmp(lease_object_holder(seen), identity) != 0) {
        set_string(spec, "acquireTime", now);
        set_int(spec, "leaseTransitions", seen ? json_int_at(spec, "leaseTransitions", 0) + 1 : 0);
    }
    set_string(spec, "holderIdentity", identity);
    set_int(spec, "leaseDurationSeconds", duration_ms / 1000);
    set_string(spec, "renewTime", now);
    return lease;
}

cJSON *lease_object_released(const cJSON *seen, int64_t now_ms)
{
    char now[TIMESTAMP_BYTES];
    microtime_format(now_ms, now);
    cJSON *lease = cJSON_Duplicate(seen, true);
    cJSON *spec = spec_of(lease);
    set_string(spec, "holderIdentity", "");
    set_int(spec, "leaseDurationSeconds", RELEASED_DURATION_SECONDS);
    set_string(spec, "renewTime", now);
    return lease;
}
