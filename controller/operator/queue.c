/* Every key that is known has one entry, found by hash; waiting and running entries are lists in
 * order of arrival. A delay is a timer embedded in the entry: the loop keeps its timers in a heap,
 * so ten thousand of them cost no more than their logarithm. */
#include "operator/queue.h"

#include <assert.h>
#include <string.h>

#include "base/clock.h"
#include "base/table.h"

#include <utlist.h>

enum entry_state {
    ENTRY_IDLE,    /* nothing but a delay */
    ENTRY_WAITING, /* due; in `waiting` */
    ENTRY_RUNNING, /* taken; in `running`, and may be delayed for its next turn */
};

struct entry {
    struct entry *prev; /* in the list of its state */
    struct entry *next;
    struct queue *queue;
    enum entry_state state;
    bool again;       /* became due while it ran: waits again when it is finished */
    int64_t since_ms; /* waiting or running since */
    int64_t due_ms;   /* of the armed timer */
    struct loop_timer delay;
    char key[]; /* the kind's letter, namespace, '/', name: neither of these holds a '/' */
};

struct queue {
    struct loop *loop;
    queue_ready_fn *ready;
    void *context;
    struct table entries;
    struct entry *waiting;
    struct entry *running;
    size_t waiting_count;
    size_t delayed_count;
    size_t running_count;
    struct loop_timer tell; /* calls `ready` from the loop */
    uint64_t adds_total;
    int64_t last_queue_duration_ms;
};

/* ---- keys ---- */

void queue_key_set(struct queue_key *key, enum queue_kind kind, const char *namespace,
                   const char *name)
{
    key->kind = kind;
    mem_replace(&key->namespace, namespace);
    mem_replace(&key->name, name);
}

void queue_key_done(struct queue_key *key)
{
    if (!key)
        return;
    mem_free(take(key->namespace));
    mem_free(take(key->name));
}

static const char *key_of(const void *entry)
{
    return ((const struct entry *)entry)->key;
}

static char *make_key(enum queue_kind kind, const char *namespace, const char *name)
{
    return mem_printf("%c%s/%s", 'a' + (int)kind, namespace, name);
}

static struct entry *need(struct queue *queue, enum queue_kind kind, const char *namespace,
                          const char *name)
{
    auto_free char *key = make_key(kind, namespace, name);
    struct entry *entry = table_find(&queue->entries, key);
    if (entry)
        return entry;
    entry = mem_alloc(sizeof *entry + strlen(key) + 1);
    entry->queue = queue;
    memcpy(entry->key, key, strlen(key) + 1);
    table_add(&queue->entries, entry);
    return entry;
}

static void forget(struct queue *queue, struct entry *entry)
{
    loop_timer_stop(&entry->delay);
    table_remove(&queue->entries, entry);
    mem_free(entry);
}

/* ---- from one state to the next ---- */

static void on_tell(void *context)
{
    struct queue *queue = context;
    queue->ready(queue->context);
}

static void tell(struct queue *queue)
{
    if (!loop_timer_armed(&queue->tell))
        loop_timer_start(queue->loop, &queue->tell, 0, on_tell, queue);
}

static void make_wait(struct queue *queue, struct entry *entry)
{
    entry->state = ENTRY_WAITING;
    entry->since_ms = clock_monotonic_ms();
    DL_APPEND(queue->waiting, entry);
    queue->waiting_count++;
    tell(queue);
}

static void make_run(struct queue *queue, struct entry *entry)
{
    int64_t now_ms = clock_monotonic_ms();
    DL_DELETE(queue->waiting, entry);
    queue->waiting_count--;
    queue->last_queue_duration_ms = now_ms - entry->since_ms;
    entry->state = ENTRY_RUNNING;
    entry->since_ms = now_ms;
    DL_APPEND(queue->running, entry);
    queue->running_count++;
}

static void drop_delay(struct queue *queue, struct entry *entry)
{
    if (!loop_timer_armed(&entry->delay))
        return;
    loop_timer_stop(&entry->delay);
    queue->delayed_count--;
}

