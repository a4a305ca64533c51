/* Deepgram: every credential that was ever created, dead or alive. */
#ifndef SCENARIO_DEEPGRAM_H
#define SCENARIO_DEEPGRAM_H

#include <cjson/cJSON.h>
#include <stdint.h>

#include "base/mem.h"

enum death { ALIVE, BY_OPERATOR, BY_PERSON, STILLBORN };

struct credential_record {
    char id[40];
    char value[48];
    bool pull;
    char comment[512];
    char uid[64]; /* of the marker; "" without one */
    char nonce[40];
    int64_t revision;
    int64_t asked_ms;   /* monotonic: when its create left; 0: no operator asked */
    int64_t made_ms;    /* monotonic */
    int64_t listed_ms;  /* shows in lists from then on */
    int64_t expires_ms; /* server's wall clock; 0: never */
    enum death death;
    int64_t died_ms;
    int64_t unlisted_ms;     /* shows in lists until then */
    bool streamed;           /* somebody proved that it serves */
    bool seen;               /* an operator was shown it since it was published */
    bool by_lesser;          /* created with LESSER_ADMIN_KEY */
    bool offered;            /* made by hand, in a Secret that asks to be adopted */
    int64_t works_ms;        /* monotonic: is accepted from then on */
    bool limited;            /* grants less than self-hosted products and a role */
    int64_t published_ms;    /* monotonic: it was published in another one's place; 0: never */
    int64_t replaced_ms;     /* monotonic: its successor was published in its place; 0: never */
    int64_t was_replaced_ms; /* the same, but kept when it is published once more */
    bool lost;               /* its create was never answered */
    bool forgotten;          /* its process died before what it found out was written down */
    bool bad;                /* pods crash on it */
    bool kept;               /* a revision Secret was made for it */
    bool overtaken;          /* and a later revision was published by then */
    bool retained;           /* its resource went with deletionPolicy Retain and named it */
};

enum { CREDENTIALS_MAX = 256, THROTTLE_MS = 2000 };

struct deepgram {
    struct credential_record credentials[CREDENTIALS_MAX];
    size_t count;
    int64_t list_lag_ms;
    bool lessened;                /* by a person: the admin key, once at least */
    int64_t list_takes_ms;        /* to be read, after it was made */
    uint64_t creates;             /* asked for by operators */
    const struct process *paused; /* that was told to wait for THROTTLE_MS */
    int64_t paused_ms;
    int64_t refused_ms; /* monotonic: when an admin key was; 0: not since it changed */
    bool picky;         /* it can't make a credential with the comment that voice has by itself */
    bool deaf;          /* it takes no streams */
    bool down;          /* it answers nothing but that it is unavailable */
    unsigned vain;      /* requests in a row that only people, or its return, can help with */
    int64_t vain_ms;    /* monotonic: when the first of them came */
    int64_t unmakeable_ms; /* monotonic: when it said so last; 0: never */
};

void deepgram_reset(void);
struct credential_record *deepgram_find(const char *id);
struct credential_record *deepgram_by_value(const char *value);
bool deepgram_alive(const struct credential_record *record);
/* It was made long after its create had left. */
bool deepgram_came_late(const struct credential_record *record);
/* Its time is up, and nothing else ended it. */
bool deepgram_expired(const struct credential_record *record);
void deepgram_kill(struct credential_record *record, enum death death);
/* Somebody else's key, with or without a marker of another cluster. */
struct credential_record *deepgram_plant(const char *comment, bool pull);
/* The value in a target or revision Secret of either kind; NULL when there is none; free it. */
char *deepgram_value_in(const cJSON *secret);
/* May the key write keys in the project? */
NODISCARD bool admin_key_works(const char *key);

#endif
