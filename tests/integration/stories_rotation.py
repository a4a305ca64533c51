"""A rotation restarts what holds the key, in order, and revokes the old key when nobody has it left.

Of each of them, sampled: every running or terminating pod's key is alive at every instant.
"""

import pytest

from polling import wait_for
from resources import condition
from rotation_rig import KEY, Stories
from workloads import API, CHART, ENGINE, KWOK, PROXY

STORIES = Stories()


@STORIES.add
def the_charts_pods_get_the_new_key_in_order_and_the_old_one_goes_last(rig):
    process = rig.operator()
    rig.key()
    rig.chart()
    since = rig.sampler.now
    old = rig.rotate()
    rig.wait_finished(2)
    rig.wait_told("True", "Updated")
    new = rig.status()["id"]
    rig.check_order(old, new)
    rig.check_revoked_last(old)
    rig.check_never_fewer(since)
    rig.check_restarts(1)
    assert len(rig.creates()) == 2
    assert {app: len(rig.holders(new, app)) for app in CHART} == CHART
    process.stop()


@STORIES.add
def ready_stays_true_all_the_while(rig):
    """A routine rotation is nothing that `kubectl wait` or a GitOps tool should stumble over."""
    rig.operator()
    rig.key()
    rig.chart()
    rig.rotate()

    def looked_at():
        found = rig.find(KEY, "key")
        ready = condition(found, "Ready")
        assert ready["status"] == "True" or pytest.fail(f"not Ready: {ready}")
        for kind in ("Reconciling", "Stalled"):
            assert condition(found, kind) is None or pytest.fail(f"{kind} in a rotation")
        return found["status"]["revision"] == 2 and len(rig.live()) == 1

    wait_for(looked_at, 60, "the rotation is over", interval=0.05)
    rig.workloads.wait_rolled_out()


@STORIES.add
def the_condition_tells_where_the_roll_out_is(rig):
    rig.operator()
    rig.key()
    # How far it is stands in the status within two seconds: each of them takes longer.
    rig.chart(everywhere={f"{KWOK}ready-delay": "3s"})
    rig.rotate()
    rig.wait_told("False", "RollingOut", f"1 of 3: {PROXY} 0/1 pods on revision 2")
    rig.wait_told("False", "RollingOut", f"2 of 3: {ENGINE}", "/4 pods on revision 2")
    rig.wait_told("False", "RollingOut", f"3 of 3: {API}")
    rig.wait_told("True", "Updated", "revision 2")
    rig.wait_finished(2)


@STORIES.add
def consumers_in_the_status_tell_how_far_each_is(rig):
    rig.operator()
    rig.key()
    rig.chart()
    rig.rotate()
    rig.wait_finished(2)

    def told():
        consumers = rig.status()["consumers"]
        assert [(one["kind"], one["name"]) for one in consumers] == [
            ("Deployment", app) for app in CHART]
        for one in consumers:
            assert (one["revision"], one["pods"], one["updatedPods"], one["state"]) == (
                2, CHART[one["name"]], CHART[one["name"]], "Updated"), one
        return True

    wait_for(told, 10, "status.consumers tells that all are updated")


@STORIES.add
def the_overlap_passes_before_the_old_key_goes(rig):
    rig.operator()
    rig.key(rotation={"overlap": "25s"})
    rig.chart()
    old = rig.rotate()
    rig.wait_issued(2)
    created = rig.creates()[-1]["time_ms"] / 1000
    rig.wait_told("True", "Updated")
    assert rig.revoked_at(old) is None
    rig.wait_finished(2)
    assert rig.revoked_at(old) - created >= 25


@STORIES.add
def a_rotation_that_is_due_before_the_last_one_is_through_goes_on_with_the_newest(rig):
    rig.operator()
    rig.key()
    rig.chart()
    first = rig.rotate()
    wait_for(lambda: rig.workloads.revision(PROXY) == 2, 20, "the first roll-out is under way")
    second = rig.rotate()
    assert second != first
    rig.wait_finished(3, timeout=90)
    rig.check_revoked_after_its_pods(first)
    rig.check_revoked_last(second)
    assert len(rig.creates()) == 3


@STORIES.add
def a_restart_of_the_operator_restarts_nobody(rig):
    process = rig.operator()
    rig.key()
    rig.chart()
    rig.rotate()
    rig.wait_finished(2)
    rig.wait_told("True", "Updated")
    process.stop()
    mark = rig.plane.audit_mark()
    process = rig.operator()
    wait_for(lambda: process.get("/readyz").is_success, 20, "it is ready")
    rig.quiet(6, creates=2)
    assert rig.writes(mark) == []
    rig.check_restarts(1)

