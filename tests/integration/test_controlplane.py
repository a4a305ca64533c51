"""The control plane that the other tests stand on: does it do what they take for granted?"""

import json
import socket
import ssl
import subprocess
import sys
import time
from pathlib import Path

import httpx
import pytest

from api_client import ApiError
from polling import wait_for
from proxy import TcpProxy

LABEL = "kwok.deepgram.com/"


def secret(name, value):
    return {"metadata": {"name": name}, "stringData": {"value": value}}


class TestApiServer:
    def test_serviceaccount_has_no_more_than_its_own_rights(self, control_plane, namespace):
        client = control_plane.client_for(namespace, "default")
        with pytest.raises(ApiError) as refused:
            client.get(f"/api/v1/namespaces/{namespace}/secrets")
        assert refused.value.status == 403

    def test_kubeconfig_of_a_serviceaccount_works_with_kubectl(self, control_plane, namespace):
        kubeconfig = control_plane.kubeconfig_for(namespace, "default")
        who = control_plane.kubectl("auth", "whoami", "-o", "json", kubeconfig=kubeconfig)
        user = json.loads(who.stdout)["status"]["userInfo"]["username"]
        assert user == f"system:serviceaccount:{namespace}:default"

    def test_pod_security_refuses_a_privileged_pod(self, control_plane, namespace):
        control_plane.client.patch(
            f"/api/v1/namespaces/{namespace}",
            {"metadata": {"labels": {"pod-security.kubernetes.io/enforce": "restricted"}}},
        )
        with pytest.raises(ApiError, match="violates PodSecurity"):
            control_plane.client.post(f"/api/v1/namespaces/{namespace}/pods", {
                "metadata": {"name": "privileged"},
                "spec": {"containers": [{"name": "main", "image": "none",
                                         "securityContext": {"privileged": True}}]},
            })

    def test_owned_objects_are_collected(self, control_plane, namespace):
        client, path = control_plane.client, f"/api/v1/namespaces/{namespace}/configmaps"
        owner = client.post(path, {"metadata": {"name": "owner"}})["metadata"]
        client.post(path, {"metadata": {"name": "owned", "ownerReferences": [{
            "apiVersion": "v1", "kind": "ConfigMap", "name": "owner", "uid": owner["uid"]}]}})
        client.delete(f"{path}/owner")
        wait_for(lambda: client.find(f"{path}/owned") is None, 30, "the owned object is gone")


class TestAuditLog:
    def test_names_user_verb_and_object_of_each_request(self, control_plane, namespace):
        mark = control_plane.audit_mark()
        control_plane.client.post(f"/api/v1/namespaces/{namespace}/secrets", secret("s", "x"))
        events = control_plane.audit(since=mark, user="admin")
        assert [(e["verb"], e["objectRef"]["resource"], e["objectRef"]["name"],
                 e["responseStatus"]["code"]) for e in events] == [("create", "secrets", "s", 201)]

    def test_holds_only_what_came_after_the_mark(self, control_plane, namespace):
        control_plane.client.get(f"/api/v1/namespaces/{namespace}")
        mark = control_plane.audit_mark()
        assert control_plane.audit(since=mark, user="admin") == []

    def test_never_holds_the_value_of_a_secret_or_a_token(self, control_plane, namespace):
        path = f"/api/v1/namespaces/{namespace}/secrets"
        control_plane.client.post(path, secret("s", "value-that-must-not-leak"))
        control_plane.client.patch(f"{path}/s", {"stringData": {"value": "nor-this-one"}})
        token = control_plane.token_for(namespace, "default")
        control_plane.audit_mark()
        log = (control_plane.directory / "audit.log").read_text()
        assert f"{path}/s" in log
        for value in ("value-that-must-not-leak", "nor-this-one", token):
            assert value not in log


class TestFailures:
    def test_restart_keeps_address_and_data(self, control_plane, namespace):
        control_plane.stop_apiserver()
        with pytest.raises(httpx.TransportError):
            control_plane.client.get("/readyz")
        control_plane.start_apiserver()
        assert control_plane.client.get(f"/api/v1/namespaces/{namespace}")

    def test_killed_server_comes_back(self, control_plane, namespace):
        control_plane.restart_apiserver(kill=True)
        assert control_plane.client.get(f"/api/v1/namespaces/{namespace}")

    def test_revision_from_before_a_compaction_is_gone(self, control_plane, namespace):
        client, path = control_plane.client, f"/api/v1/namespaces/{namespace}/secrets"
        old = client.get(path)["metadata"]["resourceVersion"]
        client.post(path, secret("s", "x"))
        assert control_plane.compact_etcd() > int(old)
        control_plane.restart_apiserver()
        with client.watch(path, resourceVersion=old, timeoutSeconds="5") as response:
            event = json.loads(next(response.iter_lines()))
        assert (response.status_code, event["type"], event["object"]["code"]) == (200, "ERROR", 410)
        with pytest.raises(ApiError) as refused:
            client.get(path, resourceVersion=old, resourceVersionMatch="Exact")
        assert refused.value.status == 410

    def test_nothing_outlives_a_killed_test_run(self, tmp_path):
        start_sleep = (
            "import sys; from pathlib import Path; from process import Process\n"
            "p = Process('sleep', ['sleep', '60'], Path(sys.argv[1])); p.start()\n"
            "print(p.pid, flush=True); sys.stdin.read()"
        )
        run = subprocess.Popen(
            [sys.executable, "-c", start_sleep, tmp_path / "log"], cwd=Path(__file__).parent,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )
        with run:
            child = Path("/proc") / run.stdout.readline().strip()
            wait_for(lambda: (child / "comm").read_text() == "sleep\n", 5, "the child runs")
            run.kill()
        wait_for(lambda: not child.exists() or "State:\tZ" in (child / "status").read_text(), 5,
                 "the child of a killed run ends")


