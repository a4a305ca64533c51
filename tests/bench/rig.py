"""What the measurements stand on: the control plane, the emulator, readiness as a watch tells it, and
what the processes cost."""

import collections
import json
import os
import re
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx

REPOSITORY = Path(__file__).resolve().parents[2]
BUILD = Path(os.environ.get("BENCH_BUILD", REPOSITORY / "build"))
os.environ.setdefault("DEEPGRAM_OPERATOR", str(BUILD / "deepgram-operator"))
os.environ.setdefault("DEEPGRAM_EMULATOR", str(BUILD / "deepgram-emulator"))
sys.path.insert(0, str(REPOSITORY / "tests" / "integration"))

import operator_process  # noqa: E402
from conftest import install_manifests  # noqa: E402
from controlplane import ControlPlane  # noqa: E402
from emulator import Emulator  # noqa: E402
from operator_process import OperatorProcess  # noqa: E402
from polling import wait_for  # noqa: E402
from resources import GROUP, PLURALS, Tenant  # noqa: E402

READY = b'"status":"True","type":"Ready"'
ROTATED = b'"revision":2,"state":"Current"'
VERSION = re.compile(rb'"resourceVersion":"(\d+)"')
BARE_WRITER = BUILD / "bare-writer"
LATENCY_MS = 20
NAMESPACE = "bench"
KEYS = f"{GROUP}/deepgramapikeys"
TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")


def cpu_seconds(pid):
    """User and system time of a process so far."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS_PER_SECOND


class Watch:
    """Notes in a thread of its own when objects of a collection first match a piece of text, and when
    they go. A watch, because polling a list of ten thousand would be a load of its own."""

    def __init__(self, plane, path, needle=b""):
        self.matched = {}  # name: monotonic time
        self.gone = {}
        self._changed = threading.Condition()
        self._thread = threading.Thread(target=self._run, args=(plane, path, needle), daemon=True)
        self._closing = False
        self._version = plane.client.get(path, limit=1)["metadata"]["resourceVersion"]
        self._thread.start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._closing = True

    def _run(self, plane, path, needle):
        while not self._closing:  # a busy API server cuts off whoever reads too slowly
            query = {"resourceVersion": self._version, "timeoutSeconds": 3600}
            try:
                with plane.client.watch(path, **query) as stream:
                    self._read(stream.iter_raw(), needle)
            except (httpx.TransportError, RuntimeError):
                time.sleep(0.05)  # it ends with the control plane; before that, wait() fails

    def _read(self, chunks, needle):
        rest = b""
        for chunk in chunks:
            if self._closing:
                return
            *lines, rest = (rest + chunk).split(b"\n")
            for line in lines:
                self._version = VERSION.search(line)[1].decode()
            self._note([line for line in lines if needle in line or b'"DELETED"' in line[:20]])

    def _note(self, lines):
        now = time.monotonic()
        with self._changed:
            for event in map(json.loads, lines):
                name = event["object"]["metadata"]["name"]
                seen = self.gone if event["type"] == "DELETED" else self.matched
                seen.setdefault(name, now)
            self._changed.notify_all()

    def wait(self, seen, count, timeout):
        """Waits until `seen` (matched or gone) has so many, and returns the time of the last."""
        with self._changed:
            in_time = self._changed.wait_for(lambda: len(seen) >= count, timeout)
            assert in_time, f"{len(seen)} of {count} within {timeout} s"
            return max(seen.values())


class Deepgram:
    """An emulator that answers after LATENCY_MS, with projects that the namespaces take in turn;
    each namespace has the admin Secret of its project."""

    def __init__(self, rig, namespaces=1, projects=1):
        self.emulator = Emulator.start()
        self.emulator.settings(latency_ms=LATENCY_MS)
        self.url = self.emulator.url
        self.namespaces = [NAMESPACE] if namespaces == 1 else [
            f"{NAMESPACE}-{index}" for index in range(namespaces)]
        self.projects = [self.emulator.add_project() for _ in range(projects)]
        with ThreadPoolExecutor(16) as pool:
            list(pool.map(lambda index: self._furnish(rig, index), range(namespaces)))

    def _furnish(self, rig, index):
        name = self.namespaces[index]
        if not rig.plane.client.find(f"/api/v1/namespaces/{name}"):
            rig.plane.client.post("/api/v1/namespaces", {"metadata": {"name": name}})
        project = self.projects[index % len(self.projects)]
        Tenant(rig.plane, self.emulator, name, project).put_admin_secret()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.emulator.stop()

    def tenant(self, rig):
        """Of the first namespace."""
        return Tenant(rig.plane, self.emulator, self.namespaces[0], self.projects[0])

    def keys(self):
        """Those that aren't admin keys, revoked ones too."""
        return [key for key in self.emulator.state()["keys"] if not key["admin"]]

    def live(self):
        return sum(key["alive"] for key in self.keys())

    def projects_file(self, directory):
        path = directory / "projects"
        path.write_text("".join(
            f"{project['project_id']} {project['admin_keys'][0]['key']}\n"
            for project in self.projects))
        return path


