/* The shapes of the messages are those that Deepgram's SDKs declare for the first version of the
 * streaming protocol. */

#include "listen.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "access.h"
#include "api.h"
#include "timestamp.h"

enum { BYTES_PER_SAMPLE = 2, MAX_RATE = 192000, MAX_CHANNELS = 8 };

/* Raw audio tells nothing of itself: encoding and rate have to be told. */
static bool read_format(const struct request *request, int64_t *ret_rate, int *ret_channels)
{
    const char *encoding = request_param(request, "encoding");
    const char *rate = request_param(request, "sample_rate");
    const char *channels = request_param(request, "channels");
    *ret_rate = rate ? strtoll(rate, NULL, 10) : 0;
    *ret_channels = channels ? (int)strtol(channels, NULL, 10) : 1;
    return encoding && strcmp(encoding, "linear16") == 0 && *ret_rate > 0 &&
           *ret_rate <= MAX_RATE && *ret_channels > 0 && *ret_channels <= MAX_CHANNELS;
}

void listen_handshake(struct call *call)
{
    int64_t rate;
    int channels;
    if (!access_authenticate(call))
        return;
    if (!call->request->is_upgrade) {
        api_bad_request(call, "Only streaming over WebSocket is emulated.");
        return;
    }
    if (!read_format(call->request, &rate, &channels)) {
        api_bad_request(call, "Only encoding=linear16 with a sample_rate is emulated.");
        return;
    }
    memcpy(call->credential_id, call->actor->id, ID_SIZE);
    call->reply.status = 101;
}

void listen_init(struct listen *listen, const struct request *request)
{
    int64_t rate = 0;
    *listen = (struct listen){ .channels = 1 };
    if (read_format(request, &rate, &listen->channels))
        listen->bytes_per_second = rate * BYTES_PER_SAMPLE * listen->channels;
    ids_uuid(listen->request_id);
    ids_uuid(listen->model_id);
    listen->digest = EVP_MD_CTX_new();
    EVP_DigestInit_ex(listen->digest, EVP_sha256(), NULL);
}

void listen_done(struct listen *listen)
{
    EVP_MD_CTX_free(listen->digest);
    listen->digest = NULL;
}

void listen_audio(struct listen *listen, const void *bytes, size_t count)
{
    listen->bytes += (int64_t)count;
    EVP_DigestUpdate(listen->digest, bytes, count);
}

static double seconds(const struct listen *listen, int64_t bytes)
{
    return (double)bytes / (double)listen->bytes_per_second;
}

bool listen_has_second(const struct listen *listen)
{
    return listen->bytes - listen->results_bytes >= listen->bytes_per_second;
}

static void add_model_info(cJSON *object)
{
    cJSON_AddStringToObject(object, "name", "general-nova-3");
    cJSON_AddStringToObject(object, "version", "2026-07-01.0");
    cJSON_AddStringToObject(object, "arch", "nova-3");
}

static char *print(cJSON *message)
{
    char *text = cJSON_PrintUnformatted(message);
    cJSON_Delete(message);
    return text;
}

char *listen_results(struct listen *listen, bool from_finalize)
{
    cJSON *message = cJSON_CreateObject();
    cJSON_AddStringToObject(message, "type", "Results");
    const int index[] = { 0, listen->channels };
    cJSON_AddItemToObject(message, "channel_index", cJSON_CreateIntArray(index, 2));
    cJSON_AddNumberToObject(message, "duration",
                            seconds(listen, listen->bytes - listen->results_bytes));
    cJSON_AddNumberToObject(message, "start", seconds(listen, listen->results_bytes));
    cJSON_AddTrueToObject(message, "is_final");
    cJSON_AddTrueToObject(message, "speech_final");
    cJSON *channel = cJSON_AddObjectToObject(message, "channel");
    cJSON *alternative = cJSON_CreateObject();
    cJSON_AddStringToObject(alternative, "transcript", "");
    cJSON_AddNumberToObject(alternative, "confidence", 0);
    cJSON_AddArrayToObject(alternative, "words");
    cJSON_AddItemToArray(cJSON_AddArrayToObject(channel, "alternatives"), alternative);
    cJSON *metadata = cJSON_AddObjectToObject(message, "metadata");
    cJSON_AddStringToObject(metadata, "request_id", listen->request_id);
    add_model_info(cJSON_AddObjectToObject(metadata, "model_info"));
    cJSON_AddStringToObject(metadata, "model_uuid", listen->model_id);
    cJSON_AddBoolToObject(message, "from_finalize", from_finalize);
    listen->results_bytes = listen->bytes;
    return print(message);
}

static void add_digest(cJSON *message, struct listen *listen)
{
    unsigned char bytes[EVP_MAX_MD_SIZE];
    unsigned length = 0;
    char text[2 * EVP_MAX_MD_SIZE + 1] = "";
    EVP_DigestFinal_ex(listen->digest, bytes, &length);
    for (unsigned i = 0; i < length; i++)
        snprintf(text + (size_t)2 * i, 3, "%02x", bytes[i]);
    cJSON_AddStringToObject(message, "sha256", text);
}

char *listen_metadata(struct listen *listen)
{
    cJSON *message = cJSON_CreateObject();
    cJSON_AddStringToObject(message, "type", "Metadata");
    cJSON_AddStringToObject(message, "transaction_key", "deprecated");
    cJSON_AddStringToObject(message, "request_id", listen->request_id);
    add_digest(message, listen);
    api_add_time(message, "created", timestamp_now_ms());
    cJSON_AddNumberToObject(message, "duration", seconds(listen, listen->bytes));
    cJSON_AddNumberToObject(message, "channels", listen->channels);
    cJSON_AddItemToArray(cJSON_AddArrayToObject(message, "models"),
                         cJSON_CreateString(listen->model_id));
    add_model_info(
        cJSON_AddObjectToObject(cJSON_AddObjectToObject(message, "model_info"), listen->model_id));
    return print(message);
}

char *listen_error(const char *description)
{
    cJSON *message = cJSON_CreateObject();
    cJSON_AddStringToObject(message, "type", "Error");
    cJSON_AddStringToObject(message, "variant", "UnparsableClientMessage");
    cJSON_AddStringToObject(message, "description", description);
    return print(message);
}
