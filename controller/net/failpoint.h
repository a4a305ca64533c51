/* Points at which a test kills or stops this process, to show that no moment is a bad one. They
 * exist only where FAILPOINTS is defined; elsewhere the calls vanish.
 *
 * The environment arms them:
 *   DEEPGRAM_OPERATOR_FAILPOINT=N:before|sent|answered   SIGKILL at the Nth request, from 1
 *   DEEPGRAM_OPERATOR_FAILPOINT=N:stop                   SIGSTOP before it
 *   DEEPGRAM_OPERATOR_FAILPOINT_LOG=FILE                 a line "METHOD URL" for each request
 *
 * Requests are numbered in the order of http_send(). Streamed ones (watches) and those for a lease
 * are not: when they come is a matter of time, so the other numbers would change from run to run.
 */
#ifndef NET_FAILPOINT_H
#define NET_FAILPOINT_H

#ifdef FAILPOINTS

struct http_call;
struct http_request;

/* A new request: it gets its number, and is where `before` kills, `stop` stops. */
void failpoint_new_request(const struct http_request *request, const struct http_call *call);
/* Its bytes are about to leave. */
void failpoint_sending(const struct http_request *request);
/* They have left, and no answer was handled since: where `sent` kills. */
void failpoint_sent(void);
/* Its answer was read and is about to be handled: where `answered` kills. */
void failpoint_answered(const struct http_request *request);

#else

#define failpoint_new_request(request, call) ((void)0)
#define failpoint_sending(request) ((void)0)
#define failpoint_sent() ((void)0)
#define failpoint_answered(request) ((void)0)

#endif

#endif
