/* Answers of Deepgram that aren't a success, as a struct err in plain words. Pure.
 * Reads the three bodies: bare text, {err_code, err_msg}, {category, message, details}.
 */
#ifndef DEEPGRAM_REFUSAL_H
#define DEEPGRAM_REFUSAL_H

#include "deepgram/answer.h"

/* Fills err for an answer that isn't a complete 2xx; returns false. */
bool refusal_fill(enum deepgram_operation operation, const struct deepgram_answer *answer,
                  struct err *err);

/* Is it a 404 in Deepgram's own form that doesn't speak of the project? */
NODISCARD bool refusal_denies_credential(const struct deepgram_answer *answer);

#endif
