"""What a kubelet would do with a pod of the chart: volumes, environment, command line, probes.

The cluster of the tests has no real nodes, so the operator's container is started as a process: from
the pod as the API server has it, with nothing added.
"""

import base64
import json
import os
import re
import sys
from pathlib import Path

import httpx
import pytest

from operator_process import BINARY
from polling import wait_for
from process import Process

ENTRYPOINT = "/deepgram-operator"  # of the image
CONTAINER = Path(__file__).with_name("container.py")
REFERENCE = re.compile(r"\$\((\w+)\)")


def needs_root():
    if os.geteuid() != 0:
        pytest.skip("only root can give a process a file system of its own, as a container has it")


class Kubelet:
    """`root` is the file system of the image. Without it, the container sees this machine's libraries
    and the program that was built here."""

    def __init__(self, plane, directory, root=None):
        self.plane = plane
        self.client = plane.client
        self.directory = directory
        self.root = root or Path("/")
        self.binary = {} if root else {ENTRYPOINT: str(BINARY)}

    def run(self, pod):
        """The only container of the pod, not started, as a Container."""
        container, = pod["spec"]["containers"]
        name = pod["metadata"]["name"]
        return Container(name, container, *self.prepare(pod, container))

    def run_to_end(self, pod):
        """Runs the only container of a pod that ends by itself, and tells the API server how it ended.
        Returns what it said."""
        container, = pod["spec"]["containers"]
        spec, log = self.prepare(pod, container)
        process = ContainerProcess(pod["metadata"]["name"], spec, log)
        try:
            process.start()
            wait_for(lambda: not process.running(), 60, f"{process.name} has ended")
        finally:
            code = process.stop()
        metadata = pod["metadata"]
        path = f"/api/v1/namespaces/{metadata['namespace']}/pods/{metadata['name']}/status"
        self.client.patch(path, {"status": {"phase": "Failed" if code else "Succeeded"}})
        return process.log_text()

    def prepare(self, pod, container):
        """(file that describes the container, its log)"""
        work = self.directory / pod["metadata"]["uid"]
        work.mkdir(parents=True)
        volumes = {volume["name"]: self.volume(pod, volume, work / "volumes" / volume["name"])
                   for volume in pod["spec"].get("volumes", [])}
        security = {**pod["spec"]["securityContext"], **container["securityContext"]}
        assert security["runAsNonRoot"] and security["readOnlyRootFilesystem"]
        assert "command" not in container
        spec = {
            "root": str(self.root),
            "mounts": {mount["mountPath"]: str(volumes[mount["name"]])
                       for mount in container["volumeMounts"]} | self.binary,
            "uid": security["runAsUser"],
            "gid": security["runAsGroup"],
            "argv": [ENTRYPOINT, *container["args"]],
            "env": self.environment(container),
        }
        path = work / "container.json"
        path.write_text(json.dumps(spec))
        return path, work / "log"

    def environment(self, container):
        env = {
            "PATH": "/usr/bin:/bin",
            "KUBERNETES_SERVICE_HOST": "127.0.0.1",
            "KUBERNETES_SERVICE_PORT": str(self.plane.port),
        }
        for variable in container.get("env", []):
            env[variable["name"]] = REFERENCE.sub(lambda m: env[m[1]], variable["value"])
        return env

    def volume(self, pod, volume, directory):
        directory.mkdir(parents=True)
        sources = volume.get("projected", {}).get("sources") or [volume]
        for source in sources:
            for name, content in self.files(pod, source):
                (directory / name).write_bytes(content)
        return directory

    def files(self, pod, source):
        namespace = pod["metadata"]["namespace"]
        if "serviceAccountToken" in source:
            wanted = source["serviceAccountToken"]
            yield wanted["path"], self.token(pod, wanted["expirationSeconds"]).encode()
        elif "configMap" in source:
            wanted = source["configMap"]
            found = self.client.get(f"/api/v1/namespaces/{namespace}/configmaps/{wanted['name']}")
            for item in wanted["items"]:
                yield item["path"], found["data"][item["key"]].encode()
        elif "secret" in source:
            wanted = source["secret"]
            name = wanted["secretName"]
            found = self.client.get(f"/api/v1/namespaces/{namespace}/secrets/{name}")
            for item in wanted["items"]:
                yield item["path"], base64.b64decode(found["data"][item["key"]])
        elif "downwardAPI" in source:
            for item in source["downwardAPI"]["items"]:
                assert item["fieldRef"]["fieldPath"] == "metadata.namespace"
                yield item["path"], namespace.encode()
        else:
            raise AssertionError(f"a volume that this kubelet doesn't know: {source}")

    def token(self, pod, seconds):
        """Bound to the pod, as a kubelet asks for it."""
        namespace, account = pod["metadata"]["namespace"], pod["spec"]["serviceAccountName"]
        answer = self.client.post(
            f"/api/v1/namespaces/{namespace}/serviceaccounts/{account}/token",
            {"spec": {
                "expirationSeconds": seconds,
                "boundObjectRef": {"apiVersion": "v1", "kind": "Pod",
                                   "name": pod["metadata"]["name"], "uid": pod["metadata"]["uid"]},
            }},
        )
        return answer["status"]["token"]


class ContainerProcess(Process):
    def __init__(self, name, spec, log_path):
        super().__init__(name, [sys.executable, CONTAINER, spec], log_path)
        self.env = {"PATH": os.environ["PATH"]}


class Container(ContainerProcess):
    """One that serves probes until it is stopped."""

    def __init__(self, name, container, spec, log_path):
        super().__init__(name, spec, log_path)
        self.container = container

    def start(self):
        super().start()
        self.wait_ready()
        return self

    def probe(self, which):
        """The status of the answer to a probe of the container."""
        wanted = self.container[which]["httpGet"]
        port, = (port["containerPort"] for port in self.container["ports"]
                 if port["name"] == wanted["port"])
        url = f"http://127.0.0.1:{port}{wanted['path']}"
        return httpx.get(url, trust_env=False).status_code

    def wait_ready(self):
        def ready():
            self.check_running()
            return self.probe("readinessProbe") == 200

        wait_for(ready, 60, f"{self.name} is ready")
        assert self.probe("livenessProbe") == 200

    def stop(self, grace_s=15):
        self.check_running()
        code = super().stop(grace_s)
        assert code == 0, f"{self.name} ended with {code}; its log:\n{self.log_tail()}"
