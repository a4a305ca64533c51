/* The token is new each time, so that each call is one rotation; the time in it is for people. */
#include "plugin/rotate.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/timestamp.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/random.h"
#include "plugin/resources.h"
#include "plugin/rotation_view.h"

enum { LOOK_EVERY_MS = 1000, LINE_BYTES_MAX = 40 * 1024 };

static char *new_token(void)
{
    char now[TIMESTAMP_BYTES];
    timestamp_format(clock_wall_ms(), now);
    return mem_printf("%s-%08" PRIx64, now, random_u64() & 0xffffffff);
}

static int fail(const char *message)
{
    fprintf(stderr, "kubectl-deepgram: %s\n", message);
    return EXIT_FAILURE;
}

static bool annotate(struct session *session, const struct resource *resource, const char *token,
                     struct err *err)
{
    auto_json cJSON *patch = cJSON_CreateObject();
    cJSON *metadata = json_add_object(patch, "metadata");
    json_add_string(json_add_object(metadata, "annotations"), ANNOTATION_ROTATE, token);
    auto_json cJSON *answer = NULL;
    return session_ask(session,
                       &(struct kube_call){ .verb = KUBE_MERGE_PATCH,
                                            .resource = resources_type(resource->kind),
                                            .namespace = resource->namespace,
                                            .name = resource->name,
                                            .body = patch },
                       &answer, err);
}

static void say(const char *line)
{
    puts(line);
    fflush(stdout);
}

/* A line whenever there is something new to say. */
static int follow(struct session *session, const struct command *command, const char *namespace,
                  const char *token)
{
    int64_t deadline = clock_monotonic_ms() + command->timeout_ms;
    auto_free char *last = mem_strdup("");
    auto_buf struct buf line;
    buf_init(&line, LINE_BYTES_MAX);
    for (;;) {
        auto_resources struct resources found = { 0 };
        struct err err = ERR_INIT;
        if (!resources_load(session, command, namespace, &found, &err) &&
            err.kind != ERR_TRANSIENT && err.kind != ERR_THROTTLED)
            return fail(err.message);
        enum rotation_stage stage = ROTATION_ASKED;
        if (found.count > 0) {
            stage = rotation_view(found.list[0], token, &line);
            if (strcmp(last, buf_text(&line)) != 0)
                say(buf_text(&line));
            mem_replace(&last, buf_text(&line));
        }
        if (stage == ROTATION_DONE)
            return EXIT_SUCCESS;
        if (stage == ROTATION_STUCK || stage == ROTATION_TAKEN_BACK)
            return EXIT_FAILURE;
        if (clock_monotonic_ms() >= deadline)
            return fail("that took longer than --timeout; the rotation goes on, and `kubectl "
                        "deepgram status` shows how far it is");
        session_sleep(session, LOOK_EVERY_MS);
    }
}

int rotate_run(struct session *session, const struct command *command, const char *namespace)
{
    auto_resources struct resources found = { 0 };
    struct err err = ERR_INIT;
    if (!resources_load(session, command, namespace, &found, &err))
        return fail(err.message);
    const struct resource *resource = found.list[0];
    if (resource->deleting)
        return fail("the resource is being deleted: nothing new is issued for it");
    auto_free char *token = new_token();
    if (!annotate(session, resource, token, &err))
        return fail(err.message);
    printf("%s %s/%s is asked for a new credential (%s=%s)\n", resource_kind_name(resource->kind),
           resource->namespace, resource->name, ANNOTATION_ROTATE, token);
    fflush(stdout);
    return command->wait ? follow(session, command, namespace, token) : EXIT_SUCCESS;
}