class Rig:
    """A control plane without controllers of its own. A fresh one for each measurement: what an
    earlier one has left in etcd would be a load on the next."""

    def __init__(self, etcd_quota_bytes=None):
        self.plane = ControlPlane(etcd_quota_bytes=etcd_quota_bytes, say=lambda text: None)
        self.directory = self.plane.directory
        self.runs = 0
        self._writer_token = None

    def __enter__(self):
        self.plane.start()
        install_manifests(self.plane)
        self.plane.client.post("/api/v1/namespaces", {"metadata": {"name": NAMESPACE}})
        # At first a server answers that it still loads the objects of the new types.
        wait_for(lambda: all(map(self._can_watch, PLURALS.values())), 30, "watches work")
        return self

    def _can_watch(self, plural):
        with self.plane.client.watch(f"{GROUP}/{plural}", timeoutSeconds=1) as stream:
            return stream.is_success

    def __exit__(self, *_):
        self.plane.stop()

    def operator(self, deepgram, *flags):
        self.runs += 1
        account = (operator_process.NAMESPACE, operator_process.SERVICE_ACCOUNT)
        return OperatorProcess(
            self.plane.kubeconfig_for(*account), self.directory / f"operator-{self.runs}.log",
            [f"--deepgram-url={deepgram.url}", f"--registry-url={deepgram.url}",
             "--leader-elect=false", *flags],
        )

    def write(self, mode, deepgram, count):
        """Runs the bare writer and returns what it says of itself."""
        token = self.directory / "writer-token"
        token.write_text(self.writer_token())
        done = subprocess.run(
            [BARE_WRITER, mode, self.plane.url, self.plane.pki.ca, token, deepgram.url,
             deepgram.projects_file(self.directory), str(len(deepgram.namespaces)), str(count)],
            capture_output=True, text=True, check=False,
        )
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    def writer_token(self):
        """Of a ServiceAccount that may do everything."""
        if not self._writer_token:
            self._writer_token = self.plane.token_for(NAMESPACE, self.add_account("writer"))
        return self._writer_token

    def add_account(self, name):
        self.plane.client.post(
            f"/api/v1/namespaces/{NAMESPACE}/serviceaccounts", {"metadata": {"name": name}})
        self.plane.kubectl("create", "clusterrolebinding", name, "--clusterrole=cluster-admin",
                           f"--serviceaccount={NAMESPACE}:{name}")
        return name

    def api_server_cpu(self):
        return cpu_seconds(self.plane.pid_of("apiserver"))

    def requests(self, mark, user=operator_process.USER):
        """The user's requests that were answered since the mark, by verb and resource."""
        counted = collections.Counter()
        for event in self.plane.audit(since=mark, user=user):
            reference = event["objectRef"]
            part = reference["resource"] + ("/" + reference["subresource"]
                                            if "subresource" in reference else "")
            counted[f"{event['verb']} {part}"] += 1
        return dict(sorted(counted.items()))
