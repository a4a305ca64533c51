/* A setter that refuses a value leaves the field as it was; its message says what would do. */
#include "operator/option_value.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "api/timestamp.h"
#include "base/buf.h"
#include "kube/file.h"
#include "operator/options.h"
#include "operator/url.h"

enum {
    LIST_MAX = 256,
    NAME_MAX_BYTES = 253,
    CA_FILE_MAX_BYTES = 1024 * 1024,
    IN_FLIGHT_MAX = 1000,
};

bool option_set_text(void *field, const char *value, struct err *err)
{
    if (value[0] == '\0')
        return err_set(err, ERR_INVALID, "must not be empty");
    mem_replace(field, value);
    return true;
}

bool option_set_bool(void *field, const char *value, struct err *err)
{
    bool yes = strcmp(value, "true") == 0;
    if (!yes && strcmp(value, "false") != 0)
        return err_set(err, ERR_INVALID, "'%s' is neither true nor false", value);
    *(bool *)field = yes;
    return true;
}

bool option_set_duration(void *field, const char *value, struct err *err)
{
    int64_t ms = 0;
    if (!duration_parse(value, &ms) || ms <= 0)
        return err_set(err, ERR_INVALID, "'%s' is not a duration such as 15s, 10m or 1h30m", value);
    *(int64_t *)field = ms;
    return true;
}

bool option_set_in_flight(void *field, const char *value, struct err *err)
{
    char *end = NULL;
    errno = 0;
    long number = strtol(value, &end, 10);
    if (errno || end == value || *end || number < 1 || number > IN_FLIGHT_MAX)
        return err_set(err, ERR_INVALID, "'%s' is not a number from 1 to %d", value, IN_FLIGHT_MAX);
    *(long *)field = number;
    return true;
}

bool option_set_url(void *field, const char *value, struct err *err)
{
    if (!url_check(value, err))
        return false;
    size_t length = strlen(value);
    while (value[length - 1] == '/')
        length--;
    mem_free(*(char **)field);
    *(char **)field = mem_strndup(value, length);
    return true;
}

/* The characters that names of namespaces and Secrets are made of. */
static bool is_name(const char *text)
{
    size_t length = strlen(text);
    return length > 0 && length <= NAME_MAX_BYTES &&
           strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789-.") == length;
}

void option_free_names(char **list)
{
    for (char **item = list; item && *item; item++)
        mem_free(*item);
    mem_free(list);
}

static bool split_names(const char *value, char **list, struct err *err)
{
    for (size_t count = 0;; count++) {
        size_t length = strcspn(value, ",");
        if (count == LIST_MAX)
            return err_set(err, ERR_INVALID, "more than %d names", LIST_MAX);
        list[count] = mem_strndup(value, length);
        if (!is_name(list[count]))
            return err_set(err, ERR_INVALID, "'%s' is not the name of a namespace", list[count]);
        if (value[length] == '\0')
            return true;
        value += length + 1;
    }
}

bool option_set_namespaces(void *field, const char *value, struct err *err)
{
    char **list = value[0] ? mem_calloc(LIST_MAX + 1, sizeof *list) : NULL;
    if (list && !split_names(value, list, err)) {
        option_free_names(list);
        return false;
    }
    option_free_names(*(char ***)field);
    *(char ***)field = list;
    return true;
}

bool option_set_default_credentials(void *field, const char *value, struct err *err)
{
    struct options *options = field;
    const char *slash = strchr(value, '/');
    auto_free char *namespace = mem_strndup(value, slash ? (size_t)(slash - value) : 0);
    if (!is_name(namespace) || !is_name(slash + 1))
        return err_set(err, ERR_INVALID, "'%s' is not NAMESPACE/NAME of a Secret", value);
    mem_replace(&options->default_credentials_namespace, namespace);
    mem_replace(&options->default_credentials_name, slash + 1);
    return true;
}

bool option_set_max_role(void *field, const char *value, struct err *err)
{
    enum role role = ROLE_NONE;
    if (!role_parse(value, &role) || role == ROLE_NONE)
        return err_set(err, ERR_INVALID, "'%s' is not one of member, admin, owner", value);
    *(enum role *)field = role;
    return true;
}

bool option_set_ca_file(void *field, const char *value, struct err *err)
{
    auto_buf struct buf pem;
    buf_init(&pem, CA_FILE_MAX_BYTES);
    if (!file_read(value, &pem, err))
        return false;
    const char *begin = strstr(buf_text(&pem), "-----BEGIN CERTIFICATE-----");
    if (!begin || !strstr(begin, "-----END CERTIFICATE-----"))
        return err_set(err, ERR_INVALID, "%s holds no certificate in PEM format", value);
    mem_free(*(char **)field);
    *(char **)field = buf_take(&pem);
    return true;
}

bool option_set_log_format(void *field, const char *value, struct err *err)
{
    return log_format_parse(value, field) ||
           err_set(err, ERR_INVALID, "'%s' is neither json nor text", value);
}

bool option_set_log_level(void *field, const char *value, struct err *err)
{
    return log_level_parse(value, field) ||
           err_set(err, ERR_INVALID, "'%s' is not one of debug, info, warn, error", value);
}
