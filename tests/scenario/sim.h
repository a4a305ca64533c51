/* The simulated world that the lifecycle is tortured in: an API server, Deepgram, kubelets and
 * operator processes, all in one process and in virtual time. What the operator reaches them
 * through (kube/client.h, net/http.h, net/loop.h, base/clock.h, base/mem.h, operator/leader.h,
 * operator/recorder.h, operator/metrics.h) is replaced at link time; everything else is the
 * product's own code.
 *
 * One schedule is one call of run(): everything in `sim` is made anew for it and dropped with it.
 */
#ifndef SCENARIO_SIM_H
#define SCENARIO_SIM_H

#include <cjson/cJSON.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>

#include "base/mem.h"
#include "kube/path.h"
#include "net/loop.h"
#include "operator/options.h"

struct process;

#define TEAM "team"
#define DEEPGRAM_URL "http://deepgram"
#define PROJECT "11111111-2222-3333-4444-555555555555"
/* In every secret value of the world, so that one search finds a leak; also as base64 shows it at
 * the start of an entry of a Secret. */
#define SECRET_MARK "SEKRET"
#define SECRET_MARK_BASE64 "U0VLUkVU"
#define ADMIN_KEY SECRET_MARK "-admin-of-" TEAM

enum {
    SECOND = 1000,
    MINUTE = 60 * SECOND,
    HOUR = 60 * MINUTE,
    SETTLE_MS = 2 * MINUTE,
    INVENTORY_MS = 10 * MINUTE,
    LIST_LAG_MS = 30 * SECOND,
    DRAIN_MS = 40 * SECOND,
};

/* ---- time: one virtual clock, one set of timers a loop (fake_loop.c) ---- */

struct loop {
    struct loop_timer **timers;
    size_t count;
    size_t capacity;
    bool paused;
    struct process *process; /* NULL: the world's own */
};

void time_reset(uint64_t seed);
/* Runs the next due callback; false when there is none before `until_ms`, which is then the time.
 */
bool time_step(int64_t until_ms);
int64_t time_now_ms(void);    /* monotonic */
int64_t time_server_ms(void); /* wall clock of everybody but the operator */
uint64_t time_random(void);   /* of the world; the operator draws from its own */
void time_jitter(bool on);    /* latencies vary */
int64_t time_vary(int64_t usual_ms, int64_t worst_ms);

/* ---- memory of processes (fake_mem.c) ---- */

/* Whose memory is allocated from now on; NULL: the world's. Returns the former. */
struct process *memory_enter(struct process *process);
struct process *memory_current(void);
/* The end of a process without a word: the kernel takes everything back. */
void memory_drop(unsigned owner);
size_t memory_count(unsigned owner);

/* ---- the API server (fake_api.c) ---- */

enum api_type { API_KEYS, API_PULLS, API_SECRETS, API_PODS, API_NAMESPACES, API_TYPES };

struct api_object {
    enum api_type type;
    const char *namespace; /* borrowed from json; "" for namespaces */
    const char *name;
    cJSON *json; /* never changed: a write makes another one */
};

struct api_event { /* for the watches */
    enum api_type type;
    bool deleted;
    cJSON *json;
    int64_t at_ms;
};

enum { API_OBJECTS_MAX = 64, API_EVENTS_MAX = 4096 };

struct api {
    struct api_object objects[API_OBJECTS_MAX];
    size_t count;
    struct api_event events[API_EVENTS_MAX];
    size_t event_count;
    int64_t version;
    unsigned uids;
};

void api_reset(void);
enum api_type api_type_of(const struct kube_resource *resource);
const char *api_type_name(enum api_type type);
/* The object or NULL; borrowed. */
cJSON *api_get(enum api_type type, const char *namespace, const char *name);
/* What the API server does: 200/201 and *ret_object (borrowed), or a Status code and reason. */
struct api_result {
    long code;
    const char *reason; /* "" on success */
    const char *message;
    cJSON *object;
};
struct api_result api_create(enum api_type type, const char *namespace, const cJSON *body);
struct api_result api_update(enum api_type type, const char *namespace, const char *name,
                             const cJSON *body);
