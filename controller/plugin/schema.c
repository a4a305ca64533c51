/* The CRDs become a part of the program as they stand in crds/, so that no list of fields can fall
 * behind them. */
#include "plugin/schema.h"

#include <assert.h>
#include <string.h>

#include "base/json.h"
#include "kube/yaml.h"
#include "plugin/carry.h"

CARRY(schema_crd_api_keys, "crds/deepgramapikeys.deepgram.com.yaml");
CARRY(schema_crd_pull_secrets, "crds/deepgrampullsecrets.deepgram.com.yaml");

static cJSON *own_crd(enum resource_kind kind)
{
    const char *text = kind == RESOURCE_API_KEY ? schema_crd_api_keys : schema_crd_pull_secrets;
    struct err err = ERR_INIT;
    cJSON *crd = NULL;
    bool ok = yaml_to_json(text, strlen(text), &crd, &err);
    assert(ok);
    (void)ok;
    return crd;
}

/* Arrays are looked through to their items. */
static const cJSON *properties_of(const cJSON *schema)
{
    const cJSON *items = json_member(schema, "items");
    return json_member(items ? items : schema, "properties");
}

static size_t compare(const cJSON *own, const cJSON *served, const char *path, struct buf *out)
{
    size_t missing = 0;
    const cJSON *property = NULL;
    cJSON_ArrayForEach(property, properties_of(own)) {
        auto_free char *here = mem_printf("%s%s%s", path, path[0] ? "." : "", property->string);
        const cJSON *twin = json_member(properties_of(served), property->string);
        if (twin) {
            missing += compare(property, twin, here, out);
        } else {
            buf_printf(out, "%s%s", out->length ? ", " : "", here);
            missing++;
        }
    }
    return missing;
}

size_t schema_missing(enum resource_kind kind, const cJSON *openapi, struct buf *out)
{
    auto_json cJSON *crd = own_crd(kind);
    const cJSON *version = cJSON_GetArrayItem(json_at(crd, "spec.versions"), 0);
    auto_free char *name = mem_printf("com.deepgram.v1alpha1.%s", resource_kind_name(kind));
    const cJSON *served = json_member(json_at(openapi, "components.schemas"), name);
    size_t missing = 0;
    static const char *const PARTS[] = { "spec", "status" };
    for (size_t i = 0; i < ARRAY_LENGTH(PARTS); i++) {
        const cJSON *own =
            json_member(properties_of(json_at(version, "schema.openAPIV3Schema")), PARTS[i]);
        assert(own);
        missing += compare(own, json_member(properties_of(served), PARTS[i]), PARTS[i], out);
    }
    return missing;
}
