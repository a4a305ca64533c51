"""The demo: from nothing to live credentials in Secrets, through a rotation with its roll-out, and
back, on a real control plane.

    make demo            shows it and tears everything down
    KEEP=1 make demo     leaves it up until Ctrl-C and prints the KUBECONFIG

KUBECONFIG_TARGET=FILE uses the cluster of that kubeconfig instead of a control plane of its own;
there DEMO_IMAGE is what the Deployments run in place of Deepgram's images.
DEEPGRAM_URL=URL uses a running emulator instead of one of its own.
"""

import base64
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(REPOSITORY / "tests" / "integration"))

import httpx  # noqa: E402

from controlplane import ControlPlane  # noqa: E402
from emulator import Emulator  # noqa: E402
from operator_process import NAMESPACE, SERVICE_ACCOUNT, OperatorProcess  # noqa: E402
from polling import wait_for  # noqa: E402
from workloads import CHART, deployment, pod_spec  # noqa: E402

SAMPLES = REPOSITORY / "manifests" / "samples"
PROJECT = "3a8f6c1e-5b0d-4f7a-9c42-d1e06b7f2a95"  # the one that the samples name
SPEECH = "speech"
KINDS = "deepgramapikeys,deepgrampullsecrets"
KEY = "self-hosted-api-key"  # the resource that is rotated, and its Secret
PULL_SECRET = "dg-regcred"
OVERLAP = "5s"
# Any program that stays: kubelets have this one already, as every pod needs it.
IMAGE = os.environ.get("DEMO_IMAGE", "registry.k8s.io/pause:3.10")
PODS = ("custom-columns=POD:.metadata.name,READY:.status.containerStatuses[0].ready,"
        f"REVISION:.metadata.annotations.revision\\.deepgram\\.com/{KEY}")
ENDING = {signal.SIGINT, signal.SIGTERM}


def say(text=""):
    print(text, flush=True)


class Steps:
    """Numbered headlines with the time since the start."""

    def __init__(self):
        self.count = 0
        self.started = time.monotonic()

    def __call__(self, text):
        self.count += 1
        say(f"\n[{time.monotonic() - self.started:5.1f} s] {self.count}. {text}")


class Target:
    """The cluster of KUBECONFIG_TARGET, with the part of ControlPlane's interface used here."""

    def __init__(self, kubeconfig):
        self.kubeconfig_admin = kubeconfig

    def kubectl(self, *args, input=None, check=True):
        done = subprocess.run(
            [REPOSITORY / "build/controlplane/kubectl", "--kubeconfig", self.kubeconfig_admin,
             *args],
            input=input, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        )
        if check and done.returncode:
            raise SystemExit(f"kubectl {' '.join(args)}: {done.stdout}")
        return done

    def kubeconfig_for(self, namespace, account):
        """The target's kubeconfig with a token of that ServiceAccount as its only user."""
        token = self.kubectl("-n", namespace, "create", "token", account).stdout.strip()
        config = json.loads(self.kubectl("config", "view", "--raw", "--minify", "--flatten",
                                         "-o", "json").stdout)
        config["users"] = [{"name": config["users"][0]["name"], "user": {"token": token}}]
        config["contexts"][0]["context"]["namespace"] = namespace
        path = Path(tempfile.mkdtemp(prefix="demo-")) / "kubeconfig"
        path.touch(0o600)
        path.write_text(json.dumps(config))
        return path


class Deepgram:
    """The emulator's own view, by its admin endpoints."""

    def __init__(self, url):
        self.url = url

    def post(self, path, body):
        answer = httpx.post(f"{self.url}/admin/{path}", json=body, trust_env=False)
        answer.raise_for_status()
        return answer.json()

    def live(self):
        """[(kind, id, comment)] of the credentials that are alive, without the admin key."""
        state = httpx.get(f"{self.url}/admin/state", trust_env=False,
                          params={"project_id": PROJECT, "alive": "true"}).json()
        return [("API key", k["api_key_id"], k["comment"])
                for k in state["keys"] if not k["admin"]] + [
                    ("pull credentials", c["distribution_credentials_id"], c["comment"])
                    for c in state["distribution_credentials"]]


def start_cluster(stack):
    target = os.environ.get("KUBECONFIG_TARGET")
    if target:
        return Target(Path(target))
    plane = stack.enter_context(ControlPlane(
        parts={"kcm", "scheduler", "kwok"}, say=lambda text: say(f"   {text}")))
    plane.add_nodes(3)
    return plane


