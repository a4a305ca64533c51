"""The operator under test as a process, with its own ServiceAccount's rights and never admin's."""

import os
import re
import shlex
from pathlib import Path

import httpx

from controlplane import REPOSITORY
from polling import wait_for
from process import Process, free_port

NAMESPACE = "deepgram-operator-system"
SERVICE_ACCOUNT = "deepgram-operator"
USER = f"system:serviceaccount:{NAMESPACE}:{SERVICE_ACCOUNT}"

BINARY = Path(os.environ.get("DEEPGRAM_OPERATOR", REPOSITORY / "build" / "deepgram-operator"))
WRAPPER = shlex.split(os.environ.get("OPERATOR_WRAPPER", ""))

SANITIZER_REPORT = re.compile(
    r"(ERROR|WARNING): \w+Sanitizer|: runtime error: |==\d+== ERROR SUMMARY: [1-9]"
)
CPU_TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")
SAMPLE = re.compile(r"^(?P<name>[a-zA-Z_:][\w:]*)(?:\{(?P<labels>.*)\})? (?P<value>\S+)$")
LABEL = re.compile(r'(\w+)="((?:[^"\\]|\\.)*)"')


class Metrics:
    """One scrape of /metrics."""

    def __init__(self, text):
        self.text = text
        self.samples = []  # (name, labels, value)
        for line in text.splitlines():
            if sample := SAMPLE.match(line):
                labels = dict(LABEL.findall(sample["labels"] or ""))
                self.samples.append((sample["name"], labels, float(sample["value"])))

    def value(self, name, /, **labels):
        """The sum over the samples that have these labels; None when there is none."""
        values = [
            value for sample_name, sample_labels, value in self.samples
            if sample_name == name and labels.items() <= sample_labels.items()
        ]
        return sum(values) if values else None


def is_sanitized():
    """Is the operator built with AddressSanitizer?"""
    return BINARY.exists() and b"__asan_init" in BINARY.read_bytes()


class OperatorProcess(Process):
    """Runs with OPERATOR_WRAPPER before it (valgrind, for example). Output goes to `log_path`."""

    def __init__(self, kubeconfig, log_path, flags=(), env=None, binary=None):
        binary = binary or BINARY
        assert binary.exists(), f"{binary} is missing: run `make`, or set DEEPGRAM_OPERATOR"
        self.url = f"http://127.0.0.1:{free_port()}"
        self.kubeconfig = kubeconfig
        self.ended_by_test = False
        environment = {k: v for k, v in os.environ.items() if k != "KUBECONFIG"}
        super().__init__(
            "deepgram-operator",
            [*WRAPPER, binary, f"--kubeconfig={kubeconfig}",
             f"--listen={self.url.removeprefix('http://')}", *flags],
            log_path,
            {**environment, **(env or {})},
        )

    def start(self, wait_ready=True):
        super().start()
        self.ended_by_test = False
        if wait_ready:
            self.wait_ready()
        return self

    def wait_ready(self, timeout=60):
        def is_ready():
            self.check_running()
            return self.get("/readyz").is_success

        wait_for(is_ready, timeout, "the operator is ready")

    def stop(self, grace_s=15):
        """SIGTERM; asserts that it still ran and that its end is clean."""
        self.ended_by_test = True
        self.check_running()
        code = super().stop(grace_s)
        self.check_sanitizers()
        assert code == 0, f"the operator ended with {code}; its log:\n{self.log_tail()}"

    def kill(self):
        self.ended_by_test = True
        super().kill()

    def wait_exit(self, timeout=30):
        """Waits until it ends on its own, for a lost lease for example. Returns the exit code."""
        self.ended_by_test = True
        wait_for(lambda: not self.running(), timeout, "the operator ends")
        return super().stop()

    def check_sanitizers(self):
        report = SANITIZER_REPORT.search(self.log_text())
        assert report is None, f"sanitizer report:\n{self.log_text()[report.start():][:4000]}"

    def check_secrets(self, secrets):
        """Asserts that none of the values stands in the log; the failure names it by its index."""
        log = self.log_text()
        leaked = [index for index, secret in enumerate(secrets) if secret and secret in log]
        assert not leaked, f"{self.log_path} contains secret values, by index: {leaked}"

    def get(self, path):
        """The answer of one of its own endpoints."""
        return httpx.get(f"{self.url}{path}", trust_env=False)

    def metrics(self):
        answer = self.get("/metrics")
        answer.raise_for_status()
        return Metrics(answer.text)

    def rss_kib(self):
        return self._status_kib("VmRSS")

    def peak_kib(self):
        """The most that it was resident at any time so far."""
        return self._status_kib("VmHWM")

    def anonymous_kib(self):
        return self._status_kib("RssAnon")

    def cpu_seconds(self):
        """User and system time so far."""
        fields = self._stat()
        return (int(fields[11]) + int(fields[12])) / CPU_TICKS_PER_SECOND

    def stands_still(self):
        """It got a SIGSTOP."""
        return self._stat()[0] == "T"

    def _stat(self):
        # The fields after the command name, which is in parentheses and may hold spaces.
        return Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()

    def _status_kib(self, field):
        status = Path(f"/proc/{self.pid}/status").read_text()
        return int(re.search(rf"^{field}:\s+(\d+) kB$", status, re.MULTILINE)[1])
