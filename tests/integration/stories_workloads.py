"""Whom a rotation restarts and for whom it waits: kinds of workloads, ways to refer to the Secret,
what the spec says, and what can't be restarted."""

import time

from polling import wait_for
from rotation_rig import PULL, Stories
from workloads import (
    API, CHART, ENGINE, PROXY, daemon_set, deployment, pod_spec, stateful_set,
)

STORIES = Stories()


def restart(rig, name, kind="Deployment", mark="theirs"):
    """As somebody else does."""
    metadata = {"annotations": {"restarted": mark}}
    rig.workloads.patch(name, {"spec": {"template": {"metadata": metadata}}}, kind)


def all_on_the_new_key(rig, *apps):
    rig.sampler.wait_for_next()
    new = rig.status()["id"]
    held = {pod.app: pod.held for pod in rig.present()}
    assert held == {app: {new} for app in apps}, held


# ---- kinds ----


@STORIES.add
def stateful_sets_and_daemon_sets(rig):
    rig.operator()
    rig.key()
    rig.workloads.create(stateful_set("billing", pod_spec("billing", "key"), 2))
    selector = {"kubernetes.io/hostname": "node-0"}
    rig.workloads.create(daemon_set("agent", pod_spec("agent", "key", nodeSelector=selector)))
    rig.running()
    old = rig.rotate()
    rig.wait_finished(2)
    rig.workloads.wait_rolled_out()
    rig.check_revoked_last(old)
    all_on_the_new_key(rig, "billing", "agent")
    assert len(rig.holders(old)) == 3 and len(rig.holders(rig.status()["id"])) == 3


def referring(name, **container):
    """A pod whose container refers to the Secret in its own way."""
    return {"containers": [{"name": "main", "image": "registry.invalid/main", **container}]}


@STORIES.add
def every_way_to_refer_to_the_secret(rig):
    by_key = {"name": "K", "valueFrom": {"secretKeyRef": {
        "name": "key", "key": "DEEPGRAM_API_KEY"}}}
    volume = {"name": "v", "secret": {"secretName": "key"}}
    projected = {"name": "v", "projected": {"sources": [{"secret": {"name": "key"}}]}}
    init = {"name": "init", "image": "registry.invalid/init", "env": [by_key]}
    specs = {
        "by-env": referring("by-env", env=[by_key]),
        "by-env-from": referring("by-env-from", envFrom=[{"secretRef": {"name": "key"}}]),
        "by-volume": {**referring("by-volume"), "volumes": [volume]},
        "by-projection": {**referring("by-projection"), "volumes": [projected]},
        "by-init": {**referring("by-init"), "initContainers": [init]},
        "by-nothing": referring("by-nothing"),
        "by-other": referring("by-other", envFrom=[{"secretRef": {"name": "deepgram-admin"}}]),
    }
    rig.operator()
    rig.key()
    for app, spec in specs.items():
        rig.workloads.create(deployment(app, spec))
    rig.running()
    rig.rotate()
    rig.wait_finished(2)
    restarted = {app for app in specs if rig.workloads.revision(app) == 2}
    assert restarted == {app for app in specs if app not in ("by-nothing", "by-other")}
    rig.check_restarts(1, sorted(restarted))
    consumers = {one["name"] for one in rig.status()["consumers"]}
    assert consumers == restarted


@STORIES.add
def no_replicas_hold_nothing_up(rig):
    rig.operator()
    rig.key()
    rig.workloads.create(deployment("asleep", pod_spec("asleep", "key"), 0))
    rig.workloads.create(deployment("awake", pod_spec("awake", "key"), 1))
    rig.running()
    rig.rotate()
    rig.wait_finished(2)
    rig.workloads.patch("asleep", {"spec": {"replicas": 1}})
    rig.workloads.wait_rolled_out()
    all_on_the_new_key(rig, "asleep", "awake")


# ---- what can't be restarted ----


@STORIES.add
def bare_pods_and_jobs_are_waited_for(rig):
    rig.operator()
    rig.key()
    pods = f"/api/v1/namespaces/{rig.namespace}/pods"
    rig.client.post(pods, {"metadata": {"name": "bare", "labels": {"app": "bare"}},
                           "spec": pod_spec("bare", "key")})
    jobs = f"/apis/batch/v1/namespaces/{rig.namespace}/jobs"
    rig.client.post(jobs, {"metadata": {"name": "job"}, "spec": {"template": {
        "metadata": {"labels": {"app": "job"}},
        "spec": pod_spec("job", "key", restartPolicy="Never")}}})
    wait_for(lambda: len(rig.workloads.pods()) == 2, 10, "both pods are there")
    rig.sampler.wait_for_next()
    old = rig.rotate()
    rig.wait_told("False", "WaitingForPods", "2 pod")
    time.sleep(8)  # longer than any restart would take
    assert old in rig.live() and len(rig.present()) == 2
    rig.client.delete(f"{pods}/bare")
    rig.wait_told("False", "WaitingForPods", "1 pod", "Job/job")
    rig.client.delete(f"{jobs}/job", propagationPolicy="Background")
    rig.wait_finished(2)
    rig.check_revoked_last(old)
    assert len(rig.sampler.pods_of(rig.namespace)) == 2, "somebody was restarted"


@STORIES.add
def a_finished_job_holds_nothing_up(rig):
    rig.operator()
    rig.key()
    pods = f"/api/v1/namespaces/{rig.namespace}/pods"
    rig.client.post(pods, {"metadata": {"name": "once"},
                           "spec": pod_spec("once", "key", restartPolicy="Never")})
    wait_for(lambda: rig.client.get(f"{pods}/once")["status"]["phase"] == "Running", 10, "it runs")
    rig.client.patch(f"{pods}/once/status", {"status": {"phase": "Succeeded"}})
    rig.rotate()
    rig.wait_finished(2)