struct api_result api_patch(enum api_type type, const char *namespace, const char *name,
                            bool status, const cJSON *patch);
struct api_result api_delete(enum api_type type, const char *namespace, const char *name,
                             const cJSON *options);
/* For people and kubelets: parse and merge a patch given as text (printf); asserts success unless
 * the object is gone. */
void api_merge(enum api_type type, const char *namespace, const char *name, const char *format, ...)
    PRINTF_LIKE(4, 5);
void api_make(enum api_type type, const char *namespace, const char *format, ...) PRINTF_LIKE(3, 4);
/* Pods go at once, without grace. */
void api_purge(enum api_type type, const char *namespace, const char *name);
bool api_namespace_terminating(const char *namespace);

/* ---- Deepgram (fake_deepgram.c) ---- */

enum death { ALIVE, BY_OPERATOR, BY_PERSON, STILLBORN };

struct credential_record {
    char id[40];
    char value[48];
    bool pull;
    char comment[512];
    char uid[64]; /* of the marker; "" without one */
    int64_t revision;
    int64_t made_ms;    /* monotonic */
    int64_t listed_ms;  /* shows in lists from then on */
    int64_t expires_ms; /* server's wall clock; 0: never */
    enum death death;
    int64_t died_ms;
    int64_t unlisted_ms; /* shows in lists until then */
    bool offered;        /* made by hand, in a Secret that asks to be adopted */
    bool retained;       /* its resource went with deletionPolicy Retain and named it */
};

enum { CREDENTIALS_MAX = 256 };

struct deepgram {
    struct credential_record credentials[CREDENTIALS_MAX];
    size_t count;
    int64_t list_lag_ms;
    uint64_t creates; /* asked for by operators */
};

void deepgram_reset(void);
struct credential_record *deepgram_find(const char *id);
struct credential_record *deepgram_by_value(const char *value);
bool deepgram_alive(const struct credential_record *record);
void deepgram_kill(struct credential_record *record, enum death death);
/* Somebody else's key, with or without a marker of another cluster. */
struct credential_record *deepgram_plant(const char *comment, bool pull);
/* The value in a target or revision Secret of either kind; NULL when there is none; free it. */
char *deepgram_value_in(const cJSON *secret);
/* May the key write keys in the project? */
NODISCARD bool admin_key_works(const char *key);

/* ---- requests: what the operator asks of others, one by one (request.c) ---- */

enum reply_kind {                  /* what the process hears */
                  REPLY_OWN,       /* what the request came to */
                  REPLY_LOST,      /* nothing: reset or timed out */
                  REPLY_CUT,       /* a body that breaks off */
                  REPLY_NOT_SENT,  /* provably nothing left */
                  REPLY_FAILED,    /* 500, 503 */
                  REPLY_CONFLICT,  /* 409 */
                  REPLY_THROTTLED, /* 429 */
};

struct request {
    struct request *prev;
    struct request *next;
    struct process *process; /* NULL: nobody waits for the answer */
    char letter;             /* of the process, for traces */
    unsigned number;         /* counted over the schedule: 1, 2, … */
    bool to_deepgram;
    bool writes;
    bool creates; /* a credential */
    bool refused; /* by the process itself, at the last moment */
    int64_t began_ms;
    char what[64];                            /* for traces: "update secrets/voice" */
    void (*perform)(struct request *request); /* the effect; keeps its answer in detail */
    void (*answer)(struct request *request);  /* in the process: calls back */
    void (*release)(struct request *request); /* frees detail */
    void *detail;
    /* set by faults */
    enum reply_kind reply_kind;
    bool carried_out;
    bool stillborn;    /* what it creates doesn\'t work */
    bool kills;        /* the process dies when it is carried out */
    int64_t effect_ms; /* from leaving to the effect */
    int64_t reply_ms;  /* from the effect to the answer */
    int64_t late_ms;   /* carried out that long after it left; 0: no */
    struct loop_timer effect;
    struct loop_timer reply;
    struct loop_timer late;
};

