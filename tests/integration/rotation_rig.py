"""Where rotations are watched: a namespace, its workloads and an operator, and a sampler over all.

What happened is judged by samples, by the emulator's log and by the API server's objects and audit
log. What the operator says is judged too, but only as what a person reads.

The stories of a module are run all at once, as most of their time is waiting: each in a namespace
and project of its own, so that none can see another.
"""

import traceback
import uuid
from concurrent.futures import ThreadPoolExecutor

import pytest

import operator_process
from conftest import delete_namespace, finish, known_secrets
from operator_process import OperatorProcess
from polling import wait_for
from resources import Tenant, condition
from sampler import Sampler
from workloads import CHART, KWOK, Workloads

KEY = "DeepgramApiKey"
PULL = "DeepgramPullSecret"
FLAGS = ("--settle=2s", "--inventory-interval=5s", "--leader-elect=false")
AT_ONCE = 12
ROTATE = "deepgram.com/rotate"


class Stage:
    """What all rigs of a module share."""

    def __init__(self, plane, emulator, directory):
        self.plane = plane
        self.emulator = emulator
        self.directory = directory
        self.sampler = None  # while stories run
        account = (operator_process.NAMESPACE, operator_process.SERVICE_ACCOUNT)
        self.kubeconfig = plane.kubeconfig_for(*account)

    def run(self, story):
        """None, or what went wrong, with what a person would look at."""
        rig = Rig(self, name_of(story))
        failure = problem(lambda: rig.tell(story))
        if failure:
            failure += rig.evidence()
        return "\n".join(filter(None, (failure, problem(rig.end)))) or None

    def run_all(self, stories):
        """What went wrong with each, by its function."""
        with Sampler(self.plane, self.emulator) as self.sampler:
            with ThreadPoolExecutor(AT_ONCE) as pool:
                return dict(zip(stories, pool.map(self.run, stories)))


def name_of(story):
    return story.__name__


@pytest.fixture(scope="module")
def stage(cluster, shared_emulator, tmp_path_factory):
    return Stage(cluster, shared_emulator, tmp_path_factory.mktemp("rotation"))


@pytest.fixture(scope="module")
def outcomes(stage, request, say):
    """Of the module's stories that were asked for: its tests are parametrized by `story`."""
    found = stage.run_all([item.callspec.params["story"] for item in request.session.items
                           if item.module is request.module and hasattr(item, "callspec")])
    say(stage.sampler.summary())
    return found


def problem(run):
    try:
        run()
    except Exception:
        return traceback.format_exc()
    return None


