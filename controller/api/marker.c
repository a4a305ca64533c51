/* The comment is the marker that counts; tags are a second copy for API keys, in case a comment is
 * shortened on the way. */
#include "api/marker.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "api/canonical.h"
#include "api/revision_number.h"

#define MARKER_NAME "deepgram-operator"
#define MARKER_OPEN "[" MARKER_NAME " uid="

enum { REVISION_BYTES = 24 };

enum part { PART_UID, PART_REVISION, PART_NONCE, PARTS };
static const char *const tag_prefixes[PARTS] = { "uid:", "rev:", "nonce:" };

char *marker_comment(const struct resource *resource, int64_t revision, const char *nonce)
{
    auto_free char *comment = spec_comment(resource);
    return mem_printf("%s " MARKER_OPEN "%s rev=%" PRId64 " nonce=%s]", comment, resource->uid,
                      revision, nonce);
}

cJSON *marker_tags(const struct resource *resource, int64_t revision, const char *nonce)
{
    cJSON *tags = cJSON_CreateArray();
    const cJSON *item = NULL;
    cJSON_ArrayForEach(item, resource->spec.tags)
        canonical_append(tags, item->valuestring);
    auto_free char *uid_tag = mem_printf("%s%s", tag_prefixes[PART_UID], resource->uid);
    auto_free char *revision_tag = mem_printf("%s%" PRId64, tag_prefixes[PART_REVISION], revision);
    auto_free char *nonce_tag = mem_printf("%s%s", tag_prefixes[PART_NONCE], nonce);
    canonical_append(tags, MARKER_NAME);
    canonical_append(tags, uid_tag);
    canonical_append(tags, revision_tag);
    canonical_append(tags, nonce_tag);
    return tags;
}

bool marker_reserves_tag(const char *tag)
{
    if (strncmp(tag, MARKER_NAME, strlen(MARKER_NAME)) == 0)
        return true;
    for (size_t i = 0; i < PARTS; i++)
        if (strncmp(tag, tag_prefixes[i], strlen(tag_prefixes[i])) == 0)
            return true;
    return false;
}

static bool uid_is_valid(const char *uid)
{
    size_t length = strspn(uid, "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ-");
    return length >= 1 && length < UID_BYTES && uid[length] == '\0';
}

/* Untouched unless all three are what they should be. */
static bool fill(const char *const parts[PARTS], struct marker *ret)
{
    struct marker marker = { .revision = revision_number_parse(parts[PART_REVISION]) };
    if (!uid_is_valid(parts[PART_UID]) || marker.revision == 0 ||
        !nonce_is_valid(parts[PART_NONCE]))
        return false;
    snprintf(marker.uid, sizeof marker.uid, "%s", parts[PART_UID]);
    snprintf(marker.nonce, sizeof marker.nonce, "%s", parts[PART_NONCE]);
    *ret = marker;
    return true;
}

/* Copies up to the end mark and moves behind it; false when the mark is missing or the text too
 * long. */
static bool copy_until(const char **at, const char *mark, char *to, size_t size)
{
    const char *end = strstr(*at, mark);
    if (!end || (size_t)(end - *at) >= size)
        return false;
    memcpy(to, *at, (size_t)(end - *at));
    to[end - *at] = '\0';
    *at = end + strlen(mark);
    return true;
}

/* Only at the very end: whatever a person wrote in front of it can look as it likes. */
static bool parse_comment(const char *comment, struct marker *ret)
{
    const char *at = NULL;
    const char *found = comment ? strstr(comment, MARKER_OPEN) : NULL;
    for (; found; found = strstr(at, MARKER_OPEN))
        at = found + strlen(MARKER_OPEN);
    char uid[UID_BYTES], revision[REVISION_BYTES], nonce[NONCE_BYTES];
    return at && copy_until(&at, " rev=", uid, sizeof uid) &&
           copy_until(&at, " nonce=", revision, sizeof revision) &&
           copy_until(&at, "]", nonce, sizeof nonce) && *at == '\0' &&
           fill((const char *const[PARTS]){ uid, revision, nonce }, ret);
}

static bool parse_tags(const cJSON *tags, struct marker *ret)
{
    if (!canonical_contains(tags, MARKER_NAME))
        return false;
    const char *parts[PARTS] = { NULL };
    const cJSON *item = NULL;
    cJSON_ArrayForEach(item, tags) {
        for (size_t i = 0; cJSON_IsString(item) && i < PARTS; i++) {
            size_t length = strlen(tag_prefixes[i]);
            if (strncmp(item->valuestring, tag_prefixes[i], length) != 0)
                continue;
            if (parts[i] && strcmp(parts[i], item->valuestring + length) != 0)
                return false;
            parts[i] = item->valuestring + length;
        }
    }
    return parts[PART_UID] && parts[PART_REVISION] && parts[PART_NONCE] && fill(parts, ret);
}

bool marker_parse(const char *comment, const cJSON *tags, struct marker *ret_marker)
{
    return parse_comment(comment, ret_marker) || parse_tags(tags, ret_marker);
}
