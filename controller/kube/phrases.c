/* The byte of a phrase is its place in the list plus one: below a blank, which in printed JSON only
 * stands inside of strings as an escape. The list may change freely, as nothing shortened outlives
 * the process. Of two phrases with the same beginning, the longer one comes first. */
#include "kube/phrases.h"

#include <assert.h>
#include <string.h>

static const char *const PHRASES[] = {
    "\"metadata\":{\"annotations\":{\"deepgram.com/issuing\":\"[{\\\"revision\\\":",
    "\"annotations\":{\"deepgram.com/",
    "\"specHash\\\":\\\"",
    "\"finalizers\":[\"deepgram.com/revoke\"],\"generation\":",
    "\"creationTimestamp\":\"",
    "\"resourceVersion\":\"",
    "\"namespace\":\"",
    "\"credentialsRef\":{\"key\":\"DEEPGRAM_API_KEY\",\"name\":\"deepgram-",
    "\"deletionPolicy\":\"Revoke\",\"projectId\":\"",
    "\"scopes\":[\"self-hosted:products\"",
    "\"suspend\":false},\"status\":{\"conditions\":[{\"lastTransitionTime\":\"",
    "\"message\":\"Credential ",
    "\"observedGeneration\":",
    "\"reason\":\"Published\",\"status\":\"True\",\"type\":\"Ready\"}",
    "\"issuedAt\":\"",
    "\"revisions\":[{\"id\":\"",
    "\"reason\":\"Created\",\"revision\":",
    "\"state\":\"Current\"}",
    "\"secretName\":\"",
    "\"secretResourceVersion\":\"",
    "\"labels\":{\"app.kubernetes.io/managed-by\":\"deepgram-operator\"}",
    "\"ownerReferences\":[{\"apiVersion\":\"deepgram.com/v1alpha1\",\"kind\":\"Deepgram",
    "\"controller\":true,\"blockOwnerDeletion\":true}]",
    "\"deepgram.com/resource\":\"Deepgram",
    "\"deepgram.com/scopes\":\"self-hosted:products",
    "\"deepgram.com/published-at\":\"",
    "\"deepgram.com/spec-hash\":\"",
    "\"deepgram.com/revision\":\"",
    "\"deepgram.com/template\":\"",
    "\"deepgram.com/project\":\"",
    "\"deepgram.com/",
};

static_assert(ARRAY_LENGTH(PHRASES) < ' ', "the byte of a phrase must not be one of JSON's own");

/* The phrase that begins here, or NULL. Every phrase begins with a quote. */
static const char *const *phrase_at(const char *text)
{
    for (size_t i = 0; text[0] == '"' && i < ARRAY_LENGTH(PHRASES); i++)
        if (text[1] == PHRASES[i][1] && strncmp(text, PHRASES[i], strlen(PHRASES[i])) == 0)
            return &PHRASES[i];
    return NULL;
}

/* The phrase whose byte this is, or NULL. */
static const char *phrase_of(char byte)
{
    return byte > 0 && byte < ' ' ? PHRASES[byte - 1] : NULL;
}

char *phrases_shorten(const char *text)
{
    auto_free char *shortened = mem_alloc(strlen(text) + 1);
    char *end = shortened;
    while (*text != '\0') {
        const char *const *phrase = phrase_at(text);
        *end++ = phrase ? (char)(phrase - PHRASES + 1) : *text;
        text += phrase ? strlen(*phrase) : 1;
    }
    return mem_strndup(shortened, (size_t)(end - shortened));
}

static size_t restored_length(const char *text)
{
    size_t length = 0;
    for (; *text != '\0'; text++) {
        const char *phrase = phrase_of(*text);
        length += phrase ? strlen(phrase) : 1;
    }
    return length;
}

char *phrases_restore(const char *text)
{
    char *restored = mem_alloc(restored_length(text) + 1);
    char *end = restored;
    for (; *text != '\0'; text++) {
        const char *phrase = phrase_of(*text);
        if (phrase)
            end = stpcpy(end, phrase);
        else
            *end++ = *text;
    }
    return restored;
}
