"""A release of the chart on a cluster, and the operator of it as a process."""

import contextlib
import uuid
from concurrent.futures import ThreadPoolExecutor

from chart import CHART
from connect_proxy import ConnectProxy
from emulator import Emulator
from kubelet import Kubelet, needs_root
from polling import wait_for
from process import free_port
from resources import Tenant

NAME = "deepgram-operator"
CRD_PATH = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
CRDS = ("deepgramapikeys.deepgram.com", "deepgrampullsecrets.deepgram.com")


class Release:
    """One release of the chart in a namespace of its own, under Pod Security "restricted"."""

    def __init__(self, plane, helm, emulator, directory):
        needs_root()
        self.plane = plane
        self.client = plane.client
        self.helm = helm
        self.emulator = emulator
        self.namespace = make_namespace(
            plane, "ops", **{"pod-security.kubernetes.io/enforce": "restricted"})
        self.kubelet = Kubelet(plane, directory)
        self.values = {
            "replicaCount": 1,
            "port": free_port(),  # all share the machine's network
            "deepgram": {"url": emulator.url, "settle": "2s"},
            "registry": {"url": emulator.url},
        }

    def install(self, chart=CHART, **values):
        self.values |= values
        return self.helm("upgrade", "--install", NAME, chart, "--namespace", self.namespace,
                         "--wait", "--timeout=60s", values=self.values)

    def uninstall(self):
        return self.helm("uninstall", NAME, "--namespace", self.namespace, "--wait",
                         "--timeout=60s")

    def operator(self):
        """The container of the release's only pod, not started."""
        def only_pod():
            pods = self.client.get(f"/api/v1/namespaces/{self.namespace}/pods")["items"]
            alive = [pod for pod in pods if "deletionTimestamp" not in pod["metadata"]
                     and "helm.sh/hook" not in pod["metadata"].get("annotations", {})]
            return alive[0] if len(alive) == 1 else None

        return self.kubelet.run(wait_for(only_pod, 20, "there is one pod"))

    def test(self):
        """`helm test`. Returns (its exit code, what the pod said)."""
        return self.with_hook("test", "test", NAME, "--timeout=90s")

    def uninstall_with_crds(self):
        """`helm uninstall` of a release whose CRDs go with it. Returns the same."""
        return self.with_hook("pre-delete", "uninstall", NAME, "--timeout=90s")

    def with_hook(self, hook, *command):
        """Runs Helm, and the hook's pod as a kubelet would."""
        def pod_of_hook():
            pods = self.client.get(f"/api/v1/namespaces/{self.namespace}/pods")["items"]
            return next((pod for pod in pods
                         if pod["metadata"].get("annotations", {}).get("helm.sh/hook") == hook
                         and pod["status"]["phase"] == "Running"
                         and any(c["type"] == "Ready" and c["status"] == "True"
                                 for c in pod["status"].get("conditions", []))), None)

        with ThreadPoolExecutor(1) as pool:
            helm = pool.submit(self.helm, *command, "--namespace", self.namespace, check=False)
            said = self.kubelet.run_to_end(wait_for(pod_of_hook, 40, f"the pod of {hook} runs"))
            return helm.result().returncode, said

    def tenant(self, namespace=None):
        namespace = namespace or make_namespace(self.plane, "speech")
        found = Tenant(self.plane, self.emulator, namespace)
        found.put_admin_secret()
        return found

    @property
    def user(self):
        return f"system:serviceaccount:{self.namespace}:{NAME}"

    def clean_up(self):
        self.helm("uninstall", NAME, "--namespace", self.namespace, "--wait", "--no-hooks",
                  check=False)
        self.plane.delete_crds(*CRDS)


def make_namespace(plane, prefix, **labels):
    name = f"{prefix}-{uuid.uuid4().hex[:6]}"
    plane.client.post("/api/v1/namespaces", {"metadata": {"name": name, "labels": labels}})
    wait_for(lambda: plane.client.find(f"/api/v1/namespaces/{name}/serviceaccounts/default")
             and plane.client.find(f"/api/v1/namespaces/{name}/configmaps/kube-root-ca.crt"),
             20, f"namespace {name} is set up")
    return name


@contextlib.contextmanager
def running(container):
    try:
        yield container.start()
        container.stop()
    finally:
        container.kill()
        print(f"{container.log_path}:\n{container.log_tail()}")  # shown when the test failed


def issue_both(tenant):
    tenant.api_key("api-key")
    tenant.pull_secret("regcred")
    return (tenant.wait_ready("DeepgramApiKey", "api-key"),
            tenant.wait_ready("DeepgramPullSecret", "regcred"))


def delete_both(tenant):
    tenant.delete("DeepgramApiKey", "api-key")
    tenant.delete("DeepgramPullSecret", "regcred")
    tenant.wait_gone("DeepgramApiKey", "api-key")
    tenant.wait_gone("DeepgramPullSecret", "regcred")
    assert tenant.live() == []


def works_with_private_ca_and_proxy(release):
    """Deepgram through the proxy, with a certificate of the private CA; the API server not."""
    pki = release.plane.pki
    ca = {"metadata": {"name": "company-ca"}, "data": {"bundle.pem": pki.ca.read_text()}}
    release.client.post(f"/api/v1/namespaces/{release.namespace}/configmaps", ca)
    certificate, key = map(str, pki.server)
    with Emulator.start("--tls-cert", certificate, "--tls-key", key, ca_file=pki.ca) as emulator:
        with ConnectProxy() as proxy:
            # Another name than that of the API server, which the proxy is not for.
            host = by_name(emulator.url)
            release.emulator = emulator
            release.install(
                deepgram={"url": host}, registry={"url": host},
                proxy={"url": proxy.url, "noProxy": "example.com"},
                ca={"configMapName": "company-ca", "key": "bundle.pem"})
            with running(release.operator()):
                tenant = release.tenant()
                issue_both(tenant)
                delete_both(tenant)
            assert set(proxy.asked) == {host.removeprefix("https://")}


def by_name(url):
    return url.replace("127.0.0.1", "localhost")
