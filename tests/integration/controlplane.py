"""A Kubernetes control plane on loopback: etcd and kube-apiserver, and what else a test asks for.

Everything it writes is under one temporary directory, every process ends with the test run.
"""

import atexit
import base64
import json
import shutil
import subprocess
import sys
import tempfile
import time
import uuid
from pathlib import Path

import httpx
import yaml

from api_client import ApiClient, ApiError
from pki import make_pki
from polling import wait_for
from process import Process, free_port

REPOSITORY = Path(__file__).resolve().parents[2]
BINARIES = REPOSITORY / "build" / "controlplane"
STAGES = REPOSITORY / "tests" / "controlplane" / "kwok"

PARTS = ("kcm", "scheduler", "kwok")
BINARY_OF_PART = {"kcm": "kube-controller-manager", "scheduler": "kube-scheduler", "kwok": "kwok"}

CRDS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"

# Bodies are never recorded: those of Secrets and of token requests are secret.
AUDIT_POLICY = {
    "apiVersion": "audit.k8s.io/v1",
    "kind": "Policy",
    "omitStages": ["RequestReceived", "ResponseStarted"],
    "rules": [{"level": "Metadata"}],
}


class MissingBinary(Exception):
    """A part was asked for that `make controlplane` has not put into build/controlplane."""


def say_on_stderr(text):
    print(text, file=sys.stderr, flush=True)


