/* Only the outer object and the brackets of the array are read here. Of a value in them the end is
 * looked for, and cJSON judges what lies before it. */
#include "base/json_items.h"

#include <string.h>

#include "base/buf.h"
#include "base/json.h"

enum state {
    OBJECT,
    NAME,
    COLON,
    VALUE,
    AFTER_VALUE,
    COLON_OF_LIST,
    LIST,
    FIRST_ITEM,
    ITEM,
    AFTER_ITEM,
    COMPLETE,
    REFUSED,
};

struct json_items {
    const char *name;
    json_item_fn *fn;
    void *context;
    enum state state;
    bool found;       /* who says it twice may mean either */
    struct buf value; /* the one under way, as far as it came */
    size_t depth;     /* in it: */
    bool in_string;
    bool escaped;
};

struct json_items *json_items_new(const char *name, size_t max_value_bytes, json_item_fn *fn,
                                  void *context)
{
    struct json_items *items = mem_alloc(sizeof *items);
    items->name = name;
    items->fn = fn;
    items->context = context;
    buf_init(&items->value, max_value_bytes);
    return items;
}

void json_items_free(struct json_items *items)
{
    if (!items)
        return;
    buf_done(&items->value);
    mem_free(items);
}

/* ---- values ---- */

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* Goes on over one byte of a string; false: the string ends with it. */
static bool go_on_in_string(struct json_items *items, char c)
{
    if (!items->escaped && c == '"')
        items->in_string = false;
    items->escaped = !items->escaped && c == '\\';
    return items->in_string;
}

/* How many of these bytes belong to the value under way. Only what is no value at all can mislead
 * it, and that is noticed when the value is parsed. */
static size_t measure(struct json_items *items, const char *bytes, size_t length, bool *ret_ends)
{
    *ret_ends = true;
    for (size_t i = 0; i < length; i++) {
        char c = bytes[i];
        if (items->in_string) {
            if (!go_on_in_string(items, c) && items->depth == 0)
                return i + 1;
        } else if (c == '"') {
            items->in_string = true;
        } else if (c == '{' || c == '[') {
            items->depth++;
        } else if (items->depth == 0) {
            if (c == ',' || c == '}' || c == ']' || is_blank(c)) /* behind a number or a word */
                return i;
        } else if ((c == '}' || c == ']') && --items->depth == 0) {
            return i + 1;
        }
    }
    *ret_ends = false;
    return length;
}

static enum state after_name(struct json_items *items, const cJSON *value)
{
    if (!cJSON_IsString(value))
        return REFUSED;
    if (strcmp(value->valuestring, items->name) != 0)
        return COLON;
    if (items->found)
        return REFUSED;
    items->found = true;
    return COLON_OF_LIST;
}

static enum state after_value(struct json_items *items, const cJSON *value)
{
    if (!value)
        return REFUSED;
    if (items->state == NAME)
        return after_name(items, value);
    if (items->state == VALUE)
        return AFTER_VALUE;
    return items->fn(items->context, value) ? AFTER_ITEM : REFUSED;
}

static size_t read_value(struct json_items *items, const char *bytes, size_t length)
{
    bool ends = false;
    size_t read = measure(items, bytes, length, &ends);
    if (!buf_append(&items->value, bytes, read)) {
        items->state = REFUSED;
    } else if (ends) {
        auto_json cJSON *value = json_parse(buf_text(&items->value), items->value.length);
        items->state = after_value(items, value);
        buf_reset(&items->value);
    }
    return read;
}

/* ---- what stands between them ---- */

static bool step(struct json_items *items, char mark)
{
    static const struct {
        enum state state;
        char mark;
        enum state next;
    } steps[] = {
        { OBJECT, '{', NAME },
        { COLON, ':', VALUE },
        { AFTER_VALUE, ',', NAME },
        { AFTER_VALUE, '}', COMPLETE },
        { COLON_OF_LIST, ':', LIST },
        { LIST, '[', FIRST_ITEM },
        { FIRST_ITEM, ']', AFTER_VALUE },
        { AFTER_ITEM, ',', ITEM },
        { AFTER_ITEM, ']', AFTER_VALUE },
    };
    for (size_t i = 0; i < ARRAY_LENGTH(steps); i++)
        if (steps[i].state == items->state && steps[i].mark == mark) {
            items->state = steps[i].next;
            return true;
        }
    return false;
}

static bool is_value_next(const struct json_items *items)
{
    return items->state == NAME || items->state == VALUE || items->state == FIRST_ITEM ||
           items->state == ITEM;
}

void json_items_feed(struct json_items *items, const char *bytes, size_t length)
{
    while (length > 0 && items->state != REFUSED) {
        size_t read = 1;
        bool under_way = items->value.length > 0;
        if (under_way || (!is_blank(*bytes) && !step(items, *bytes))) {
            if (is_value_next(items))
                read = read_value(items, bytes, length);
            else
                items->state = REFUSED;
        }
        bytes += read;
        length -= read;
    }
}

bool json_items_are_complete(const struct json_items *items)
{
    return items->state == COMPLETE && items->found;
}