static bool is_due(const struct entry *entry)
{
    return entry->state == ENTRY_WAITING || entry->again;
}

static void make_due(struct queue *queue, struct entry *entry)
{
    if (is_due(entry))
        return;
    queue->adds_total++;
    if (entry->state == ENTRY_RUNNING)
        entry->again = true;
    else
        make_wait(queue, entry);
}

static void on_delay_over(void *context)
{
    struct entry *entry = context;
    entry->queue->delayed_count--;
    make_due(entry->queue, entry);
}

/* ---- the interface ---- */

struct queue *queue_new(struct loop *loop, queue_ready_fn *ready, void *context)
{
    struct queue *queue = mem_alloc(sizeof *queue);
    *queue =
        (struct queue){ .loop = loop, .ready = ready, .context = context, .entries.key = key_of };
    return queue;
}

void queue_free(struct queue *queue)
{
    if (!queue)
        return;
    loop_timer_stop(&queue->tell);
    struct table_walk walk = { 0 };
    for (struct entry *entry; (entry = table_next(&queue->entries, &walk)) != NULL;)
        forget(queue, entry);
    table_done(&queue->entries);
    mem_free(queue);
}

void queue_add(struct queue *queue, enum queue_kind kind, const char *namespace, const char *name)
{
    struct entry *entry = need(queue, kind, namespace, name);
    drop_delay(queue, entry);
    make_due(queue, entry);
}

void queue_add_after(struct queue *queue, enum queue_kind kind, const char *namespace,
                     const char *name, int64_t delay_ms)
{
    struct entry *entry = need(queue, kind, namespace, name);
    int64_t due_ms = INT64_MAX;
    if (__builtin_add_overflow(clock_monotonic_ms(), delay_ms, &due_ms))
        due_ms = INT64_MAX;
    bool earlier_wish = loop_timer_armed(&entry->delay) && entry->due_ms <= due_ms;
    if (is_due(entry) || earlier_wish)
        return;
    drop_delay(queue, entry);
    entry->due_ms = due_ms;
    loop_timer_start(queue->loop, &entry->delay, delay_ms, on_delay_over, entry);
    queue->delayed_count++;
}

bool queue_take(struct queue *queue, struct queue_key *ret_key)
{
    struct entry *entry = queue->waiting;
    if (!entry)
        return false;
    make_run(queue, entry);
    const char *slash = strchr(entry->key, '/');
    *ret_key = (struct queue_key){
        .kind = (enum queue_kind)(entry->key[0] - 'a'),
        .namespace = mem_strndup(entry->key + 1, (size_t)(slash - entry->key - 1)),
        .name = mem_strdup(slash + 1),
    };
    return true;
}

static struct entry *find_running(const struct queue *queue, const struct queue_key *key)
{
    auto_free char *text = make_key(key->kind, key->namespace, key->name);
    struct entry *entry = table_find(&queue->entries, text);
    assert(entry && entry->state == ENTRY_RUNNING);
    return entry;
}

void queue_look(struct queue *queue, const struct queue_key *key)
{
    find_running(queue, key)->again = false;
}

void queue_finish(struct queue *queue, const struct queue_key *key)
{
    struct entry *entry = find_running(queue, key);
    DL_DELETE(queue->running, entry);
    queue->running_count--;
    entry->state = ENTRY_IDLE;
    if (entry->again) {
        entry->again = false;
        make_wait(queue, entry);
    } else if (!loop_timer_armed(&entry->delay)) {
        forget(queue, entry);
    }
    if (queue->waiting)
        tell(queue);
}

void queue_stats(const struct queue *queue, struct queue_stats *ret_stats)
{
    const struct entry *oldest = queue->running;
    *ret_stats = (struct queue_stats){
        .depth = queue->waiting_count,
        .delayed = queue->delayed_count,
        .processing = queue->running_count,
        .adds_total = queue->adds_total,
        .longest_running_ms = oldest ? clock_monotonic_ms() - oldest->since_ms : 0,
        .last_queue_duration_ms = queue->last_queue_duration_ms,
    };
}
