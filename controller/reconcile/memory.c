/* The lists are short and bounded: what falls out of them is found out again. */
#include "reconcile/memory.h"

#include <assert.h>
#include <string.h>

struct memory *memory_new(const char *uid, int64_t monotonic_ms)
{
    struct memory *memory = mem_alloc(sizeof *memory);
    memory->known_since_ms = monotonic_ms;
    memory->deleting_since_ms = NEVER;
    memory->door_closed_ms = NEVER;
    memory->unknown_ms = NEVER;
    strncpy(memory->uid, uid, sizeof memory->uid - 1);
    return memory;
}

void memory_forget_confirmed(struct memory *memory)
{
    for (size_t i = 0; i < memory->confirmed_count; i++)
        mem_free(memory->confirmed[i]);
    memory->confirmed_count = 0;
}

void failure_free(struct failure *failure)
{
    if (!failure)
        return;
    mem_free(failure->message);
    mem_free(failure);
}

void memory_free(struct memory *memory)
{
    if (!memory)
        return;
    memory_end_mint(memory);
    mem_free(memory->discard_id);
    mem_free(memory->verified);
    mem_free(memory->adoption_problem);
    mem_free(memory->told_obstacle);
    for (size_t i = 0; i < FAILURE_SIDES; i++)
        failure_free(memory->failures[i]);
    memory_forget_confirmed(memory);
    mem_free(memory->confirmed);
    for (size_t i = 0; i < memory->gone_count; i++)
        mem_free(memory->gone[i].id);
    mem_free(memory->gone);
    mem_free(memory);
}

void memory_announce(struct memory *memory, const struct attempt *attempt, int64_t monotonic_ms)
{
    assert(!memory_issued(memory));
    memory_end_mint(memory);
    memory->mint = mem_alloc(sizeof *memory->mint);
    memory->mint->attempt = *attempt;
    memory->mint->attempt.rotate = ""; /* borrowed, and read back from the resource when needed */
    memory->announced_ms = monotonic_ms;
}

void memory_issue(struct memory *memory, struct credential *credential)
{
    assert(memory_announced(memory) && credential->id);
    memory->mint->credential = *credential;
    *credential = (struct credential){ 0 };
}

void memory_end_mint(struct memory *memory)
{
    if (!memory->mint)
        return;
    credential_done(&memory->mint->credential);
    mem_free(take(memory->mint));
}

const struct attempt *memory_announced(const struct memory *memory)
{
    return memory->mint && !memory->mint->credential.id ? &memory->mint->attempt : NULL;
}

bool memory_announces(const struct memory *memory, const char *nonce)
{
    const struct attempt *announced = memory_announced(memory);
    return announced && strcmp(announced->nonce, nonce) == 0;
}

struct mint *memory_issued(const struct memory *memory)
{
    return memory->mint && memory->mint->credential.id ? memory->mint : NULL;
}

bool memory_holds(const struct memory *memory, const char *id)
{
    const struct mint *issued = memory_issued(memory);
    return issued && strcmp(issued->credential.id, id) == 0;
}

static struct gone *find_gone(const struct memory *memory, const char *id)
{
    for (size_t i = 0; i < memory->gone_count; i++)
        if (strcmp(memory->gone[i].id, id) == 0)
            return (struct gone *)&memory->gone[i];
    return NULL;
}

void memory_add_gone(struct memory *memory, const char *id, int64_t monotonic_ms)
{
    struct gone *known = find_gone(memory, id);
    if (known) {
        known->at_ms = monotonic_ms;
        return;
    }
    if (memory->gone_count < GONE_MAX) {
        memory->gone = mem_realloc(memory->gone, (memory->gone_count + 1) * sizeof memory->gone[0]);
    } else {
        mem_free(memory->gone[0].id);
        memmove(memory->gone, memory->gone + 1, (GONE_MAX - 1) * sizeof memory->gone[0]);
        memory->gone_count--;
    }
    memory->gone[memory->gone_count++] = (struct gone){ mem_strdup(id), monotonic_ms };
}

void memory_confirm(struct memory *memory, const char *id, int64_t list_ms)
{
    if (memory->confirmed_list_ms != list_ms || memory->confirmed_count == CONFIRMED_MAX)
        memory_forget_confirmed(memory);
    memory->confirmed =
        mem_realloc(memory->confirmed, (memory->confirmed_count + 1) * sizeof memory->confirmed[0]);
    memory->confirmed_list_ms = list_ms;
    memory->confirmed[memory->confirmed_count++] = mem_strdup(id);
}

bool memory_is_confirmed(const struct memory *memory, const char *id, int64_t list_ms)
{
    if (memory->confirmed_list_ms != list_ms)
        return false;
    for (size_t i = 0; i < memory->confirmed_count; i++)
        if (strcmp(memory->confirmed[i], id) == 0)
            return true;
    return false;
}

bool memory_is_gone(const struct memory *memory, const char *id)
{
    return find_gone(memory, id) != NULL;
}

int64_t memory_gone_ms(const struct memory *memory, const char *id)
{
    const struct gone *gone = find_gone(memory, id);
    return gone ? gone->at_ms : NEVER;
}
