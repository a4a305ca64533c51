/* A line is built in memory and written at once, so that lines of several writers to the same
 * stderr don't mix. Bytes that aren't UTF-8 become U+FFFD: a collector must be able to parse every
 * line. */
#include "base/log.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/utf8.h"

enum {
    VALUE_MAX_BYTES = 4 * 1024, /* of a message or value, before quoting */
    LINE_MAX_BYTES = 1024 * 1024,
};

static const char *const level_names[] = {
    [LOG_DEBUG] = "debug",
    [LOG_INFO] = "info",
    [LOG_WARN] = "warn",
    [LOG_ERROR] = "error",
};

static struct {
    enum log_format format;
    enum log_level level;
} settings = { .format = LOG_JSON, .level = LOG_INFO };

bool log_level_parse(const char *name, enum log_level *ret_level)
{
    for (size_t i = 0; i < ARRAY_LENGTH(level_names); i++) {
        if (mem_streq(name, level_names[i])) {
            *ret_level = (enum log_level)i;
            return true;
        }
    }
    return false;
}

bool log_format_parse(const char *name, enum log_format *ret_format)
{
    bool json = mem_streq(name, "json");
    if (!json && !mem_streq(name, "text"))
        return false;
    *ret_format = json ? LOG_JSON : LOG_TEXT;
    return true;
}

void log_setup(enum log_format format, enum log_level level)
{
    settings.format = format;
    settings.level = level;
}

static void append_quoted(struct buf *line, const char *text)
{
    const char *end = text + strnlen(text, VALUE_MAX_BYTES);
    buf_putc(line, '"');
    while (text < end) {
        size_t length = utf8_character_length(text);
        unsigned char c = (unsigned char)*text;
        if (length == 0)
            buf_puts(line, "\xEF\xBF\xBD");
        else if (c == '"' || c == '\\')
            buf_printf(line, "\\%c", c);
        else if (c < 0x20 || c == 0x7F)
            buf_printf(line, "\\u%04x", c);
        else
            buf_append(line, text, length);
        text += length > 0 ? length : 1;
    }
    buf_putc(line, '"');
}

static bool is_plain(const char *text)
{
    for (const char *p = text; *p; p++)
        if (*p <= ' ' || *p >= 0x7F || strchr("\"\\=", *p))
            return false;
    return *text != '\0';
}

static void append_time(struct buf *line)
{
    int64_t now = clock_wall_ms();
    time_t seconds = (time_t)(now / 1000);
    struct tm utc;
    gmtime_r(&seconds, &utc);
    char text[sizeof "2026-01-01T00:00:00"];
    strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S", &utc);
    buf_printf(line, "%s.%03dZ", text, (int)(now % 1000));
}

static void append_head(struct buf *line, enum log_level level, const char *message)
{
    bool json = settings.format == LOG_JSON;
    buf_puts(line, json ? "{\"time\":\"" : "");
    append_time(line);
    buf_printf(line, json ? "\",\"level\":\"%s\",\"msg\":" : " %-5s ", level_names[level]);
    if (json)
        append_quoted(line, message);
    else
        buf_puts(line, message);
}

static void append_field(struct buf *line, const char *name, const char *value)
{
    if (settings.format == LOG_JSON)
        buf_printf(line, ",\"%s\":", name);
    else
        buf_printf(line, " %s=", name);
    if (settings.format == LOG_TEXT && is_plain(value))
        buf_puts(line, value);
    else
        append_quoted(line, value);
}

static void write_all(const char *bytes, size_t length)
{
    while (length > 0) {
        ssize_t written = write(STDERR_FILENO, bytes, length);
        if (written <= 0)
            return;
        bytes += written;
        length -= (size_t)written;
    }
}

void log_write(enum log_level level, const char *message, ...)
{
    if (level < settings.level)
        return;
    auto_buf struct buf line;
    buf_init(&line, LINE_MAX_BYTES);
    append_head(&line, level, message);
    va_list fields;
    va_start(fields, message);
    for (const char *name; (name = va_arg(fields, const char *)) != NULL;) {
        const char *value = va_arg(fields, const char *);
        if (value)
            append_field(&line, name, value);
    }
    va_end(fields);
    buf_puts(&line, settings.format == LOG_JSON ? "}\n" : "\n");
    write_all(line.data, line.length);
}
