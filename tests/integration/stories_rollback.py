"""A roll-out that doesn't get on: taken back when new pods fail, waited for when they lack a node.

Until then the old pods serve on the old key, which stays alive.
"""

import time

from polling import wait_for
from resources import condition
from rotation_rig import KEY, Stories
from workloads import API, CHART, ENGINE, GPU, KWOK, PROXY

STORIES = Stories()
ON_REVISION_2 = "revision.deepgram.com/key=2"
TIMEOUT_S = 6


def rolled_back(rig, failure, *words):
    """The Engine fails on revision 2: all goes back. Returns the old key's id."""
    rig.operator()
    rig.key(rollout={"timeout": f"{TIMEOUT_S}s"})
    rig.chart(annotations={f"{KWOK}{failure}-when": ON_REVISION_2})
    time.sleep(2)  # times in the API have whole seconds: what started then may hold the new key
    since = rig.sampler.now
    value = rig.data("key")
    old = rig.rotate()
    message = rig.wait_told("False", "RolledBack", "revision 2", ENGINE, *words, timeout=60)
    failed = [pod for pod in rig.sampler.pods_of(rig.namespace, ENGINE)
              if pod.name in message]
    assert failed, f"no pod that there was is named: {message}"
    ready = condition(rig.find(KEY, "key"), "Ready")
    assert ready["status"] == "True", ready
    assert rig.data("key") == value and old in rig.live()
    rig.wait_finished(1)  # the failed one is revoked once no pod has it left
    rig.workloads.wait_rolled_out()
    rig.sampler.wait_for_next()
    assert {pod.app: pod.held for pod in rig.present()} == {app: {old} for app in CHART}
    rig.check_never_fewer(since)
    assert rig.holders(rig.created(2), API) == []
    assert len(rig.creates()) == 2
    assert rig.events("Warning", "RolledBack")
    return old


def mended(rig, old):
    """The next rotate token is a new try, with what was wrong gone."""
    rig.rotate()
    rig.wait_finished(3, timeout=90)
    rig.wait_told("True", "Updated")
    rig.check_order(old, rig.status()["id"])
    rig.check_revoked_last(old)
    assert len(rig.creates()) == 3
    rollbacks = rig.processes[-1].metrics().value("deepgram_operator_rollbacks_total", kind=KEY)
    assert rollbacks == 1


@STORIES.add
def an_engine_image_that_cannot_be_pulled(rig):
    mended(rig, rolled_back(rig, "image-pull-failure", "ImagePullBackOff"))


@STORIES.add
def an_engine_that_crashes_on_the_new_key(rig):
    mended(rig, rolled_back(rig, "crash", "CrashLoopBackOff"))


@STORIES.add
def an_engine_that_is_never_ready(rig):
    mended(rig, rolled_back(rig, "never-ready"))


@STORIES.add
def an_operator_that_is_killed_while_it_goes_back(rig):
    process = rig.operator()
    rig.key(rollout={"timeout": f"{TIMEOUT_S}s"})
    rig.chart(annotations={f"{KWOK}crash-when": ON_REVISION_2})
    time.sleep(2)
    since = rig.sampler.now
    value = rig.data("key")
    old = rig.rotate()
    wait_for(lambda: rig.data("key") != value, 20, "the new key is published", interval=0.02)
    wait_for(lambda: rig.data("key") == value, 60, "the old one is put back", interval=0.005)
    process.kill()
    rig.operator()
    rig.wait_told("False", "RolledBack")
    rig.wait_finished(1)
    rig.workloads.wait_rolled_out()
    rig.sampler.wait_for_next()
    assert all(pod.held == {old} for pod in rig.present())
    rig.check_never_fewer(since)
    assert len(rig.creates()) == 2


@STORIES.add
def without_a_spare_gpu_it_waits_and_goes_on_when_a_node_appears(rig):
    rig.operator()
    rig.key(rollout={"timeout": f"{TIMEOUT_S}s"})
    rig.chart(engine=rig.gpu_node(3), gpus=1)
    since = rig.sampler.now
    old = rig.rotate()
    message = rig.wait_told("False", "RolloutBlocked", f"2 of 3: {ENGINE}", "1 pending",
                            f"insufficient {GPU}", "(pod deepgram-engine-")
    time.sleep(2 * TIMEOUT_S)
    assert old in rig.live() and len(rig.live()) == 2
    assert rig.wait_told("False", "RolloutBlocked") == message
    assert condition(rig.find(KEY, "key"), "Ready")["status"] == "True"
    assert len(rig.holders(old, API)) == len(rig.present(API)) == CHART[API]
    assert not any(old in pod.held for pod in rig.present(PROXY))
    rig.gpu_node(1)
    rig.wait_finished(2)
    rig.check_order(old, rig.status()["id"])
    rig.check_revoked_last(old)
    rig.check_never_fewer(since)
    rig.check_restarts(1)
    # With one GPU to spare, each of the three pods that follow waits for the one before to end.
    told, = rig.events("Warning", "RolloutBlocked")
    assert message in told and "goes on when a node has room" in told

