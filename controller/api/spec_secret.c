/* What a person may ask of the target Secret, so that nothing of it can shadow the operator's own
 * labels and annotations or be refused by the API server later. */
#include "api/spec_secret.h"

#include <string.h>

#include "api/credential.h"
#include "api/field.h"
#include "api/name.h"
#include "api/template.h"

bool spec_secret_read_name(const cJSON *json, struct spec *spec, struct err *err)
{
    const cJSON *secret = NULL;
    const char *name = spec->secret_name;
    if (!field_object(json, "secret", &secret, err) ||
        !field_string(json, "secret.name", &name, err))
        return false;
    if (!name_is_subdomain(name))
        return err_set(err, ERR_INVALID, "spec.secret.name is not the name of a Secret");
    if (revision_secret_name_matches(name))
        return err_set(err, ERR_INVALID,
                       "spec.secret.name (the resource's name when absent) has the form of a "
                       "revision Secret's name");
    spec->secret_name = name;
    return true;
}

static bool check_not_reserved(const char *what, const char *name, struct err *err)
{
    if (strncmp(name, ANNOTATION_PREFIX, strlen(ANNOTATION_PREFIX)) == 0)
        return err_set(err, ERR_INVALID,
                       "spec.secret.%s sets %.64s: the prefix deepgram.com/ is the operator's own",
                       what, name);
    return true;
}

static bool check_label(const char *name, const char *value, struct err *err)
{
    if (!name_is_qualified(name) || !name_is_label_value(value))
        return err_set(err, ERR_INVALID,
                       "spec.secret.labels: \"%.64s\" is not a valid label, or its value isn't",
                       name);
    return check_not_reserved("labels", name, err);
}

static bool check_annotation(const char *name, const char *value, struct err *err)
{
    (void)value;
    if (!name_is_qualified(name))
        return err_set(err, ERR_INVALID,
                       "spec.secret.annotations: \"%.64s\" is not the name of an annotation", name);
    return check_not_reserved("annotations", name, err);
}

static bool check_entry(const char *name, const char *value, struct err *err)
{
    if (!name_is_data_key(name))
        return err_set(err, ERR_INVALID,
                       "spec.secret.data: \"%.64s\" is not the name of a Secret's entry", name);
    if (!template_check(value, err))
        return err_prefix(err, "spec.secret.data: entry \"%.64s\"", name);
    return true;
}

bool spec_secret_read_labels(const cJSON *json, struct spec *spec, struct err *err)
{
    return field_map(json, "secret.labels", check_label, &spec->secret_labels, err);
}

bool spec_secret_read_annotations(const cJSON *json, struct spec *spec, struct err *err)
{
    return field_map(json, "secret.annotations", check_annotation, &spec->secret_annotations, err);
}

bool spec_secret_read_data(const cJSON *json, struct spec *spec, struct err *err)
{
    return field_map(json, "secret.data", check_entry, &spec->secret_data, err);
}
