"""Others who write to the same workloads: kubectl, server-side apply, Helm, people who restart.

The marker is one annotation of the pod template with a field manager of its own: nobody's apply
takes it off, and where somebody does, that is a roll-out of theirs and answered by none of ours.
"""

import json
import subprocess
import time

import yaml

from controlplane import BINARIES
from polling import wait_for
from rotation_rig import Stories
from workloads import deployment, pod_spec

STORIES = Stories()
APP = "deepgram-api"
MARKER = "revision.deepgram.com/key"


def body(rig, **more):
    made = deployment(APP, pod_spec(APP, "key"), 2, **more)
    made["metadata"]["namespace"] = rig.namespace
    return made


def marker(rig):
    template = rig.workloads.get(APP)["spec"]["template"]
    return template["metadata"]["annotations"].get(MARKER)


def rotated_with(rig, apply):
    """`apply` is what a GitOps tool does again and again, before, in and after a rotation."""
    rig.operator()
    rig.key()
    apply()
    rig.workloads.made.append(("Deployment", APP))
    rig.running()
    rig.rotate()

    def over():
        apply()
        return rig.status()["revision"] == 2 and len(rig.live()) == 1

    wait_for(over, 60, "the rotation is over", interval=0.5)
    for _ in range(3):
        apply()
    rig.workloads.wait_rolled_out()
    rig.check_restarts(1, [APP])
    assert marker(rig) == "2"


@STORIES.add
def kubectl_apply(rig):
    rotated_with(rig, lambda: rig.plane.apply(json.dumps(body(rig))))


@STORIES.add
def server_side_apply_by_another_manager(rig):
    path = rig.workloads.path("Deployment", APP)

    def apply():
        rig.client.patch(path, body(rig), type="apply", fieldManager="argocd-controller",
                         force="true")

    rotated_with(rig, apply)


@STORIES.add
def helm_upgrade(rig):
    chart = rig.directory / f"{rig.namespace}-chart"
    (chart / "templates").mkdir(parents=True)
    (chart / "Chart.yaml").write_text("apiVersion: v2\nname: speech\nversion: 1.0.0\n")
    (chart / "templates" / "api.yaml").write_text(yaml.safe_dump(body(rig)))

    def apply():
        done = subprocess.run(
            [BINARIES / "helm", f"--kubeconfig={rig.plane.kubeconfig_admin}",
             f"--namespace={rig.namespace}", "upgrade", "--install", "speech", chart],
            capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, done.stderr

    rotated_with(rig, apply)


@STORIES.add
def a_marker_that_is_replaced_away_costs_no_second_roll_out_of_ours(rig):
    rig.operator()
    rig.key()
    rig.workloads.create(body(rig))
    rig.running()
    rig.rotate()
    rig.wait_finished(2)
    assert marker(rig) == "2"
    rig.plane.kubectl("replace", "-f", "-", input=json.dumps(body(rig)))
    rig.workloads.wait_rolled_out()
    rig.quiet(9, creates=2)
    rig.check_restarts(2, [APP])  # of which the second was not ours
    assert marker(rig) is None
    rig.rotate()
    rig.wait_finished(3)
    rig.check_restarts(3, [APP])


def restart(rig, mark):
    metadata = {"annotations": {"restarted": mark}}
    rig.workloads.patch(APP, {"spec": {"template": {"metadata": metadata}}})


@STORIES.add
def a_roll_out_that_somebody_else_began_is_waited_for(rig):
    """Slow enough to be under way still when it would be our turn."""
    rig.operator()
    rig.key()
    rig.workloads.create(body(rig, annotations={"kwok.deepgram.com/ready-delay": "6s"}))
    rig.running()
    old = rig.rotate()
    rig.wait_issued(2)
    restart(rig, "theirs")
    rig.wait_told("False", "RollingOut", APP, "under way")

    def marked():
        found = rig.workloads.get(APP)
        return marker(rig) and found["status"]

    wait_for(marked, 60, "it is our turn", interval=0.05)
    mine = [pod for pod in rig.workloads.pods(APP)
            if "deletionTimestamp" not in pod["metadata"]
            and MARKER not in pod["metadata"]["annotations"]
            and pod["metadata"]["annotations"].get("restarted") != "theirs"]
    assert mine == [], "we began before their roll-out was through"
    rig.wait_finished(2)
    rig.check_revoked_last(old)
    rig.check_restarts(2, [APP])


@STORIES.add
def pods_that_somebody_else_renewed_are_not_restarted_again(rig):
    """Between the time at which kubelets have the new key and the one at which it is our turn."""
    rig.operator()
    rig.key()
    rig.workloads.create(body(rig))
    rig.running()
    rig.workloads.patch(APP, {"spec": {"paused": True}})
    old = rig.rotate()
    rig.wait_told("False", "RolloutBlocked", "paused")
    time.sleep(8)
    rig.workloads.patch(APP, {"spec": {"paused": False, "template": {"metadata": {
        "annotations": {"restarted": "theirs"}}}}})
    rig.wait_finished(2)
    rig.check_revoked_last(old)
    rig.workloads.wait_rolled_out()
    time.sleep(2)
    rig.check_restarts(1, [APP])