def start_deepgram(stack):
    url = os.environ.get("DEEPGRAM_URL")
    return Deepgram(url or stack.enter_context(Emulator.start("--latency-ms=50")).url)


def start_operator(stack, cluster, deepgram):
    cluster.kubectl("apply", "-f", str(REPOSITORY / "crds"))
    cluster.kubectl("wait", "--for=condition=Established", "crd", "--all", "--timeout=60s")
    cluster.kubectl("apply", "-f", str(REPOSITORY / "manifests" / "rbac.yaml"))
    log = tempfile.NamedTemporaryFile(prefix="deepgram-operator-", suffix=".log", delete=False)
    process = OperatorProcess(cluster.kubeconfig_for(NAMESPACE, SERVICE_ACCOUNT), log.name,
                              [f"--deepgram-url={deepgram.url}", f"--registry-url={deepgram.url}"])
    stack.callback(process.kill)
    process.start()
    say(f"   pid {process.pid}, {process.rss_kib() / 1024:.1f} MiB resident, log {log.name}")
    return process


def apply_samples(cluster, admin_key):
    """All samples but the placeholder of the admin Secret, whose value is piped, never in argv."""
    cluster.kubectl("apply", "-f", str(SAMPLES / "00-namespace.yaml"))
    secret = {"apiVersion": "v1", "kind": "Secret",
              "metadata": {"name": "deepgram-admin", "namespace": SPEECH},
              "stringData": {"DEEPGRAM_API_KEY": admin_key}}
    cluster.kubectl("apply", "-f", "-", input=json.dumps(secret))
    files = [f for f in sorted(SAMPLES.glob("*.yaml")) if f.name >= "20"]
    for file in files:
        say("   " + cluster.kubectl("apply", "-f", str(file)).stdout.strip())
    return files


def show_resources(cluster):
    say(cluster.kubectl("-n", SPEECH, "get", KINDS).stdout)


def masked(value):
    return f"******** ({len(value)} characters)"


def show_secrets(cluster):
    listed = cluster.kubectl("-n", SPEECH, "get", "secrets", "-o", "json").stdout
    for secret in json.loads(listed)["items"]:
        if secret["type"] == "deepgram.com/credential" or not secret.get("data"):
            continue
        say(f"   Secret {secret['metadata']['name']} ({secret['type']})")
        for entry, value in secret["data"].items():
            say(f"      {entry}: {masked(base64.b64decode(value).decode())}")


def show_deepgram(deepgram):
    live = deepgram.live()
    for kind, id, comment in live:
        say(f"   live at Deepgram: {kind} {id}  {comment.partition(' [')[0]}")
    if not live:
        say("   live at Deepgram: nothing")
    return live


def apply_workloads(cluster):
    """Deployments shaped like those of Deepgram's own chart."""
    for app, replicas in CHART.items():
        spec = pod_spec(app, KEY, PULL_SECRET)
        if "KUBECONFIG_TARGET" in os.environ:
            spec["containers"][0]["image"] = IMAGE
        body = deployment(app, spec, replicas,
                          annotations={"kwok.deepgram.com/ready-delay": "2s"})
        cluster.kubectl("-n", SPEECH, "apply", "-f", "-", input=json.dumps(body))
    for app in CHART:
        cluster.kubectl("-n", SPEECH, "rollout", "status", f"deployment/{app}", "--timeout=120s")
    show_pods(cluster)


def show_pods(cluster):
    say(indented(cluster.kubectl("-n", SPEECH, "get", "pods", "-o", PODS).stdout))


def indented(text):
    return "\n".join(f"   {line}" for line in text.splitlines())