class TestProxy:
    @pytest.fixture
    def proxy(self, control_plane):
        with TcpProxy(control_plane.port) as proxy:
            yield proxy

    @pytest.fixture
    def proxied(self, control_plane, proxy):
        """An HTTP client (one connection, two seconds of patience) that goes through the proxy."""
        tls = ssl.create_default_context(cafile=control_plane.pki.ca)
        tls.load_cert_chain(*control_plane.pki.client["admin"])
        with httpx.Client(base_url=proxy.url, verify=tls, timeout=2, trust_env=False) as client:
            yield client

    def test_forwards_with_tls_verified(self, proxied):
        assert proxied.get("/readyz").text == "ok"

    def test_frozen_connection_is_silent_and_goes_on_after_resume(self, control_plane, namespace,
                                                                  proxy, proxied):
        path = f"/api/v1/namespaces/{namespace}/secrets"
        with proxied.stream("GET", path, params={"watch": "true", "resourceVersion": "0"},
                            timeout=10) as response:
            lines = response.iter_lines()
            proxy.freeze()
            control_plane.client.post(path, secret("s", "x"))
            with pytest.raises(httpx.TimeoutException):
                proxied.get("/readyz")
            proxy.resume()
            assert json.loads(next(lines))["object"]["metadata"]["name"] == "s"

    def test_cut_after_breaks_one_answer_off(self, proxy, proxied):
        proxied.get("/readyz")
        proxy.cut_after(1000)
        with pytest.raises(httpx.TransportError):
            proxied.get("/openapi/v2")
        assert proxy.cuts_left == 0
        assert proxied.get("/readyz").text == "ok"

    def test_cut_after_counts_bytes(self):
        with socket.create_server(("127.0.0.1", 0)) as server:
            with TcpProxy(server.getsockname()[1]) as proxy:
                with socket.create_connection(("127.0.0.1", proxy.port), timeout=5) as client:
                    upstream, received = server.accept()[0], client.makefile("rb")
                    upstream.sendall(b"a" * 500)
                    assert received.read(500) == b"a" * 500
                    proxy.cut_after(1000)
                    upstream.sendall(b"b" * 700)
                    assert received.read(700) == b"b" * 700
                    upstream.sendall(b"b" * 700)
                    assert received.read(300) == b"b" * 300
                    with pytest.raises(ConnectionResetError):
                        received.read(1)
                upstream.close()

    def test_refused_until_accepted_again(self, proxy, proxied):
        proxied.get("/readyz")
        proxy.refuse()
        with pytest.raises(httpx.ConnectError):
            proxied.get("/readyz")
        proxy.accept()
        assert proxied.get("/readyz").text == "ok"

    def test_server_that_is_down_resets(self, proxied, proxy):
        proxy.target_port = 1
        with pytest.raises((httpx.ConnectError, httpx.ReadError)):
            proxied.get("/readyz")


class Workload:
    """A Deployment on the fake nodes."""

    def __init__(self, plane, namespace, labels=(), annotations=(), name="engine"):
        self.client = plane.client
        self.path = f"/apis/apps/v1/namespaces/{namespace}/deployments/{name}"
        self.pods_path = f"/api/v1/namespaces/{namespace}/pods"
        selector = {"app": name}
        self.started = time.monotonic()
        self.client.post(self.path.rpartition("/")[0], {
            "metadata": {"name": name},
            "spec": {
                "replicas": 1,
                "selector": {"matchLabels": selector},
                "template": {
                    "metadata": {"labels": {**selector, **dict(labels)},
                                 "annotations": dict(annotations)},
                    "spec": {"containers": [{"name": "main", "image": "registry.invalid/main"}]},
                },
            },
        })

    def available(self):
        status = self.client.get(self.path)["status"]
        return status.get("availableReplicas") and not status.get("unavailableReplicas")

    def wait_available(self):
        """Returns how many seconds it took since the start."""
        wait_for(self.available, 30, "the Deployment is available")
        return time.monotonic() - self.started

    def pods(self):
        return self.client.get(self.pods_path)["items"]

    def phases(self):
        return [pod["status"]["phase"] for pod in self.pods()]

    def ready_pods(self):
        return [pod for pod in self.pods() for condition in pod["status"].get("conditions", [])
                if (condition["type"], condition["status"]) == ("Ready", "True")]

    def waiting(self):
        """Reason and restart count of the containers that wait."""
        statuses = [s for pod in self.pods() for s in pod["status"].get("containerStatuses", [])]
        return [(s["state"]["waiting"]["reason"], s["restartCount"])
                for s in statuses if "waiting" in s["state"]]


