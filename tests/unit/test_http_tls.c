#include "http_peer.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <sys/wait.h>

#include "net/http.h"

/* ---- certificates ---- */

struct identity {
    EVP_PKEY *key;
    X509 *certificate;
    char *certificate_pem;
    char *key_pem;
};

static char *take_bio(BIO *bio)
{
    char *bytes = NULL;
    long length = BIO_get_mem_data(bio, &bytes);
    char *text = mem_strndup(bytes, (size_t)length);
    BIO_free(bio);
    return text;
}

static void add_extension(X509 *certificate, int nid, const char *value)
{
    X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, NULL, nid, value);
    assert_non_null(extension);
    X509_add_ext(certificate, extension, -1);
    X509_EXTENSION_free(extension);
}

/* Signed by `by`, or by itself when NULL. */
static struct identity make_identity(const char *name, const char *alternative_names,
                                     const struct identity *by)
{
    struct identity made = { .key = EVP_EC_gen("P-256"), .certificate = X509_new() };
    X509_set_version(made.certificate, 2);
    ASN1_INTEGER_set(X509_get_serialNumber(made.certificate), by ? 2 : 1);
    X509_gmtime_adj(X509_getm_notBefore(made.certificate), -3600);
    X509_gmtime_adj(X509_getm_notAfter(made.certificate), 3600);
    X509_set_pubkey(made.certificate, made.key);
    X509_NAME_add_entry_by_txt(X509_get_subject_name(made.certificate), "CN", MBSTRING_ASC,
                               (const unsigned char *)name, -1, -1, 0);
    X509_set_issuer_name(made.certificate,
                         X509_get_subject_name(by ? by->certificate : made.certificate));
    add_extension(made.certificate, NID_basic_constraints, by ? "CA:FALSE" : "critical,CA:TRUE");
    if (alternative_names)
        add_extension(made.certificate, NID_subject_alt_name, alternative_names);
    assert_true(X509_sign(made.certificate, by ? by->key : made.key, EVP_sha256()) > 0);

    BIO *bio = BIO_new(BIO_s_mem());
    PEM_write_bio_X509(bio, made.certificate);
    made.certificate_pem = take_bio(bio);
    bio = BIO_new(BIO_s_mem());
    PEM_write_bio_PrivateKey(bio, made.key, NULL, NULL, 0, NULL, NULL);
    made.key_pem = take_bio(bio);
    return made;
}

static void identity_done(struct identity *identity)
{
    EVP_PKEY_free(identity->key);
    X509_free(identity->certificate);
    mem_free(identity->certificate_pem);
    mem_free(identity->key_pem);
}

/* ---- a TLS peer in a child process ---- */

/* Answers one request per connection with: the SNI, and the client certificate's subject or "-". */
static void serve(SSL *tls)
{
    char request[4096];
    if (SSL_accept(tls) != 1 || SSL_read(tls, request, sizeof request) <= 0)
        return;
    const char *sni = SSL_get_servername(tls, TLSEXT_NAMETYPE_host_name);
    X509 *client = SSL_get0_peer_certificate(tls);
    char subject[64] = "-";
    if (client)
        X509_NAME_get_text_by_NID(X509_get_subject_name(client), NID_commonName, subject,
                                  sizeof subject);
    char body[256];
    snprintf(body, sizeof body, "%s %s %s", sni ? sni : "-", subject,
             SSL_session_reused(tls) ? "resumed" : "new");
    char answer[512];
    int length = snprintf(answer, sizeof answer,
                          "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: %zu\r\n\r\n%s",
                          strlen(body), body);
    SSL_write(tls, answer, length);
    SSL_shutdown(tls);
}

static void serve_forever(int listener, const struct identity *server, const struct identity *ca)
{
    signal(SIGPIPE, SIG_IGN);
    SSL_CTX *context = SSL_CTX_new(TLS_server_method());
    SSL_CTX_use_certificate(context, server->certificate);
    SSL_CTX_use_PrivateKey(context, server->key);
    X509_STORE_add_cert(SSL_CTX_get_cert_store(context), ca->certificate);
    SSL_CTX_set_verify(context, SSL_VERIFY_PEER, NULL); /* asks, doesn't insist */
    SSL_CTX_set_session_id_context(context, (const unsigned char *)"t", 1);
    for (;;) {
        int fd = accept(listener, NULL, NULL);
        SSL *tls = SSL_new(context);
        SSL_set_fd(tls, fd);
        serve(tls);
        SSL_free(tls);
        close(fd);
    }
}

struct world {
    struct loop *loop;
    struct http *http;
    struct identity ca, other_ca, server, client;
    pid_t child;
    int port;
};

static int world_setup(void **state)
{
    static struct world world;
    struct err err = ERR_INIT;
    world = (struct world){
        .ca = make_identity("test CA", NULL, NULL),
        .other_ca = make_identity("other CA", NULL, NULL),
    };
    world.server = make_identity("server", "IP:127.0.0.1,DNS:kubernetes.example", &world.ca);
    world.client = make_identity("the client", NULL, &world.ca);
    int listener = http_peer_listen(&world.port);
    world.child = fork();
    if (world.child == 0)
        serve_forever(listener, &world.server, &world.ca);
    close(listener);
    world.loop = test_loop_new();
    if (!http_new(world.loop, "test/1", 2, &world.http, &err))
        fail_msg("%s", err.message);
    *state = &world;
    return 0;
}

