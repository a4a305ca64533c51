"""Which credentials each pod holds and whether they are alive, seen by asking again and again.

It asks the emulator first and the API server after that: a pod that is there after its key was seen
dead has held a dead key, however long the questions took. The lists come from the API server's
watch cache, which is never behind what its watchers were told, the operator among them.

A container has the value that its kubelet knew when it started it, and a kubelet may be
KUBELET_LAG_S behind: a pod counts as holding every value that the Secret had from then on until its
container was seen running. One that restarts reads it again.
"""

import base64
import re
import threading
import time
from collections import defaultdict, namedtuple
from dataclasses import dataclass, field

KUBELET_LAG_S = 3.0
INTERVAL_S = 0.05

API_KEY = re.compile(r"(?<![0-9A-Za-z])[0-9A-Za-z]{40}(?![0-9A-Za-z])")
DOCKER_USER = re.compile(r'"username":\s*"deepgram\+([0-9a-f-]{36})"')
REFERENCES = ("secretRef", "secretKeyRef", "secret")
FINISHED = ("Succeeded", "Failed")

# A pod in one sample.
Seen = namedtuple("Seen", "app uid ready terminating")


@dataclass
class Pod:
    namespace: str
    name: str
    app: str
    secrets: frozenset
    first: int  # the samples in which it was seen
    last: int = 0
    running: bool = False
    restarts: int = 0
    held: set = field(default_factory=set)  # ids of credentials


class Sampler:
    """Of all namespaces, from `with` on. A failure inside is raised at its end."""

    def __init__(self, plane, emulator):
        self.plane = plane
        self.emulator = emulator
        self.pods = {}  # by uid, those that are gone too
        self.samples = defaultdict(list)  # namespace → [(index, [Seen])], for each with pods
        self.dead = []  # (namespace, what was seen)
        self.times = []
        self._values = defaultdict(list)  # (namespace, Secret) → [(last time seen, ids)]
        self._known = {}  # (uid, resourceVersion) of a Secret → ids in it
        self._ids = {}  # value of an API key → its id
        self._error = None
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._stop.set()
        self._thread.join()
        if self._error:
            raise self._error

    @property
    def now(self):
        """The number of the next sample."""
        return len(self.times)

    def wait_for_next(self):
        """Until a sample has been taken that was begun after this call."""
        wanted = self.now + 2
        while self.now < wanted:
            assert not self._error, self._error
            time.sleep(INTERVAL_S / 5)

    def pods_of(self, namespace, app=None):
        return [pod for pod in list(self.pods.values())
                if pod.namespace == namespace and app in (None, pod.app)]

    def dead_in(self, namespace):
        return [what for where, what in list(self.dead) if where == namespace]

    def least_ready(self, namespace, app, since=0):
        """The fewest ready pods that any sample from that one on has seen."""
        return min(sum(one.ready for one in seen if one.app == app)
                   for index, seen in list(self.samples[namespace]) if index >= since)

    def summary(self):
        gaps = sorted(after - before for before, after in zip(self.times, self.times[1:]))
        if not gaps:
            return "no samples"
        return (f"{len(self.times)} samples, every {gaps[len(gaps) // 2] * 1000:.0f} ms "
                f"(99 of 100 within {gaps[len(gaps) * 99 // 100] * 1000:.0f} ms), "
                f"{len(self.pods)} pods")

    def _run(self):
        try:
            while not self._stop.is_set():
                started = time.monotonic()
                self._sample(started)
                self._stop.wait(max(0, started + INTERVAL_S - time.monotonic()))
        except Exception as error:  # for whoever ends it
            self._error = error

    def _sample(self, now):
        alive = self._alive()
        self._read_secrets(now)
        pods = self.plane.client.get("/api/v1/pods", resourceVersion="0")["items"]
        index = len(self.times)
        seen = defaultdict(list)
        for item in pods:
            if item["status"].get("phase") not in FINISHED:
                self._look_at(item, index, now, alive, seen[item["metadata"]["namespace"]])
        for namespace, there in seen.items():
            self.samples[namespace].append((index, there))
        self.times.append(now)

    def _alive(self):
        state = self.emulator.state()
        self._ids = {key["key"]: key["api_key_id"] for key in state["keys"]}
        return {key["api_key_id"] for key in state["keys"] if key["alive"]} | {
            one["distribution_credentials_id"] for one in state["distribution_credentials"]
            if one["alive"]}

    def _read_secrets(self, now):
        listed = self.plane.client.get("/api/v1/secrets", resourceVersion="0",
                                       fieldSelector="type!=deepgram.com/credential")["items"]
        for secret in listed:
            metadata = secret["metadata"]
            version = metadata["uid"], metadata["resourceVersion"]
            ids = self._known.get(version)
            if ids is None:
                ids, all_known = self._ids_in(secret.get("data") or {})
                if all_known:
                    self._known[version] = ids
            values = self._values[metadata["namespace"], metadata["name"]]
            if values and values[-1][1] == ids:
                values[-1] = (now, ids)
            else:
                values.append((now, ids))

    def _ids_in(self, data):
        """The ids of the credentials in it, and whether the emulator had told of all its keys: it
        was asked first, a key made since then is known in the next sample."""
        texts = [base64.b64decode(value).decode(errors="replace") for value in data.values()]
        keys = {key for text in texts for key in API_KEY.findall(text)}
        ids = frozenset({self._ids[key] for key in keys if key in self._ids} | {
            id for text in texts for id in DOCKER_USER.findall(text)})
        return ids, keys <= self._ids.keys()

    def _look_at(self, item, index, now, alive, seen):
        metadata = item["metadata"]
        pod = self.pods.get(metadata["uid"])
        if pod is None:
            pod = self.pods[metadata["uid"]] = Pod(
                metadata["namespace"], metadata["name"], metadata.get("labels", {}).get("app", ""),
                frozenset(secrets_of(item["spec"])), index)
        pod.last = index
        self._note_start(pod, item["status"], now)
        terminating = "deletionTimestamp" in metadata
        seen.append(Seen(pod.app, metadata["uid"], is_ready(item) and not terminating,
                         terminating))
        for id in pod.held - alive:
            self.dead.append((pod.namespace, f"{pod.name} is there in sample {index} with {id}, "
                                             "which is dead"))

    def _note_start(self, pod, status, now):
        statuses = status.get("containerStatuses", [])
        restarts = sum(one["restartCount"] for one in statuses)
        started = any("running" in one["state"] for one in statuses) or restarts > 0
        if started and (not pod.running or restarts > pod.restarts):
            pod.held = self._held_since(pod, now - KUBELET_LAG_S - 2 * INTERVAL_S)
        pod.running, pod.restarts = pod.running or started, restarts

    def _held_since(self, pod, since):
        return {id for name in pod.secrets
                for seen, ids in self._values[pod.namespace, name] if seen >= since for id in ids}


def is_ready(pod):
    return any((one["type"], one["status"]) == ("Ready", "True")
               for one in pod["status"].get("conditions", []))


def secrets_of(spec):
    """Names of the Secrets that a pod's containers read; not those its images are pulled with."""
    if isinstance(spec, list):
        for item in spec:
            yield from secrets_of(item)
    elif isinstance(spec, dict):
        for name, value in spec.items():
            if name in REFERENCES and isinstance(value, dict):
                yield from filter(None, (value.get("name"), value.get("secretName")))
            elif name != "imagePullSecrets":
                yield from secrets_of(value)
