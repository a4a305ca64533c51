/* Secrets that look like revisions of the resource and aren't: anybody in the namespace can write
 * one. */
#include "api/credential.h"
#include "api/resource.h"
#include "base/json.h"
#include "oracle_facts.h"
#include "people.h"
#include "sim.h"

#define ELSEWHERE "99999999-2222-3333-4444-555555555555"

static void make_revision(const char *number, const char *id, const char *nonce,
                          const char *project, const char *owners)
{
    api_make(API_SECRETS, TEAM,
             "{\"metadata\":{\"name\":\"" VOICE "-dgkey-r%s\",\"labels\":{\"" LABEL_MANAGED_BY
             "\":\"" MANAGED_BY "\"},\"annotations\":{\"" ANNOTATION_RESOURCE
             "\":\"DeepgramApiKey/" VOICE "\",\"" ANNOTATION_REVISION "\":\"%s\",\"" ANNOTATION_ID
             "\":\"%s\",\"" ANNOTATION_NONCE "\":\"%s\",\"" ANNOTATION_PROJECT
             "\":\"%s\",\"" ANNOTATION_ISSUED_AT "\":\"2020-01-01T00:00:00Z\"},"
             "\"ownerReferences\":%s},\"type\":\"" SECRET_TYPE_REVISION "\",\"immutable\":true,"
             "\"data\":{\"secret\":\"Zm9yZ2Vk\",\"id\":\"Zm9yZ2Vk\"}}",
             number, number, id, nonce, project, owners);
}

static char *owners_of_voice(void)
{
    return mem_printf(
        "[{\"apiVersion\":\"deepgram.com/v1alpha1\",\"kind\":\"DeepgramApiKey\",\"name\":\"" VOICE
        "\",\"uid\":\"%s\",\"controller\":true}]",
        json_string_at(people_voice(), "metadata.uid"));
}

/* The id of a key that the operator's default credentials could revoke, and that isn't ours. */
static void forge_revision(void)
{
    if (!people_voice())
        return;
    auto_free char *owners = owners_of_voice();
    make_revision("50", sim.deepgram.credentials[0].id, FORGED_NONCE, PROJECT, owners);
}

/* The same with another resource's key and its nonce, which both stand where people can read. */
static void forge_theft(void)
{
    const cJSON *kept = api_get(API_SECRETS, TEAM, "video-dgkey-r1");
    if (!people_voice() || !kept)
        return;
    auto_free char *owners = owners_of_voice();
    make_revision("50", oracle_annotation(kept, ANNOTATION_ID),
                  oracle_annotation(kept, ANNOTATION_NONCE), PROJECT, owners);
}

/* That of a key of another cluster, whose nonce can only be guessed. */
static void forge_guess(void)
{
    if (!people_voice())
        return;
    auto_free char *owners = owners_of_voice();
    make_revision("50", sim.deepgram.credentials[1].id, FORGED_NONCE, PROJECT, owners);
}

/* Left by Retain when the resource of that name was one of another project. */
static void leave_from_elsewhere(void)
{
    make_revision("3", sim.deepgram.credentials[0].id, FORGED_NONCE, ELSEWHERE, "[]");
}

/* A key of somebody else's, whose comment tells of one of ours. */
static void quote_marker(void)
{
    auto_free char *comment =
        mem_printf("after [deepgram-operator uid=%s rev=7 nonce=" FORGED_NONCE "] is gone",
                   json_string_at(people_voice(), "metadata.uid"));
    deepgram_plant(comment, false)->uid[0] = '\0';
}

static const struct action FORGED[] = {
    { "quote-marker", quote_marker, 0, false },
    { "forge-revision", forge_revision, 0, false },
    { "forge-theft", forge_theft, 0, false },
    { "forge-guess", forge_guess, 0, false },
    { "from-elsewhere", leave_from_elsewhere, 0, false },
};

const struct action *forged_at(size_t index)
{
    return index < ARRAY_LENGTH(FORGED) ? &FORGED[index] : wars_at(index - ARRAY_LENGTH(FORGED));
}
