/* Only the outer object and the brackets of the array are read here; cJSON reads each value in them
 * and says where it ends. */
#include "base/json_items.h"

#include <string.h>

struct reading {
    const char *at;
    const char *end;
};

static bool is_at(const struct reading *reading, char c)
{
    return reading->at < reading->end && *reading->at == c;
}

static void skip_blanks(struct reading *reading)
{
    while (is_at(reading, ' ') || is_at(reading, '\t') || is_at(reading, '\r') ||
           is_at(reading, '\n'))
        reading->at++;
}

/* Steps over that character and the blanks around it, when it is there. */
static bool step(struct reading *reading, char c)
{
    skip_blanks(reading);
    if (!is_at(reading, c))
        return false;
    reading->at++;
    skip_blanks(reading);
    return true;
}

static cJSON *read_value(struct reading *reading)
{
    const char *end = NULL;
    cJSON *value =
        cJSON_ParseWithLengthOpts(reading->at, (size_t)(reading->end - reading->at), &end, false);
    if (value)
        reading->at = end;
    return value;
}

static bool read_items(struct reading *reading, json_item_fn *fn, void *context)
{
    if (!step(reading, '['))
        return false;
    if (step(reading, ']'))
        return true;
    do {
        cJSON *item = read_value(reading);
        bool ok = item && fn(context, item);
        cJSON_Delete(item);
        if (!ok)
            return false;
    } while (step(reading, ','));
    return step(reading, ']');
}

static bool skip_value(struct reading *reading)
{
    cJSON *value = read_value(reading);
    cJSON_Delete(value);
    return value != NULL;
}

/* A name and its value; the array is looked for once, as who says it twice may mean either. */
static bool read_member(struct reading *reading, const char *name, bool *found, json_item_fn *fn,
                        void *context)
{
    cJSON *read = is_at(reading, '"') ? read_value(reading) : NULL;
    bool is_wanted = read && strcmp(read->valuestring, name) == 0;
    bool ok = read && step(reading, ':') && !(is_wanted && *found);
    cJSON_Delete(read);
    *found = *found || is_wanted;
    return ok && (is_wanted ? read_items(reading, fn, context) : skip_value(reading));
}

bool json_items(const char *text, size_t length, const char *name, json_item_fn *fn, void *context)
{
    struct reading reading = { .at = text, .end = text + length };
    bool found = false;
    if (!step(&reading, '{'))
        return false;
    do {
        if (!read_member(&reading, name, &found, fn, context))
            return false;
    } while (step(&reading, ','));
    return step(&reading, '}') && reading.at == reading.end && found;
}
