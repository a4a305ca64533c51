/* Preloaded before libfaketime: that takes every absolute time of a timerfd for one of the wall
 * clock, also where the timer runs on the monotonic clock, which is not to be faked. */
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <unistd.h>

int timerfd_settime(int fd, int flags, const struct itimerspec *value, struct itimerspec *old)
{
    return (int)syscall(SYS_timerfd_settime, fd, flags, value, old);
}