void requests_reset(void);
struct request *request_new(size_t detail_size);
void request_start(struct request *request, int64_t latency_ms);
void request_cancel(struct request *request);
/* The process is gone: what is under way is carried out, and nobody hears of it. */
void requests_orphan(struct process *process);
bool requests_pending(void);

struct kube_client {
    bool clock_known;
    int64_t clock_offset_ms; /* against the monotonic clock, as an answer told it */
};

/* ---- operator processes (process.c) ---- */

enum { PROCESSES_MAX = 2 };

void process_reset(void);
void process_start(size_t index, size_t events_behind);
void process_crash(struct process *process, int64_t back_after_ms);
/* It stands still, and goes on after that time; lease_is_lost: it knows that it may not write any
 * more; otherwise it believes so for 5 s. Then it ends for good. */
void process_pause(struct process *process, int64_t for_ms, bool lease_is_lost);
/* One that is not up and won't be by itself; NULL when there is none. */
struct process *process_spare(void);
void process_take_over(struct process *process, int64_t after_ms);
struct process *process_at(size_t index); /* NULL when it isn't up */
/* The one that works (lowest that is up and not paused); NULL when there is none. */
struct process *process_active(void);
unsigned process_owner(const struct process *process);
struct loop *process_loop(struct process *process);
char process_letter(const struct process *process);
int64_t process_skew_ms(const struct process *process);
void process_skew_all(int64_t ms);
bool process_doomed(const struct process *process);
void process_doom(struct process *process);
/* Watches of every process that is up stand still. type API_TYPES: all. */
void process_freeze(enum api_type type, int64_t for_ms);
void process_tell_watches(void);
/* An orderly end: everything is given back; returns the blocks that are left. */
size_t process_stop(struct process *process);

/* ---- kubelets, garbage collector, namespace controller (actors.c) ---- */

void actors_reset(void);
void actors_wake(void);
void actors_deploy(const char *secret, size_t pods);
void actors_undeploy(void);
void actors_roll(void);    /* every pod is replaced; the old ones drain */
void actors_restart(void); /* containers start again in their pods */
/* A pod that holds the value: its name, or NULL. */
const char *actors_holder(const char *value);
/* Does a pod refer to the Secret? */
bool actors_refer(const char *secret);

/* ---- faults (fault.c) ---- */

struct request_note { /* of a fault-free run: what faults can be planned for */
    bool to_deepgram;
    bool writes;
    char what[64];
};

enum fault_kind {
    FAULT_ERROR,       /* an error before the effect */
    FAULT_UNREACHABLE, /* provably nothing was sent */
    FAULT_LOST,        /* carried out, the answer is lost */
    FAULT_CUT,         /* carried out, the answer can't be read */
    FAULT_STILLBORN,   /* a key is created and handed out, and doesn\'t work */
    FAULT_LATE,        /* no answer, carried out later */
    FAULT_LATE_WRITE,  /* the same of the API server */
    FAULT_CONFLICT,    /* 409 from the API server */
    FAULT_THROTTLE,    /* 429 */
    FAULT_CRASH_BEFORE,
    FAULT_CRASH_AFTER,
    FAULT_STALE,         /* watches stand still for a while */
    FAULT_SECOND_BEFORE, /* paused before the request leaves; another leads; goes on */
    FAULT_SECOND_AFTER,  /* paused after it left */
    FAULT_SPLIT,         /* as SECOND_BEFORE, but its clock stood still: it believes it leads */
    FAULT_CLOCK_AHEAD,
    FAULT_CLOCK_BACK,
    FAULT_LIST_LAG,
    FAULT_USER, /* a person does something at this moment */
    FAULT_KINDS
};

