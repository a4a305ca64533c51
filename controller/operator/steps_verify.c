/* The trial of the published key where it is to serve. It takes seconds, so that few run at once:
 * the other resources go on. */
#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "operator/steps.h"
#include "operator/streaming.h"
#include "reconcile/failure.h"
#include "reconcile/report.h"
#include "reconcile/verify.h"

enum { TRIALS_MAX = 8, BUSY_PAUSE_MS = 1000 };

static const struct spec *spec_of(const struct pass *pass)
{
    return &pass->gathered->resource->spec;
}

static void tried(void *context, const struct listen_answer *answer, int64_t duration_ms,
                  const struct err *err)
{
    struct pass *pass = context;
    struct memory *memory = pass->gathered->memory;
    pass->runtime->trials--;
    if (err) {
        if (!report_told(&pass->gathered->world, "VerifyFailed", err->message))
            pass_event(pass, EVENT_WARNING, "VerifyFailed", "Verify", "%s", err->message);
        pass_fail(pass, FAILURE_VERIFY, NULL, err);
        return;
    }
    auto_free char *details = listen_describe(answer);
    auto_free char *prefix = verify_prefix(&pass->gathered->world, pass->step.revision);
    mem_free(memory->verified);
    memory->verified = mem_printf("%s in %lld.%lld s (%s)", prefix, (long long)duration_ms / 1000,
                                  (long long)duration_ms / 100 % 10, details);
    failure_clear(memory, FAILURE_VERIFY);
    pass_event(pass, EVENT_NORMAL, "Verified", "Verify", "%s", memory->verified);
    pass_continue(pass);
}

static void try_it(struct pass *pass)
{
    mem_free(take(pass->gathered->memory->verified)); /* what worked before is history */
    pass->runtime->trials++;
    streaming_start(pass->runtime->loop, pass->runtime->websockets, spec_of(pass)->verify_url,
                    &pass->credential.secret, spec_of(pass)->verify_timeout_ms, tried, pass);
}

static void revision_answered(void *context, cJSON **object, const struct err *err)
{
    struct pass *pass = context;
    struct err problem = ERR_INIT;
    credential_done(&pass->credential);
    pass->credential_revision = 0;
    if (err || !revision_read(*object, &pass->credential, &problem)) {
        pass_fail(pass, FAILURE_KUBERNETES, NULL, err ? err : &problem);
        return;
    }
    pass->credential_revision = pass->step.revision;
    try_it(pass);
}

void step_verify(struct pass *pass)
{
    const struct world_revision *revision =
        world_revision(&pass->gathered->world, pass->step.revision);
    if (pass->runtime->trials >= TRIALS_MAX) {
        queue_add_after(pass->runtime->queue, pass->key.kind, pass->key.namespace, pass->key.name,
                        BUSY_PAUSE_MS);
        pass_end(pass);
    } else if (pass->credential_revision == pass->step.revision) {
        try_it(pass);
    } else {
        pass_kube(pass, KUBE_GET, &KUBE_SECRETS, revision->secret->secret_name, NULL, NULL, false,
                  revision_answered);
    }
}
