"""Where rotations are watched: a namespace, its workloads and an operator, and a sampler over all.

What happened is judged by samples, by the emulator's log and by the API server's objects and audit
log. What the operator says is judged too, but only as what a person reads.

The stories of a test file are run several at a time, as most of their time is waiting: each in a
namespace and project of its own, so that none can see another.
"""

import datetime
import time
import traceback
import uuid
from concurrent.futures import ThreadPoolExecutor

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
AT_ONCE = 8
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

    def run_all(self, stories, say):
        """What went wrong with each, by its function."""
        def run(story):
            started = time.monotonic()
            failure = self.run(story)
            say(f"{name_of(story)}: {time.monotonic() - started:.0f} s")
            return failure

        stories = sorted(stories, key=lambda story: not hasattr(story, "is_long"))
        with Sampler(self.plane, self.emulator) as self.sampler:
            with ThreadPoolExecutor(AT_ONCE) as pool:
                return dict(zip(stories, pool.map(run, stories)))


def name_of(story):
    return story.__name__


class Stories(list):
    """Of one module; add() and add_long() are decorators."""

    def add(self, story):
        self.append(story)
        return story

    def add_long(self, story):
        """Of those that take long: they begin first."""
        story.is_long = True
        return self.add(story)


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
        self.directory = stage.directory
        self.may_be_dead = False  # the story takes a pod's key away
        self.workloads = Workloads(self.client, namespace)
        self.processes = []
        self._stage = stage
        self._nodes = []
        self._mark = stage.plane.audit_mark()

    # ---- what there is ----

    def operator(self, *flags, env=None, binary=None):
        """Starts one more, for this namespace alone."""
        log = self.directory / f"{self.namespace}-{len(self.processes)}.log"
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
        self.running()

    def running(self):
        """Until the workloads are, and the sampler has seen it."""
        self.workloads.wait_rolled_out()
        self.sampler.wait_for_next()

    def gpu_node(self, gpus):
        """A node that takes only pods of this namespace that ask for it, as it goes with the story;
        returns what their spec needs for that."""
        name = f"gpu-{uuid.uuid4().hex[:8]}"
        taint = {"key": "for", "value": self.namespace, "effect": "NoSchedule"}
        self.plane.add_node(name, {f"{KWOK}gpus": str(gpus), "for": self.namespace}, [taint])
        self._nodes.append(name)
        return {"nodeSelector": {"for": self.namespace},
                "tolerations": [{**taint, "operator": "Equal"}]}

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

    def quiet(self, seconds, creates):
        """Nothing more is created for that long."""
        time.sleep(seconds)
        assert len(self.creates()) == creates, f"{len(self.creates())} creates, not {creates}"

    def wait_told(self, status, reason, *words, type="ConsumersUpdated", name="key", kind=KEY,
                  timeout=30):
        """Until the condition says that; returns its message."""
        def told():
            found = self.condition(type, name, kind)
            assert found and (found["status"], found["reason"]) == (status, reason), found
            missing = [word for word in words if word not in found["message"]]
            assert not missing, f"{missing} not in the message: {found['message']}"
            return found["message"]

        return wait_for(told, timeout, f"{type}={status}, {reason}", interval=0.05)

    # ---- what was seen ----

    def present(self, app=None):
        """The pods that are there now, terminating ones included."""
        now = self.sampler.now - 1
        return [pod for pod in self.sampler.pods_of(self.namespace, app) if pod.last >= now]

    def holders(self, id, app=None):
        """The pods that ever held that credential."""
        return [pod for pod in self.sampler.pods_of(self.namespace, app) if id in pod.held]

    def created(self, number):
        """The id that the numberth create at Deepgram led to."""
        return self.creates()[number - 1]["credential_id"]

    def events(self, type, reason):
        found = self.client.get(f"/api/v1/namespaces/{self.namespace}/events",
                                fieldSelector=f"type={type},reason={reason}")["items"]
        return [event.get("message") or event.get("note") for event in found]

    def writes(self, mark):
        """What the operator has written in this namespace since that mark of the audit log."""
        return [(event["verb"], event["objectRef"]["resource"], event["objectRef"]["name"])
                for event in self.plane.audit(mark, operator_process.USER)
                if event["verb"] not in ("get", "list", "watch")
                and event["objectRef"].get("namespace") == self.namespace]

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
        self.sampler.wait_for_next()
        for first, then in zip(apps, apps[1:]):
            last_old = max(pod.last for pod in self.holders(old, first))
            begun = min(pod.first for pod in self.holders(new, then) if old not in pod.held)
            assert last_old < begun, (
                f"{then} was begun in sample {begun}, a pod of {first} on the old key was there "
                f"in sample {last_old}")

    def check_revoked_last(self, old):
        """... and not long after."""
        wait = self.check_revoked_after_its_pods(old)
        assert wait < 10, f"only {wait} s after the last pod that held it was gone"

    def check_revoked_after_its_pods(self, old):
        """The old credential was revoked after the API server was asked to remove the last pod that
        held it. Returns how long after."""
        removed = self._removed_at()
        gone = {pod.name: removed.get(pod.name) for pod in self.holders(old)}
        assert gone and None not in gone.values(), f"still there: {gone}"
        wait = self.revoked_at(old) - max(gone.values())
        assert wait >= 0, f"revoked {-wait} s before the last pod that held it was gone: {gone}"
        return wait

    def _removed_at(self):
        """When each pod's last deletion was asked for (the first only begins its draining), in
        whole milliseconds as the emulator has them."""
        return {
            event["objectRef"]["name"]: int(datetime.datetime.fromisoformat(
                event["requestReceivedTimestamp"]).timestamp() * 1000) / 1000
            for event in self.plane.audit(self._mark)
            if (event["verb"], event["objectRef"]["resource"]) == ("delete", "pods")
            and event["objectRef"].get("namespace") == self.namespace
            and event["responseStatus"]["code"] == 200
        }

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
        assert self.may_be_dead or not dead, f"{len(dead)} times a pod held a dead key, first: {dead[0]}"

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
