/* A CRD that is deleted deletes its resources, and these wait for an operator that goes with it. */
#include "plugin/leftovers.h"

#include <stdio.h>
#include <stdlib.h>

#include "plugin/resources.h"

static bool list_left(struct session *session, const char *namespace, size_t *count,
                      struct err *err)
{
    auto_resources struct resources resources = { 0 };
    if (!resources_load_all(session, namespace, &resources, err))
        return err->kind == ERR_NOT_FOUND; /* no CRDs, so no resources */
    for (size_t i = 0; i < resources.count; i++)
        printf("%s %s/%s\n", resource_kind_name(resources.list[i]->kind),
               resources.list[i]->namespace, resources.list[i]->name);
    *count += resources.count;
    return true;
}

static bool list_all(struct session *session, const struct options *options, size_t *count,
                     struct err *err)
{
    if (!options->namespaces)
        return list_left(session, NULL, count, err);
    for (char **namespace = options->namespaces; *namespace; namespace ++)
        if (!list_left(session, *namespace, count, err))
            return false;
    return true;
}

static int tell(size_t count)
{
    if (count == 0) {
        puts("No resources are left.");
        return EXIT_SUCCESS;
    }
    printf("\n%zu %s left. With the CRDs they would be deleted too, and nobody would be there to "
           "revoke\ntheir credentials: they would stay in deletion. Delete them while the operator "
           "runs, and wait until\nthey are gone:\n\n"
           "    kubectl delete dgkey,dgpull --all --all-namespaces\n\n"
           "Or keep the CRDs (crds.keep=true): then nothing is deleted, and a new installation "
           "carries on.\n",
           count, count == 1 ? "resource is" : "resources are");
    return EXIT_FAILURE;
}

int leftovers_run(const struct options *options)
{
    struct kube_config config = { 0 };
    auto_session struct session *session = NULL;
    struct err err = ERR_INIT;
    size_t count = 0;
    int code = EXIT_FAILURE;
    if (kube_config_load(options->kubeconfig, &config, &err) &&
        session_new(options, &config, &session, &err) && list_all(session, options, &count, &err))
        code = tell(count);
    else
        fprintf(stderr, "deepgram-operator: %s\n", err.message);
    session_free(take(session));
    kube_config_done(&config);
    return code;
}
