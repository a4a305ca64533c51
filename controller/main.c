/* Options, configuration, run. No core file and no ptrace: this process holds keys. */
#include <malloc.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>

#include "base/json.h"
#include "base/log.h"
#include "kube/config.h"
#include "net/loop.h"
#include "operator/manager.h"
#include "operator/options.h"
#include "plugin/doctor.h"
#include "plugin/leftovers.h"
#include "plugin/plugin.h"

enum { LARGE_BLOCK_BYTES = 256 * 1024 };

static void keep_memory_private(void)
{
    const struct rlimit none = { 0, 0 };
    if (setrlimit(RLIMIT_CORE, &none) != 0 || prctl(PR_SET_DUMPABLE, 0) != 0)
        log_warn("core files could not be switched off", NULL);
}

/* Large blocks are lists, and rare: they go back to the system at once. (By itself malloc takes
 * each that is freed for a reason to keep the next one.) */
static void keep_memory_small(void)
{
    mallopt(M_MMAP_THRESHOLD, LARGE_BLOCK_BYTES);
}

static int run(const struct options *options)
{
    struct kube_config config = { 0 };
    struct loop *loop = NULL;
    struct manager *manager = NULL;
    struct err err = ERR_INIT;
    int code = EXIT_FAILURE;
    if (kube_config_load(options->kubeconfig, &config, &err) && loop_new(&loop, &err) &&
        manager_new(loop, options, &config, &manager, &err))
        code = manager_run(manager);
    else
        log_error("cannot start", "error", err.message, NULL);
    manager_free(manager);
    loop_free(loop);
    kube_config_done(&config);
    return code;
}

/* What the program does besides being the operator, by its first argument. */
static const struct {
    const char *name;
    int (*run)(const struct options *options);
} modes[] = {
    { "doctor", doctor_of_operator },
    { "leftovers", leftovers_run },
};

int main(int argc, char **argv)
{
    json_setup();
    keep_memory_private();
    keep_memory_small();
    if (plugin_is_meant(argv[0]))
        return plugin_main(argc, argv);
    int (*mode)(const struct options *) = run;
    for (size_t i = 0; i < ARRAY_LENGTH(modes) && argc > 1; i++)
        if (strcmp(argv[1], modes[i].name) == 0)
            mode = modes[i].run;
    int skipped = mode != run;
    struct options options = { 0 };
    enum options_result result = options_parse(argc - skipped, argv + skipped, &options);
    if (result != OPTIONS_RUN) {
        options_done(&options);
        return result == OPTIONS_EXIT_OK ? EXIT_SUCCESS : 2;
    }
    log_setup(options.log_format, options.log_level);
    int code = mode(&options);
    options_done(&options);
    return code;
}
