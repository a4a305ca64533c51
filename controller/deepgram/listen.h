/* Deepgram's streaming protocol (`/v1/listen`, first version) as far as a short trial of a key
 * goes: a second of sound, the end of the stream, and what is answered. Pure.
 */
#ifndef DEEPGRAM_LISTEN_H
#define DEEPGRAM_LISTEN_H

#include <stdint.h>

#include "base/err.h"

enum {
    LISTEN_SAMPLES_PER_SECOND = 16000,
    LISTEN_CHUNK_SAMPLES = 1600,
    LISTEN_CHUNKS = LISTEN_SAMPLES_PER_SECOND / LISTEN_CHUNK_SAMPLES,
    LISTEN_CHUNK_BYTES = 2 * LISTEN_CHUNK_SAMPLES,
    LISTEN_CHUNK_MS = 100,
    LISTEN_MODEL_BYTES = 64,
};

/* What says how the sound is encoded; begins with '?'. */
#define LISTEN_QUERY "?encoding=linear16&sample_rate=16000"
/* The text message that ends a stream: Deepgram then answers what it has, and closes. */
#define LISTEN_CLOSE_STREAM "{\"type\":\"CloseStream\"}"

/* The next chunk of a soft tone of 440 Hz as linear16 (signed, 16 bits, least byte first). tone is
 * zero-initialised. */
struct listen_tone {
    double last;
    double before;
    bool started;
};
void listen_sound(struct listen_tone *tone, unsigned char ret_chunk[LISTEN_CHUNK_BYTES]);

/* What was understood of the answers; zero-initialised. */
struct listen_answer {
    bool has_results;
    bool is_complete;               /* the message Metadata, which ends a stream, has come */
    char model[LISTEN_MODEL_BYTES]; /* "" when not told */
    int channels;                   /* 0 when not told */
    double seconds;                 /* of sound that Deepgram heard */
};

/* Takes in one text message. Messages that a trial needn't know are passed over. MALFORMED: it is
 * no message of this protocol; INVALID: it is an error of Deepgram's, quoted. */
NODISCARD bool listen_read(struct listen_answer *answer, const char *text, size_t length,
                           struct err *err);

/* Such as "model general-nova-3, 1 channel, 1 s heard"; free with mem_free. */
NODISCARD char *listen_describe(const struct listen_answer *answer);

#endif
