/* getaddrinfo_a() tells of its end by a signal, a thread or not at all; it is asked now and then
 * instead, because a name server's answer is awaited for at most a few moments. Its request has to
 * stay in memory until it is over, also when nobody waits for it any more. */
#include "net/resolve.h"

#include <netdb.h>
#include <stdio.h>
#include <string.h>

enum { POLL_FIRST_MS = 1, POLL_MAX_MS = 100 };

struct resolve {
    struct loop *loop;
    struct loop_timer timer;
    struct gaicb request;
    struct addrinfo hints;
    char *host;
    int64_t poll_ms;
    bool started;
    resolve_done_fn *done; /* NULL: cancelled */
    void *context;
};

static void resolve_free(struct resolve *resolve)
{
    loop_timer_stop(&resolve->timer);
    if (resolve->request.ar_result)
        freeaddrinfo(resolve->request.ar_result);
    mem_free(resolve->host);
    mem_free(resolve);
}

static size_t read_addresses(const struct addrinfo *found, char (*addresses)[RESOLVE_ADDRESS_BYTES])
{
    size_t count = 0;
    for (; found && count < RESOLVE_ADDRESSES_MAX; found = found->ai_next)
        if (getnameinfo(found->ai_addr, found->ai_addrlen, addresses[count], RESOLVE_ADDRESS_BYTES,
                        NULL, 0, NI_NUMERICHOST) == 0)
            count++;
    return count;
}

static void end(struct resolve *resolve, int error)
{
    char addresses[RESOLVE_ADDRESSES_MAX][RESOLVE_ADDRESS_BYTES];
    size_t count = error == 0 ? read_addresses(resolve->request.ar_result, addresses) : 0;
    resolve_done_fn *done = resolve->done;
    void *context = resolve->context;
    resolve_free(resolve);
    if (done)
        done(context, addresses, count, error == 0 ? "no address" : gai_strerror(error));
}

static void poll_request(void *context)
{
    struct resolve *resolve = context;
    int error = 0;
    if (!resolve->started) {
        struct gaicb *list[] = { &resolve->request };
        resolve->started = true;
        error = getaddrinfo_a(GAI_NOWAIT, list, 1, NULL);
    }
    if (error == 0)
        error = gai_error(&resolve->request);
    if (error != EAI_INPROGRESS) {
        end(resolve, error);
        return;
    }
    loop_timer_start(resolve->loop, &resolve->timer, resolve->poll_ms, poll_request, resolve);
    resolve->poll_ms = resolve->poll_ms * 2 < POLL_MAX_MS ? resolve->poll_ms * 2 : POLL_MAX_MS;
}

struct resolve *resolve_start(struct loop *loop, const char *host, resolve_done_fn *done,
                              void *context)
{
    struct resolve *resolve = mem_alloc(sizeof *resolve);
    resolve->loop = loop;
    resolve->host = mem_strdup(host);
    resolve->hints = (struct addrinfo){ .ai_socktype = SOCK_STREAM, .ai_flags = AI_ADDRCONFIG };
    resolve->request = (struct gaicb){ .ar_name = resolve->host, .ar_request = &resolve->hints };
    resolve->poll_ms = POLL_FIRST_MS;
    resolve->done = done;
    resolve->context = context;
    loop_timer_start(loop, &resolve->timer, 0, poll_request, resolve);
    return resolve;
}

void resolve_cancel(struct resolve *resolve)
{
    if (!resolve)
        return;
    if (!resolve->started || gai_cancel(&resolve->request) != EAI_NOTCANCELED)
        resolve_free(resolve);
    else
        resolve->done = NULL; /* its end is awaited all the same */
}
