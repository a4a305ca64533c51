/* Feeds every file named on the command line to the fuzz target that it is linked with: the corpora
 * run with any compiler, as part of the unit tests. A directory stands for its files. */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "kube/file.h"

enum { INPUT_BYTES_MAX = 16 * 1024 * 1024 };

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

static bool replay_file(const char *path)
{
    auto_buf struct buf input;
    struct err err = ERR_INIT;
    buf_init(&input, INPUT_BYTES_MAX);
    if (!file_read(path, &input, &err)) {
        fprintf(stderr, "%s\n", err.message);
        return false;
    }
    LLVMFuzzerTestOneInput((const uint8_t *)buf_text(&input), input.length);
    return true;
}

/* Number of files that were fed; -1 on failure. */
static int replay_directory(const char *path)
{
    DIR *directory = opendir(path);
    if (!directory)
        return replay_file(path) ? 1 : -1;
    int count = 0;
    for (struct dirent *entry; count >= 0 && (entry = readdir(directory)) != NULL;) {
        if (entry->d_name[0] == '.')
            continue;
        auto_free char *file = mem_printf("%s/%s", path, entry->d_name);
        count = replay_file(file) ? count + 1 : -1;
    }
    closedir(directory);
    return count;
}

int main(int argc, char **argv)
{
    int total = 0;
    for (int i = 1; i < argc; i++) {
        int count = replay_directory(argv[i]);
        if (count <= 0) {
            fprintf(stderr, "%s: nothing to replay\n", argv[i]);
            return 1;
        }
        total += count;
    }
    printf("%d inputs replayed\n", total);
    return total > 0 ? 0 : 1;
}
