/* A walk over the text that knows strings and brackets, and of each open bracket whether it is that
 * of a `metadata`. It goes no further than the last place where the name stands at all. */
#include "kube/managed_fields.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "api/target.h"
#include "base/json.h"

#define NAME "\"managedFields\""
#define PARENT "\"metadata\""
#define KEPT "\"" FIELD_MANAGER_PUBLICATION "\""
enum { DEPTH_MAX = 63 }; /* nothing is cut out further inside */

struct walk {
    const char *at;
    const char *end;
    unsigned depth;
    uint64_t metadata; /* bit N: the bracket open at depth N is that of a metadata */
};

static bool at_text(const struct walk *walk, const char *text)
{
    size_t length = strlen(text);
    return (size_t)(walk->end - walk->at) >= length && memcmp(walk->at, text, length) == 0;
}

static bool is_escaped(const char *quote)
{
    bool escaped = false;
    while (*--quote == '\\') /* ends at the opening quote at the latest */
        escaped = !escaped;
    return escaped;
}

static void skip_string(struct walk *walk)
{
    do {
        walk->at++;
        walk->at = memchr(walk->at, '"', (size_t)(walk->end - walk->at));
    } while (walk->at && is_escaped(walk->at));
    walk->at = walk->at ? walk->at + 1 : walk->end;
}

static void skip_blanks(struct walk *walk)
{
    while (at_text(walk, " ") || at_text(walk, "\n") || at_text(walk, "\t") || at_text(walk, "\r"))
        walk->at++;
}

static bool skip_colon(struct walk *walk)
{
    skip_blanks(walk);
    if (!at_text(walk, ":"))
        return false;
    walk->at++;
    skip_blanks(walk);
    return true;
}

static void skip_array(struct walk *walk)
{
    size_t nested = 0;
    do {
        if (*walk->at == '"') {
            skip_string(walk);
            continue;
        }
        if (*walk->at == '[' || *walk->at == '{')
            nested++;
        else if (*walk->at == ']' || *walk->at == '}')
            nested--;
        walk->at++;
    } while (walk->at < walk->end && nested > 0);
}

static void open_bracket(struct walk *walk, bool is_metadata)
{
    walk->at++;
    if (++walk->depth > DEPTH_MAX)
        return;
    uint64_t bit = UINT64_C(1) << walk->depth;
    walk->metadata = is_metadata ? walk->metadata | bit : walk->metadata & ~bit;
}

static bool in_metadata(const struct walk *walk)
{
    return walk->depth <= DEPTH_MAX && (walk->metadata >> walk->depth & 1) != 0;
}

/* True when the string was the name, and its value, which isn't kept, was skipped too. */
static bool step_over_string(struct walk *walk)
{
    bool is_name = in_metadata(walk) && at_text(walk, NAME);
    bool is_parent = at_text(walk, PARENT);
    skip_string(walk);
    if (!skip_colon(walk))
        return false;
    if (is_parent && at_text(walk, "{"))
        open_bracket(walk, true);
    if (!is_name || !at_text(walk, "["))
        return false;
    const char *from = walk->at;
    skip_array(walk);
    return !memmem(from, (size_t)(walk->at - from), KEPT, strlen(KEPT));
}

static void step_over_other(struct walk *walk)
{
    if (*walk->at == '{' || *walk->at == '[') {
        open_bracket(walk, false);
        return;
    }
    if ((*walk->at == '}' || *walk->at == ']') && walk->depth > 0)
        walk->depth--;
    walk->at++;
}

/* The comma behind the member goes with it; that before it, when it was the last. */
static void skip_comma(struct walk *walk, const char *kept, size_t *kept_length)
{
    skip_blanks(walk);
    if (at_text(walk, ","))
        walk->at++;
    else if (*kept_length > 0 && kept[*kept_length - 1] == ',')
        --*kept_length;
}

static const char *last_name(const char *text, size_t length)
{
    const char *last = NULL;
    const char *from = text;
    while ((from = memmem(from, length - (size_t)(from - text), NAME, strlen(NAME))) != NULL)
        last = from++;
    return last;
}

cJSON *managed_fields_parse_without(const char *text, size_t length)
{
    const char *last = last_name(text, length);
    if (!last)
        return json_parse(text, length);
    auto_free char *kept = mem_alloc(length);
    size_t kept_length = 0;
    struct walk walk = { .at = text, .end = text + length };
    const char *from = text; /* what was neither kept nor left out yet */
    while (walk.at <= last) {
        const char *here = walk.at;
        if (*here != '"') {
            step_over_other(&walk);
        } else if (step_over_string(&walk)) {
            memcpy(kept + kept_length, from, (size_t)(here - from));
            kept_length += (size_t)(here - from);
            skip_comma(&walk, kept, &kept_length);
            from = walk.at;
        }
    }
    memcpy(kept + kept_length, from, (size_t)(walk.end - from));
    return json_parse(kept, kept_length + (size_t)(walk.end - from));
}
