/* Nothing is cleaned up and nobody is told: a SIGKILL is what the kernel does when memory is short
 * or a node goes away. State is global because the process has only one end. */
#include "net/failpoint.h"

#ifdef FAILPOINTS

#include <assert.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "net/http.h"

enum point { POINT_NONE, POINT_BEFORE, POINT_SENT, POINT_ANSWERED, POINT_STOP };

static struct {
    bool read;
    unsigned long number; /* of the request at which to end */
    enum point point;
    FILE *log; /* NULL: none */
    unsigned long count;
    const struct http_request *request; /* the one with that number, once it was made */
    bool sending;
} armed;

static enum point point_named(const char *name)
{
    static const char *const NAMES[] = { [POINT_BEFORE] = "before",
                                         [POINT_SENT] = "sent",
                                         [POINT_ANSWERED] = "answered",
                                         [POINT_STOP] = "stop" };
    for (enum point point = POINT_BEFORE; point <= POINT_STOP; point++)
        if (strcmp(name, NAMES[point]) == 0)
            return point;
    return POINT_NONE;
}

static void read_environment(void)
{
    const char *where = getenv("DEEPGRAM_OPERATOR_FAILPOINT");
    const char *log = getenv("DEEPGRAM_OPERATOR_FAILPOINT_LOG");
    armed.read = true;
    if (where) {
        char *colon = NULL;
        armed.number = strtoul(where, &colon, 10);
        armed.point = *colon == ':' ? point_named(colon + 1) : POINT_NONE;
        assert(armed.number > 0 && armed.point != POINT_NONE);
    }
    if (log) {
        armed.log = fopen(log, "ae");
        assert(armed.log);
        setvbuf(armed.log, NULL, _IOLBF, 0);
    }
}

static void reach(enum point point)
{
    if (armed.point == point)
        raise(point == POINT_STOP ? SIGSTOP : SIGKILL);
}

void failpoint_new_request(const struct http_request *request, const struct http_call *call)
{
    if (!armed.read)
        read_environment();
    if (call->chunk || strstr(call->url, "/leases"))
        return;
    if (armed.log)
        fprintf(armed.log, "%s %s\n", call->method, call->url);
    if (++armed.count != armed.number)
        return;
    armed.request = request;
    reach(POINT_BEFORE);
    reach(POINT_STOP);
}

void failpoint_sending(const struct http_request *request)
{
    if (request == armed.request)
        armed.sending = true;
}

void failpoint_sent(void)
{
    if (armed.sending)
        reach(POINT_SENT);
}

void failpoint_answered(const struct http_request *request)
{
    if (request == armed.request)
        reach(POINT_ANSWERED);
}

#endif
