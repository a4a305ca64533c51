/* One fetch at a time, shared by all requests that wait for it: a plugin may take seconds or count
 * its calls. The result always comes from a later turn of the loop, for a file too, so that callers
 * have one path only. */
#include "kube/login.h"

#include <string.h>
#include <utlist.h>

#include "base/clock.h"
#include "kube/exec_credential.h"
#include "kube/file.h"

enum {
    TOKEN_FILE_AGE_MAX_MS = 60 * 1000,
    TOKEN_BYTES_MAX = 64 * 1024,
};

struct kube_login {
    struct loop *loop;
    const struct kube_config *config;
    struct kube_credential credential;
    bool usable;                       /* fetched, and not refused since */
    int64_t read_ms;                   /* token file: when (monotonic) */
    struct exec_credential plugin;     /* what the credential borrows from */
    struct kube_login_waiter *waiters; /* oldest first */
    unsigned round;                    /* number of the fetch that they wait for */
    struct loop_timer read_timer;
    struct exec_credential_run *run;
};

static bool can_fetch(const struct kube_login *login)
{
    return login->config->token_file || login->config->exec;
}

static void set_bearer(struct kube_credential *credential, const struct secret *token)
{
    credential->auth = secret_is_empty(token) ? HTTP_AUTH_NONE : HTTP_AUTH_BEARER;
    secret_copy(&credential->secret, token);
    credential->number++;
}

struct kube_login *kube_login_new(struct loop *loop, const struct kube_config *config)
{
    struct kube_login *login = mem_alloc(sizeof *login);
    login->loop = loop;
    login->config = config;
    login->usable = !can_fetch(login);
    login->credential.tls = (struct http_tls){
        .ca_pem = config->ca_pem,
        .client_certificate_pem = config->client_certificate_pem,
        .client_key_pem = config->client_certificate_pem ? &config->client_key_pem : NULL,
        .server_name = config->tls_server_name,
        .insecure_skip_verify = config->insecure_skip_verify,
        .proxy_url = config->proxy_url,
    };
    if (secret_is_empty(&config->basic)) {
        set_bearer(&login->credential, &config->token);
    } else {
        login->credential.auth = HTTP_AUTH_BASIC;
        secret_copy(&login->credential.secret, &config->basic);
    }
    return login;
}

void kube_login_free(struct kube_login *login)
{
    if (!login)
        return;
    loop_timer_stop(&login->read_timer);
    exec_credential_cancel(login->run);
    exec_credential_done(&login->plugin);
    secret_done(&login->credential.secret);
    mem_free(login);
}

static bool is_outdated(const struct kube_login *login)
{
    if (login->config->token_file)
        return clock_monotonic_ms() - login->read_ms >= TOKEN_FILE_AGE_MAX_MS;
    return login->plugin.expires_ms > 0 && clock_wall_ms() >= login->plugin.expires_ms;
}

const struct kube_credential *kube_login_current(struct kube_login *login)
{
    return login->usable && !is_outdated(login) ? &login->credential : NULL;
}

/* A callback may send the next request and wait again: that one belongs to the next fetch. */
static void settle(struct kube_login *login, const struct err *err)
{
    unsigned round = login->round++;
    login->usable = !err;
    while (login->waiters && login->waiters->round == round) {
        struct kube_login_waiter *waiter = login->waiters;
        DL_DELETE(login->waiters, waiter);
        waiter->fn(waiter->context, err ? NULL : &login->credential, err);
    }
}

/* ---- token file ---- */

static bool read_token(struct kube_login *login, struct err *err)
{
    auto_buf struct buf text;
    buf_init(&text, TOKEN_BYTES_MAX);
    if (!file_read(login->config->token_file, &text, err))
        return false;
    size_t length = strcspn(buf_text(&text), " \t\r\n");
    if (length == 0)
        return err_set(err, ERR_INVALID, "%s holds no token", login->config->token_file);
    auto_secret struct secret token = { 0 };
    secret_set(&token, buf_text(&text), length);
    set_bearer(&login->credential, &token);
    login->read_ms = clock_monotonic_ms();
    return true;
}

static void on_read_token(void *context)
{
    struct kube_login *login = context;
    struct err err = ERR_INIT;
    settle(login, read_token(login, &err) ? NULL : &err);
}

/* ---- credential plugin ---- */

static void use_plugin(struct kube_login *login, struct exec_credential *from)
{
    exec_credential_done(&login->plugin);
    login->plugin = *from;
    *from = (struct exec_credential){ 0 };
    set_bearer(&login->credential, &login->plugin.token);
    if (login->plugin.client_certificate_pem) {
        login->credential.tls.client_certificate_pem = login->plugin.client_certificate_pem;
        login->credential.tls.client_key_pem = &login->plugin.client_key_pem;
    }
}

static void on_plugin_done(void *context, struct exec_credential *from, const struct err *err)
{
    struct kube_login *login = context;
    login->run = NULL;
    if (!err)
        use_plugin(login, from);
    settle(login, err);
}

/* ---- waiting ---- */

void kube_login_wait(struct kube_login *login, struct kube_login_waiter *waiter, kube_login_fn *fn,
                     void *context)
{
    *waiter = (struct kube_login_waiter){ .fn = fn, .context = context, .round = login->round };
    DL_APPEND(login->waiters, waiter);
    if (login->config->token_file)
        loop_timer_start(login->loop, &login->read_timer, 0, on_read_token, login);
    else if (!login->run)
        login->run = exec_credential_start(login->loop, login->config, on_plugin_done, login);
}

void kube_login_stop_waiting(struct kube_login *login, struct kube_login_waiter *waiter)
{
    DL_DELETE(login->waiters, waiter);
}

bool kube_login_refused(struct kube_login *login, unsigned number)
{
    if (can_fetch(login) && login->credential.number == number)
        login->usable = false;
    return can_fetch(login);
}
