/* The floor of the machine: what N DeepgramApiKey resources cost when somebody who knows the
 * outcome beforehand issues the unavoidable requests and does nothing else: no cache, no watch, no
 * decision, no metric, no log.
 *
 *   bare-writer SERVER CA-FILE TOKEN-FILE DEEPGRAM-URL NAMESPACE PROJECT ADMIN-KEY-FILE COUNT
 * [load]
 *
 * With `load` it only creates the resources, in the same way, for the controller under test. What
 * it says is one line of JSON, with times of CLOCK_MONOTONIC. Any answer but 2xx ends it. */
#include <curl/curl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

enum {
    CREATING_MAX = 16, /* resources that are being created at the same time */
    WORKING_MAX = 64,  /* chains at the same time, as many as the operator has passes */
    CONNECTIONS = 32,  /* per host, as the operator */
    ANSWER_BYTES = 16 * 1024,
    BODY_BYTES = 4096,
    UID_BYTES = 37,
};

/* In their order; CREATE_RESOURCE is the user's, the rest is the controller's. */
enum request {
    CREATE_RESOURCE,
    ANNOUNCE,
    READ_ADMIN_KEY,
    ISSUE,
    KEEP,
    CHECK,
    PUBLISH,
    REPORT,
    TELL,
    REQUESTS,
};

struct shape {
    const char *method;
    const char *path; /* printf formats with the arguments in the order of `fill` */
    const char *type;
    const char *body; /* "": none */
    bool deepgram;
};

#define API "/apis/deepgram.com/v1alpha1/namespaces/%1$s/deepgramapikeys"
#define SECRETS "/api/v1/namespaces/%1$s/secrets"
#define MANAGER "fieldManager=deepgram-operator"
#define JSON "Content-Type: application/json"
#define MERGE "Content-Type: application/merge-patch+json"
#define NONCE "0123456789abcdef0123456789abcdef"
#define HASH "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define ID "01234567-89ab-cdef-0123-456789abcdef"
#define NOW "2026-01-01T00:00:00Z"
#define VALUE "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWYwMTIzNDU2Nw=="
#define OWNER                                                                                      \
    "\"ownerReferences\":[{\"apiVersion\":\"deepgram.com/v1alpha1\",\"kind\":\"DeepgramApiKey\","  \
    "\"name\":\"%2$s\",\"uid\":\"%3$s\",\"controller\":true,\"blockOwnerDeletion\":true}]"
#define LABELS "\"labels\":{\"app.kubernetes.io/managed-by\":\"deepgram-operator\"}"

