/* Every option is set through setters that remember the first failure, so that the lists below can
 * be read as lists. Secrets are handed to libcurl only where it copies them with our allocator,
 * which wipes them. */
#include "net/http_options.h"

#include <string.h>

enum {
    CONNECT_TIMEOUT_MS = 10 * 1000,
    KEEPALIVE_IDLE_S = 30,
    KEEPALIVE_INTERVAL_S = 15,
    BUFFER_BYTES = 4 * 1024,         /* of plain text: OpenSSL reads into its own */
    UPLOAD_BUFFER_BYTES = 16 * 1024, /* the least that libcurl accepts; bodies are smaller */
};

struct setter {
    CURL *easy;
    CURLcode code; /* the first failure */
};

static void set_long(struct setter *to, CURLoption option, long value)
{
    if (to->code == CURLE_OK)
        to->code = curl_easy_setopt(to->easy, option, value);
}

static void set_pointer(struct setter *to, CURLoption option, const void *value)
{
    if (to->code == CURLE_OK)
        to->code = curl_easy_setopt(to->easy, option, value);
}

static void set_blob(struct setter *to, CURLoption option, const char *text)
{
    if (!text)
        return;
    struct curl_blob blob = {
        .data = (void *)(uintptr_t)text, /* copied, never written to */
        .len = strlen(text),
        .flags = CURL_BLOB_COPY,
    };
    set_pointer(to, option, &blob);
}

static void set_transport(struct setter *to, const struct http_call *call, const char *user_agent,
                          long max_idle_s)
{
    set_pointer(to, CURLOPT_PROTOCOLS_STR, "http,https");
    set_long(to, CURLOPT_HTTP_VERSION, CURL_HTTP_VERSION_1_1);
    set_long(to, CURLOPT_FOLLOWLOCATION, 0);
    set_pointer(to, CURLOPT_USERAGENT, user_agent);
    set_long(to, CURLOPT_NOSIGNAL, 1);
    set_long(to, CURLOPT_QUICK_EXIT, 1); /* a stuck name lookup must not block its cancellation */
    set_long(to, CURLOPT_BUFFERSIZE, BUFFER_BYTES);
    set_long(to, CURLOPT_UPLOAD_BUFFERSIZE, UPLOAD_BUFFER_BYTES);
    set_long(to, CURLOPT_TCP_KEEPALIVE, 1);
    set_long(to, CURLOPT_TCP_KEEPIDLE, KEEPALIVE_IDLE_S);
    set_long(to, CURLOPT_TCP_KEEPINTVL, KEEPALIVE_INTERVAL_S);
    set_long(to, CURLOPT_MAXAGE_CONN, max_idle_s);
    set_long(to, CURLOPT_TIMEOUT_MS, (long)call->timeout_ms);
    set_long(to, CURLOPT_CONNECTTIMEOUT_MS,
             call->timeout_ms < CONNECT_TIMEOUT_MS ? (long)call->timeout_ms : CONNECT_TIMEOUT_MS);
}

/* libcurl verifies and announces (SNI) the host of the URL. For another name the URL gets that
 * name, and the connection is led to where the URL pointed. */
static CURLUcode rename_host(CURLU *url, const char *server_name, struct http_options *options)
{
    char *host = NULL;
    char *port = NULL;
    CURLUcode code = curl_url_get(url, CURLUPART_HOST, &host, 0);
    if (code == CURLUE_OK)
        code = curl_url_get(url, CURLUPART_PORT, &port, CURLU_DEFAULT_PORT);
    if (code == CURLUE_OK)
        code = curl_url_set(url, CURLUPART_HOST, server_name, 0);
    if (code == CURLUE_OK) {
        auto_free char *rule = mem_printf("%s:%s:%s:%s", server_name, port, host, port);
        options->connect_to = curl_slist_append(NULL, rule);
    }
    curl_free(host);
    curl_free(port);
    return code;
}

static void set_url(struct setter *to, const struct http_call *call, struct http_options *options)
{
    if (!call->tls || !call->tls->server_name) {
        set_pointer(to, CURLOPT_URL, call->url);
        return;
    }
    CURLU *url = curl_url();
    char *text = NULL;
    CURLUcode code = curl_url_set(url, CURLUPART_URL, call->url, 0);
    if (code == CURLUE_OK)
        code = rename_host(url, call->tls->server_name, options);
    if (code == CURLUE_OK)
        code = curl_url_get(url, CURLUPART_URL, &text, 0);
    if (code != CURLUE_OK)
        to->code = CURLE_URL_MALFORMAT;
    set_pointer(to, CURLOPT_URL, text);
    set_pointer(to, CURLOPT_CONNECT_TO, options->connect_to);
    curl_free(text);
    curl_url_cleanup(url);
}

