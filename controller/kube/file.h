/* Reading small files (kubeconfig, certificates, tokens) as a whole.
 */
#ifndef KUBE_FILE_H
#define KUBE_FILE_H

#include "base/buf.h"
#include "base/err.h"

/* Appends the file's bytes to *buf, whose maximum bounds it. INVALID names the file and why it
 * can't be read. */
NODISCARD bool file_read(const char *path, struct buf *buf, struct err *err);

/* The whole file as text, up to 1 MiB; free with mem_free. */
NODISCARD bool file_read_text(const char *path, char **ret_text, struct err *err);

#endif
