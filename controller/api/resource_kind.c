/* A file of its own, because spec, resource and Secrets all need the names. */
#include "api/resource_kind.h"

#include <assert.h>

static const struct {
    const char *name;
    const char *short_name;
} kinds[RESOURCE_KINDS] = {
    [RESOURCE_API_KEY] = { "DeepgramApiKey", "dgkey" },
    [RESOURCE_PULL_SECRET] = { "DeepgramPullSecret", "dgpull" },
};

const char *resource_kind_name(enum resource_kind kind)
{
    assert(kind < RESOURCE_KINDS);
    return kinds[kind].name;
}

const char *resource_kind_short_name(enum resource_kind kind)
{
    assert(kind < RESOURCE_KINDS);
    return kinds[kind].short_name;
}