@STORIES.add
def a_paused_deployment_is_named_and_goes_on_when_it_is_resumed(rig):
    rig.operator()
    rig.key()
    rig.chart()
    rig.workloads.patch(ENGINE, {"spec": {"paused": True}})
    old = rig.rotate()
    rig.wait_told("False", "RolloutBlocked", ENGINE, "paused")
    assert old in rig.live()
    rig.workloads.patch(ENGINE, {"spec": {"paused": False}})
    rig.wait_finished(2)
    rig.check_order(old, rig.status()["id"])
    rig.check_restarts(1)


@STORIES.add
def a_stateful_set_with_on_delete_is_named_and_waited_for(rig):
    rig.operator()
    rig.key()
    rig.workloads.create(stateful_set("it", pod_spec("it", "key"), 2,
                                      updateStrategy={"type": "OnDelete"}))
    wait_for(lambda: len(rig.workloads.pods("it")) == 2, 20, "both pods are there")
    rig.running()
    old = rig.rotate()
    rig.wait_told("False", "RolloutBlocked", "it", "OnDelete")
    time.sleep(6)
    for pod in ("it-0", "it-1"):
        assert old in rig.live()
        rig.client.delete(f"/api/v1/namespaces/{rig.namespace}/pods/{pod}")
    rig.wait_finished(2)
    rig.check_revoked_last(old)


# ---- what the spec says ----


@STORIES.add
def named_workloads_are_restarted_in_their_order_and_no_others(rig):
    order = [API, PROXY]
    rig.operator()
    rig.key(rollout={"workloads": [{"kind": "Deployment", "name": name} for name in order]})
    rig.chart()
    old = rig.rotate()
    rig.wait_told("False", "WaitingForPods", ENGINE)
    rig.check_order(old, rig.status()["id"], order)
    rig.check_restarts(1, order)
    rig.check_restarts(0, [ENGINE])
    assert old in rig.live()
    restart(rig, ENGINE)
    rig.wait_finished(2)
    rig.check_revoked_last(old)
    rig.check_restarts(1)


@STORIES.add
def a_named_workload_that_is_not_there_is_told_and_holds_nothing_up(rig):
    rig.operator()
    rig.key(rollout={"workloads": [{"kind": "Deployment", "name": name}
                                   for name in ("typo", PROXY, ENGINE, API)]})
    rig.chart()
    rig.rotate()
    rig.wait_finished(2)
    rig.wait_told("True", "Updated", "Deployment typo", "doesn't exist")
    rig.check_restarts(1)


@STORIES.add
def with_wait_somebody_else_restarts(rig):
    rig.operator()
    rig.key(rollout={"mode": "Wait"})
    rig.chart()
    old = rig.rotate()
    rig.wait_told("False", "WaitingForPods", "6 pod")
    time.sleep(8)
    rig.check_restarts(0)
    assert old in rig.live()
    for app in CHART:
        restart(rig, app)
    rig.wait_finished(2)
    rig.check_revoked_last(old)
    rig.check_restarts(1)


@STORIES.add
def with_ignore_time_alone_decides(rig):
    rig.may_be_dead = True
    rig.operator()
    rig.key(rollout={"mode": "Ignore"}, rotation={"overlap": "5s"})
    rig.chart()
    old = rig.rotate()
    rig.wait_issued(2)
    created = rig.creates()[-1]["time_ms"] / 1000
    rig.wait_finished(2)
    assert rig.revoked_at(old) - created >= 5
    rig.check_restarts(0)


# ---- several at once ----


def two_keys_in_one_workload(rig):
    rig.operator()
    rig.key("key")
    rig.key("other", scopes=["usage:read"])
    spec = pod_spec("both", "key")
    spec["containers"][0]["envFrom"].append({"secretRef": {"name": "other"}})
    rig.workloads.create(deployment("both", spec, 2))
    rig.running()


@STORIES.add
def two_keys_in_one_workload_are_one_roll_out(rig):
    two_keys_in_one_workload(rig)
    old = [rig.rotate("key"), rig.rotate("other")]
    for name in ("key", "other"):
        rig.wait_finished(2, name)
    for id in old:
        rig.check_revoked_last(id)
    rig.workloads.wait_rolled_out()
    rig.check_restarts(1, ["both"])


@STORIES.add
def two_keys_that_rotate_at_odds_restart_once_for_each(rig):
    two_keys_in_one_workload(rig)
    rig.rotate("key")
    rig.wait_finished(2, "key")
    rig.rotate("other")
    rig.wait_finished(2, "other")
    rig.workloads.wait_rolled_out()
    rig.check_restarts(2, ["both"])


# ---- pull credentials ----


@STORIES.add
def pull_credentials_are_rotated_in_place(rig):
    """Nobody is restarted for them: a node reads them each time that it pulls."""
    rig.operator()
    rig.key()
    rig.pull_secret("pull", rotation={"overlap": "6s"})
    rig.wait_ready(PULL, "pull")
    rig.chart(pull_secret="pull")
    uid = rig.secret("pull")["metadata"]["uid"]
    old = rig.rotate("pull", kind=PULL)
    rig.wait_issued(3)
    rotated = rig.creates()[-1]["time_ms"] / 1000
    rig.wait_finished(2, "pull", PULL)
    assert rig.revoked_at(old) - rotated >= 6
    assert rig.secret("pull")["metadata"]["uid"] == uid
    rig.check_restarts(0)
