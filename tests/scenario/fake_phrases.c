/* kube/phrases.h: that a store keeps its objects small is nothing that a decision knows of, and
 * would be a fifth of a schedule. */
#include "kube/phrases.h"

struct phrases {
    char unused;
};

struct phrases *phrases_new(void)
{
    return mem_alloc(sizeof(struct phrases));
}

void phrases_free(struct phrases *phrases)
{
    mem_free(phrases);
}

char *phrases_shorten(const struct phrases *phrases, const char *text)
{
    (void)phrases;
    return mem_strdup(text);
}

char *phrases_restore(const char *text)
{
    return mem_strdup(text);
}