class Rig(Tenant):
    """The namespace of one story, its workloads, and its operator once it is started."""

    def __init__(self, stage, name):
        namespace = f"{name.replace('_', '-')[:40]}-{uuid.uuid4().hex[:6]}"
        stage.plane.client.post("/api/v1/namespaces", {"metadata": {"name": namespace}})
        super().__init__(stage.plane, stage.emulator, namespace)
        self.put_admin_secret()
        self.sampler = stage.sampler
        self.workloads = Workloads(self.client, namespace)
        self.processes = []
        self._stage = stage
        self._nodes = []

    # ---- what there is ----

    def operator(self, *flags, env=None, binary=None):
        """Starts one more, for this namespace alone."""
        log = self._stage.directory / f"{self.namespace}-{len(self.processes)}.log"
        process = OperatorProcess(
            self._stage.kubeconfig, log,
            [f"--deepgram-url={self.emulator.url}", f"--registry-url={self.emulator.url}",
             f"--namespaces={self.namespace}", *FLAGS, *flags], env, binary)
        self.processes.append(process)
        return process.start(wait_ready=False)

    def key(self, name="key", **spec):
        """A DeepgramApiKey whose old keys are gone soon after the roll-out, once it is Ready."""
        rotation = {"overlap": "1s", **spec.pop("rotation", {})}
        self.api_key(name, rotation=rotation, **spec)
        return self.wait_ready(KEY, name)

    def chart(self, secret="key", **more):
        """The chart's workloads, running."""
        self.workloads.create_chart(secret, **more)
        self.workloads.wait_rolled_out()
        self.sampler.wait_for_next()

    def gpu_node(self, gpus):
        """A node that pods of this namespace can ask for; returns their nodeSelector."""
        name = f"gpu-{uuid.uuid4().hex[:8]}"
        self.plane.add_node(name, {f"{KWOK}gpus": str(gpus), "for": self.namespace})
        self._nodes.append(name)
        return {"for": self.namespace}

    # ---- what is done ----

    def rotate(self, name="key", token=None, kind=KEY):
        """Asks for a rotation; returns the id of the credential that it will replace."""
        before = self.status(name, kind)["id"]
        annotations = {ROTATE: token or uuid.uuid4().hex}
        self.patch(kind, name, {"metadata": {"annotations": annotations}})
        return before

    def status(self, name="key", kind=KEY):
        return self.find(kind, name)["status"]

    def condition(self, type="ConsumersUpdated", name="key", kind=KEY):
        return condition(self.find(kind, name), type)

    # ---- waiting ----

    def wait_issued(self, count, timeout=20):
        """Until that many creates have reached Deepgram."""
        wait_for(lambda: len(self.creates()) >= count, timeout, f"{count} creates", interval=0.05)

    def wait_finished(self, revision, name="key", kind=KEY, timeout=60):
        """Until that revision is the current one and the only one alive at Deepgram."""
        def finished():
            status = self.status(name, kind)
            assert status["revision"] == revision, status
            alive = [one["revision"] for one in status["revisions"] if one["state"] != "Revoked"]
            assert alive == [revision], status["revisions"]
            assert status["id"] in self.live()
            return status

        return wait_for(finished, timeout, f"{kind} {name} is on revision {revision} alone",
                        interval=0.1)

    def wait_told(self, status, reason, *words, name="key", kind=KEY, timeout=30):
        """Until ConsumersUpdated says that; returns its message."""
        def told():
            found = self.condition(name=name, kind=kind)
            assert found and (found["status"], found["reason"]) == (status, reason), found
            missing = [word for word in words if word not in found["message"]]
            assert not missing, f"{missing} not in the message: {found['message']}"
            return found["message"]

        return wait_for(told, timeout, f"ConsumersUpdated={status}, {reason}", interval=0.05)

    # ---- what was seen ----

    def holders(self, id, app=None):
        """The pods that ever held that credential."""
        return [pod for pod in self.sampler.pods_of(self.namespace, app) if id in pod.held]

    def revoked_at(self, id):
        """When the emulator was asked to delete it, in seconds of the wall clock; None: never."""
        requests = [r for operation in ("delete_key", "delete_credentials")
                    for r in self.emulator.requests(operation=operation,
                                                    project_id=self.project_id)
                    if r["credential_id"] == id and r["status"] == 200]
        return requests[0]["time_ms"] / 1000 if requests else None

    def check_order(self, old, new, apps=tuple(CHART)):
        """No pod of a workload got the new credential while one of the workload before it had
        the old one still, terminating ones included."""
        for first, then in zip(apps, apps[1:]):
            last_old = max(pod.last for pod in self.holders(old, first))
            begun = min(pod.first for pod in self.holders(new, then) if old not in pod.held)
            assert last_old < begun, (
                f"{then} was begun in sample {begun}, a pod of {first} on the old key was there "
                f"in sample {last_old}")

    def check_never_fewer(self, since, workloads=CHART):
        """From that sample on, each always had all of its pods ready."""
        for app, replicas in workloads.items():
            least = self.sampler.least_ready(self.namespace, app, since)
            assert least >= replicas, f"{app} had only {least} of {replicas} pods ready"

    def check_restarts(self, count, apps=tuple(CHART)):
        """Each Deployment had that many pod templates after its first one."""
        had = {app: self.workloads.revision(app) - 1 for app in apps}
        assert had == dict.fromkeys(apps, count), had

    def tell(self, story):
        """The story, and what has to hold at the end of every one."""
        story(self)
        self.sampler.wait_for_next()
        dead = self.sampler.dead_in(self.namespace)
        assert not dead, f"{len(dead)} times a pod held a dead key, first: {dead[0]}"

    def end(self):
        try:
            secrets = known_secrets(self.emulator, self.processes)
            for process in self.processes:
                finish(process, secrets)
        finally:
            for process in self.processes:
                process.kill()
            delete_namespace(self.client, self.namespace)
            for node in self._nodes:
                self.client.delete(f"/api/v1/nodes/{node}")

    def evidence(self):
        """What a person would look at: no values in it."""
        describe = self.plane.kubectl("-n", self.namespace, "describe", "dgkey,dgpull",
                                      check=False).stdout
        pods = self.plane.kubectl("-n", self.namespace, "get", "deploy,sts,ds,pods", "-o", "wide",
                                  check=False).stdout
        asked = [f"  {r['time_ms']} {r['operation']} {r['status']} {r['credential_id']}"
                 for r in self.emulator.requests(project_id=self.project_id)
                 if r["operation"] not in ("list_keys", "list_credentials")]
        logs = [process.log_tail() for process in self.processes]
        return "\n".join([describe, pods, "Deepgram's log:", *asked, *logs])
