#ifndef EMULATOR_LISTEN_H
#define EMULATOR_LISTEN_H

/* Live transcription as Deepgram's streaming protocol has it, without the network: audio goes in,
 * messages come out. Nobody listens to the audio: every transcript is empty. */

#include <openssl/evp.h>

#include "call.h"

struct listen {
    char request_id[ID_SIZE];
    char model_id[ID_SIZE];
    int64_t bytes_per_second;
    int channels;
    int64_t bytes;         /* of audio so far */
    int64_t results_bytes; /* of it, told in Results */
    EVP_MD_CTX *digest;
};

/* The handshake of GET /v1/listen: status 101 in the reply for a live key and known parameters. */
void listen_handshake(struct call *call);

void listen_init(struct listen *listen, const struct request *request);
void listen_done(struct listen *listen);

void listen_audio(struct listen *listen, const void *bytes, size_t count);
/* Is a whole second there that no Results has told of? */
bool listen_has_second(const struct listen *listen);

/* Messages as text, the caller's. Results cover the audio since the last ones. */
char *listen_results(struct listen *listen, bool from_finalize);
char *listen_metadata(struct listen *listen);
char *listen_error(const char *description);

#endif