static int world_teardown(void **state)
{
    struct world *world = *state;
    kill(world->child, SIGKILL);
    waitpid(world->child, NULL, 0);
    http_free(world->http);
    loop_free(world->loop);
    identity_done(&world->ca);
    identity_done(&world->other_ca);
    identity_done(&world->server);
    identity_done(&world->client);
    return 0;
}

/* ---- requests ---- */

struct result {
    bool done;
    enum http_outcome outcome;
    char body[256], failure[256];
};

static void on_done(void *context, const struct http_answer *answer)
{
    struct result *result = context;
    result->done = true;
    result->outcome = answer->outcome;
    snprintf(result->body, sizeof result->body, "%s", buf_text(answer->body));
    snprintf(result->failure, sizeof result->failure, "%s", answer->failure);
}

static struct result fetch(struct world *world, const char *host, const struct http_tls *tls)
{
    char url[128];
    snprintf(url, sizeof url, "https://%s:%d/", host, world->port);
    struct result result = { 0 };
    struct http_call call = {
        .method = "POST",
        .url = url,
        .tls = tls,
        .timeout_ms = 5000,
        .max_body_bytes = 1000,
        .done = on_done,
        .context = &result,
    };
    (void)http_send(world->http, &call);
    if (!test_loop_until(world->loop, &result.done, 8000))
        fail_msg("no answer");
    return result;
}

static void assert_answered(struct result result, const char *body_start)
{
    if (result.outcome != HTTP_ANSWERED)
        fail_msg("outcome %d: %s", result.outcome, result.failure);
    assert_int_equal(strncmp(result.body, body_start, strlen(body_start)), 0);
}

static void assert_not_sent(struct result result, const char *words)
{
    assert_int_equal(result.outcome, HTTP_NOT_SENT);
    if (!strstr(result.failure, words))
        fail_msg("%s", result.failure);
}

static void test_a_private_ca_is_trusted_and_only_it(void **state)
{
    struct world *world = *state;
    struct http_tls tls = { .ca_pem = world->ca.certificate_pem };
    assert_answered(fetch(world, "127.0.0.1", &tls), "- - ");
    tls.ca_pem = world->other_ca.certificate_pem;
    assert_not_sent(fetch(world, "127.0.0.1", &tls), "certificate");
    assert_not_sent(fetch(world, "127.0.0.1", NULL), "certificate");
    tls.ca_pem = "not a certificate";
    assert_int_equal(fetch(world, "127.0.0.1", &tls).outcome, HTTP_NOT_SENT);
}

static void test_the_name_is_verified(void **state)
{
    struct world *world = *state;
    struct http_tls tls = { .ca_pem = world->ca.certificate_pem };
    assert_not_sent(fetch(world, "localhost", &tls), "localhost");
}

static void test_another_server_name_is_announced_and_verified(void **state)
{
    struct world *world = *state;
    struct http_tls tls = {
        .ca_pem = world->ca.certificate_pem,
        .server_name = "kubernetes.example",
    };
    assert_answered(fetch(world, "127.0.0.1", &tls), "kubernetes.example - ");
    assert_answered(fetch(world, "localhost", &tls), "kubernetes.example - ");
    tls.server_name = "elsewhere.example";
    assert_not_sent(fetch(world, "127.0.0.1", &tls), "elsewhere.example");
}

static void test_a_client_certificate_is_presented(void **state)
{
    struct world *world = *state;
    auto_secret struct secret key = { 0 };
    secret_set(&key, world->client.key_pem, strlen(world->client.key_pem));
    struct http_tls tls = {
        .ca_pem = world->ca.certificate_pem,
        .client_certificate_pem = world->client.certificate_pem,
        .client_key_pem = &key,
    };
    assert_answered(fetch(world, "127.0.0.1", &tls), "- the client ");
    secret_set(&key, world->server.key_pem, strlen(world->server.key_pem));
    assert_int_equal(fetch(world, "127.0.0.1", &tls).outcome, HTTP_NOT_SENT);
}

static void test_verification_is_skipped_only_when_asked(void **state)
{
    struct world *world = *state;
    struct http_tls tls = { .insecure_skip_verify = true };
    assert_answered(fetch(world, "localhost", &tls), "localhost - ");
}

static void test_sessions_are_resumed(void **state)
{
    struct world *world = *state;
    struct http_tls tls = { .ca_pem = world->ca.certificate_pem };
    assert_answered(fetch(world, "127.0.0.1", &tls), "- - new");
    assert_answered(fetch(world, "127.0.0.1", &tls), "- - resumed");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, world_setup, world_teardown)

int main(void)
{
    setenv("no_proxy", "*", 1);
    const struct CMUnitTest tests[] = {
        TEST(test_a_private_ca_is_trusted_and_only_it),
        TEST(test_the_name_is_verified),
        TEST(test_another_server_name_is_announced_and_verified),
        TEST(test_a_client_certificate_is_presented),
        TEST(test_verification_is_skipped_only_when_asked),
        TEST(test_sessions_are_resumed),
    };
    return test_run(tests);
}