static void set_tls(struct setter *to, const struct http_tls *tls)
{
    set_long(to, CURLOPT_SSLVERSION, CURL_SSLVERSION_TLSv1_2);
    if (!tls)
        return;
    set_blob(to, CURLOPT_CAINFO_BLOB, tls->ca_pem);
    set_blob(to, CURLOPT_SSLCERT_BLOB, tls->client_certificate_pem);
    if (tls->client_key_pem)
        set_blob(to, CURLOPT_SSLKEY_BLOB, secret_reveal(tls->client_key_pem));
    if (tls->proxy_url) {
        set_pointer(to, CURLOPT_PROXY, tls->proxy_url);
        set_pointer(to, CURLOPT_NOPROXY, ""); /* the environment has no say in an explicit proxy */
    }
    if (tls->insecure_skip_verify) {
        set_long(to, CURLOPT_SSL_VERIFYPEER, 0);
        set_long(to, CURLOPT_SSL_VERIFYHOST, 0);
    }
}

static void set_method(struct setter *to, const struct http_call *call)
{
    bool is_post = strcmp(call->method, "POST") == 0;
    if (call->body || is_post) {
        set_long(to, CURLOPT_POST, 1);
        set_long(to, CURLOPT_POSTFIELDSIZE, call->body ? (long)call->body_length : 0);
        set_pointer(to, CURLOPT_COPYPOSTFIELDS, call->body ? call->body : "");
    } else if (strcmp(call->method, "HEAD") == 0) {
        set_long(to, CURLOPT_NOBODY, 1);
    }
    set_pointer(to, CURLOPT_CUSTOMREQUEST, call->method);
}

static void add_header(struct http_options *options, const char *name, const char *value)
{
    auto_free char *line = mem_printf("%s: %s", name, value);
    options->headers = curl_slist_append(options->headers, line);
}

static void add_authorization(struct http_options *options, const char *scheme,
                              const struct secret *credential)
{
    auto_buf struct buf line;
    buf_init(&line, SIZE_MAX);
    buf_puts(&line, "Authorization: ");
    buf_puts(&line, scheme);
    buf_puts(&line, " ");
    buf_puts(&line, secret_reveal(credential));
    options->headers = curl_slist_append(options->headers, buf_text(&line));
}

static void set_auth(struct setter *to, const struct http_call *call, struct http_options *options)
{
    switch (call->auth) {
    case HTTP_AUTH_NONE:
        break;
    case HTTP_AUTH_BEARER: /* CURLOPT_XOAUTH2_BEARER formats it twice, byte by byte */
        add_authorization(options, "Bearer", call->credential);
        break;
    case HTTP_AUTH_TOKEN:
        add_authorization(options, "Token", call->credential);
        break;
    case HTTP_AUTH_BASIC:
        set_long(to, CURLOPT_HTTPAUTH, (long)CURLAUTH_BASIC);
        set_pointer(to, CURLOPT_USERPWD, secret_reveal(call->credential));
        break;
    }
}

static void set_headers(struct setter *to, const struct http_call *call,
                        struct http_options *options)
{
    add_header(options, "Accept", call->accept ? call->accept : "application/json");
    add_header(options, "Content-Type", call->content_type ? call->content_type : "");
    add_header(options, "Expect", ""); /* without a value: not sent, and no waiting for a 100 */
    set_pointer(to, CURLOPT_HTTPHEADER, options->headers);
}

CURLcode http_options_set(CURL *easy, const struct http_call *call, const char *user_agent,
                          long max_idle_s, struct http_options *ret_options)
{
    struct setter to = { .easy = easy, .code = CURLE_OK };
    set_transport(&to, call, user_agent, max_idle_s);
    set_url(&to, call, ret_options);
    set_tls(&to, call->tls);
    set_method(&to, call);
    set_auth(&to, call, ret_options);
    set_headers(&to, call, ret_options);
    return to.code;
}

void http_options_done(struct http_options *options)
{
    curl_slist_free_all(options->headers);
    curl_slist_free_all(options->connect_to);
    *options = (struct http_options){ 0 };
}
