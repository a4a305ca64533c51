/* The rules are those of k8s.io/apimachinery's validation package. */
#include "api/name.h"

#include <string.h>

#define LOWER "abcdefghijklmnopqrstuvwxyz"
#define UPPER "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define DIGITS "0123456789"
#define ALPHANUMERIC LOWER UPPER DIGITS

enum { LABEL_MAX_BYTES = 63, ID_MAX_BYTES = 128 };

static bool is_one_of(char c, const char *characters)
{
    return c != '\0' && strchr(characters, c);
}

/* Nothing but those characters, and at most so many. */
static bool consists_of(const char *text, const char *characters, size_t max_bytes)
{
    size_t length = strspn(text, characters);
    return text[length] == '\0' && length <= max_bytes;
}

static bool is_subdomain(const char *text, size_t length)
{
    if (length == 0 || length > NAME_MAX_BYTES)
        return false;
    for (size_t i = 0; i < length; i++) {
        bool starts = i == 0 || text[i - 1] == '.';
        bool ends = i + 1 == length || text[i + 1] == '.';
        if (!is_one_of(text[i], starts || ends ? LOWER DIGITS : LOWER DIGITS "-."))
            return false;
    }
    return true;
}

bool name_is_subdomain(const char *text)
{
    return text && is_subdomain(text, strlen(text));
}

bool name_is_label_value(const char *text)
{
    if (!text || !consists_of(text, ALPHANUMERIC "-_.", LABEL_MAX_BYTES))
        return false;
    size_t length = strlen(text);
    return length == 0 ||
           (is_one_of(text[0], ALPHANUMERIC) && is_one_of(text[length - 1], ALPHANUMERIC));
}

bool name_is_qualified(const char *text)
{
    if (!text)
        return false;
    const char *slash = strchr(text, '/');
    if (slash && !is_subdomain(text, (size_t)(slash - text)))
        return false;
    const char *name = slash ? slash + 1 : text;
    return *name != '\0' && name_is_label_value(name);
}

bool name_is_data_key(const char *text)
{
    return text && *text != '\0' && consists_of(text, ALPHANUMERIC "-_.", NAME_MAX_BYTES) &&
           strcmp(text, ".") != 0 && strncmp(text, "..", 2) != 0;
}

bool name_is_uuid(const char *text)
{
    static const char form[] = "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx";
    if (!text || strlen(text) != sizeof form - 1)
        return false;
    for (size_t i = 0; form[i]; i++)
        if (!is_one_of(text[i], form[i] == 'x' ? DIGITS "abcdefABCDEF" : "-"))
            return false;
    return true;
}

bool name_is_credential_id(const char *text)
{
    return text && *text != '\0' && consists_of(text, ALPHANUMERIC "-_", ID_MAX_BYTES);
}