class ControlPlane:
    """`parts` names what runs besides etcd and kube-apiserver: "kcm" (kube-controller-manager),
    "scheduler", "kwok" (needs fake nodes, see add_nodes). `say` gets a line for each start.
    `apiserver_flags` go behind those that are always there."""

    wait_for = staticmethod(wait_for)

    def __init__(self, parts=(), etcd_quota_bytes=None, apiserver_flags=(), say=say_on_stderr):
        self.directory = Path(tempfile.mkdtemp(prefix="controlplane-"))
        self.pki = make_pki(self.directory / "pki")
        self.port = free_port()
        self.url = f"https://127.0.0.1:{self.port}"
        self.etcd_url = f"http://127.0.0.1:{free_port()}"
        self.kubeconfig_admin = self._certificate_kubeconfig("admin")
        self.client = ApiClient(self.url, self.pki.ca, self.pki.client["admin"])
        self._say = say
        self._wanted = frozenset(parts)
        self._processes = {}  # in the order of their start
        self._etcd_quota_bytes = etcd_quota_bytes
        self._more_apiserver_flags = apiserver_flags

    def __enter__(self):
        return self.start()

    def __exit__(self, *_):
        self.stop()

    def start(self):
        atexit.register(self.stop)
        try:
            self._run("etcd", "etcd", self._etcd_flags(), self._etcd_ready)
            self._run("apiserver", "kube-apiserver", self._apiserver_flags(), self._apiserver_ready)
            self.add_parts(*self._wanted)
        except BaseException:
            self.stop()
            raise
        return self

    def stop(self):
        """Ends the processes, the last started first, and removes the directory."""
        atexit.unregister(self.stop)
        self.client.close()
        for process in reversed(self._processes.values()):
            process.stop(grace_s=3)
        self._processes.clear()
        shutil.rmtree(self.directory, ignore_errors=True)

    def add_parts(self, *parts):
        """Starts the named parts unless they run already."""
        unknown = set(parts) - set(PARTS)
        assert not unknown, f"no such part of the control plane: {unknown}"
        for part in PARTS:
            if part in parts and part not in self._processes:
                flags = getattr(self, f"_{part}_flags")()
                self._run(part, BINARY_OF_PART[part], flags, self._ready(part))

    def pid_of(self, name):
        """The process of "etcd", "apiserver" or a part."""
        return self._processes[name].pid

    def add_nodes(self, count=3):
        """Creates fake nodes, which kwok reports as ready, and waits for that."""
        for index in range(count):
            self._create_node(f"node-{index}", {})
        wait_for(self._nodes_ready, 30, "the fake nodes are ready")

    def add_node(self, name, labels, taints=()):
        """One more; what its labels mean to kwok says tests/controlplane/README.md."""
        self._create_node(name, labels, taints)
        wait_for(self._nodes_ready, 30, f"the fake node {name} is ready")

    def _create_node(self, name, labels, taints=()):
        metadata = {"name": name, "labels": {"kubernetes.io/hostname": name, **labels}}
        self.client.post("/api/v1/nodes", {"metadata": metadata, "spec": {"taints": list(taints)}})

    # Resource types

    def load_storage(self, *crds):
        """Has the API server open the storage of these CRDs, by their names.

        It does so at the first request for one of their resources. Where nobody ever asked, the
        first is its own, when the CRD is deleted: refused, as the storage is still being filled, and
        tried again 5 ms later. If its own cache still has the CRD of before by then, that ends in a
        conflict, after which it forgets the CRD until it looks at all of them, every five minutes.
        """
        for crd in crds:
            found = self.client.find(f"{CRDS}/{crd}")
            if found and "deletionTimestamp" not in found["metadata"]:
                spec = found["spec"]
                version = next(v["name"] for v in spec["versions"] if v["storage"])
                self.client.get(f"/apis/{spec['group']}/{version}/{spec['names']['plural']}")

    def delete_crds(self, *crds):
        """Those of them that exist, and waits until they are gone."""
        self.load_storage(*crds)
        for crd in crds:
            try:
                self.client.delete(f"{CRDS}/{crd}")
            except ApiError as error:
                if error.status != 404:  # not there, or just gone
                    raise
        wait_for(lambda: not any(self.client.find(f"{CRDS}/{crd}") for crd in crds), 30,
                 "the CRDs are gone: no resource may be left")

    # The API server's failures

    def stop_apiserver(self, kill=False):
        process = self._processes["apiserver"]
        if kill:
            process.kill()
        else:
            process.stop(grace_s=30)

    def start_apiserver(self):
        """Starts it again on the same port and data and waits until it is ready.

        The parts are started anew too: they would back off, up to a minute after a few restarts.
        """
        self._start(self._processes["apiserver"], self._apiserver_ready)
        for part in PARTS:
            if part in self._processes:
                self._processes[part].kill()
                self._start(self._processes[part], self._ready(part))

    def restart_apiserver(self, kill=False):
        self.stop_apiserver(kill)
        self.start_apiserver()

    def restart_etcd(self, kill=False):
        """On the same port and data; the API server finds it again by itself."""
        process = self._processes["etcd"]
        if kill:
            process.kill()
        else:
            process.stop(grace_s=30)
        self._start(process, self._etcd_ready)
        wait_for(self._apiserver_ready, 60, "the API server has found etcd again")

    def compact_etcd(self):
        """Forgets all history up to now, and returns the revision.

        The API server's watch cache still has it: only after restart_apiserver() is an older
        resourceVersion answered with 410 Gone.
        """
        any_key = {"key": base64.b64encode(b"/").decode()}
        revision = self._etcd("/v3/kv/range", any_key)["header"]["revision"]
        self._etcd("/v3/kv/compaction", {"revision": revision, "physical": True})
        return int(revision)

    # Access

    def kubectl(self, *args, input=None, check=True, kubeconfig=None):
        """Runs kubectl as admin. Returns the CompletedProcess with text in stdout and stderr."""
        done = subprocess.run(
            [self._binary("kubectl"), f"--kubeconfig={kubeconfig or self.kubeconfig_admin}",
             f"--cache-dir={self.directory / 'kubectl-cache'}", *map(str, args)],
            input=input, capture_output=True, text=True, timeout=120,
        )
        if check and done.returncode != 0:
            raise AssertionError(f"kubectl {' '.join(map(str, args))}: {done.stderr.strip()}")
        return done

    def apply(self, yaml_or_path):
        """kubectl apply of a file, a directory (both as Path) or of YAML text."""
        if isinstance(yaml_or_path, Path):
            return self.kubectl("apply", "-f", yaml_or_path)
        return self.kubectl("apply", "-f", "-", input=yaml_or_path)

    def token_for(self, namespace, serviceaccount, seconds=86400):
        """A token of the ServiceAccount by TokenRequest (which grants at least 600 seconds)."""
        answer = self.client.post(
            f"/api/v1/namespaces/{namespace}/serviceaccounts/{serviceaccount}/token",
            {"spec": {"expirationSeconds": seconds}},
        )
        return answer["status"]["token"]

    def kubeconfig_for(self, namespace, serviceaccount, server=None):
        """A new kubeconfig with a token of the ServiceAccount; `server` for one behind a proxy."""
        user = {"token": self.token_for(namespace, serviceaccount)}
        path = self.directory / f"{namespace}-{serviceaccount}-{uuid.uuid4().hex[:8]}.kubeconfig"
        return self.write_kubeconfig(path, user, namespace, server)

    def write_kubeconfig(self, path, user, namespace, server=None):
        """`user` is the user entry of the kubeconfig: how it logs in. Returns the path."""
        config = {
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [{"name": "test", "cluster": {
                "server": server or self.url,
                "certificate-authority-data": base64.b64encode(self.pki.ca.read_bytes()).decode(),
            }}],
            "users": [{"name": "test", "user": user}],
            "contexts": [{"name": "test", "context": {
                "cluster": "test", "user": "test", "namespace": namespace}}],
            "current-context": "test",
        }
        path.touch(mode=0o600)
        path.write_text(yaml.safe_dump(config))
        return path

    def client_for(self, namespace, serviceaccount):
        """An ApiClient with the ServiceAccount's rights."""
        return ApiClient(self.url, self.pki.ca, token=self.token_for(namespace, serviceaccount))

    # The audit log

    def audit_mark(self):
        """A point in the audit log that lies behind every request answered so far."""
        mark = uuid.uuid4().hex
        needle = f"/version?mark={mark}".encode()
        before = self._audit_path.stat().st_size
        self.client.get("/version", mark=mark)
        wait_for(lambda: needle in self._audit_bytes(before), 30, "the audit log has caught up")
        return self._audit_path.stat().st_size

    def audit(self, since=0, user=None):
        """The requests on resources answered since a mark of audit_mark(), oldest first.

        Each is an audit event; discovery and probes, which have no objectRef, are left out.
        """
        end = self.audit_mark()
        events = map(json.loads, self._audit_bytes(since)[: end - since].splitlines())
        return [
            event for event in events
            if "objectRef" in event and user in (None, event["user"]["username"])
        ]

    @property
    def _audit_path(self):
        return self.directory / "audit.log"

    def _audit_bytes(self, offset):
        """The log from `offset` on."""
        with open(self._audit_path, "rb") as log:
            log.seek(offset)
            return log.read()

    # The processes

    def _binary(self, name):
        path = BINARIES / name
        if not path.exists():
            raise MissingBinary(f"{path} is missing: run `make controlplane`")
        return path

    def _run(self, name, binary, flags, ready):
        assert name not in self._processes, f"{name} was started before"
        process = Process(name, [self._binary(binary), *flags], self.directory / f"{name}.log")
        self._processes[name] = process
        self._start(process, ready)

    def _start(self, process, ready):
        started = time.monotonic()

        def is_ready():
            process.check_running()
            return ready()

        process.start()
        try:
            wait_for(is_ready, 60, f"{process.name} is ready")
        except AssertionError as error:
            raise AssertionError(f"{error}\n{process.log_tail()}") from error
        self._say(f"control plane: {process.name} ready in {time.monotonic() - started:.1f} s")

    def _etcd_flags(self):
        peer_url = f"http://127.0.0.1:{free_port()}"
        quota = self._etcd_quota_bytes
        return [
            f"--data-dir={self.directory / 'etcd'}",
            f"--listen-client-urls={self.etcd_url}", f"--advertise-client-urls={self.etcd_url}",
            f"--listen-peer-urls={peer_url}", f"--initial-advertise-peer-urls={peer_url}",
            f"--initial-cluster=default={peer_url}",
            "--unsafe-no-fsync",  # the data lives as long as the test run
            *([f"--quota-backend-bytes={quota}"] if quota else []),
        ]

    def _apiserver_flags(self):
        policy = self.directory / "audit-policy.yaml"
        policy.write_text(yaml.safe_dump(AUDIT_POLICY))
        return [
            f"--etcd-servers={self.etcd_url}",
            "--bind-address=127.0.0.1", f"--secure-port={self.port}",
            f"--tls-cert-file={self.pki.server[0]}", f"--tls-private-key-file={self.pki.server[1]}",
            f"--client-ca-file={self.pki.ca}",
            "--authorization-mode=RBAC", "--allow-privileged=true",
            "--service-cluster-ip-range=10.96.0.0/16",
            "--endpoint-reconciler-type=none",  # it would refuse to publish a loopback address
            "--service-account-issuer=https://kubernetes.default.svc",
            f"--service-account-key-file={self.pki.service_account_key}",
            f"--service-account-signing-key-file={self.pki.service_account_key}",
            f"--audit-policy-file={policy}", f"--audit-log-path={self._audit_path}",
            # Without it a SIGTERM waits up to a minute for watches to end.
            "--shutdown-watch-termination-grace-period=1s",
            "--audit-log-maxsize=10000",  # MB: never rotated, audit() reads one file
            *self._more_apiserver_flags,
        ]

    def _kcm_flags(self):
        return [
            f"--kubeconfig={self._certificate_kubeconfig('kcm')}",
            "--leader-elect=false", "--secure-port=0",
            # Each controller acts as itself: the user's own role is next to nothing.
            "--use-service-account-credentials=true",
            f"--service-account-private-key-file={self.pki.service_account_key}",
            f"--root-ca-file={self.pki.ca}",
            "--kube-api-qps=500", "--kube-api-burst=1000",
        ]

    def _scheduler_flags(self):
        return [
            f"--kubeconfig={self._certificate_kubeconfig('scheduler')}",
            "--leader-elect=false", "--secure-port=0",
            "--kube-api-qps=500", "--kube-api-burst=1000",
        ]

    def _kwok_flags(self):
        return [
            f"--kubeconfig={self._certificate_kubeconfig('kwok')}",
            "--manage-all-nodes=true", "--node-lease-duration-seconds=40",
            *(f"--config={stage}" for stage in sorted(STAGES.glob("*.yaml"))),
        ]

    def _etcd_ready(self):
        return httpx.get(f"{self.etcd_url}/health", trust_env=False).json()["health"] == "true"

    def _apiserver_ready(self):
        try:
            return self.client.get("/readyz") == "ok"
        except ApiError:
            return False

    def _ready(self, part):
        return self._kcm_ready if part == "kcm" else lambda: True

    def _kcm_ready(self):
        return self.client.find("/api/v1/namespaces/default/serviceaccounts/default")

    def _nodes_ready(self):
        # The controller manager takes the not-ready taint off a little after the condition is True.
        def is_ready(node):
            conditions = node["status"].get("conditions", [])
            taints = [taint["key"] for taint in node["spec"].get("taints", [])]
            return "node.kubernetes.io/not-ready" not in taints and any(
                (c["type"], c["status"]) == ("Ready", "True") for c in conditions
            )

        return all(map(is_ready, self.client.get("/api/v1/nodes")["items"]))

    def _etcd(self, path, body):
        answer = httpx.post(f"{self.etcd_url}{path}", json=body, trust_env=False)
        answer.raise_for_status()
        return answer.json()

    # Kubeconfigs

    def _certificate_kubeconfig(self, name):
        certificate, key = self.pki.client[name]
        user = {"client-certificate": str(certificate), "client-key": str(key)}
        return self.write_kubeconfig(self.directory / f"{name}.kubeconfig", user, "default")
