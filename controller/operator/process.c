/* Nothing of it is worth an error: what the kernel doesn't tell is left out. */
#include "operator/process.h"

#include <dirent.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <unistd.h>

#include "kube/file.h"

static void render(struct buf *out, const char *name, const char *type, const char *help,
                   double value)
{
    buf_printf(out, "# HELP %s %s\n# TYPE %s %s\n%s %.15g\n", name, help, name, type, name, value);
}

static double seconds(struct timeval time)
{
    return (double)time.tv_sec + (double)time.tv_usec / 1e6;
}

static void render_cpu(struct buf *out)
{
    struct rusage usage;
    if (getrusage(RUSAGE_SELF, &usage) == 0)
        render(out, "process_cpu_seconds_total", "counter",
               "User and system CPU time spent in seconds.",
               seconds(usage.ru_utime) + seconds(usage.ru_stime));
}

static void render_memory(struct buf *out)
{
    auto_buf struct buf statm; /* "virtual resident …" in pages */
    buf_init(&statm, 1024);
    struct err err = ERR_INIT;
    if (!file_read("/proc/self/statm", &statm, &err))
        return;
    char *rest = NULL;
    double page_bytes = (double)sysconf(_SC_PAGESIZE);
    double virtual_bytes = (double)strtoul(buf_text(&statm), &rest, 10) * page_bytes;
    double resident_bytes = (double)strtoul(rest, NULL, 10) * page_bytes;
    render(out, "process_virtual_memory_bytes", "gauge", "Virtual memory size in bytes.",
           virtual_bytes);
    render(out, "process_resident_memory_bytes", "gauge", "Resident memory size in bytes.",
           resident_bytes);
}

static void render_descriptors(struct buf *out)
{
    DIR *directory = opendir("/proc/self/fd");
    if (directory) {
        double count = -3; /* ".", ".." and the descriptor that reads the directory */
        while (readdir(directory))
            count++;
        closedir(directory);
        render(out, "process_open_fds", "gauge", "Number of open file descriptors.", count);
    }
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0)
        render(out, "process_max_fds", "gauge", "Maximum number of open file descriptors.",
               (double)limit.rlim_cur);
}

void process_render(struct buf *out, int64_t started_wall_ms)
{
    render_cpu(out);
    render_memory(out);
    render_descriptors(out);
    render(out, "process_start_time_seconds", "gauge",
           "Start time of the process since unix epoch in seconds.",
           (double)started_wall_ms / 1000);
}
