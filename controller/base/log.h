/* Structured log on stderr, JSON (one object a line) or text. Only main, operator/ and net's server
 * glue log; everything below returns errors. Fields are name/value pairs ended by NULL:
 *     log_info("credential issued", "kind", kind, "namespace", ns, "name", name, NULL);
 * A field whose value is NULL is left out. Never a secret, never a body.
 */
#ifndef BASE_LOG_H
#define BASE_LOG_H

#include <stdbool.h>

enum log_level { LOG_DEBUG, LOG_INFO, LOG_WARN, LOG_ERROR };
enum log_format { LOG_JSON, LOG_TEXT };

/* Both return false when the name isn't known ("debug|info|warn|error", "json|text"). */
bool log_level_parse(const char *name, enum log_level *ret_level);
bool log_format_parse(const char *name, enum log_format *ret_format);

/* Process-wide; before the first line. */
void log_setup(enum log_format format, enum log_level level);

void log_write(enum log_level level, const char *message, ...) __attribute__((sentinel));
#define log_debug(...) log_write(LOG_DEBUG, __VA_ARGS__)
#define log_info(...) log_write(LOG_INFO, __VA_ARGS__)
#define log_warn(...) log_write(LOG_WARN, __VA_ARGS__)
#define log_error(...) log_write(LOG_ERROR, __VA_ARGS__)

#endif
