"""When a credential is rotated, and when not: by time, after an outage of the operator, with a clock
that is set, and by what people change."""

import datetime
import json
from pathlib import Path

from controlplane import REPOSITORY
from hours import in_seconds, issued_earlier
from polling import wait_for
from rotation_rig import KEY, PULL, Stories
from workloads import KWOK

RELEASE = REPOSITORY / "build" / "deepgram-operator"  # libfaketime and ASan don't go together
FAKETIME = next(Path("/usr/lib").glob("*/faketime/libfaketime.so.1"), None)
REAL_TIMERFD = REPOSITORY / "build" / "real-timerfd.so"
HOUR_S = 3600
STORIES = Stories()


@STORIES.add
def after_hours_without_an_operator_it_rotates_once(rig):
    process = rig.operator()
    rig.key(rotation={"every": "1h"})
    rig.chart()
    process.stop()
    issued_earlier(rig, 5)
    rig.operator()
    rig.wait_finished(2)
    planned = datetime.datetime.fromisoformat(rig.status()["nextRotationAt"])
    ahead = planned - datetime.datetime.now(datetime.UTC)
    assert 0.85 * HOUR_S < ahead.total_seconds() <= HOUR_S, ahead
    rig.quiet(3, creates=2)
    rig.check_restarts(1)


@STORIES.add
def every_so_often_it_rotates_and_says_when_it_will(rig):
    rig.operator()
    rig.key(rotation={"every": "12s"})
    for revision in (2, 3):
        planned = datetime.datetime.fromisoformat(rig.status()["nextRotationAt"])
        rig.wait_issued(revision)
        late = datetime.datetime.now(datetime.UTC) - planned
        assert -1.5 < late.total_seconds() < 5, late
        rig.wait_finished(revision)


@STORIES.add_long
def a_rotation_by_time_waits_for_the_roll_out_before_it(rig):
    """It takes half a minute: begun anew every ten, it would never come to the API."""
    rig.operator()
    rig.key(rotation={"every": "10s"})
    rig.chart(everywhere={f"{KWOK}ready-delay": "4s"})
    old = rig.status()["id"]
    wait_for(lambda: rig.revoked_at(old), 90, "the first key has been replaced everywhere")
    rig.check_order(old, rig.created(2))


@STORIES.add_long
def a_key_with_a_lifetime_is_replaced_with_its_pods_before_it_ends(rig):
    rig.operator()
    rig.key(validFor="90s", rotation={"before": "45s"})
    rig.chart()
    old = rig.status()["id"]
    rig.wait_issued(2, timeout=90)
    rig.wait_finished(2)
    rig.check_order(old, rig.status()["id"])
    rig.check_restarts(1)


@STORIES.add
def an_end_in_the_past_or_too_near_mints_nothing_until_it_is_mended(rig):
    rig.operator()
    for name, seconds, reason in (("over", -3600, "ExpiryPassed"), ("near", 30, "ExpiryTooNear")):
        rig.api_key(name, expiresAt=in_seconds(seconds))
        rig.wait_told("False", reason, "spec.expiresAt", "validFor", type="Ready", name=name)
    rig.quiet(3, creates=0)
    for name in ("over", "near"):
        rig.patch(KEY, name, {"spec": {"expiresAt": in_seconds(HOUR_S)}})
        rig.wait_ready(KEY, name)
    rig.quiet(1, creates=2)


@STORIES.add_long
def a_key_that_ends_for_good_says_so_and_gets_no_successor(rig):
    rig.operator()
    rig.key(expiresAt=in_seconds(66))
    assert "nextRotationAt" not in rig.status(), "its successor would have the same end"
    rig.wait_told("False", "ExpiryPassed", "spec.expiresAt lies in the past", type="Ready",
                  timeout=90)
    rig.quiet(3, creates=1)


