/* read(2) rather than stdio: stdio would keep an unwiped copy of a token in its buffer. */
#include "kube/file.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

enum { TEXT_BYTES_MAX = 1024 * 1024 };

static bool read_all(int fd, const char *path, struct buf *buf, struct err *err)
{
    char chunk[4096];
    bool ok = true;
    for (;;) {
        ssize_t count = read(fd, chunk, sizeof chunk);
        if (count < 0 && errno == EINTR)
            continue;
        if (count < 0)
            ok = err_set(err, ERR_INVALID, "can't read %s: %s", path, strerror(errno));
        else if (!buf_append(buf, chunk, (size_t)count))
            ok = err_set(err, ERR_INVALID, "%s is larger than %zu bytes", path, buf->max);
        if (!ok || count == 0)
            break;
    }
    mem_wipe(chunk, sizeof chunk);
    return ok;
}

bool file_read(const char *path, struct buf *buf, struct err *err)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    if (fd < 0)
        return err_set(err, ERR_INVALID, "can't read %s: %s", path, strerror(errno));
    bool ok = read_all(fd, path, buf, err);
    close(fd);
    return ok;
}

bool file_read_text(const char *path, char **ret_text, struct err *err)
{
    auto_buf struct buf buf;
    buf_init(&buf, TEXT_BYTES_MAX);
    if (!file_read(path, &buf, err))
        return false;
    *ret_text = buf_take(&buf);
    return true;
}
