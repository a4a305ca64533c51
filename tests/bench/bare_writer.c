/* The floor of the machine: what N DeepgramApiKey resources cost when somebody who knows the
 * outcome beforehand issues the unavoidable requests and does nothing else: no cache, no watch, no
 * decision, no metric, no log.
 *
 *   bare-writer MODE SERVER CA-FILE TOKEN-FILE DEEPGRAM-URL PROJECTS-FILE NAMESPACES COUNT
 *
 * MODE `work` creates the resources and does the operator's work for each. `load`, `rotate`, `edit`
 * and `delete` are the user's part alone, for the controller under test. PROJECTS-FILE has a line
 * `ID ADMIN-KEY` for each project; resource i is key-i in the namespace bench-(i mod NAMESPACES),
 * or in `bench` where there is only one, and the namespaces take the projects in turn. What it says
 * is one line of JSON, with times of CLOCK_MONOTONIC. Any answer but 2xx ends it. */
#include <curl/curl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

enum {
    USERS = 16,       /* requests of the user's part at the same time */
    WORKING_MAX = 40, /* chains at the same time, as many as the operator has passes */
    CONNECTIONS = 16, /* per host, as the operator */
    ANSWER_BYTES = 16 * 1024,
    BODY_BYTES = 4096,
    UID_BYTES = 37,
    PROJECTS_MAX = 64,
};

/* The user's, then the controller's in their order. */
enum request {
    CREATE_RESOURCE,
    ASK_FOR_ROTATION,
    EDIT_RESOURCE,
    DELETE_RESOURCE,
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
    const char *path; /* $1 namespace, $2 name, $3 UID, $4 project */
    const char *type;
    const char *body; /* "": none */
    bool deepgram;
};

#define API "/apis/deepgram.com/v1alpha1/namespaces/$1/deepgramapikeys"
#define SECRETS "/api/v1/namespaces/$1/secrets"
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
    "\"name\":\"$2\",\"uid\":\"$3\",\"controller\":true,\"blockOwnerDeletion\":true}]"
#define LABELS "\"labels\":{\"app.kubernetes.io/managed-by\":\"deepgram-operator\"}"