@STORIES.add
def what_a_credential_is_not_made_of_rotates_nothing(rig):
    rig.operator()
    rig.key()
    rig.pull_secret("pull")
    rig.wait_ready(PULL, "pull")
    metadata = {"labels": {"team": "speech"}, "annotations": {"note": "mine"}}
    for kind, name in ((KEY, "key"), (PULL, "pull")):
        rig.patch(kind, name, {"metadata": metadata})
        rig.patch(kind, name, {"spec": {
            "rotation": {"every": "720h", "overlap": "2h"}, "deletionPolicy": "Retain",
            "secret": {"labels": {"a": "b"}, "annotations": {"c": "d"}}}})
    rig.patch(KEY, "key", {"spec": {
        "secret": {"data": {"KEY": "${apiKey}"}}, "rollout": {"mode": "Wait", "timeout": "1h"}}})
    wait_for(lambda: "KEY" in rig.data("key"), 10, "the template is rendered")
    rig.quiet(3, creates=2)


@STORIES.add
def changed_scopes_rotate_once(rig):
    rig.operator()
    rig.key()
    rig.chart()
    scopes = ["self-hosted:product:api", "self-hosted:product:engine"]
    rig.patch(KEY, "key", {"spec": {"scopes": scopes}, "metadata": {
        "annotations": {"deepgram.com/rotate": "with-it"}}})
    rig.wait_finished(2)
    rig.quiet(2, creates=2)
    rig.check_restarts(1)
    assert set(scopes) <= set(rig.credential(rig.status()["id"])["scopes"])


@STORIES.add
def one_token_is_one_rotation_also_across_restarts(rig):
    process = rig.operator()
    rig.key()
    rig.rotate(token="one")
    rig.wait_finished(2)
    process.stop()
    process = rig.operator()
    wait_for(lambda: process.get("/readyz").is_success, 20, "it is ready")
    rig.patch(KEY, "key", {"metadata": {"annotations": {"deepgram.com/rotate": "one"}}})
    rig.quiet(3, creates=2)
    rig.rotate(token="two")
    rig.wait_finished(3)


@STORIES.add
def a_key_that_somebody_revokes_is_replaced_at_once(rig):
    rig.may_be_dead = True
    rig.operator()
    rig.key()
    rig.chart()
    old = rig.status()["id"]
    rig.emulator.revoke(old)
    rig.wait_finished(2)
    rig.workloads.wait_rolled_out()
    new = rig.status()["id"]
    wait_for(lambda: all(pod.held == {new} for pod in rig.present()), 30, "all pods hold the new key")
    rig.quiet(2, creates=2)


# ---- clocks ----


class Clock:
    """The wall clock of a process with libfaketime; its monotonic one goes on as it is."""

    def __init__(self, path, offset_s):
        self.path = path
        self.set(offset_s)
        self.env = {"LD_PRELOAD": f"{REAL_TIMERFD} {FAKETIME}",
                    "FAKETIME_TIMESTAMP_FILE": str(path), "FAKETIME_NO_CACHE": "1", "FAKETIME_DONT_FAKE_MONOTONIC": "1"}

    def set(self, offset_s):
        fresh = self.path.with_suffix(".new")
        fresh.write_text(f"{offset_s:+d}\n")
        fresh.replace(self.path)


def with_a_clock(rig, start_s, then_s):
    """The operator's clock starts that far from ours, and is then set: no rotation of itself."""
    assert FAKETIME, "libfaketime is missing: `make deps` installs it"
    clock = Clock(rig.directory / f"{rig.namespace}.clock", start_s)
    process = rig.operator("--log-format=json", env=clock.env, binary=RELEASE)
    rig.key(validFor="720h", rotation={"every": "2h"})
    clock.set(then_s)
    rig.patch(KEY, "key", {"metadata": {"labels": {"seen": "now"}}})
    rig.quiet(7, creates=1)  # in which an inventory is taken
    rig.rotate()
    rig.wait_finished(2)
    rig.quiet(2, creates=2)
    times = [datetime.datetime.fromisoformat(json.loads(line)["time"])
             for line in process.log_text().splitlines()]
    jump = (times[-1] - times[0]).total_seconds()
    assert abs(jump - (then_s - start_s)) < 120, f"the operator's clock was not set: {jump} s"


@STORIES.add
def a_clock_that_is_set_forward_rotates_nothing(rig):
    with_a_clock(rig, 0, 5 * HOUR_S)


@STORIES.add
def a_clock_that_is_set_back_rotates_nothing(rig):
    with_a_clock(rig, 5 * HOUR_S, 0)