struct fault {
    unsigned at; /* number of the request; 0: never */
    enum fault_kind kind;
    const struct action *action; /* FAULT_USER */
    bool fired;
    struct loop_timer timer;
};

enum { FAULTS_MAX = 8 };

const char *fault_name(const struct fault *fault);
/* Can it happen to this request? */
bool fault_applies(enum fault_kind kind, const struct request_note *note);
/* "12:lost" up to a comma; false when it can't be read. */
NODISCARD bool fault_parse(const char *text, struct fault *ret_fault);
/* Called when a request leaves: those of the schedule that are planned for it change its course. */
void fault_strike(struct request *request);
/* For a new schedule. */
void fault_reset(void);

/* ---- stories (story.c, action.c) ---- */

struct action {
    const char *name;
    void (*perform)(void);
    int mints;    /* that it may rightly cause */
    bool ambient; /* may strike any story at any moment */
};
const struct action *action_find(const char *name, size_t length);
const struct action *action_at(size_t index); /* NULL at the end */
void action_perform(const struct action *action);
void actions_reset(void);

struct story {
    const char *name;
    const char *script; /* words: action, settle, +SECONDS, !REQUESTS; see story.c */
    bool pending;       /* a rule that isn't built yet */
};
const struct story *story_find(const char *name);
const struct story *story_at(size_t index); /* NULL at the end */

/* ---- what people did, as far as the oracle must know ---- */

struct excuse { /* creds of this uid may stay alive */
    char uid[64];
};
enum { EXCUSES_MAX = 16 };

/* ---- one schedule (run.c) ---- */

enum invariant { NOTHING, I1, I2, I3, I4, I5, I6, I7, I8, WEDGED, LIVELOCK, INVARIANTS };
const char *invariant_name(enum invariant invariant);

struct schedule {
    const struct story *story;
    uint64_t seed;
    bool jitter;
    struct fault faults[FAULTS_MAX];
    size_t fault_count;
};

enum { REQUESTS_MAX = 1500 };

struct outcome {
    enum invariant broken;
    char detail[400];
    unsigned requests; /* before the oracle's own restart */
    uint64_t creates;
};

/* The seed, the story and the faults are all there is to it; faults' `fired` is told. */
void run(struct schedule *schedule, struct outcome *ret_outcome, FILE *trace);
/* Prints what `--replay` takes. */
void schedule_print(FILE *out, const struct schedule *schedule);

struct sim {
    struct loop loop; /* the world's */
    struct api api;
    struct deepgram deepgram;
    struct options options;
    struct schedule *schedule;
    struct outcome *outcome;
    FILE *trace;
    unsigned requests;
    uint64_t writes; /* asked for by operators, also those that change nothing */
    struct request_note notes[REQUESTS_MAX];
    int64_t changed_ms; /* monotonic time of the last change of anything anywhere */
    bool blinded;       /* a person took away what tells which pods use a renamed target */
    int64_t mints_allowed;
    unsigned warnings; /* events that warn */
    struct excuse excuses[EXCUSES_MAX];
    size_t excuse_count;
    bool judging; /* faults are over */
};
extern struct sim sim;

void sim_changed(void);
void sim_trace(const char *format, ...) PRINTF_LIKE(1, 2);
/* The first violation counts. */
void sim_broken(enum invariant invariant, const char *format, ...) PRINTF_LIKE(2, 3);

/* ---- the oracle (oracle.c) ---- */

/* At each effect. */
void oracle_written_body(enum api_type type, const cJSON *body);
/* before: NULL when it was created; after: NULL when it is gone. */
void oracle_object_written(enum api_type type, const cJSON *before, const cJSON *after,
                           bool deletion);
void oracle_revoking(const struct credential_record *record, const char *admin_key);
void oracle_text(const char *where, const char *text);
void oracle_excuse(const char *uid);
bool oracle_excused(const char *uid);
/* After things settled. */
void oracle_judge(void);

#endif