class TestFakeNodes:
    def test_deployment_becomes_available(self, cluster, namespace):
        assert Workload(cluster, namespace).wait_available() < 10

    def test_slow_start_takes_its_time(self, cluster, namespace):
        workload = Workload(cluster, namespace, {f"{LABEL}slow-start": "true"},
                            {f"{LABEL}ready-delay": "3s"})
        assert 3 <= workload.wait_available() < 8

    def test_never_ready_pod_runs_unready(self, cluster, namespace):
        workload = Workload(cluster, namespace, {f"{LABEL}never-ready": "true"})
        wait_for(lambda: workload.phases() == ["Running"], 20, "the pod runs")
        time.sleep(2)
        assert not workload.available()

    def test_crashing_pod_is_restarted_and_never_ready(self, cluster, namespace):
        workload = Workload(cluster, namespace, {f"{LABEL}crash": "true"})
        wait_for(lambda: any(reason == "CrashLoopBackOff" and restarts > 1
                             for reason, restarts in workload.waiting()), 20, "a crash loop")
        assert not workload.available()

    def test_image_that_cannot_be_pulled_keeps_the_pod_pending(self, cluster, namespace):
        workload = Workload(cluster, namespace, {f"{LABEL}image-pull-failure": "true"})
        wait_for(lambda: workload.waiting() == [("ImagePullBackOff", 0)], 20, "the pull fails")
        assert workload.phases() == ["Pending"]

    def test_crash_when_hits_only_the_pods_with_that_annotation(self, cluster, namespace):
        workload = Workload(cluster, namespace, (),
                            {f"{LABEL}crash-when": "revision=2", "revision": "1"})
        workload.wait_available()
        template = {"spec": {"template": {"metadata": {"annotations": {"revision": "2"}}}}}
        cluster.client.patch(workload.path, template)
        wait_for(workload.waiting, 20, "the pod of revision 2 crashes")
        ready = workload.ready_pods()
        assert [pod["metadata"]["annotations"]["revision"] for pod in ready] == ["1"]

    @pytest.mark.parametrize("failure", ["image-pull-failure", "never-ready"])
    def test_failures_that_hit_only_the_pods_with_that_annotation(
            self, cluster, namespace, failure):
        workload = Workload(cluster, namespace, (),
                            {f"{LABEL}{failure}-when": "revision=2", "revision": "1"})
        workload.wait_available()
        template = {"spec": {"template": {"metadata": {"annotations": {"revision": "2"}}}}}
        cluster.client.patch(workload.path, template)
        wait_for(lambda: len(workload.pods()) == 2, 20, "there is a pod of revision 2")
        time.sleep(1)
        ready = workload.ready_pods()
        assert [pod["metadata"]["annotations"]["revision"] for pod in ready] == ["1"]
        phases = {"image-pull-failure": ["Pending", "Running"], "never-ready": ["Running"] * 2}
        assert sorted(workload.phases()) == phases[failure]

    def test_a_node_has_the_gpus_that_its_label_says(self, cluster, namespace):
        name = f"gpu-{namespace[-6:]}"
        cluster.add_node(name, {f"{LABEL}gpus": "2"})
        try:
            capacity = {node["metadata"]["name"]: node["status"]["allocatable"]["nvidia.com/gpu"]
                        for node in cluster.client.get("/api/v1/nodes")["items"]}
            assert capacity[name] == "2" and capacity["node-0"] == "0"
        finally:
            cluster.client.delete(f"/api/v1/nodes/{name}")

    def test_drained_pod_stays_terminating_for_its_delay(self, cluster, namespace):
        workload = Workload(cluster, namespace, (), {f"{LABEL}drain-delay": "3s"})
        workload.wait_available()
        deleted = time.monotonic()
        cluster.client.delete(workload.path, propagationPolicy="Background")
        wait_for(lambda: [p for p in workload.pods() if "deletionTimestamp" in p["metadata"]], 10,
                 "the pod is terminating")
        wait_for(lambda: workload.pods() == [], 20, "the pod is gone")
        assert time.monotonic() - deleted >= 3
