/* A growing byte buffer with a maximum given at birth; exceeding it is an error, never a crash.
 * The bytes are always followed by a NUL that isn't counted. Wiped when released.
 */
#ifndef BASE_BUF_H
#define BASE_BUF_H

#include <stddef.h>

#include "base/mem.h"

struct buf {
    char *data; /* owned; NULL while empty and never written: use buf_text() */
    size_t length;
    size_t capacity;
    size_t max;  /* bytes */
    bool failed; /* an append went over max: data holds what fitted before it */
};

/* A buffer of at most max_bytes; no allocation yet. */
void buf_init(struct buf *buf, size_t max_bytes);
/* Wipes and frees; usable again afterwards with the same maximum. Callable twice. */
void buf_done(struct buf *buf);
/* Empties without giving memory back. */
void buf_reset(struct buf *buf);

/* All appends return false and change nothing when the maximum would be exceeded. A caller that
 * appends many pieces may ignore the results and look at buf->failed once at the end. */
bool buf_append(struct buf *buf, const void *bytes, size_t length);
bool buf_puts(struct buf *buf, const char *text);
bool buf_putc(struct buf *buf, char c);
bool buf_printf(struct buf *buf, const char *format, ...) PRINTF_LIKE(2, 3);

/* Drops the first `count` bytes (count <= length). */
void buf_consume(struct buf *buf, size_t count);

/* The text, "" when empty; borrowed until the next change. */
const char *buf_text(const struct buf *buf);
/* Hands the bytes over (free with mem_free); "" when empty. The buffer is empty afterwards. */
NODISCARD char *buf_take(struct buf *buf);

#define auto_buf __attribute__((cleanup(buf_done)))

#endif