class Rotation:
    """One more revision of one resource, told as it comes along."""

    def __init__(self, cluster, deepgram):
        self.cluster = cluster
        self.deepgram = deepgram
        self.old = self._status()["id"]
        self.told = None
        self.published = False

    def run(self):
        resource = f"deepgramapikey/{KEY}"
        # Samples keep the old key for an hour at least.
        self.cluster.kubectl("-n", SPEECH, "patch", resource, "--type=merge", "-p",
                             json.dumps({"spec": {"rotation": {"overlap": OVERLAP}}}))
        self.cluster.kubectl("-n", SPEECH, "annotate", resource, "--overwrite",
                             "deepgram.com/rotate=demo-1")
        wait_for(self._over, 120, "the rotation is over", interval=0.3)

    def _over(self):
        status = self._status()
        if status["id"] != self.old and not self.published:
            self.published = True
            say(f"   published: revision {status['revision']}, key {status['id']}")
        alive = self.old in [id for _, id, _ in self.deepgram.live()]
        updated = False
        for condition in status["conditions"]:
            if condition["type"] == "ConsumersUpdated" and self.published:
                self._tell(condition["message"], alive)
                updated = condition["status"] == "True"
        over = self.published and updated and not alive
        if over:
            say(f"   revoked: key {self.old}, by now no pod holds it")
        return over

    def _tell(self, message, alive):
        if message != self.told:
            self.told = message
            say(f"   {message}; the old key is {'alive' if alive else 'revoked'}")

    def _status(self):
        found = self.cluster.kubectl("-n", SPEECH, "get", "deepgramapikey", KEY, "-o", "json")
        return json.loads(found.stdout)["status"]


def delete_samples(cluster, files):
    for file in files:
        cluster.kubectl("delete", "-f", str(file), "--wait=false")


def show_in_use(cluster, deepgram):
    """What no pod holds goes; a resource with pods says which it waits for, and its key is alive."""
    def in_use():
        found = cluster.kubectl("-n", SPEECH, "get", "deepgramapikey", KEY, "-o", "json")
        ready, = (one for one in json.loads(found.stdout)["status"]["conditions"]
                  if one["type"] == "Ready")
        return ready["reason"] == "InUse" and ready["message"]

    say(f"   {KEY}: " + wait_for(in_use, 30, f"{KEY} waits for its pods"))
    held = len({KEY, PULL_SECRET})
    wait_for(lambda: len(deepgram.live()) == held, 60, "the rest is revoked")
    show_deepgram(deepgram)


def end_workloads(cluster):
    cluster.kubectl("-n", SPEECH, "delete", "deployment", *CHART, "--wait=false")
    say("   waiting until no pod can start on the old Secrets, then revoking …")
    cluster.kubectl("-n", SPEECH, "wait", "--for=delete", KINDS, "--all", "--timeout=90s")


def stay(cluster):
    say("\nLeft up for you; Ctrl-C ends it:\n"
        f"   export KUBECONFIG={cluster.kubeconfig_admin}\n"
        f"   export PATH={REPOSITORY / 'build/controlplane'}:$PATH\n"
        "   kubectl get deepgram -A")
    signal.pthread_sigmask(signal.SIG_BLOCK, ENDING)
    signal.sigwait(ENDING)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, ENDING)


def run(stack):
    step = Steps()
    step("A control plane on loopback" if "KUBECONFIG_TARGET" not in os.environ
         else f"The cluster of {os.environ['KUBECONFIG_TARGET']}")
    cluster = start_cluster(stack)
    step("Deepgram, emulated, with one project and one admin key")
    deepgram = start_deepgram(stack)
    seeded = deepgram.post("projects", {"project_id": PROJECT, "admin_keys": [{"role": "owner"}]})
    say(f"   {deepgram.url}, project {PROJECT}")
    step("CRDs, rights, and the operator under its own ServiceAccount")
    operator = start_operator(stack, cluster, deepgram)
    step("kubectl apply -f manifests/samples")
    files = apply_samples(cluster, seeded["admin_keys"][0]["key"])
    step("All resources become Ready")
    cluster.kubectl("-n", SPEECH, "wait", "--for=condition=Ready", KINDS, "--all", "--timeout=60s")
    show_resources(cluster)
    show_deepgram(deepgram)
    step("What pods consume (values masked)")
    show_secrets(cluster)
    step("Deployments start on the key, as those of Deepgram's chart do")
    apply_workloads(cluster)
    step(f"A rotation on request: kubectl annotate dgkey {KEY} deepgram.com/rotate=…")
    Rotation(cluster, deepgram).run()
    show_pods(cluster)
    show_deepgram(deepgram)
    if os.environ.get("KEEP") == "1":
        stay(cluster)
    step("kubectl delete of all resources: what no pod holds is revoked, the rest waits")
    delete_samples(cluster, files)
    show_in_use(cluster, deepgram)
    step("kubectl delete of the Deployments: now the rest is revoked")
    end_workloads(cluster)
    left = show_deepgram(deepgram)
    step("Tearing down")
    cluster.kubectl("delete", "namespace", SPEECH, "--wait=false")
    operator.stop()
    return 1 if left else 0


def main():
    with ExitStack() as stack:
        return run(stack)


if __name__ == "__main__":
    sys.exit(main())
