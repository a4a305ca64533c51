/* Judged by what was told only: silence about scopes or expiry proves nothing, and a credential
 * that is thrown away is a create more. */
#include "api/grant.h"

#include <stdio.h>
#include <string.h>

#include "api/timestamp.h"
#include "base/buf.h"
#include "base/json.h"

#define SELF_HOSTED "self-hosted:"
#define ONPREM "onprem:"

enum { CLOCK_TOLERANCE_MS = 300 * 1000, LIST_BYTES = 121 };

static bool has_prefix(const char *text, const char *prefix)
{
    return strncmp(text, prefix, strlen(prefix)) == 0;
}

/* The part of a product scope behind its family's name; NULL for any other scope. */
static const char *product_of(const char *scope)
{
    if (has_prefix(scope, SELF_HOSTED))
        return scope + strlen(SELF_HOSTED);
    return has_prefix(scope, ONPREM) ? scope + strlen(ONPREM) : NULL;
}

static bool covers(const char *granted, const char *wanted)
{
    if (strcmp(granted, wanted) == 0)
        return true;
    const char *product = product_of(granted);
    const char *asked = product_of(wanted);
    if (!product || !asked)
        return false;
    bool is_all = strcmp(product, "products") == 0;
    bool wants_all = strcmp(asked, "products") == 0;
    return strcmp(product, asked) == 0 || (is_all && has_prefix(asked, "product:")) ||
           (wants_all && has_prefix(product, "product:"));
}

static bool is_granted(const cJSON *granted, const char *wanted)
{
    const cJSON *scope = NULL;
    cJSON_ArrayForEach(scope, granted)
        if (cJSON_IsString(scope) && covers(scope->valuestring, wanted))
            return true;
    return false;
}

static enum role highest_role(const cJSON *scopes)
{
    enum role highest = ROLE_NONE;
    enum role role = ROLE_NONE;
    const cJSON *scope = NULL;
    cJSON_ArrayForEach(scope, scopes)
        if (cJSON_IsString(scope) && role_parse(scope->valuestring, &role) && role > highest)
            highest = role;
    return highest;
}

bool grant_has_scopes(const struct resource *resource, const cJSON *granted)
{
    auto_json cJSON *wanted = spec_scopes(resource);
    const cJSON *scope = NULL;
    cJSON_ArrayForEach(scope, wanted)
        if (!is_granted(granted, scope->valuestring))
            return false;
    enum role role = highest_role(granted);
    return role <= ROLE_MEMBER || role <= resource->spec.role;
}

/* "a, b"; cut where it gets long. */
static void list(const cJSON *strings, char ret_text[LIST_BYTES])
{
    struct buf text;
    buf_init(&text, 64 * 1024);
    const cJSON *item = NULL;
    cJSON_ArrayForEach(item, strings)
        if (cJSON_IsString(item))
            buf_printf(&text, "%s%s", text.length > 0 ? ", " : "", item->valuestring);
    auto_free char *whole = buf_take(&text);
    size_t length = strlen(whole);
    bool cut = length >= LIST_BYTES;
    snprintf(ret_text, LIST_BYTES, "%.*s%s", cut ? LIST_BYTES - 5 : (int)length, whole,
             length == 0 ? "nothing" : (cut ? "…" : ""));
}

static bool refuse_scopes(const struct resource *resource, const struct credential *credential,
                          struct err *err)
{
    auto_json cJSON *wanted = spec_scopes(resource);
    char asked[LIST_BYTES];
    char granted[LIST_BYTES];
    list(wanted, asked);
    list(credential->scopes, granted);
    return err_set(err, ERR_INVALID,
                   "Credential %s isn't what was asked for, so it is revoked and not published: "
                   "asked for the scopes %s, granted %s. Change spec.scopes or spec.role, or ask "
                   "Deepgram for the product",
                   credential->id, asked, granted);
}

/* 0: never. */
static int64_t expiry_asked(const struct spec *spec, int64_t created_ms)
{
    return spec->valid_for_ms > 0 ? created_ms + spec->valid_for_ms : spec->expires_at_ms;
}

static bool is_near(int64_t a, int64_t b)
{
    return a - b <= CLOCK_TOLERANCE_MS && b - a <= CLOCK_TOLERANCE_MS;
}

static bool refuse_expiry(const struct credential *credential, int64_t asked_ms, struct err *err)
{
    char asked[TIMESTAMP_BYTES] = "none";
    char granted[TIMESTAMP_BYTES];
    timestamp_format(credential->expires_at_ms, granted);
    if (asked_ms > 0)
        timestamp_format(asked_ms, asked);
    return err_set(err, ERR_INVALID,
                   "Credential %s isn't what was asked for, so it is revoked and not published: "
                   "asked for the expiry %s, granted %s. Change spec.validFor or spec.expiresAt, "
                   "or ask Deepgram for the reason",
                   credential->id, asked, granted);
}

bool grant_check(const struct resource *resource, const struct credential *credential,
                 struct err *err)
{
    if (credential->scopes && !grant_has_scopes(resource, credential->scopes))
        return refuse_scopes(resource, credential, err);
    bool counts_from_creation = resource->spec.valid_for_ms > 0;
    if (credential->expires_at_ms == 0 || (counts_from_creation && credential->created_at_ms == 0))
        return true;
    int64_t asked_ms = expiry_asked(&resource->spec, credential->created_at_ms);
    return is_near(credential->expires_at_ms, asked_ms) || refuse_expiry(credential, asked_ms, err);
}