/* 1: namespace, 2: name, 3: UID, 4: project */
static const struct shape SHAPES[REQUESTS] = {
    [CREATE_RESOURCE] = { "POST", API, JSON,
                          "{\"apiVersion\":\"deepgram.com/v1alpha1\",\"kind\":\"DeepgramApiKey\","
                          "\"metadata\":{\"name\":\"%2$s\"},\"spec\":{\"projectId\":\"%4$s\","
                          "\"credentialsRef\":{\"name\":\"deepgram-admin\"}}}",
                          false },
    [ANNOUNCE] = { "PATCH", API "/%2$s?" MANAGER, MERGE,
                   "{\"metadata\":{\"uid\":\"%3$s\",\"finalizers\":[\"deepgram.com/revoke\"],"
                   "\"annotations\":{\"deepgram.com/issuing\":\"[{\\\"revision\\\":1,"
                   "\\\"nonce\\\":\\\"" NONCE "\\\",\\\"since\\\":\\\"" NOW "\\\","
                   "\\\"specHash\\\":\\\"" HASH "\\\"}]\"}}}",
                   false },
    [READ_ADMIN_KEY] = { "GET", SECRETS "/deepgram-admin", JSON, "", false },
    [ISSUE] = { "POST", "/v1/projects/%4$s/keys", JSON,
                "{\"comment\":\"%1$s/%2$s [deepgram-operator uid:%3$s rev:1 nonce:" NONCE "]\","
                "\"scopes\":[\"member\",\"self-hosted:products\"],\"tags\":[\"deepgram-operator\","
                "\"uid:%3$s\",\"rev:1\",\"nonce:" NONCE "\"]}",
                true },
    [KEEP] = { "POST", SECRETS "?" MANAGER, JSON,
               "{\"apiVersion\":\"v1\",\"kind\":\"Secret\",\"metadata\":{\"name\":\"%2$s-key-r1\","
               "\"namespace\":\"%1$s\"," LABELS ",\"annotations\":{\"deepgram.com/resource\":"
               "\"DeepgramApiKey/%2$s\",\"deepgram.com/revision\":\"1\",\"deepgram.com/id\":\"" ID
               "\",\"deepgram.com/nonce\":\"" NONCE "\",\"deepgram.com/spec-hash\":\"" HASH
               "\",\"deepgram.com/scopes\":\"member self-hosted:products\","
               "\"deepgram.com/project\":\"%4$s\",\"deepgram.com/issued-at\":\"" NOW "\"}," OWNER
               "},\"type\":\"deepgram.com/credential\",\"immutable\":true,\"data\":{\"id\":"
               "\"" VALUE "\",\"secret\":\"" VALUE "\"}}",
               false },
    [CHECK] = { "GET", "/v1/auth/token", JSON, "", true },
    [PUBLISH] = { "POST", SECRETS "?" MANAGER, JSON,
                  "{\"apiVersion\":\"v1\",\"kind\":\"Secret\",\"metadata\":{\"name\":\"%2$s\","
                  "\"namespace\":\"%1$s\"," LABELS ",\"annotations\":{\"deepgram.com/resource\":"
                  "\"DeepgramApiKey/%2$s\",\"deepgram.com/revision\":\"1\",\"deepgram.com/id\":"
                  "\"" ID "\",\"deepgram.com/template\":\"" HASH "\",\"deepgram.com/digest\":"
                  "\"" HASH "\",\"deepgram.com/published-at\":\"" NOW "\"}," OWNER
                  "},\"type\":\"Opaque\",\"data\":{\"DEEPGRAM_API_KEY\":\"" VALUE "\"}}",
                  false },
    [REPORT] = { "PATCH", API "/%2$s/status?" MANAGER, MERGE,
                 "{\"metadata\":{\"uid\":\"%3$s\"},\"status\":{\"observedGeneration\":1,"
                 "\"conditions\":[{\"type\":\"Ready\",\"status\":\"True\",\"reason\":\"Published\","
                 "\"message\":\"Credential " ID " (revision 1) is in Secret %2$s\","
                 "\"lastTransitionTime\":\"" NOW "\",\"observedGeneration\":1}],\"revision\":1,"
                 "\"id\":\"" ID "\",\"scopes\":[\"member\",\"self-hosted:products\"],"
                 "\"secretName\":\"%2$s\",\"issuedAt\":\"" NOW "\",\"secretResourceVersion\":"
                 "\"1234567\",\"revisions\":[{\"revision\":1,\"id\":\"" ID "\",\"state\":"
                 "\"Current\",\"issuedAt\":\"" NOW "\",\"reason\":\"Created\"}]}}",
                 false },
    [TELL] = { "POST", "/apis/events.k8s.io/v1/namespaces/%1$s/events?" MANAGER, JSON,
               "{\"apiVersion\":\"events.k8s.io/"
               "v1\",\"kind\":\"Event\",\"metadata\":{\"namespace\":"
               "\"%1$s\",\"name\":\"%2$s.0123456789abcdef\"},\"eventTime\":"
               "\"2026-01-01T00:00:00.000000Z\",\"reportingController\":\"deepgram.com/operator\","
               "\"reportingInstance\":\"bare-writer\",\"regarding\":{\"apiVersion\":"
               "\"deepgram.com/v1alpha1\",\"kind\":\"DeepgramApiKey\",\"namespace\":\"%1$s\","
               "\"name\":\"%2$s\",\"uid\":\"%3$s\",\"resourceVersion\":\"1234567\"},\"type\":"
               "\"Normal\",\"reason\":\"Issued\",\"action\":\"Issue\",\"note\":\"Issued "
               "credential " ID " as revision 1 and published it in Secret %2$s\"}",
               false },
};

struct chain {
    CURL *easy;
    struct curl_slist *headers;
    size_t index; /* of the resource */
    enum request request;
    char answer[ANSWER_BYTES];
    size_t answered; /* bytes; what is beyond ANSWER_BYTES is dropped */
};

