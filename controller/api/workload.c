/* The value of a marker is a revision and never a time: the same roll-out wished for twice is one,
 * and a template that somebody put back is told from a new one. */
#include "api/workload.h"

#include <stdio.h>
#include <string.h>

#include "base/base64.h"

enum { HASH_DIGITS = 10 };

static const char *const NAMES[WORKLOAD_KINDS] = {
    [WORKLOAD_DEPLOYMENT] = "Deployment",
    [WORKLOAD_STATEFUL_SET] = "StatefulSet",
    [WORKLOAD_DAEMON_SET] = "DaemonSet",
};

const char *workload_kind_name(enum workload_kind kind)
{
    return NAMES[kind];
}

bool workload_kind_parse(const char *name, enum workload_kind *ret_kind)
{
    for (size_t i = 0; i < ARRAY_LENGTH(NAMES); i++) {
        if (mem_streq(name, NAMES[i])) {
            *ret_kind = (enum workload_kind)i;
            return true;
        }
    }
    return false;
}

void marker_name(const char *resource_name, char ret_name[MARKER_NAME_BYTES])
{
    size_t length = strlen(resource_name);
    if (length < MARKER_NAME_BYTES) {
        memcpy(ret_name, resource_name, length + 1);
        return;
    }
    char hash[BASE64_SHA256_HEX_BYTES];
    base64_sha256_hex(resource_name, length, hash);
    snprintf(ret_name, MARKER_NAME_BYTES, "%.*s-%.*s", MARKER_NAME_BYTES - HASH_DIGITS - 2,
             resource_name, HASH_DIGITS, hash);
}
