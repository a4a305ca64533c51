/* The end is told by a pidfd, not by end-of-file: a grandchild may keep the pipes open for ever.
 * The program gets its own process group, so that a time-out reaches what it started, and no
 * blocked signals: the loop blocks the ones that it reads from its signalfd. */
#include "kube/command.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
    ERROR_TEXT_BYTES_MAX = 8 * 1024,
    READS_AT_ONCE = 32, /* of 4 KiB: more than a pipe holds, so nothing written before the exit is
                           missed, and a program that never stops writing can't hold the loop */
};

struct pipe_reader {
    int fd; /* -1: closed */
    struct loop_fd_watch *watch;
    struct buf text;
};

struct command {
    struct loop *loop;
    pid_t pid;  /* 0: never started */
    int pid_fd; /* -1: none */
    struct loop_fd_watch *pid_watch;
    struct pipe_reader output;
    struct pipe_reader errors;
    struct loop_timer timer;
    const char *failure; /* why we ended it, or couldn't start it; NULL */
    bool not_found;
    command_done_fn *done;
    void *context;
};

static void close_fd(int *fd)
{
    if (*fd >= 0)
        close(*fd);
    *fd = -1;
}

static void reader_close(struct pipe_reader *reader)
{
    loop_unwatch_fd(take(reader->watch));
    close_fd(&reader->fd);
}

static void command_free(struct command *command)
{
    loop_timer_stop(&command->timer);
    loop_unwatch_fd(command->pid_watch);
    close_fd(&command->pid_fd);
    reader_close(&command->output);
    reader_close(&command->errors);
    buf_done(&command->output.text);
    buf_done(&command->errors.text);
    mem_free(command);
}

static void kill_group(const struct command *command)
{
    if (command->pid > 0)
        kill(-command->pid, SIGKILL);
}

/* ---- the end ---- */

static void finish(struct command *command, const char *failure)
{
    command->done(command->context, &(struct command_result){
                                        .failure = failure,
                                        .not_found = command->not_found,
                                        .output = &command->output.text,
                                        .error_text = buf_text(&command->errors.text),
                                    });
    command_free(command);
}

static void on_not_started(void *context)
{
    struct command *command = context;
    finish(command, command->failure);
}

static void read_available(struct pipe_reader *reader)
{
    char chunk[4096];
    for (int i = 0; i < READS_AT_ONCE && reader->fd >= 0; i++) {
        ssize_t count = read(reader->fd, chunk, sizeof chunk);
        if (count > 0)
            buf_append(&reader->text, chunk, (size_t)count); /* too much shows in text.failed */
        else if (count < 0 && errno == EINTR)
            continue;
        else if (count < 0 && errno == EAGAIN)
            break;
        else
            reader_close(reader);
    }
    mem_wipe(chunk, sizeof chunk);
}

static void on_exit_of_child(void *context, int fd, unsigned events)
{
    (void)fd;
    (void)events;
    struct command *command = context;
    int status = 0;
    while (waitpid(command->pid, &status, 0) < 0 && errno == EINTR)
        ;
    read_available(&command->output);
    read_available(&command->errors);
    auto_free char *failure = NULL;
    if (command->output.text.failed)
        failure = mem_printf("wrote more than %zu bytes", command->output.text.max);
    else if (command->failure)
        failure = mem_strdup(command->failure);
    else if (WIFSIGNALED(status))
        failure = mem_printf("was ended by signal %d", WTERMSIG(status));
    else if (WEXITSTATUS(status) != 0)
        failure = mem_printf("exited with status %d", WEXITSTATUS(status));
    finish(command, failure ? failure : "");
}

static void on_output(void *context, int fd, unsigned events)
{
    (void)fd;
    (void)events;
    struct command *command = context;
    read_available(&command->output);
    if (command->output.text.failed)
        kill_group(command);
}

static void on_error_text(void *context, int fd, unsigned events)
{
    (void)fd;
    (void)events;
    struct command *command = context;
    read_available(&command->errors);
}

static void on_timeout(void *context)
{
    struct command *command = context;
    command->failure = "gave no answer in time";
    kill_group(command);
}

/* ---- the start ---- */

static bool open_pipe(struct pipe_reader *reader, int *ret_write_fd)
{
    int fds[2];
    if (pipe2(fds, O_CLOEXEC) != 0)
        return false;
    fcntl(fds[0], F_SETFL, O_NONBLOCK);
    reader->fd = fds[0];
    *ret_write_fd = fds[1];
    return true;
}

static int spawn(pid_t *ret_pid, char *const *argv, char *const *envp, int output_fd, int error_fd)
{
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    sigset_t none;
    sigset_t all;
    sigemptyset(&none);
    sigfillset(&all);
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_adddup2(&actions, output_fd, STDOUT_FILENO);
    posix_spawn_file_actions_adddup2(&actions, error_fd, STDERR_FILENO);
    posix_spawnattr_init(&attributes);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK |
                                              POSIX_SPAWN_SETSIGDEF);
    posix_spawnattr_setpgroup(&attributes, 0);
    posix_spawnattr_setsigmask(&attributes, &none);
    posix_spawnattr_setsigdefault(&attributes, &all);
    int error = posix_spawnp(ret_pid, argv[0], &actions, &attributes, argv, envp);
    posix_spawnattr_destroy(&attributes);
    posix_spawn_file_actions_destroy(&actions);
    return error;
}

/* 0 or an errno. */
static int start(struct command *command, char *const *argv, char *const *envp)
{
    int output_fd = -1;
    int error_fd = -1;
    int error = 0;
    if (!open_pipe(&command->output, &output_fd) || !open_pipe(&command->errors, &error_fd))
        error = errno;
    else
        error = spawn(&command->pid, argv, envp, output_fd, error_fd);
    close_fd(&output_fd);
    close_fd(&error_fd);
    if (error)
        return error;
    command->pid_fd = pidfd_open(command->pid, 0);
    return command->pid_fd < 0 ? errno : 0;
}

static void reap(struct command *command)
{
    kill_group(command);
    if (command->pid > 0)
        while (waitpid(command->pid, NULL, 0) < 0 && errno == EINTR)
            ;
}

struct command *command_start(struct loop *loop, char *const *argv, char *const *envp,
                              int64_t timeout_ms, size_t max_output_bytes, command_done_fn *done,
                              void *context)
{
    struct command *command = mem_alloc(sizeof *command);
    *command = (struct command){
        .loop = loop,
        .pid_fd = -1,
        .output.fd = -1,
        .errors.fd = -1,
        .done = done,
        .context = context,
    };
    buf_init(&command->output.text, max_output_bytes);
    buf_init(&command->errors.text, ERROR_TEXT_BYTES_MAX);
    int error = start(command, argv, envp);
    if (error) {
        reap(command);
        command->not_found = error == ENOENT;
        command->failure = strerror(error);
        loop_timer_start(loop, &command->timer, 0, on_not_started, command);
        return command;
    }
    command->pid_watch = loop_watch_fd(loop, command->pid_fd, LOOP_READ, on_exit_of_child, command);
    command->output.watch = loop_watch_fd(loop, command->output.fd, LOOP_READ, on_output, command);
    command->errors.watch =
        loop_watch_fd(loop, command->errors.fd, LOOP_READ, on_error_text, command);
    loop_timer_start(loop, &command->timer, timeout_ms, on_timeout, command);
    return command;
}

void command_cancel(struct command *command)
{
    if (!command)
        return;
    reap(command);
    command_free(command);
}
