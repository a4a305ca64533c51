#ifndef EMULATOR_JOURNAL_H
#define EMULATOR_JOURNAL_H

/* Every API request in the order of arrival: what the tests judge a client by. Holds no secret
 * values. Sequence numbers start at 1 and go on after journal_clear(). */

#include <stddef.h>
#include <stdint.h>

#include "call.h"

struct journal_entry;

struct journal {
    struct journal_entry *entries;
    size_t count;
    size_t capacity;
    uint64_t last_seq;
};

void journal_clear(struct journal *journal);

/* Notes the arrival of a request and returns its sequence number. `in_flight` requests were being
 * answered then, this one included. */
uint64_t journal_add(struct journal *journal, const struct call *call, const char *fault,
                     unsigned in_flight);
/* Notes what became of it: `status` is what the client was sent, 0 for no answer; "" for no
 * credential. An entry that was cleared meanwhile is passed over. */
void journal_set_status(struct journal *journal, uint64_t seq, int status);
void journal_set_credential(struct journal *journal, uint64_t seq, const char *credential_id);

/* Audio that a stream has brought so far. */
void journal_set_audio(struct journal *journal, uint64_t seq, int64_t bytes);

/* An array of the entries after `since`, NULL for any operation or project. */
cJSON *journal_describe(const struct journal *journal, uint64_t since, const char *operation,
                        const char *project_id);

#endif
