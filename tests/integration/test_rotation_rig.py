"""The rig must notice what it is there to notice: a pod on a dead key, too few pods, a wrong order.

Nothing here is restarted by the operator: the test does it, rightly and wrongly.
"""

import time

import pytest

from polling import wait_for
from rotation_rig import KEY, name_of
from sampler import KUBELET_LAG_S
from workloads import API, CHART, ENGINE, PROXY, deployment, pod_spec

IGNORE = {"mode": "Ignore"}


def restart(rig, app, mark):
    annotations = {"restarted": mark}
    rig.workloads.patch(app, {"spec": {"template": {"metadata": {"annotations": annotations}}}})


def rotated(rig):
    """A chart on the first key, and a second one published. Returns the ids."""
    rig.operator()
    rig.key(rotation={"overlap": "1h"}, rollout=IGNORE)
    rig.chart()
    old = rig.rotate()
    new = wait_for(lambda: (id := rig.status()["id"]) != old and id, 20, "the new key is published")
    time.sleep(KUBELET_LAG_S + 0.5)  # kubelets have heard of it
    return old, new


def a_right_order_is_right(rig):
    old, new = rotated(rig)
    since = rig.sampler.now
    for app in CHART:
        restart(rig, app, "once")
        rig.workloads.wait_rolled_out()
        wait_for(lambda: len(rig.workloads.pods(app)) == CHART[app], 20, "the rest is gone")
        rig.sampler.wait_for_next()
    rig.check_order(old, new)
    rig.check_never_fewer(since)
    rig.check_restarts(1)
    assert {len(rig.holders(id, ENGINE)) for id in (old, new)} == {3}


def a_wrong_order_is_noticed(rig):
    old, new = rotated(rig)
    for app in (ENGINE, PROXY, API):
        restart(rig, app, "once")
        rig.workloads.wait_rolled_out()
        time.sleep(1.5)
    rig.check_order(old, new)


def a_pod_on_a_dead_key_is_noticed(rig):
    old, _ = rotated(rig)
    restart(rig, PROXY, "once")
    rig.emulator.revoke(old)
    rig.sampler.wait_for_next()


def a_terminating_pod_on_a_dead_key_is_noticed(rig):
    rig.operator()
    rig.key(rotation={"overlap": "1h"}, rollout=IGNORE)
    rig.workloads.create(deployment("it", pod_spec("it", "key"),
                                    annotations={"kwok.deepgram.com/drain-delay": "3s"}))
    rig.workloads.wait_rolled_out()
    old = rig.rotate()
    rig.wait_issued(2)
    rig.sampler.wait_for_next()
    rig.client.delete(rig.workloads.path("Deployment", "it"))
    wait_for(lambda: all("deletionTimestamp" in pod["metadata"]
                         for pod in rig.workloads.pods()), 10, "it is terminating")
    rig.emulator.revoke(old)
    rig.sampler.wait_for_next()


def too_few_ready_pods_are_noticed(rig):
    rotated(rig)
    since = rig.sampler.now
    pod = rig.workloads.pods(ENGINE)[0]["metadata"]["name"]
    rig.client.delete(f"/api/v1/namespaces/{rig.namespace}/pods/{pod}")
    rig.sampler.wait_for_next()
    rig.check_never_fewer(since)


def a_second_restart_is_noticed(rig):
    rotated(rig)
    for mark in ("once", "twice"):
        restart(rig, PROXY, mark)
        rig.workloads.wait_rolled_out()
    rig.check_restarts(1, [PROXY])


def trouble_is_told_with_what_a_person_would_look_at(rig):
    rig.wait_ready(KEY, "none", timeout=0)


EXPECTED = {
    a_right_order_is_right: None,
    a_wrong_order_is_noticed: f"{ENGINE} was begun",
    a_pod_on_a_dead_key_is_noticed: "times a pod held a dead key",
    a_terminating_pod_on_a_dead_key_is_noticed: "times a pod held a dead key",
    too_few_ready_pods_are_noticed: f"{ENGINE} had only 2 of 3",
    a_second_restart_is_noticed: f"'{PROXY}': 2",
    trouble_is_told_with_what_a_person_would_look_at: "Deepgram's log:",
}


@pytest.mark.parametrize("story", EXPECTED, ids=name_of)
def test_the_rig(told, story):
    expected = EXPECTED[story]
    if expected is None:
        assert told[story] is None, told[story]
    else:
        assert told[story] and expected in told[story]