struct writer {
    CURLM *multi;
    CURLSH *tls_sessions;
    const char *server;
    const char *ca_file;
    const char *deepgram;
    const char *namespace;
    const char *project;
    char *token;
    char *admin_header;
    bool load_only;
    size_t count;
    size_t begun;   /* resources whose create was sent */
    size_t created; /* whose create was answered */
    size_t worked;  /* whose chain was begun */
    size_t done;
    size_t creating;
    size_t working;
    size_t sent;   /* requests, without the creates of the resources */
    size_t *order; /* of the answers to the creates */
    char (*uids)[UID_BYTES];
};

static void fail(const char *what, const char *detail)
{
    fprintf(stderr, "bare-writer: %s: %s\n", what, detail);
    exit(1);
}

static double now_s(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static char *read_line(const char *path)
{
    char text[8192];
    FILE *file = fopen(path, "r");
    if (!file || !fgets(text, sizeof text, file))
        fail("can't be read", path);
    fclose(file);
    text[strcspn(text, "\n")] = '\0';
    return strdup(text);
}

static size_t on_body(char *bytes, size_t size, size_t count, void *context)
{
    struct chain *chain = context;
    size_t length = size * count;
    size_t room = sizeof chain->answer - 1 - chain->answered;
    size_t kept = length < room ? length : room;
    memcpy(chain->answer + chain->answered, bytes, kept);
    chain->answered += kept;
    chain->answer[chain->answered] = '\0';
    return length;
}

/* ---- one request ---- */

static void fill(const struct writer *writer, const struct chain *chain, const char *format,
                 char *ret_text)
{
    char name[32];
    snprintf(name, sizeof name, "key-%zu", chain->index);
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
    int length = snprintf(ret_text, BODY_BYTES, format, writer->namespace, name,
                          writer->uids[chain->index], writer->project);
#pragma GCC diagnostic pop
    if (length < 0 || length >= BODY_BYTES)
        fail("too long", format);
}

static void authorize(const struct writer *writer, struct chain *chain, bool deepgram)
{
    if (deepgram) {
        chain->headers = curl_slist_append(chain->headers, writer->admin_header);
        return;
    }
    curl_easy_setopt(chain->easy, CURLOPT_HTTPAUTH, (long)CURLAUTH_BEARER);
    curl_easy_setopt(chain->easy, CURLOPT_XOAUTH2_BEARER, writer->token);
    curl_easy_setopt(chain->easy, CURLOPT_CAINFO, writer->ca_file);
}

static void send_request(struct writer *writer, struct chain *chain, enum request request)
{
    const struct shape *shape = &SHAPES[request];
    char path[BODY_BYTES];
    char url[BODY_BYTES];
    char body[BODY_BYTES];
    chain->request = request;
    chain->answered = 0;
    fill(writer, chain, shape->path, path);
    fill(writer, chain, shape->body, body);
    int length = snprintf(url, sizeof url, "%s%s",
                          shape->deepgram ? writer->deepgram : writer->server, path);
    if (length < 0 || (size_t)length >= sizeof url)
        fail("too long", path);

    CURL *easy = chain->easy;
    curl_easy_reset(easy);
    curl_slist_free_all(chain->headers);
    chain->headers = curl_slist_append(NULL, shape->type);
    chain->headers = curl_slist_append(chain->headers, "Expect:");
    authorize(writer, chain, shape->deepgram);
    curl_easy_setopt(easy, CURLOPT_URL, url);
    curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, CURL_HTTP_VERSION_1_1);
    curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, shape->method);
    if (body[0])
        curl_easy_setopt(easy, CURLOPT_COPYPOSTFIELDS, body);
    curl_easy_setopt(easy, CURLOPT_HTTPHEADER, chain->headers);
    curl_easy_setopt(easy, CURLOPT_PRIVATE, chain);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body);
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, chain);
    curl_easy_setopt(easy, CURLOPT_SHARE, writer->tls_sessions);
    curl_multi_add_handle(writer->multi, easy);
    writer->sent += request != CREATE_RESOURCE;
}

/* ---- chains ---- */

static struct chain *chain_new(size_t index)
{
    struct chain *chain = calloc(1, sizeof *chain);
    if (!chain || !(chain->easy = curl_easy_init()))
        fail("out of memory", "");
    chain->index = index;
    return chain;
}

