"""A child process that logs to a file and never outlives the test run."""

import collections
import os
import platform
import random
import signal
import socket
import subprocess
import time

from polling import wait_for

# Ports that may have been given out and not bound yet, by whichever thread.
_given = collections.deque(maxlen=1000)

# Of several test processes at once (pytest-xdist's gw0, gw1, ...) each has a range of its own.
_WORKER = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
_FIRST_PORT, _PORTS = 20000 + 2000 * (_WORKER % 5), 2000


def free_port():
    """A free loopback port below the range that the kernel hands out to clients.

    Inside that range a client that keeps trying a closed port can be given this very port as its
    own and connect to itself.
    """
    while True:
        port = random.randrange(_FIRST_PORT, _FIRST_PORT + _PORTS)
        if port in _given:
            continue
        _given.append(port)
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
                return port
            except OSError:
                continue


class ProcessEnded(Exception):
    """A process that should be running has ended on its own."""


class Process:
    """Started by start(), which may be called again after stop() or kill()."""

    def __init__(self, name, argv, log_path, env=None):
        self.name = name
        self.argv = [str(arg) for arg in argv]
        self.log_path = log_path
        self.env = env
        self._child = None

    def start(self):
        assert not self.running(), f"{self.name} runs already"
        # setpriv: the kernel kills the child when we die, also when we are killed ourselves.
        with open(self.log_path, "ab") as log:
            self._child = subprocess.Popen(
                ["setpriv", "--pdeathsig", "KILL", *self.argv],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=self.env,
            )

    @property
    def pid(self):
        return self._child.pid

    def running(self):
        return self._child is not None and self._child.poll() is None

    def check_running(self):
        """Raises ProcessEnded, with the end of the log, unless it runs."""
        if not self.running():
            code = self._child.returncode
            raise ProcessEnded(f"{self.name} ended with {code}; its log:\n{self.log_tail()}")

    def terminate(self):
        """SIGTERM, without waiting for what it does."""
        self._child.terminate()

    def stop(self, grace_s=10):
        """SIGTERM, after `grace_s` SIGKILL. Returns the exit code (negative: the signal)."""
        if self._child is None:
            return None
        if self.running():
            self._child.terminate()
            try:
                self._child.wait(grace_s)
            except subprocess.TimeoutExpired:
                self.kill()
        return self._child.returncode

    def kill(self):
        """SIGKILL, and waits until the process is gone."""
        if self.running():
            self._child.kill()
        self._child.wait()

    def pause(self):
        """SIGSTOP: the process stands still until resume()."""
        os.kill(self.pid, signal.SIGSTOP)

    def _proc(self, name):
        with open(f"/proc/{self.pid}/{name}", encoding="ascii") as file:
            return file.read()

    def pause_where_it_waits(self):
        """Not between the look at its lease and the request after it: nothing can close that gap,
        and what leaves when the process goes on was allowed before."""
        poll = {"x86_64": ("7", "219"), "aarch64": ("73", "128")}[platform.machine()]
        for _ in range(1000):
            self.pause()
            wait_for(lambda: self._proc("stat").rpartition(")")[2].split()[0] == "T", 5,
                     "it stands still", interval=0.001)
            if self._proc("syscall").split()[0] in poll:  # or its restart
                return
            self.resume()
            time.sleep(0.001)
        raise AssertionError("it never waits")

    def resume(self):
        os.kill(self.pid, signal.SIGCONT)

    def log_text(self):
        with open(self.log_path, encoding="utf-8", errors="replace") as log:
            return log.read()

    def log_tail(self, lines=40):
        return "\n".join(self.log_text().splitlines()[-lines:])
