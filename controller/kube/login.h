/* How requests to the API server log in: keeps the credential that kube_config asks for fresh.
 * A fixed token or password lasts for ever, a token file is read again once a minute, a credential
 * plugin is run when it is first needed, when its credential expires and when it was refused.
 */
#ifndef KUBE_LOGIN_H
#define KUBE_LOGIN_H

#include "kube/config.h"
#include "net/http.h"

/* What goes into a request; borrowed until the next return to the loop. */
struct kube_credential {
    enum http_auth auth;
    struct secret secret;
    struct http_tls tls;
    unsigned number; /* tells credentials of one login apart */
};

struct kube_login;

/* config is borrowed and outlives the login. */
NODISCARD struct kube_login *kube_login_new(struct loop *loop, const struct kube_config *config);
/* Nobody may be waiting any more. */
void kube_login_free(struct kube_login *login);

/* The credential at hand, or NULL when one has to be fetched first. */
NODISCARD const struct kube_credential *kube_login_current(struct kube_login *login);

/* credential is NULL when err says why there is none. */
typedef void kube_login_fn(void *context, const struct kube_credential *credential,
                           const struct err *err);

struct kube_login_waiter { /* embedded in its owner */
    kube_login_fn *fn;
    void *context;
    unsigned round;
    struct kube_login_waiter *prev;
    struct kube_login_waiter *next;
};

/* Fetches a credential; fn is called once, from the loop. All that wait share one fetch. */
void kube_login_wait(struct kube_login *login, struct kube_login_waiter *waiter, kube_login_fn *fn,
                     void *context);
/* No callback afterwards; only for a waiter whose fn wasn't called yet. */
void kube_login_stop_waiting(struct kube_login *login, struct kube_login_waiter *waiter);

/* The API server answered 401 to the credential of that number. True when it is worth asking once
 * more, because a fresh one can be fetched. */
NODISCARD bool kube_login_refused(struct kube_login *login, unsigned number);

#endif
