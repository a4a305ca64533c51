"""The Deepgram emulator as a child process, and its admin endpoints as methods."""

import os
import re
import shlex
import ssl
import subprocess
import tempfile
import time
from pathlib import Path

import httpx

REPOSITORY = Path(__file__).resolve().parents[2]
BINARY = Path(os.environ.get("DEEPGRAM_EMULATOR", REPOSITORY / "build" / "deepgram-emulator"))
WRAPPER = shlex.split(os.environ.get("EMULATOR_WRAPPER", ""))

START_TIMEOUT_S = 30
STOP_TIMEOUT_S = 30


class Emulator:
    """Made by start(); ended by stop(), which asserts a clean end, or at the end of a `with`.

    `url` is the base URL of both Deepgram and the registry. EMULATOR_WRAPPER goes before the
    program (valgrind, for example).
    """

    def __init__(self, child, url, log, verify):
        self.url = url
        self._child = child
        self._log = log
        self._admin = httpx.Client(base_url=url, verify=verify, trust_env=False, timeout=30)

    @classmethod
    def start(cls, *flags, listen="127.0.0.1:0", ca_file=None):
        assert BINARY.exists(), f"{BINARY} is missing: run `make`, or set DEEPGRAM_EMULATOR"
        log = tempfile.TemporaryFile("w+")
        # setpriv: the kernel kills the child when we die, also when we are killed ourselves.
        child = subprocess.Popen(
            ["setpriv", "--pdeathsig", "KILL", *WRAPPER, str(BINARY), f"--listen={listen}", *flags],
            stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT,
        )
        deadline = time.monotonic() + START_TIMEOUT_S
        while not (ready := re.search(r"^listening on (\S+)\n", read(log), re.MULTILINE)):
            if child.poll() is not None:
                raise AssertionError(f"the emulator ended with {child.returncode}: {read(log)}")
            if time.monotonic() > deadline:
                child.kill()
                child.wait()
                raise AssertionError(f"the emulator is not ready: {read(log)}")
            time.sleep(0.01)
        verify = ssl.create_default_context(cafile=ca_file) if ca_file else True
        return cls(child, ready[1], log, verify)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()

    @property
    def pid(self):
        return self._child.pid

    def log_text(self):
        return read(self._log)

    def stop(self):
        """May be called again."""
        self._admin.close()
        self._child.terminate()
        try:
            code = self._child.wait(STOP_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            self._child.kill()
            self._child.wait()
            raise
        assert code == 0, f"the emulator ended with {code}: {self.log_text()}"

    # Admin endpoints

    def admin(self, method, path, **arguments):
        """The JSON of an answer that must be a success."""
        answer = self._admin.request(method, f"/admin/{path}", **arguments)
        assert answer.is_success, f"{method} /admin/{path}: {answer.status_code} {answer.text}"
        return answer.json()

    def add_project(self, project_id=None, admin_keys=None):
        """Returns {project_id, admin_keys: [{api_key_id, key, role}]}; by default one owner key."""
        wanted = {"project_id": project_id, "admin_keys": admin_keys}
        return self.admin("POST", "projects", json=without_none(wanted))

    def state(self, project_id=None, alive=None):
        """Returns {projects, keys, distribution_credentials}, secret values included."""
        params = {"project_id": project_id, "alive": "true" if alive else None}
        return self.admin("GET", "state", params=without_none(params))

    def requests(self, since=0, operation=None, project_id=None):
        params = {"since": since, "operation": operation, "project_id": project_id}
        return self.admin("GET", "requests", params=without_none(params))["requests"]

    def clear_requests(self):
        self.admin("DELETE", "requests")

    def add_fault(self, operation, kind, **more):
        """Returns the fault's id. `more`: count, probability, project_id, status, delay_ms, …"""
        fault = {"operation": operation, "kind": kind, **more}
        return self.admin("POST", "faults", json=fault)["id"]

    def faults(self):
        return self.admin("GET", "faults")["faults"]

    def clear_faults(self):
        self.admin("DELETE", "faults")

    def settings(self, **settings):
        self.admin("POST", "settings", json=settings)

    def revoke(self, credential_id):
        """As a person does in the console."""
        self.admin("DELETE", f"credentials/{credential_id}")

    def reset(self):
        self.admin("POST", "reset")


def read(log):
    # By offset: seeking would move the position at which the child writes.
    return os.pread(log.fileno(), 1 << 20, 0).decode(errors="replace")


def without_none(mapping):
    return {name: value for name, value in mapping.items() if value is not None}
