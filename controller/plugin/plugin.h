/* `kubectl deepgram`: the program under its other name.
 */
#ifndef PLUGIN_PLUGIN_H
#define PLUGIN_PLUGIN_H

#include "base/mem.h"

/* Was it called as kubectl-deepgram (argv[0])? */
NODISCARD bool plugin_is_meant(const char *program);
/* Returns the exit code. */
NODISCARD int plugin_main(int argc, char **argv);

#endif
