/* Grows by doubling so that appending stays linear; the maximum keeps a hostile peer from filling
 * the memory. */
#include "base/buf.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { FIRST_CAPACITY = 128 };

void buf_init(struct buf *buf, size_t max_bytes)
{
    *buf = (struct buf){ .max = max_bytes };
}

void buf_done(struct buf *buf)
{
    if (!buf)
        return;
    mem_free(buf->data);
    buf_init(buf, buf->max);
}

void buf_reset(struct buf *buf)
{
    if (buf->data)
        mem_wipe(buf->data, buf->length);
    buf->length = 0;
    buf->failed = false;
}

static bool reserve(struct buf *buf, size_t more)
{
    if (more > buf->max || buf->length > buf->max - more) {
        buf->failed = true;
        return false;
    }
    size_t needed = buf->length + more + 1;
    if (needed <= buf->capacity)
        return true;
    size_t capacity = buf->capacity > 0 ? buf->capacity : FIRST_CAPACITY;
    while (capacity < needed)
        capacity *= 2;
    buf->data = mem_realloc(buf->data, capacity);
    buf->capacity = capacity;
    return true;
}

bool buf_append(struct buf *buf, const void *bytes, size_t length)
{
    if (!reserve(buf, length))
        return false;
    if (length > 0)
        memcpy(buf->data + buf->length, bytes, length);
    buf->length += length;
    buf->data[buf->length] = '\0';
    return true;
}

bool buf_puts(struct buf *buf, const char *text)
{
    return buf_append(buf, text, strlen(text));
}

bool buf_putc(struct buf *buf, char c)
{
    return buf_append(buf, &c, 1);
}

bool buf_printf(struct buf *buf, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    va_list again;
    va_copy(again, args);
    size_t room = buf->capacity - buf->length; /* most texts find it, and are formatted once */
    int length = vsnprintf(room > 0 ? buf->data + buf->length : NULL, room, format, args);
    va_end(args);
    bool ok = length >= 0 && reserve(buf, (size_t)length);
    if (ok && (size_t)length >= room)
        vsnprintf(buf->data + buf->length, (size_t)length + 1, format, again);
    if (ok)
        buf->length += (size_t)length;
    else if (room > 0)
        buf->data[buf->length] = '\0';
    va_end(again);
    return ok;
}

void buf_consume(struct buf *buf, size_t count)
{
    if (count == 0)
        return;
    memmove(buf->data, buf->data + count, buf->length - count);
    mem_wipe(buf->data + buf->length - count, count);
    buf->length -= count;
    buf->data[buf->length] = '\0';
}

const char *buf_text(const struct buf *buf)
{
    return buf->data ? buf->data : "";
}

char *buf_take(struct buf *buf)
{
    char *text = buf->data ? take(buf->data) : mem_strdup("");
    buf_init(buf, buf->max);
    return text;
}
