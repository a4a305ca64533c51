/* Runs a helper program without blocking the loop: no input, output and error text collected up to
 * a maximum, a time-out after which it and its children are killed.
 */
#ifndef KUBE_COMMAND_H
#define KUBE_COMMAND_H

#include "base/buf.h"
#include "net/loop.h"

struct command;

struct command_result {
    const char *failure;    /* "" when it ran and exited with 0; plain words otherwise */
    bool not_found;         /* there is no such program */
    struct buf *output;     /* its standard output; wiped after the callback */
    const char *error_text; /* its standard error, cut at a few KiB */
};

typedef void command_done_fn(void *context, const struct command_result *result);

/* argv[0] is looked for in PATH unless it has a slash. argv and envp are borrowed for the time of
 * the call. done is called once, from the loop. */
struct command *command_start(struct loop *loop, char *const *argv, char *const *envp,
                              int64_t timeout_ms, size_t max_output_bytes, command_done_fn *done,
                              void *context);
/* Kills it; no callback. NULL is fine. */
void command_cancel(struct command *command);

#endif