static const struct shape SHAPES[REQUESTS] = {
    [CREATE_RESOURCE] = { "POST", API, JSON,
                          "{\"apiVersion\":\"deepgram.com/v1alpha1\",\"kind\":\"DeepgramApiKey\","
                          "\"metadata\":{\"name\":\"$2\"},\"spec\":{\"projectId\":\"$4\","
                          "\"credentialsRef\":{\"name\":\"deepgram-admin\"},"
                          "\"rotation\":{\"overlap\":\"1s\"}}}",
                          false },
    [ASK_FOR_ROTATION] = { "PATCH", API "/$2", MERGE,
                           "{\"metadata\":{\"annotations\":{\"deepgram.com/rotate\":\"now\"}}}",
                           false },
    [EDIT_RESOURCE] = { "PATCH", API "/$2", MERGE, "{\"spec\":{\"rotation\":{\"overlap\":\"2s\"}}}",
                        false },
    [DELETE_RESOURCE] = { "DELETE", API "/$2", JSON, "", false },
    [ANNOUNCE] = { "PATCH", API "/$2?" MANAGER, MERGE,
                   "{\"metadata\":{\"uid\":\"$3\",\"finalizers\":[\"deepgram.com/revoke\"],"
                   "\"annotations\":{\"deepgram.com/issuing\":\"[{\\\"revision\\\":1,"
                   "\\\"nonce\\\":\\\"" NONCE "\\\",\\\"since\\\":\\\"" NOW "\\\","
                   "\\\"specHash\\\":\\\"" HASH "\\\"}]\"}}}",
                   false },
    [READ_ADMIN_KEY] = { "GET", SECRETS "/deepgram-admin", JSON, "", false },
    [ISSUE] = { "POST", "/v1/projects/$4/keys", JSON,
                "{\"comment\":\"$1/$2 [deepgram-operator uid:$3 rev:1 nonce:" NONCE "]\","
                "\"scopes\":[\"member\",\"self-hosted:products\"],\"tags\":[\"deepgram-operator\","
                "\"uid:$3\",\"rev:1\",\"nonce:" NONCE "\"]}",
                true },
    [KEEP] = { "POST", SECRETS "?" MANAGER, JSON,
               "{\"apiVersion\":\"v1\",\"kind\":\"Secret\",\"metadata\":{\"name\":\"$2-key-r1\","
               "\"namespace\":\"$1\"," LABELS ",\"annotations\":{\"deepgram.com/resource\":"
               "\"DeepgramApiKey/$2\",\"deepgram.com/revision\":\"1\",\"deepgram.com/id\":\"" ID
               "\",\"deepgram.com/nonce\":\"" NONCE "\",\"deepgram.com/spec-hash\":\"" HASH
               "\",\"deepgram.com/scopes\":\"member self-hosted:products\","
               "\"deepgram.com/project\":\"$4\",\"deepgram.com/issued-at\":\"" NOW "\"}," OWNER
               "},\"type\":\"deepgram.com/credential\",\"immutable\":true,\"data\":{\"id\":"
               "\"" VALUE "\",\"secret\":\"" VALUE "\"}}",
               false },
    [CHECK] = { "GET", "/v1/auth/token", JSON, "", true },
    [PUBLISH] = { "POST", SECRETS "?" MANAGER, JSON,
                  "{\"apiVersion\":\"v1\",\"kind\":\"Secret\",\"metadata\":{\"name\":\"$2\","
                  "\"namespace\":\"$1\"," LABELS ",\"annotations\":{\"deepgram.com/resource\":"
                  "\"DeepgramApiKey/$2\",\"deepgram.com/revision\":\"1\",\"deepgram.com/id\":"
                  "\"" ID "\",\"deepgram.com/template\":\"" HASH "\",\"deepgram.com/digest\":"
                  "\"" HASH "\",\"deepgram.com/published-at\":\"" NOW "\"}," OWNER
                  "},\"type\":\"Opaque\",\"data\":{\"DEEPGRAM_API_KEY\":\"" VALUE "\"}}",
                  false },
    [REPORT] = { "PATCH", API "/$2/status?" MANAGER, MERGE,
                 "{\"metadata\":{\"uid\":\"$3\"},\"status\":{\"observedGeneration\":1,"
                 "\"conditions\":[{\"type\":\"Ready\",\"status\":\"True\",\"reason\":\"Published\","
                 "\"message\":\"Credential " ID " (revision 1) is in Secret $2\","
                 "\"lastTransitionTime\":\"" NOW "\",\"observedGeneration\":1}],\"revision\":1,"
                 "\"id\":\"" ID "\",\"scopes\":[\"member\",\"self-hosted:products\"],"
                 "\"secretName\":\"$2\",\"issuedAt\":\"" NOW "\",\"secretResourceVersion\":"
                 "\"1234567\",\"revisions\":[{\"revision\":1,\"id\":\"" ID "\",\"state\":"
                 "\"Current\",\"issuedAt\":\"" NOW "\",\"reason\":\"Created\"}]}}",
                 false },
    [TELL] = { "POST", "/apis/events.k8s.io/v1/namespaces/$1/events?" MANAGER, JSON,
               "{\"apiVersion\":\"events.k8s.io/"
               "v1\",\"kind\":\"Event\",\"metadata\":{\"namespace\":"
               "\"$1\",\"name\":\"$2.0123456789abcdef\"},\"eventTime\":"
               "\"2026-01-01T00:00:00.000000Z\",\"reportingController\":\"deepgram.com/operator\","
               "\"reportingInstance\":\"bare-writer\",\"regarding\":{\"apiVersion\":"
               "\"deepgram.com/v1alpha1\",\"kind\":\"DeepgramApiKey\",\"namespace\":\"$1\","
               "\"name\":\"$2\",\"uid\":\"$3\",\"resourceVersion\":\"1234567\"},\"type\":"
               "\"Normal\",\"reason\":\"Issued\",\"action\":\"Issue\",\"note\":\"Issued "
               "credential " ID " as revision 1 and published it in Secret $2\"}",
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

struct project {
    char id[64];
    char authorization[1024];
};

struct writer {
    CURLM *multi;
    CURLSH *tls_sessions;
    const char *server;
    const char *ca_file;
    const char *deepgram;
    struct project projects[PROJECTS_MAX];
    size_t project_count;
    size_t namespaces;
    char authorization[8192];
    enum request user_part;
    bool working; /* and not the user's part alone */
    size_t count;
    size_t begun;  /* resources whose user's part was sent */
    size_t asked;  /* whose was answered */
    size_t worked; /* whose chain was begun */
    size_t done;
    size_t users;  /* requests of the user's part under way */
    size_t chains; /* under way */
    size_t sent;   /* requests, without the user's part */
    size_t *order; /* of the answers to the user's part */
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

static FILE *open_file(const char *path)
{
    FILE *file = fopen(path, "r");
    if (!file)
        fail("can't be read", path);
    return file;
}

static void read_token(struct writer *writer, const char *path)
{
    char token[4096] = "";
    FILE *file = open_file(path);
    if (fscanf(file, "%4095s", token) != 1)
        fail("no token in", path);
    fclose(file);
    snprintf(writer->authorization, sizeof writer->authorization, "Authorization: Bearer %s",
             token);
}

static void read_projects(struct writer *writer, const char *path)
{
    FILE *file = open_file(path);
    for (; writer->project_count < PROJECTS_MAX; writer->project_count++) {
        struct project *project = &writer->projects[writer->project_count];
        char key[512] = "";
        if (fscanf(file, "%63s %511s", project->id, key) != 2)
            break;
        snprintf(project->authorization, sizeof project->authorization, "Authorization: Token %s",
                 key);
    }
    fclose(file);
    if (writer->project_count == 0)
        fail("no project in", path);
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

static size_t namespace_of(const struct writer *writer, const struct chain *chain)
{
    return chain->index % writer->namespaces;
}

static const struct project *project_of(const struct writer *writer, const struct chain *chain)
{
    return &writer->projects[namespace_of(writer, chain) % writer->project_count];
}

static void fill(const struct writer *writer, const struct chain *chain, const char *shape,
                 char *ret_text)
{
    char name[32];
    char namespace[32] = "bench";
    snprintf(name, sizeof name, "key-%zu", chain->index);
    if (writer->namespaces > 1)
        snprintf(namespace, sizeof namespace, "bench-%zu", namespace_of(writer, chain));
    const char *const values[] = { namespace, name, writer->uids[chain->index],
                                   project_of(writer, chain)->id };
    size_t length = 0;
    for (const char *p = shape; *p; p++) {
        const char *piece = *p == '$' ? values[*++p - '1'] : p;
        size_t size = piece == p ? 1 : strlen(piece);
        if (length + size >= BODY_BYTES)
            fail("too long", shape);
        memcpy(ret_text + length, piece, size);
        length += size;
    }
    ret_text[length] = '\0';
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
    chain->headers =
        curl_slist_append(chain->headers, shape->deepgram ? project_of(writer, chain)->authorization
                                                          : writer->authorization);
    if (!shape->deepgram)
        curl_easy_setopt(easy, CURLOPT_CAINFO, writer->ca_file);
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
    writer->sent += request != writer->user_part;
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
    for (; writer->begun < writer->count && writer->users < USERS; writer->users++)
        send_request(writer, chain_new(writer->begun++), writer->user_part);
    for (; writer->working && writer->worked < writer->asked && writer->chains < WORKING_MAX;
         writer->chains++)
        send_request(writer, chain_new(writer->order[writer->worked++]), ANNOUNCE);
}

static void note_created(struct writer *writer, const struct chain *chain)
{
    static const char KEY[] = "\"uid\":\"";
    const char *uid = strstr(chain->answer, KEY);
    if (!uid)
        fail("an answer without UID", chain->answer);
    snprintf(writer->uids[chain->index], UID_BYTES, "%s", uid + sizeof KEY - 1);
}

static void note_user_part(struct writer *writer, const struct chain *chain)
{
    if (chain->request == CREATE_RESOURCE)
        note_created(writer, chain);
    writer->order[writer->asked++] = chain->index;
    writer->users--;
    writer->done += !writer->working;
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
    if (chain->request == writer->user_part) {
        note_user_part(writer, chain);
    } else if (chain->request + 1 < REQUESTS) {
        send_request(writer, chain, chain->request + 1);
        return;
    } else {
        writer->chains--;
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

static void choose_mode(struct writer *writer, const char *mode)
{
    static const struct {
        const char *name;
        enum request user_part;
        bool working;
    } MODES[] = {
        { "work", CREATE_RESOURCE, true },     { "load", CREATE_RESOURCE, false },
        { "rotate", ASK_FOR_ROTATION, false }, { "edit", EDIT_RESOURCE, false },
        { "delete", DELETE_RESOURCE, false },
    };
    for (size_t i = 0; i < sizeof MODES / sizeof MODES[0]; i++) {
        if (strcmp(MODES[i].name, mode) != 0)
            continue;
        writer->user_part = MODES[i].user_part;
        writer->working = MODES[i].working;
        return;
    }
    fail("no such mode", mode);
}

int main(int argc, char **argv)
{
    if (argc != 9)
        fail("usage", "bare-writer MODE SERVER CA-FILE TOKEN-FILE DEEPGRAM-URL PROJECTS-FILE "
                      "NAMESPACES COUNT");
    curl_global_init(CURL_GLOBAL_DEFAULT);
    size_t count = strtoul(argv[8], NULL, 10);
    static struct writer writer;
    writer = (struct writer){
        .multi = curl_multi_init(),
        .tls_sessions = curl_share_init(),
        .server = argv[2],
        .ca_file = argv[3],
        .deepgram = argv[5],
        .namespaces = strtoul(argv[7], NULL, 10),
        .count = count,
        .order = calloc(count, sizeof(size_t)),
        .uids = calloc(count, UID_BYTES),
    };
    choose_mode(&writer, argv[1]);
    read_token(&writer, argv[4]);
    read_projects(&writer, argv[6]);
    curl_share_setopt(writer.tls_sessions, CURLSHOPT_SHARE, CURL_LOCK_DATA_SSL_SESSION);
    curl_multi_setopt(writer.multi, CURLMOPT_MAX_HOST_CONNECTIONS, (long)CONNECTIONS);
    curl_multi_setopt(writer.multi, CURLMOPT_MAXCONNECTS, 2L * CONNECTIONS);
    double started_s = now_s();
    run(&writer);
    say(&writer, started_s);
    return 0;
}
