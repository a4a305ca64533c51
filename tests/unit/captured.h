/* What a parser of command lines is given, and what it prints meanwhile. */
#ifndef TESTS_UNIT_CAPTURED_H
#define TESTS_UNIT_CAPTURED_H

#include "test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { CAPTURED_ARGUMENTS_MAX = 14 };

/* argv of space-separated words. text: theirs, changed and borrowed; returns argc. */
static inline int captured_argv(char *program, char *text, char *ret_argv[CAPTURED_ARGUMENTS_MAX])
{
    int argc = 0;
    ret_argv[argc++] = program;
    for (char *rest = text, *word; (word = strtok_r(rest, " ", &rest)) != NULL;) {
        assert_true(argc < CAPTURED_ARGUMENTS_MAX - 1);
        ret_argv[argc++] = word;
    }
    ret_argv[argc] = NULL;
    return argc;
}

struct captured {
    FILE *files[2];
    int saved[2];
};

/* From here on standard output and error go into files. */
static inline void captured_begin(struct captured *captured)
{
    fflush(stdout);
    for (int i = 0; i < 2; i++) {
        captured->files[i] = tmpfile();
        captured->saved[i] = dup(i + STDOUT_FILENO);
        dup2(fileno(captured->files[i]), i + STDOUT_FILENO);
    }
}

static inline void captured_read(FILE *file, char *ret_text, size_t size)
{
    rewind(file);
    ret_text[fread(ret_text, 1, size - 1, file)] = '\0';
    fclose(file);
}

static inline void captured_end(struct captured *captured, char *ret_out, size_t out_size,
                                char *ret_err, size_t err_size)
{
    fflush(stdout);
    for (int i = 0; i < 2; i++) {
        dup2(captured->saved[i], i + STDOUT_FILENO);
        close(captured->saved[i]);
    }
    captured_read(captured->files[0], ret_out, out_size);
    captured_read(captured->files[1], ret_err, err_size);
}

#endif
