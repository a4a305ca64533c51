/* A trial needs no transcript, only the proof that somebody who speaks the protocol has taken the
 * sound in: so the few members that every answer has to have are asked for, and no more. */
#include "deepgram/listen.h"

#include <string.h>

#include "base/buf.h"
#include "base/json.h"
#include "deepgram/quote.h"

/* A wave by its recurrence: y[n] = 2 cos(w) y[n-1] - y[n-2], w = 2 pi 440 / 16000. */
static const double TWICE_COSINE = 1.9702186523095477;
static const double SINE = 0.17192910027940953;
static const double LOUDNESS = 8000;

void listen_sound(struct listen_tone *tone, unsigned char ret_chunk[LISTEN_CHUNK_BYTES])
{
    if (!tone->started)
        *tone = (struct listen_tone){ .last = 0, .before = -SINE, .started = true };
    for (size_t i = 0; i < LISTEN_CHUNK_SAMPLES; i++) {
        double next = TWICE_COSINE * tone->last - tone->before;
        tone->before = tone->last;
        tone->last = next;
        int16_t sample = (int16_t)(next * LOUDNESS);
        ret_chunk[2 * i] = (unsigned char)(sample & 0xff);
        ret_chunk[2 * i + 1] = (unsigned char)(sample >> 8 & 0xff);
    }
}

static bool is_number(const cJSON *json, const char *name)
{
    return cJSON_IsNumber(json_member(json, name));
}

/* Results name it in their metadata, Metadata by the model's id. */
static void read_model(struct listen_answer *answer, const cJSON *info)
{
    const char *name = json_string_member(info, "name");
    if (!name && cJSON_IsObject(info))
        name = json_string_member(info->child, "name");
    if (name)
        quote(answer->model, sizeof answer->model, name);
}

static bool read_results(struct listen_answer *answer, const cJSON *json, struct err *err)
{
    const cJSON *alternatives = json_member(json_member(json, "channel"), "alternatives");
    if (!cJSON_IsArray(alternatives) || !is_number(json, "duration") || !is_number(json, "start"))
        return err_set(err, ERR_MALFORMED, "Results without alternatives, start or duration");
    answer->has_results = true;
    read_model(answer, json_member(json_member(json, "metadata"), "model_info"));
    return true;
}

static bool read_metadata(struct listen_answer *answer, const cJSON *json, struct err *err)
{
    if (!json_string_member(json, "request_id") || !is_number(json, "duration") ||
        !is_number(json, "channels"))
        return err_set(err, ERR_MALFORMED, "Metadata without request_id, duration or channels");
    double channels = cJSON_GetNumberValue(json_member(json, "channels"));
    double seconds = cJSON_GetNumberValue(json_member(json, "duration"));
    answer->is_complete = true;
    answer->channels = channels >= 0 && channels < 1000 ? (int)channels : 0;
    answer->seconds = seconds >= 0 && seconds < 1e6 ? seconds : 0;
    read_model(answer, json_member(json, "model_info"));
    return true;
}

static bool read_error(const cJSON *json, struct err *err)
{
    static const char *const NAMES[] = { "description", "message", "err_msg", "variant", "code" };
    char said[121] = "no further details";
    for (size_t i = 0; i < ARRAY_LENGTH(NAMES); i++) {
        const char *text = json_string_member(json, NAMES[i]);
        if (!text || *text == '\0')
            continue;
        quote(said, sizeof said, text);
        break;
    }
    return err_set(err, ERR_INVALID, "%s", said);
}

bool listen_read(struct listen_answer *answer, const char *text, size_t length, struct err *err)
{
    auto_json cJSON *json = json_parse(text, length);
    const char *type = json_string_member(json, "type");
    if (!type)
        return json_member(json, "err_code")
                   ? read_error(json, err)
                   : err_set(err, ERR_MALFORMED, "a message that isn't JSON or has no type");
    if (strcmp(type, "Results") == 0)
        return read_results(answer, json, err);
    if (strcmp(type, "Metadata") == 0)
        return read_metadata(answer, json, err);
    return strcmp(type, "Error") == 0 ? read_error(json, err) : true;
}

char *listen_describe(const struct listen_answer *answer)
{
    struct buf text;
    buf_init(&text, 512);
    if (answer->model[0] != '\0')
        buf_printf(&text, "model %s", answer->model);
    if (answer->channels > 0)
        buf_printf(&text, "%s%d channel%s", text.length > 0 ? ", " : "", answer->channels,
                   answer->channels > 1 ? "s" : "");
    if (answer->is_complete)
        buf_printf(&text, "%s%.3g s heard", text.length > 0 ? ", " : "", answer->seconds);
    if (text.length == 0)
        buf_puts(&text, "without details");
    return buf_take(&text);
}
