"""Any other controller on the same work: BENCH_PEER is its command, BENCH_PEER_FILE describes what it
is told by (README.md)."""

import json
import os
import string
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from measure import Cost, timeout, wait_quiet
from process import Process
from rig import NAMESPACE, Deepgram, Rig, Watch, cpu_seconds

CLIENTS = 16  # that create resources, as many as the bare writer has


def description():
    return json.loads(Path(os.environ["BENCH_PEER_FILE"]).read_text())


def name():
    return description()["name"]


class Peer(Process):
    """The one process of the controller, with what the measurements ask of it."""

    def cpu_seconds(self):
        return cpu_seconds(self.pid)

    def rss_kib(self):
        return self._status_kib("VmRSS")

    def peak_kib(self):
        return self._status_kib("VmHWM")

    def _status_kib(self, field):
        for line in Path(f"/proc/{self.pid}/status").read_text().splitlines():
            if line.startswith(f"{field}:"):
                return int(line.split()[1])
        raise AssertionError(field)


def fill(template, **values):
    """The template with each $name replaced, in whatever it is nested."""
    if isinstance(template, str):
        return string.Template(template).safe_substitute(values)
    if isinstance(template, list):
        return [fill(item, **values) for item in template]
    if isinstance(template, dict):
        return {key: fill(value, **values) for key, value in template.items()}
    return template


def life(command, count):
    with Rig() as rig, Deepgram(rig) as deepgram:
        return {"issue": issue(rig, deepgram, command, count)}


def issue(rig, deepgram, command, count):
    told = description()
    rig.add_account("peer")
    values = {
        "namespace": NAMESPACE, "deepgram_url": deepgram.url,
        "kubeconfig": str(rig.plane.kubeconfig_for(NAMESPACE, "peer")),
        "project": deepgram.projects[0]["project_id"],
        "admin_key": deepgram.projects[0]["admin_keys"][0]["key"],
    }
    for manifest in told.get("manifests", []):
        rig.plane.apply(fill(Path(manifest).read_text(), **values))
    process = Peer(told["name"], fill(command, **values), rig.directory / "peer.log",
                   {**os.environ, **fill(told.get("environment", {}), **values)})
    process.start()
    time.sleep(told.get("start_s", 5))
    empty = process.rss_kib()
    path = fill(told["path"], **values)
    user = f"system:serviceaccount:{NAMESPACE}:peer"
    cost = Cost(rig, deepgram, process, user)
    with Watch(rig.plane, path, told["ready"].encode()) as watch:
        started = time.monotonic()
        with ThreadPoolExecutor(CLIENTS) as pool:
            list(pool.map(lambda index: rig.plane.client.post(
                path, fill(told["resource"], name=f"key-{index}", **values)), range(count)))
        created = time.monotonic()
        ready = watch.wait(watch.matched, count, timeout(count))
    wait_quiet(process.cpu_seconds)
    result = {"all_ready_s": ready - started, "created_s": created - started,
              "rss_empty_mib": empty / 1024, **cost.so_far(count)}
    process.stop()
    return result
