/* The root moves into a block that has the number of shares behind it; cJSON's children don't know
 * their parent, so they need not be told. */
#include "base/shared_json.h"

#include <assert.h>
#include <stdint.h>

struct shared {
    cJSON root; /* first: what is handed out points to it */
    size_t shares;
};

static struct shared *shared_of(const cJSON *root)
{
    return (struct shared *)(uintptr_t)root;
}

const cJSON *shared_json_new(cJSON *object)
{
    if (!object)
        return NULL;
    assert(!object->next && !object->prev);
    struct shared *shared = mem_alloc(sizeof *shared);
    *shared = (struct shared){ .root = *object, .shares = 1 };
    *object = (cJSON){ 0 };
    cJSON_Delete(object);
    return &shared->root;
}

const cJSON *shared_json_hold(const cJSON *shared)
{
    if (shared)
        shared_of(shared)->shares++;
    return shared;
}

void shared_json_drop(const cJSON *root)
{
    if (!root || --shared_of(root)->shares > 0)
        return;
    cJSON *own = mem_alloc(sizeof *own);
    *own = *root;
    cJSON_Delete(own);
    mem_free(shared_of(root));
}

void shared_json_drop_indirect(const cJSON **shared)
{
    shared_json_drop(*shared);
}