static void chain_free(struct chain *chain)
{
    curl_easy_cleanup(chain->easy);
    curl_slist_free_all(chain->headers);
    free(chain);
}

static void start_more(struct writer *writer)
{
    for (; writer->begun < writer->count && writer->creating < CREATING_MAX; writer->creating++)
        send_request(writer, chain_new(writer->begun++), CREATE_RESOURCE);
    if (writer->load_only)
        return;
    for (; writer->worked < writer->created && writer->working < WORKING_MAX; writer->working++)
        send_request(writer, chain_new(writer->order[writer->worked++]), ANNOUNCE);
}

static void note_created(struct writer *writer, const struct chain *chain)
{
    static const char KEY[] = "\"uid\":\"";
    const char *uid = strstr(chain->answer, KEY);
    if (!uid)
        fail("an answer without UID", chain->answer);
    snprintf(writer->uids[chain->index], UID_BYTES, "%s", uid + sizeof KEY - 1);
    writer->order[writer->created++] = chain->index;
    writer->creating--;
    writer->done += writer->load_only;
}

static void answered(struct writer *writer, struct chain *chain, CURLcode code)
{
    long status = 0;
    curl_easy_getinfo(chain->easy, CURLINFO_RESPONSE_CODE, &status);
    curl_multi_remove_handle(writer->multi, chain->easy);
    if (code != CURLE_OK)
        fail(SHAPES[chain->request].path, curl_easy_strerror(code));
    if (status < 200 || status > 299)
        fail(SHAPES[chain->request].path, chain->answer);
    if (chain->request == CREATE_RESOURCE) {
        note_created(writer, chain);
    } else if (chain->request + 1 < REQUESTS) {
        send_request(writer, chain, chain->request + 1);
        return;
    } else {
        writer->working--;
        writer->done++;
    }
    chain_free(chain);
}

static void run(struct writer *writer)
{
    while (writer->done < writer->count) {
        int running = 0;
        int left = 0;
        start_more(writer);
        curl_multi_perform(writer->multi, &running);
        for (const CURLMsg *message; (message = curl_multi_info_read(writer->multi, &left));) {
            struct chain *chain = NULL;
            curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &chain);
            answered(writer, chain, message->data.result);
        }
        start_more(writer);
        curl_multi_perform(writer->multi, &running);
        curl_multi_poll(writer->multi, NULL, 0, 1000, NULL);
    }
}

static void say(const struct writer *writer, double started_s)
{
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    double cpu_s = (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
                   (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
    printf("{\"started\": %.6f, \"ended\": %.6f, \"cpu_seconds\": %.3f, \"requests\": %zu, "
           "\"peak_kib\": %ld}\n",
           started_s, now_s(), cpu_s, writer->sent, usage.ru_maxrss);
}

int main(int argc, char **argv)
{
    if (argc < 9)
        fail("usage", "bare-writer SERVER CA-FILE TOKEN-FILE DEEPGRAM-URL NAMESPACE PROJECT "
                      "ADMIN-KEY-FILE COUNT [load]");
    curl_global_init(CURL_GLOBAL_DEFAULT);
    char *admin_key = read_line(argv[7]);
    size_t count = strtoul(argv[8], NULL, 10);
    char admin_header[512];
    snprintf(admin_header, sizeof admin_header, "Authorization: Token %s", admin_key);
    struct writer writer = {
        .multi = curl_multi_init(),
        .tls_sessions = curl_share_init(),
        .server = argv[1],
        .ca_file = argv[2],
        .token = read_line(argv[3]),
        .deepgram = argv[4],
        .namespace = argv[5],
        .project = argv[6],
        .admin_header = admin_header,
        .count = count,
        .load_only = argc > 9,
        .order = calloc(count, sizeof(size_t)),
        .uids = calloc(count, UID_BYTES),
    };
    curl_share_setopt(writer.tls_sessions, CURLSHOPT_SHARE, CURL_LOCK_DATA_SSL_SESSION);
    curl_multi_setopt(writer.multi, CURLMOPT_MAX_HOST_CONNECTIONS, (long)CONNECTIONS);
    curl_multi_setopt(writer.multi, CURLMOPT_MAXCONNECTS, 2L * CONNECTIONS);
    double started_s = now_s();
    run(&writer);
    say(&writer, started_s);
    return 0;
}
